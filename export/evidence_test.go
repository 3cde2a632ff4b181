package export

import (
	"fmt"
	"testing"
)

// whole writes all that is known of a rule.
func whole(r Rule) string {
	seen := r.Seen
	r.Seen = nil
	return fmt.Sprintf("%#v %+v", r, seen)
}

// The formats that hold all that is known give it back, for a list that is
// united with a later one.
func TestDecodeKeepsTheEvidence(t *testing.T) {
	want := sample(t)
	for i := range want.rules {
		want.rules[i].Reason, want.rules[i].Source = oneLine(want.rules[i].Reason), oneLine(want.rules[i].Source)
	}
	for _, f := range []Format{jsonFormat, yamlFormat, csvFormat} {
		data, err := Render(f, want, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Decode(data)
		if err != nil || len(got) != len(want.rules) {
			t.Fatalf("%s: %d rules, %v", f.Name, len(got), err)
		}
		for i := range got {
			if got, want := whole(got[i]), whole(want.rules[i]); got != want {
				t.Errorf("%s: read %s, want %s", f.Name, got, want)
			}
		}
	}
}
