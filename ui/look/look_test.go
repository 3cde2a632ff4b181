package look

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Whatever is put into a line, it takes the cells that it says, and cut it
// takes those that were asked for.
func TestLineKeepsItsWidth(t *testing.T) {
	s := NewStyles(true)
	texts := []string{"", "a", "domain", "日本語", "e\u0301", strings.Repeat("x", 50)}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var l Line
		for range rng.IntN(8) {
			text, w := texts[rng.IntN(len(texts))], rng.IntN(20)
			switch rng.IntN(6) {
			case 0:
				l.Add(s.Strong, text)
			case 1:
				l.Pad(l.Width() + w)
			case 2:
				l.Select(s)
			case 3:
				l.Raw(s.Key.Render(text))
			case 4:
				l.Join(new(Line).Add(s.Keep, text))
			default:
				before := l.Width()
				l.Cell(s.Muted, text, w, rng.IntN(2) == 0)
				if got := l.Width() - before; got != w {
					t.Fatalf("seed %d: a cell of %d took %d", seed, w, got)
				}
			}
		}
		if got := Width(l.String()); got != l.Width() {
			t.Fatalf("seed %d: the line %q takes %d cells and says %d", seed, l.String(), got, l.Width())
		}
		w := rng.IntN(100)
		if got := Width(l.Cut(w)); got != w {
			t.Fatalf("seed %d: cut to %d it takes %d", seed, w, got)
		}
	}
}

// A selected piece has the background, and so has what fills up behind it.
func TestSelectReachesEveryPiece(t *testing.T) {
	s := NewStyles(true)
	var l Line
	l.Add(s.Key, "a").Select(s).Add(s.Strong, "b").Pad(5)
	pieces := strings.SplitAfter(l.String(), "\x1b[m")
	for i, p := range pieces[:len(pieces)-1] {
		if got, want := strings.Contains(p, "48;2;"), i > 0; got != want {
			t.Errorf("piece %q: background %t, want %t", p, got, want)
		}
	}
	if len(pieces) != 4 {
		t.Errorf("%d pieces in %q, want 3", len(pieces)-1, l.String())
	}
}

func TestOverlay(t *testing.T) {
	screen := []string{"aaaaaa", "bbb", "日本語"}
	Overlay(screen, []string{"XX", "YY", "ZZ", "beyond"}, 2, 0, 6)
	if got, want := strings.Join(screen, "|"), "aaXXaa|bbYY  |日ZZ語"; got != want {
		t.Errorf("the screen is %q, want %q", got, want)
	}
}

func TestBox(t *testing.T) {
	lines := Box(NewStyles(true), "Title", []string{"one", "much too long a line"}, 10)
	for i := range lines {
		lines[i] = ansi.Strip(lines[i])
	}
	want := "╭─ Title ────╮\n│ one        │\n│ much too … │\n╰────────────╯"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhole(t *testing.T) {
	s := NewStyles(true)
	box := Box(s, "Title", []string{"one", "two", "three", "four"}, 20)
	got := Whole(s, box, 5)
	for i := range got {
		got[i] = strings.TrimSpace(strings.Trim(ansi.Strip(got[i]), "│╭╮╰╯─ "))
	}
	if text := strings.Join(got, "|"); text != "Title|… 2 lines more|three|four|" {
		t.Errorf("on 5 lines it is %q", text)
	}
	if got := Whole(s, box, 6); len(got) != 6 || got[1] != box[1] {
		t.Errorf("a box that fits is %q", got)
	}
}

// Where room is short, the first hint and the last two stay.
func TestHints(t *testing.T) {
	var hints []Hint
	for _, h := range []string{"a keep", "d drop", "u undo", "? help", "q quit"} {
		key, does, _ := strings.Cut(h, " ")
		hints = append(hints, Hint{Name: does, Key: key, Does: does})
	}
	for w, want := range map[int]string{
		60: " a keep  d drop  u undo  ? help  q quit",
		32: " a keep  d drop  ? help  q quit",
		24: " a keep  ? help  q quit",
	} {
		got := Hints(NewStyles(true), hints, w)
		if text := strings.TrimRight(ansi.Strip(got), " "); text != want || Width(got) != w {
			t.Errorf("in %d cells: %q in %d, want %q", w, text, Width(got), want)
		}
		for _, h := range hints {
			at := strings.Index(want+" ", " "+h.Key+" "+h.Does+" ")
			for x := at; at >= 0 && x < at+h.Width(); x++ {
				if name := HintAt(hints, w, x); name != h.Name {
					t.Errorf("in %d cells: cell %d is of %q, want %q", w, x, name, h.Name)
				}
			}
		}
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "now", 59 * time.Second: "59s", time.Minute: "1m", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * 24 * time.Hour: "long",
	} {
		if got := Age(d); got != want {
			t.Errorf("the age %v is %q, want %q", d, got, want)
		}
	}
	if now, ago := Ago(0), Ago(time.Minute); now != "now" || ago != "1m ago" {
		t.Errorf("ago: %q, %q", now, ago)
	}
	for n, want := range map[uint64]string{0: "0", 99_999: "99999", 100_000: "100k", 9_999_999: "9999k", 10_000_000: "10M"} {
		if got := string(AppendCount(nil, n)); got != want {
			t.Errorf("the count %d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint32]string{0: "0", 999: "999", 1000: "1k", 99_999: "99k", 100_000: ".1M", 999_999: ".9M", 1_000_000: "1M", 99_999_999: "99M", 100_000_000: ".1G", 4_294_967_295: "4G"} {
		if got := string(AppendShortCount(nil, n)); got != want {
			t.Errorf("the short count %d is %q, want %q", n, got, want)
		}
	}
	few := []string{"a", "b", "c", "d", "e"}
	if all, some := Few(few), Few(append(few, "f", "g")); all != "a, b, c, d, e" || some != "a, b, c, d, e, and 2 more" {
		t.Errorf("few: %q, %q", all, some)
	}
	if one, two := Plural(1, "rule"), Plural(2, "rule"); one != "1 rule" || two != "2 rules" {
		t.Errorf("plural: %q, %q", one, two)
	}
}

func TestChart(t *testing.T) {
	if got, want := Chart([]uint64{0, 1, 50, 100}), "▁▂▅█"; got != want {
		t.Errorf("the chart is %s, want %s", got, want)
	}
}

func TestProgress(t *testing.T) {
	for done, want := range map[int]string{0: "░░░░░░", 1: "▓░░░░░", 80: "▓▓▓░░░", 158: "▓▓▓▓▓░", 159: "▓▓▓▓▓▓"} {
		if got := Progress(done, 159, 6); got != want {
			t.Errorf("%d of 159 is %s, want %s", done, got, want)
		}
	}
	if got := Progress(0, 0, 3); got != "░░░" {
		t.Errorf("nothing of nothing is %s", got)
	}
}

// A piece has its style and the background in one sequence.
func TestSequences(t *testing.T) {
	s := NewStyles(true)
	var l Line
	l.Add(Style{}, "plain").Add(s.Keep, "a").Select(s).Add(s.Keep, "b").Add(Style{}, "c").Cell(s.Keep, "longer", 3, false)
	keep, both := "\x1b["+s.Keep.sgr+"m", "\x1b["+s.Keep.sgr+";"+s.selection+"m"
	want := "plain" + keep + "a\x1b[m" + both + "b\x1b[m\x1b[" + s.selection + "mc\x1b[m" + both + "lo\x1b[m" + both + "…\x1b[m"
	if got := l.String(); got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
	if s.Keep.sgr == "" || strings.ContainsAny(s.Keep.sgr+s.selection, "\x1bm") {
		t.Errorf("parameters %q and %q", s.Keep.sgr, s.selection)
	}
}

// The quick way to a text's width comes to what the thorough one does.
func TestWidth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", " ", "~", "é", "ß", "─", "…", "▌", "●", "✓", "³", "\x1b[m", "\x1b[1;38;2;1;2;3m", "\x1b[4:3m", "\x1b[2J", "\x1b[1", "\x1b",
		"e\u0301", "\u0301", "界", "👩\u200d💻", "▶\ufe0f", "☺", "\u200b", "\xe2\x94", "\xff", "\t", "한", "ก็", "©", "❤\ufe0f", "\xc3"}
	quick := 0
	for range 20000 {
		var b strings.Builder
		for range rng.IntN(5) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		text := b.String()
		n, ok := simpleWidth(text)
		if ok {
			quick++
		}
		if want := ansi.StringWidth(text); ok && n != want || Width(text) != want {
			t.Fatalf("%q: %d cells, %d in the quick way, want %d", text, Width(text), n, want)
		}
	}
	if quick < 1000 {
		t.Errorf("%d texts only were simple", quick)
	}
}

// A name that is longer than a line is broken behind its dots, and a label only
// where it is longer than that itself; what fits on a line of its own is whole.
func TestWrapBreaksNamesByLabel(t *testing.T) {
	s := NewStyles(true)
	for _, test := range []struct {
		w    int
		text string
		want []string
	}{
		{36, "productionresultssa17.blob.core.windows.net", []string{"productionresultssa17.blob.core.", "windows.net"}},
		{26, "3 names seen below .s3-w.us-east-1.amazonaws.com; w keeps all", []string{"3 names seen below", ".s3-w.us-east-1.", "amazonaws.com; w keeps", "all"}},
		{26, "any name below archive.ubuntu.com", []string{"any name below", "archive.ubuntu.com"}},
		{12, "a-long-label-of-a-name.com", []string{"a-long-", "label-of-a-", "name.", "com"}},
		{32, "/root/.local/state/lxd-allowlist/20261124-100125-shop.jsonl", []string{"/root/.local/state/", "lxd-allowlist/", "20261124-100125-shop.jsonl"}},
		{20, "see https://cdn.example.com/a-path/file.tar.gz", []string{"see https://", "cdn.example.com/", "a-path/file.tar.gz"}},
		{16, "/srv/a.very-long-directory.example/x", []string{"/srv/a.", "very-long-", "directory.", "example/x"}},
		{38, "take it with lxd-allowlist restore --force lxdbr0", []string{"take it with lxd-allowlist restore", "--force lxdbr0"}},
		{14, "an --option-that-is-longer", []string{"an --option-", "that-is-", "longer"}},
		{20, "no name, and dash-es-are-breaks", []string{"no name, and dash-", "es-are-breaks"}},
	} {
		var got []string
		for _, l := range Wrap(s.Text, test.text, test.w) {
			got = append(got, strings.TrimPrefix(ansi.Strip(l), " "))
		}
		if strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("in %d cells %q is %q, want %q", test.w, test.text, got, test.want)
		}
	}
}

// Whatever is wrapped is all there.
func TestWrapLosesNothing(t *testing.T) {
	s := NewStyles(true)
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range 1 + rng.IntN(120) {
			b.WriteByte("aaaaaaaa.../a- "[rng.IntN(15)])
		}
		w := 12 + rng.IntN(40)
		text, got := b.String(), ""
		for _, l := range Wrap(s.Text, text, w) {
			got += ansi.Strip(l)
		}
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Fatalf("seed %d: %q is wrapped as %q", seed, text, got)
		}
	}
}
