package look

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// A picture is well-formed XML whatever is in a line, holds all of its text,
// and has the styles and the background.
func TestSVG(t *testing.T) {
	s := NewStyles(true)
	lines := []string{
		new(Line).Add(s.Drop, " ✗ drop   two ").Add(s.Strong, `<b>&"x"`).Cut(24),
		new(Line).Select(s).Add(s.Match, "日本.example").Pad(24).Cut(24),
		"",
	}
	picture := string(SVG(lines, 24, true))
	var texts []string
	for in := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := in.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v:\n%s", err, picture)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			texts = append(texts, string(text))
		}
	}
	if got, want := strings.Join(texts, "|"), `✗ drop|two|<b>&"x"|日本.example`; got != want {
		t.Errorf("it has %q, want %q", got, want)
	}
	if spread := regexp.MustCompile(`>( [^<]|[^<]*(  | <))`).FindString(picture); spread != "" {
		t.Errorf("spaces that a viewer drops are in a text: %q", spread)
	}
	if at := fmt.Sprintf(`x="%.1f" y="25" textLength="%.1f" fill="#f38ba8">two<`, svgMargin+10*svgCell, 3*svgCell); !strings.Contains(picture, at) {
		t.Errorf("a word doesn't stand in its cells, at %s:\n%s", at, picture)
	}
	for _, want := range []string{`fill="#f38ba8"`, `font-weight="bold"`, `text-decoration="underline"`, `height="18" fill="#313244"`, `fill="#1e1e2e"`} {
		if !strings.Contains(picture, want) {
			t.Errorf("it has no %s:\n%s", want, picture)
		}
	}
}
