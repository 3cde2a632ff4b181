package capture_test

import (
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
)

// A pattern of the rules file is exported beside what was seen of it, unless a
// person dropped one of its names: that one would pass.
func TestPatternsAreListed(t *testing.T) {
	const keep = "keep ~^sa[0-9]{1,2}\\.blob\\.example\\.com$ # results\n"
	const pattern = "sa<0-99>.blob.example.com"
	for _, c := range []struct {
		rules   string
		drop    string // a name that is dropped on the screen
		group   string // the same with all below it
		dropped string // for what the pattern isn't exported, "" if it is
	}{
		{rules: keep},
		{rules: keep + "drop .blob.example.com\n"}, // what is kept first stays
		{rules: "drop .other.example.com\ndrop sa100.blob.example.com\n" + keep},
		{rules: "drop .blob.example.com\n" + keep, dropped: ".blob.example.com"},
		{rules: "drop sa77.blob.example.com\n" + keep, dropped: "sa77.blob.example.com"},
		{rules: "drop ~^sa2\n" + keep, dropped: "sa2.blob.example.com"},
		{rules: keep, drop: "sa2.blob.example.com", dropped: "sa2.blob.example.com"},
		{rules: keep, group: "blob.example.com", dropped: ".blob.example.com"},
	} {
		l := capture.NewLedger(capture.Info{})
		feed(l, "query[A] sa1.blob.example.com from 10.0.0.5", "query[A] sa2.blob.example.com from 10.0.0.5")
		rules, err := capture.ReadRules(strings.NewReader(c.rules))
		if err != nil {
			t.Fatal(err)
		}
		l.SetRules(rules)
		if c.drop != "" {
			l.Decide(capture.Drop, 1)
		}
		if c.group != "" {
			l.DecideGroup(capture.Drop, c.group)
		}
		list := l.List(false)
		at := -1
		for i, r := range list.Rules {
			if r.Name == pattern {
				at = i
			}
		}
		said := slices.ContainsFunc(list.Doubts, func(d string) bool { return strings.HasPrefix(d, pattern) && strings.Contains(d, c.dropped+",") })
		if at >= 0 != (c.dropped == "") || said != (c.dropped != "") {
			t.Errorf("%q %s%s: %v, %q", c.rules, c.drop, c.group, list.Rules, list.Doubts)
		}
		if at >= 0 && (list.Rules[at].Kind() != "pattern" || list.Rules[at].Reason != "results" || list.Rules[at].Source != "rules file" || len(list.Rules) != 3) {
			t.Errorf("%q: %+v", c.rules, list.Rules)
		}
		if all := l.List(true); len(all.Rules) != 2 {
			t.Errorf("all that was asked for: %v", all.Rules)
		}
	}
}

// A pattern that is kept for the session keeps what comes later and is listed; it
// stands above what was decided about a group that it is in, and below what was
// about a name. It is undone and done again, and a journal has it.
func TestPatternsForTheSession(t *testing.T) {
	const pattern, tail = "sa<0-99>.blob.example.com", ".blob.example.com"
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] sa1"+tail+" from 10.0.0.5", "query[A] other"+tail+" from 10.0.0.5")
	l.DecideGroup(capture.Drop, "example.com")
	what, err := l.KeepPattern(pattern, "ticket 4711")
	if err != nil || what != "keep all names of the pattern "+pattern+" (ticket 4711)" {
		t.Errorf("it did %q, %v", what, err)
	}
	feed(l, "query[A] sa77"+tail+" from 10.0.0.5", "query[A] sa777"+tail+" from 10.0.0.5", "query[A] sa5"+tail+" from 10.0.0.5")
	l.DecideGroup(capture.Drop, "sa5"+tail)
	holds := func(when string, want map[string]capture.Decision, listed bool) {
		t.Helper()
		l.Read(func(r capture.Reader) {
			for name, decision := range want {
				id, _ := r.Lookup(name + tail)
				if got := r.Verdict(r.Domain(id)); got.Decision != decision {
					t.Errorf("%s: %s is %+v, want %v", when, name, got, decision)
				}
			}
		})
		is := slices.ContainsFunc(l.List(false).Rules, func(r rule.Rule) bool { return r.Name == pattern && r.Reason == "ticket 4711" })
		if is != listed {
			t.Errorf("%s: that the pattern is listed is %v", when, is)
		}
	}
	kept := map[string]capture.Decision{"sa1": capture.Keep, "sa77": capture.Keep, "sa5": capture.Drop, "sa777": capture.Drop, "other": capture.Drop}
	holds("with a name of it dropped", kept, false) // that one would pass
	l.Undo()
	kept["sa5"] = capture.Keep
	holds("kept", kept, true)
	l.Undo()
	holds("undone", map[string]capture.Decision{"sa1": capture.Drop, "sa77": capture.Drop}, false)
	l.Redo()
	holds("done again", kept, true)
	l.DecideGroup(capture.New, pattern)
	holds("taken back", map[string]capture.Decision{"sa1": capture.Drop, "sa77": capture.Drop}, false)
	for _, text := range []string{"a.example.com", "<0-9>.com", "<a>.example.com"} {
		if _, err := l.KeepPattern(text, ""); err == nil {
			t.Errorf("%s is kept as a pattern", text)
		}
	}
}
