package export

import (
	"fmt"
	"testing"

	"lxd-allowlist/export/rule"
)

// whole writes all that is known of a rule.
func whole(r rule.Rule) string {
	seen := r.Seen
	r.Seen = nil
	return fmt.Sprintf("%#v %+v", r, seen)
}

// The formats that hold all that is known give it back, for a list that is
// united with a later one.
func TestDecodeKeepsTheEvidence(t *testing.T) {
	all := sample(t)
	want := all.Rules()
	for i := range want {
		want[i].Reason, want[i].Source = oneLine(want[i].Reason), oneLine(want[i].Source)
	}
	for _, f := range []Format{jsonFormat, yamlFormat, csvFormat} {
		data, err := Render(f, all, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Decode(data)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d rules, %v", f.Name, len(got), err)
		}
		for i := range got {
			if got, want := whole(got[i]), whole(want[i]); got != want {
				t.Errorf("%s: read %s, want %s", f.Name, got, want)
			}
		}
	}
}
