package export

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// matrixFile is what .ci/matrix wrote: which software, of which Debian release,
// did what with the file of which format.
//
//go:embed matrix.tsv
var matrixFile string

// trial is one row of it.
type trial struct {
	date, release, software, version, format string
	// what became of it: proven, opens (something passed that must not),
	// closes (something didn't that must), refuses (it doesn't start with
	// the file), fails, and not tried of a release that could not be had.
	what    string
	details string
}

func trials() []trial {
	var all []trial
	for line := range strings.Lines(matrixFile) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(f) == 7 {
			all = append(all, trial{f[0], f[1], f[2], f[3], f[4], f[5], f[6]})
		}
	}
	return all
}

// tried says what the matrix knows of a format, as its Proven.
func tried(format string) string { return triedIn(trials(), format) }

func triedIn(all []trial, format string) string {
	var software, proven, not []string
	versions := make(map[string][]string)
	last := ""
	for _, t := range all {
		if t.what == "not tried" {
			not = append(not, fmt.Sprintf("not tried with Debian's %s, for %s", t.release, t.details))
		}
		if t.format != format {
			continue
		}
		last = max(last, t.date)
		if t.what != "proven" {
			continue
		}
		if versions[t.software] == nil {
			software = append(software, t.software)
		}
		if !slices.Contains(versions[t.software], t.version) {
			versions[t.software] = append(versions[t.software], t.version)
		}
	}
	if last == "" {
		return ""
	}
	for _, s := range software {
		proven = append(proven, s+" "+span(versions[s]))
	}
	words := []string{cmp.Or(strings.Join(proven, ", "), "nothing that takes it right")}
	said := make(map[string]bool)
	for _, t := range all {
		verb := map[string]string{"opens": "opens in", "closes": "denies too much in", "refuses": "is refused by", "fails": "fails in"}[t.what]
		if t.format != format || verb == "" {
			continue
		}
		text := fmt.Sprintf("%s %s %s", verb, t.software, t.version)
		if t.details != "" {
			text += " (" + note(t.details) + ")"
		}
		if !said[text] {
			said[text] = true
			words = append(words, text)
		}
	}
	return fmt.Sprintf("asked in %s; on %s", strings.Join(append(words, not...), "; "), last)
}

// span lists versions, three or more with the first and the last before them.
func span(versions []string) string {
	slices.SortFunc(versions, compareVersions)
	short := make([]string, len(versions))
	for i, v := range versions {
		short[i] = strings.Join(strings.SplitN(v, ".", 3)[:min(2, strings.Count(v, ".")+1)], ".")
	}
	if len(slices.Compact(slices.Clone(short))) < len(short) {
		short = versions
	}
	if n := len(short); n > 2 {
		return fmt.Sprintf("%s to %s (%s)", short[0], short[n-1], strings.Join(short, ", "))
	}
	return strings.Join(short, " and ")
}

func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return cmp.Compare(x, y)
	})
}
