package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What docs/reliability.md says was tried is a test that is there: each row of its
// tables has one, by what go test is called with, or says why there is none; no
// row is there twice.
func TestReliabilityNamesTests(t *testing.T) {
	text, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsByDirectory(t)
	named := regexp.MustCompile("((?:`[A-Z]\\w+`, )*)`([A-Z]\\w+)((?: \\.\\S*)+)`") // `A`, `B ./dir ./other`
	word := regexp.MustCompile(`\w+`)
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		found := named.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			for _, pattern := range append(word.FindAllString(m[1], -1), m[2]) {
				for _, dir := range strings.Fields(m[3]) {
					if !slices.ContainsFunc(tests[filepath.Clean(dir)], func(name string) bool { return strings.Contains(name, pattern) }) {
						t.Errorf("no test in %s has %s in its name: %s", dir, pattern, line)
					}
				}
			}
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") || strings.HasSuffix(line, "| test |\n") {
			continue
		}
		if what, _, _ := strings.Cut(line[1:], "|"); seen[what] {
			t.Errorf("it has two rows of%s", what)
		} else {
			seen[what] = true
		}
		if len(found) == 0 && !strings.Contains(line, "| none: ") {
			t.Errorf("a row has no test: %s", line)
		}
	}
}

// testsByDirectory returns the names of all tests and fuzz targets, those of "..."
// of all directories.
func testsByDirectory(t *testing.T) map[string][]string {
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	all := make(map[string][]string)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(source, -1) {
			for _, dir := range []string{filepath.Dir(path), "..."} {
				all[dir] = append(all[dir], string(m[1]))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
