package export

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lxd-allowlist/export/rule"
)

// A file that is read back by parts says what it does in one go: all of its rules,
// in whatever order, and nothing else.
func TestReadBackByParts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var rules []rule.Rule
	for i := range 20_000 {
		rules = append(rules, rule.Rule{Name: fmt.Sprintf("h%d.example", i), Suffix: i%7 == 0})
	}
	rules = append(rules, rule.Rule{Name: "192.0.2.7:443/tcp"}, rule.Rule{Name: "results<0-99>.example.net"})
	byLine := 0
	for _, f := range formats {
		if !f.byLine {
			continue
		}
		byLine++
		c, _ := rule.Compile(rule.List{Rules: rules})
		data, err := f.encode(f, c, Options{})
		if err != nil || len(data) < 3*partBytes {
			t.Fatalf("%s: %d bytes, %v", f.Name, len(data), err)
		}
		if whole, err := f.decode(data); err != nil || rule.Difference(whole, c.Rules()) != "" {
			t.Fatalf("%s: in one go it isn't what the rules are: %v", f.Name, err)
		}
		if !f.says(data, c.Rules()) || !f.says(data[:len(data)-1], c.Rules()) {
			t.Errorf("%s: by parts it isn't what the rules are", f.Name)
		}
		lines := slices.Collect(bytes.Lines(data))
		for range 50 {
			i, j := random.IntN(len(lines)), random.IntN(len(lines))
			for what, wrong := range map[string][][]byte{
				"a line less":       slices.Delete(slices.Clone(lines), i, i+1),
				"a line more":       slices.Insert(slices.Clone(lines), i, []byte("more.example.org\n")),
				"a line twice":      slices.Insert(slices.Clone(lines), i, lines[j]),
				"another line":      slices.Replace(slices.Clone(lines), i, i+1, append([]byte("x"), lines[i]...)),
				"the other kind":    slices.Replace(slices.Clone(lines), i, i+1, append([]byte("."), lines[i]...)),
				"two words":         slices.Replace(slices.Clone(lines), i, i+1, append([]byte("two "), lines[i]...)),
				"a comment instead": slices.Replace(slices.Clone(lines), i, i+1, append([]byte("#"), lines[i]...)),
			} {
				if f.says(bytes.Join(wrong, nil), c.Rules()) {
					t.Errorf("%s: with %s, %q, it is what the rules are", f.Name, what, lines[i])
				}
			}
		}
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if !f.says(bytes.Join(lines, nil), c.Rules()) {
			t.Errorf("%s: in another order it isn't what the rules are", f.Name)
		}
		if f.says([]byte("two words\n"), nil) {
			t.Errorf("%s: what can't be read is no rules", f.Name)
		}
	}
	if byLine == 0 {
		t.Error("no format is read by lines")
	}
}
