package export

import (
	"bytes"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

// A format that says it has evidence has it, and no other: lists for those are
// made without.
func TestEvidenceIsWhereItIsSaid(t *testing.T) {
	made := func(f Format, seen *rule.Seen) []byte {
		file, err := Make(rule.List{Rules: []rule.Rule{{Name: "www.example.com", Source: "observed", Seen: seen}, {Name: "example.net", Source: "observed", Seen: seen}}}, f, Options{Reproducible: true})
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		return file.Data
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, f := range Formats() {
		with := made(f, &rule.Seen{Queries: 4711, Outcome: "resolved", Types: []string{"A"}, Instances: []string{"web"}, First: at, Last: at})
		if says := !bytes.Equal(with, made(f, nil)); says != f.Evidence() {
			t.Errorf("%s: that it has evidence is %t, and told is %t", f.Name, says, f.Evidence())
		}
	}
}
