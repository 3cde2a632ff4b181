package psl

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write holders.txt anew")

// suffixRules returns all rules of the list of public suffixes that the library has:
// "*.ck", "!www.ck", "co.uk".
func suffixRules(t *testing.T) (rules []string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/net/publicsuffix").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "table_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "var rules = ")
	list, _, _ = strings.Cut(list, "\n}")
	for _, m := range regexp.MustCompile(`\t"(.*)",\n`).FindAllStringSubmatch(list, -1) {
		rules = append(rules, m[1])
	}
	if len(rules) < 1000 {
		t.Fatalf("the library's tests have %d rules", len(rules))
	}
	return rules
}

// What is remembered of a domain holds for whatever is asked next: for each public
// suffix there is, for what is above it and for names below these.
func TestSuffixOfNeighbours(t *testing.T) {
	above := make(map[string]bool)
	var names []string
	for _, r := range suffixRules(t) {
		name := strings.TrimPrefix(strings.Replace(r, "*", "any", 1), "!")
		names = append(names, name, "b."+name, "a.b."+name)
		for _, up, _ := strings.Cut(name, "."); up != "" && !above[up]; _, up, _ = strings.Cut(up, ".") {
			above[up] = true
			names = append(names, up, "b."+up, "a.b."+up)
		}
	}
	var want []string
	for up := range above {
		if suffix, _ := askSuffix(up); len(suffix) < len(up) && oneMore(up, suffix) == up {
			want = append(want, up+"\n")
		}
	}
	slices.Sort(want)
	if text := strings.Join(want, ""); *update {
		if err := os.WriteFile("holders.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return // what is built in is what stood there before
	} else if text != holdersText {
		t.Error("holders.txt is not what the library's rules say: go test ./export/rule/psl -update")
	}
	names = append(names, "x.0.2.1", "192.0.2.1", "com", "", "a..com", "intranet", "h.intranet", "h.h.intranet")
	for _, backward := range []bool{false, true} {
		slices.SortFunc(names, func(a, b string) int {
			x, y := strings.Split(a, "."), strings.Split(b, ".")
			slices.Reverse(x)
			slices.Reverse(y)
			if backward {
				x, y = y, x
			}
			return slices.Compare(x, y)
		})
		var last lastDomain
		for _, name := range names {
			suffix, registry := askSuffix(name)
			if last.above(name) && (last.suffix != len(suffix) || last.registry != registry) {
				t.Fatalf("%s has the public suffix %q, registry %v, and %+v was remembered", name, suffix, registry, last)
			}
			last.remember(name, suffix, registry)
			if last.name != "" && last.above("x"+last.name) {
				t.Fatalf("x%s is below %[1]s", last.name)
			}
			if s, is := PublicSuffix(name); s != suffix || is != registry {
				t.Fatalf("%s has the public suffix %q, registry %v, and not %q, %v", name, suffix, registry, s, is)
			}
		}
	}
}

// As the library does, but that it has words for why there is none.
func TestRegistrable(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.com": "example.com", "example.com": "example.com", "com": "", "a.b.co.uk": "b.co.uk",
		"me.github.io": "me.github.io", "github.io": "", ".example.com": "", "example.com.": "", "a..example.com": "", "192.0.2.1": "", "": "", "intranet": "",
	} {
		if domain, ok := PlusOne(name); domain != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", name, domain, ok, want)
		}
	}
}
