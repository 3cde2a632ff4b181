package rule

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// Globs match what the expression does, of which numbers may have other lengths.
func TestGlobs(t *testing.T) {
	const digits = "123456789"
	for text, n := range map[string]int{
		"sa<0-99>.example.com": 2, "pkg-<00-99>.example.com": 1, "n<0-99>-<000-9999>.example.com": 4, "n<0-99><00-99>.example.com": 2, "<0-9999>.example.com": 4,
		"api.<region>.example.com": 0, "a<0-9999>b<0-9999>c<0-9999>.example.com": 64, "a<0-9999>b<0-9999>c<0-9999>d<0-9>.example.com": 64, "a<0-9999>b<0-9999>c<0-9999>d<0-99>.example.com": 0,
	} {
		p, ok := ParsePattern(text)
		globs := p.Globs()
		if !ok || len(globs) != n {
			t.Errorf("%s becomes %d, %q", text, len(globs), globs)
		}
		matches := p.Matcher()
		for a := range len(digits) {
			for b := range len(digits) {
				name := openPart.ReplaceAllString(strings.Replace(text, "<0-99>", digits[:a], 1), digits[:b])
				for _, name := range []string{name, "x" + name, name + "x", "x." + name, strings.ReplaceAll(name, ".", "x"), strings.ReplaceAll(name, "1", "a")} {
					if got := slices.ContainsFunc(globs, func(g string) bool { ok, _ := path.Match(g, name); return ok }); n > 0 && got != matches(name) {
						t.Errorf("%q match %s: %v", globs, name, got)
					}
				}
			}
		}
	}
}
