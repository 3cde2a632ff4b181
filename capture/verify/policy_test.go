package verify

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

var start = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func exact(names ...string) (rules []rule.Rule) {
	for _, name := range names {
		rules = append(rules, rule.Rule{Name: name})
	}
	return rules
}

func below(name string) rule.Rule { return rule.Rule{Name: name, Suffix: true} }

func nothingLocal(string) bool { return false }

func TestPolicyAllows(t *testing.T) {
	p := New(append(exact("a.example", "deep.down.example"), below("wide.example")), func(name string) bool { return name == "host.lxd" })
	for name, want := range map[string]bool{
		"a.example": true, "b.a.example": false, "xa.example": false, "example": false,
		"deep.down.example": true, "down.example": false,
		"wide.example": true, "x.wide.example": true, "y.x.wide.example": true, "xwide.example": false, "wide.example.com": false,
		"host.lxd": true, "lxd": false, "": false,
	} {
		if got := p.Allows(name, start); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if none := New(nil, nothingLocal); none.Allows("a.example", start) {
		t.Error("an empty list allows something")
	}
}

// A pattern allows its names, not what has the letters of its text, and no more
// once it is gone; a name that was refused before is allowed late by it.
func TestPolicyOfPatterns(t *testing.T) {
	pattern := rule.Rule{Name: "sa<0-99>.blob.example.com"}
	p := New(exact("sa1.blob.example.com"), nothingLocal)
	ask(p, "sa2.blob.example.com", 1)
	ask(p, "sa200.blob.example.com", 1)
	if fresh, gone := p.Set([]rule.Rule{pattern}, at(2)); !fresh || !gone {
		t.Error("the pattern isn't new, or what was there isn't gone")
	}
	for name, want := range map[string]bool{
		"sa1.blob.example.com": true, "sa2.blob.example.com": true, "sa200.blob.example.com": false, "x.sa2.blob.example.com": false,
		"sa2.blob.example.com.evil.example": false, "sa2xblob.example.com": false, pattern.Name: false,
	} {
		if got := p.Allows(name, at(3)); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	ask(p, "sa2.blob.example.com", 4)
	rules, names, _ := p.States()
	if i := slices.IndexFunc(rules, func(r RuleState) bool { return r.Rule.Name == pattern.Name }); i < 0 || rules[i].Queries != 1 || rules[i].State() != "allowed late" {
		t.Errorf("states are %+v", rules)
	}
	for _, n := range names {
		if n.Allowed.IsZero() != (n.Name == "sa200.blob.example.com") {
			t.Errorf("%s was allowed at %s", n.Name, n.Allowed)
		}
	}
	p.Set(nil, at(5))
	if p.Allows("sa2.blob.example.com", at(6)) {
		t.Error("a pattern that was taken away allows")
	}
	p.Set([]rule.Rule{pattern}, at(7))
	if !p.Allows("sa2.blob.example.com", at(8)) {
		t.Error("a pattern that came back doesn't allow")
	}
}

// ask asks as the forwarder does.
func ask(p *Policy, name string, second int) (allowed, first bool) {
	allowed = p.Allows(name, at(second))
	return allowed, p.Asked(Query{At: at(second), Name: name, Type: "A", Refused: !allowed})
}

func TestStatesOfRulesAndNames(t *testing.T) {
	p := New(append(exact("used.example", "unused.example", "gone.example"), below("wide.example")), nothingLocal)
	ask(p, "used.example", 1)
	ask(p, "used.example", 2)
	ask(p, "x.wide.example", 3)
	if allowed, first := ask(p, "late.example", 4); allowed || !first {
		t.Errorf("a name that isn't in the list: allowed %v, first %v", allowed, first)
	}
	if _, first := ask(p, "late.example", 5); first {
		t.Error("the second refusal is called the first")
	}
	ask(p, "x.later.example", 6)
	p.Set(append(exact("used.example", "unused.example", "late.example"), below("wide.example"), below("later.example")), at(7))
	if allowed, _ := ask(p, "late.example", 8); !allowed {
		t.Error("a rule that was added doesn't count")
	}
	if allowed, _ := ask(p, "gone.example", 9); allowed {
		t.Error("a rule that was taken away counts")
	}
	rules, names, counts := p.States()
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprintf("%s %s %d", r.Rule.Dotted(), r.State(), r.Queries))
	}
	want := "[.later.example allowed late 0 .wide.example used 1 gone.example taken away 0 late.example allowed late 1 unused.example unused 0 used.example used 2]"
	if fmt.Sprint(got) != want {
		t.Errorf("rules:\n%v\nwant\n%s", got, want)
	}
	got = nil
	for _, n := range names {
		got = append(got, fmt.Sprintf("%s ×%d %d-%d allowed %v", n.Name, n.Times, n.First.Second(), n.Last.Second(), !n.Allowed.IsZero()))
	}
	want = "[gone.example ×1 9-9 allowed false late.example ×2 4-5 allowed true x.later.example ×1 6-6 allowed true]"
	if fmt.Sprint(got) != want {
		t.Errorf("names:\n%v\nwant\n%s", got, want)
	}
	if counts.Queries != 8 || counts.Refused != 4 || counts.Names != 3 || counts.Rules != 5 || counts.Used != 3 {
		t.Errorf("counts: %+v", counts)
	}
}

func TestARuleThatComesBackIsInForce(t *testing.T) {
	p := New(exact("a.example"), nothingLocal)
	ask(p, "a.example", 1)
	p.Set(nil, at(2))
	p.Set(exact("a.example"), at(3))
	rules, _, counts := p.States()
	if len(rules) != 1 || rules[0].State() != "used" || counts.Rules != 1 || counts.Used != 1 || !p.Allows("a.example", at(4)) {
		t.Errorf("%+v, %+v", rules, counts)
	}
}

func endpoint(text string) rule.Endpoint {
	at, err := rule.ParseEndpoint(text)
	if err != nil {
		panic(err)
	}
	return at
}

// An address of the list is used by being connected to, and counted once.
func TestConnected(t *testing.T) {
	const to = "192.0.2.4:443/tcp"
	p := New(exact("a.example", to), nothingLocal)
	said := func(n int, news bool, used int) {
		t.Helper()
		if got := p.Connected(endpoint(to), n); got != news || p.Counts().Used != used {
			t.Errorf("%d connections are news: %v, and %d rules used; want %v, %d", n, got, p.Counts().Used, news, used)
		}
	}
	said(0, false, 0)
	said(2, true, 1)
	said(2, false, 1)
	said(3, true, 1)
	if p.Connected(endpoint("192.0.2.4:80/tcp"), 1) {
		t.Error("what isn't on the list is counted")
	}
	p.Set(exact("a.example"), at(1))
	said(4, false, 0)
	if rules, _, _ := p.States(); rules[0].Connections != 3 || rules[0].State() != "taken away" {
		t.Errorf("%+v", rules[0])
	}
	p.Set(exact("a.example", to), at(2))
	said(3, false, 1)
}

func TestGrants(t *testing.T) {
	p := New(nil, nothingLocal)
	p.Grant("minutes.example", 5*time.Minute, at(0))
	p.Grant("run.example", 0, at(0))
	p.GrantOnce("once.example", at(0))
	ask(p, "once.example", 100) // the try begins with its first query
	for _, test := range []struct {
		name   string
		second int
		want   bool
	}{
		{"minutes.example", 299, true}, {"minutes.example", 300, false},
		{"run.example", 100_000, true}, {"x.run.example", 1, false},
		{"once.example", 109, true}, {"once.example", 110, false},
	} {
		if got := p.Allows(test.name, at(test.second)); got != test.want {
			t.Errorf("%s after %d s: %v", test.name, test.second, got)
		}
	}
}

func TestAGrantIsToldOfARefusedName(t *testing.T) {
	p := New(nil, nothingLocal)
	told := 0
	p.Granting = func(string) { told++ }
	ask(p, "a.example", 1)
	p.Grant("new.example", 0, at(1)) // nothing has to be forgotten of it
	p.GrantOnce("a.example", at(2))
	if told != 1 {
		t.Errorf("told %d times of a refused name that is let through", told)
	}
	if s, _ := p.Name("a.example"); !s.Temporary || !s.Allowed.Equal(at(2)) {
		t.Errorf("%+v", s)
	}
	p.Set(exact("a.example"), at(3))
	if s, _ := p.Name("a.example"); s.Temporary || !s.Allowed.Equal(at(3)) {
		t.Errorf("after it was added to the list: %+v", s)
	}
}

func TestWhatAnInstanceAsksForIsBounded(t *testing.T) {
	p := New(nil, nothingLocal)
	for i := range maxNames + 10 {
		p.Asked(Query{At: start, Name: fmt.Sprintf("n%d.example", i), Type: fmt.Sprintf("TYPE%d", i%40), Refused: true})
	}
	for i := range 40 {
		p.Asked(Query{At: start, Name: "n0.example", Type: fmt.Sprint("TYPE", i), Refused: true})
	}
	_, names, counts := p.States()
	if len(names) != maxNames || counts.Refused != maxNames+50 || counts.Beyond != 10 {
		t.Errorf("%d names, counts %+v", len(names), counts)
	}
	if n := len(names[0].Types); n != maxTypes {
		t.Errorf("%d types of a name", n)
	}
}
