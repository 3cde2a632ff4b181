package look

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// FuzzText holds any text, once it is clean, to the cells that it is given.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"www.example.com", "an-instance.dualstack.us-east-1.elb.amazonaws.com is too long", "\x1b[31mred\x1b]0;x\x07\u009b1m", "\u202eevil\u2066", "日本語.example", "é\u0301\u0301", "👩‍👩‍👧", "⚠\ufe0f x", "\xff\xc2", "a\tb\nc", "\ue000-x.y-z", "ｱ゙𐍈\U000e0041", "\ufe0fx", "\U0001f3fbx", "\uff9e",
		" aaaaaaaaaaaaaaaaaaa",
	} {
		f.Add(text, uint8(12))
	}
	style := NewStyles(true).Keep
	f.Fuzz(func(t *testing.T, text string, width uint8) {
		if len(text) > 512 { // more of the same, and slow
			return
		}
		w := int(width)
		clean := Clean(text)
		if strings.ContainsFunc(clean, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) || Clean(clean) != clean {
			t.Errorf("%q is clean as %q", text, clean)
		}
		if n := ansi.StringWidth(" " + clean); n != 1+ansi.StringWidth(clean) {
			t.Errorf("%q is of %d cells behind a blank", clean, n)
		}
		if Width(clean) != ansi.StringWidth(clean) {
			t.Errorf("%q is %d wide, and %d", clean, Width(clean), ansi.StringWidth(clean))
		}
		for what, got := range map[string]string{
			"fitted": Fit(style.Render(clean), w), "in a cell": new(Line).Cell(style, clean, w, true).String(), "in a cell of bytes": new(Line).CellOf(style, []byte(clean), w, false).String(),
			"cut": new(Line).Add(style, clean).Cut(w),
		} {
			if n := ansi.StringWidth(got); n != w {
				t.Errorf("%q %s of %d is %q, of %d", clean, what, w, got, n)
			}
		}
		if n := Width(Shorten(clean, w)); n > w {
			t.Errorf("%q shortened to %d is of %d", clean, w, n)
		}
		const least = 11 // cells of a text that is wrapped, with its margin
		for _, line := range Wrap(Style{}, clean, w) {
			if n := ansi.StringWidth(line); n > max(w, least) {
				t.Errorf("%q wrapped to %d has the line %q, of %d", clean, w, line, n)
			}
		}
		wrapped := strings.Join(strings.Fields(strings.Join(Wrap(Style{}, clean, w), "")), "")
		if want := strings.Join(strings.Fields(clean), ""); wrapped != want {
			t.Errorf("%q wrapped to %d is %q", want, w, wrapped)
		}
	})
}
