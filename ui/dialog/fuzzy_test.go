package dialog

import (
	"slices"
	"testing"
)

// What is searched for is found as fzf's users expect: beginnings first, letters
// far from each other never.
func TestSearch(t *testing.T) {
	texts := []string{
		"details beside the table, or not\nLook i",
		"keep all below, by one rule\nDecide w",
		"toggle keep/drop\nDecide space",
		"export again as before\nProgram E",
		"export\nProgram e",
		"enforce the list, learn, report\nVerify V",
		"as markdown: a report for people\nExport",
		"as unbound: Unbound, local zones: all other names are NXDOMAIN\nExport",
		"Ärger mit dem Resolver\nSession",
		"spoorst\nInstance",
	}
	for _, tt := range []struct {
		query string
		want  []int
	}{
		{"", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"learn", []int{5}},
		{"report", []int{5, 6}},
		{"LIST", []int{5}},
		{"export", []int{4, 3, 6, 7}},
		{"port", []int{3, 4, 5, 6, 7}},
		{"sport", []int{9}}, // near, where nothing is better
		{"drop", []int{2}},
		{"kab", []int{1}},
		{"kbo", nil}, // a word is left out
		{"exprt", []int{3, 4, 6, 7}},
		{"report as", []int{6}},
		{"as report", []int{6}},
		{"Ärger", []int{8}},
		{"ärger", nil}, // beyond ASCII a letter is itself
		{"nxd", []int{7}},
		{"zzz", nil},
		{"exp", []int{4, 3, 6, 7}},
		{"unbnd", []int{7}},
		{"decide", []int{1, 2}},
		{"dr", []int{2, 8}},
	} {
		var got []int
		for _, f := range search(tt.query, texts) {
			got = append(got, f.index)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q finds %v, not %v", tt.query, got, tt.want)
		}
	}
	if got := search("report", texts)[0].bytes; !slices.Equal(got, []int{25, 26, 27, 28, 29, 30}) {
		t.Errorf("report is found by the bytes %v", got)
	}
}
