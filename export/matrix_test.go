package export

import (
	"strings"
	"testing"
)

func TestTried(t *testing.T) {
	all := []trial{
		{"2026-01-02", "a", "Unbound", "1.9.2", "rpz", "opens", "evil.org"},
		{"2026-01-02", "b", "Unbound", "1.17.1", "rpz", "proven", ""},
		{"2026-01-02", "b", "BIND", "9.18.1", "rpz", "proven", "class ANY"},
		{"2026-01-02", "c", "Unbound", "1.9.10", "rpz", "proven", ""},
		{"2026-01-02", "c", "Unbound", "1.17.1", "rpz", "proven", ""},
		{"2026-01-02", "d", "Unbound", "1.26.2", "rpz", "proven", ""},
		{"2026-01-03", "d", "", "", "", "not tried", "the release could not be fetched"},
		{"2026-01-02", "d", "tinyproxy", "1.10.0", "tinyproxy", "refuses", "line 1"},
	}
	for format, want := range map[string]string{
		"rpz": "asked in Unbound 1.9 to 1.26 (1.9, 1.17, 1.26), BIND 9.18; opens in Unbound 1.9.2 (evil.org); " +
			"not tried with Debian's d, for the release could not be fetched; on 2026-01-02",
		"tinyproxy": "asked in nothing that takes it right; is refused by tinyproxy 1.10.0 (line 1); " +
			"not tried with Debian's d, for the release could not be fetched; on 2026-01-02",
		"plain": "",
	} {
		if got := triedIn(all, format); got != want {
			t.Errorf("%s: %s\nwant %s", format, got, want)
		}
	}
	if got := span([]string{"3.0.34", "4.0.0", "3.0.32"}); got != "3.0.32 to 4.0.0 (3.0.32, 3.0.34, 4.0.0)" {
		t.Error(got)
	}
}

// Every row of the file is one that is understood, and of a format that there is.
func TestMatrixFile(t *testing.T) {
	lines := 0
	for range content([]byte(matrixFile), "#") {
		lines++
	}
	all := trials()
	if len(all) != lines || lines == 0 {
		t.Errorf("%d rows of %d lines", len(all), lines)
	}
	for _, r := range all {
		if r.what == "not tried" {
			continue
		}
		f, err := Lookup(r.format)
		if err != nil {
			t.Errorf("%+v: %v", r, err)
		} else if !strings.Contains(f.Proven, r.software) {
			t.Errorf("%s doesn't say of %s", f.Name, r.software)
		}
		// What a version does otherwise, people are told where they read what to do.
		if words := f.Exact + f.Suffix + f.Load; r.what != "proven" && !strings.Contains(words, release(r.version)) {
			t.Errorf("%s is silent on %s %s, which %s: %s", f.Name, r.software, r.version, r.what, words)
		}
	}
}

// release returns the first two numbers of a version.
func release(version string) string {
	numbers := strings.SplitN(version, ".", 3)
	return strings.Join(numbers[:min(2, len(numbers))], ".")
}
