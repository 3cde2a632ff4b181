package capture_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// What became of a name, in the words that an export has, and the rule that
// drops it, "" for none.
func TestResultsAndRules(t *testing.T) {
	for _, c := range []struct {
		name, answer, result string
		rule                 capture.Rule
	}{
		{"www.ubuntu.com", "", "no answer", ""},
		{"www.ubuntu.com", "reply www.ubuntu.com is 192.0.2.1", "resolved", ""},
		{"www.ubuntu.com", "cached www.ubuntu.com is NXDOMAIN", "NXDOMAIN", capture.NoSuchName},
		{"www.ubuntu.com", "config www.ubuntu.com is NXDOMAIN", "blocked by dnsmasq's configuration: NXDOMAIN", ""},
		{"www.ubuntu.com", "config www.ubuntu.com is 0.0.0.0", "blocked by dnsmasq's configuration", ""},
		{"www.ubuntu.com", "reply www.ubuntu.com is ::", "blocked by the upstream", ""},
		{"www.ubuntu.com", "gravity blocked www.ubuntu.com is NXDOMAIN", "blocked by gravity: NXDOMAIN", ""},
		{"www.ubuntu.com", "exactly denied www.ubuntu.com is 0.0.0.0", "blocked by an exact rule", ""},
		{"www.ubuntu.com", "regex blacklisted www.ubuntu.com is 0.0.0.0", "blocked by a regex rule", ""},
		{"www.ubuntu.com", "special domain www.ubuntu.com is NXDOMAIN", "blocked by special domain: NXDOMAIN", ""},
		{"www.ubuntu.com", "Rate-limiting www.ubuntu.com is REFUSED", "blocked by rate-limiting: REFUSED", ""},
		{"www.ubuntu.com", "config www.ubuntu.com is 10.0.0.9", "resolved", capture.Answered},
		{"www.ubuntu.com", "/etc/hosts www.ubuntu.com is 10.0.0.9", "resolved", capture.Answered},
		{"c2.fleet", "DHCP c2.fleet is 10.0.0.9", "resolved", capture.Answered},
		{"c3.fleet", "config c3.fleet is NXDOMAIN", "NXDOMAIN", capture.Answered},
		{"c2.lxd", "config c2.lxd is NXDOMAIN", "NXDOMAIN", capture.Local},
		{"localhost", "config localhost is 127.0.0.1", "resolved", capture.SpecialUse},
		{"db", "reply db is 192.0.2.1", "resolved", capture.SingleLabel},
		{"nas.local", "", "no answer", capture.SpecialUse},
		{"_dns.resolver.arpa", "", "no answer", capture.SpecialUse},
		{"lb._dns-sd._udp.lan", "", "no answer", capture.SpecialUse},
		{"_http._tcp.deb.debian.org", "", "no answer", ""},
		{"host.test", "reply host.test is 192.0.2.1", "resolved", ""},
		{"seen.ubuntu.com.corp.example", "reply seen.ubuntu.com.corp.example is 192.0.2.1", "resolved", capture.SearchList},
		{"other.ubuntu.com.corp.example", "", "no answer", ""},
		{"db.corp.example", "", "no answer", ""},
	} {
		l := capture.NewLedger(capture.Info{Domain: "lxd", Search: []string{"corp.example"}})
		feed(l, "query[A] seen.ubuntu.com from 10.0.0.5", "query[A] "+c.name+" from 10.0.0.5", c.answer)
		result := ""
		l.Read(func(r capture.Reader) {
			id, _ := r.Lookup(c.name)
			result = r.Domain(id).Result()
		})
		if got := find(t, l, c.name).Rule; got != c.rule || result != c.result {
			t.Errorf("%s, %s: %q and rule %q, want %q and %q", c.name, c.answer, result, got, c.result, c.rule)
		}
	}
}

func TestLedgerDropsWhatOnlyOthersAskedFor(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	feed(l, "query[A] mine.example from 10.0.0.5", "query[A] theirs.example from 10.0.0.6", "query[A] both.example from 10.0.0.5", "query[A] both.example from 10.0.0.6")
	l.SetOwners(map[string]string{"10.0.0.5": "dnstest", "10.0.0.6": "other"})
	for name, rule := range map[string]capture.Rule{"mine.example": capture.Undecided, "theirs.example": capture.Elsewhere, "both.example": capture.Undecided} {
		if got := find(t, l, name).Rule; got != rule {
			t.Errorf("%s: rule %q, want %q", name, got, rule)
		}
	}
}

// Below counts what a look at all names would.
func TestBelow(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	var all []string
	deep := strings.Repeat("d.", 11) + "example"
	for i, name := range []string{"example", "a.example", "b.a.example", "c.b.a.example", "xa.example", "a.example.net", "co.uk", "x.co.uk", "y.x.co.uk", "d.d." + deep, "x.d." + deep, deep, "x." + deep, strings.Repeat("d.", 8) + "example"} {
		feed(l, "query[A] "+name+" from 10.0.0.5")
		all = append(all, name)
		for _, of := range append(all, "uk", "nothing.example", "d."+deep, "d.d.example") {
			want, got := 0, 0
			for _, n := range all {
				if strings.HasSuffix(n, "."+of) {
					want++
				}
			}
			l.Read(func(r capture.Reader) { got = r.Below(of) })
			if got != want {
				t.Errorf("after %d names, %d are below %s, want %d", i+1, got, of, want)
			}
		}
	}
}

// A decision about a group has its names shown anew, and no other.
func TestGroupShowsItsNames(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	deep := strings.Repeat("d.", 11) + "b.example"
	for _, name := range []string{"b.example", "a.b.example", "xa.b.example", "c.a.b.example", "e.c.a.b.example", deep, "x." + deep, "d." + deep, "x.d." + deep} {
		feed(l, "query[A] "+name+" from 10.0.0.5")
	}
	shown := func() (names []string) {
		l.Refresh(func(r capture.Reader, ids []capture.ID) {
			for _, id := range ids {
				names = append(names, r.Name(id))
			}
		})
		slices.Sort(names)
		return names
	}
	all := shown()
	for _, group := range append(all, "example", "nothing.b.example", "d.d.b.example") {
		want := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name != group && !strings.HasSuffix(name, "."+group) })
		l.DecideGroup(capture.Drop, group)
		if got := shown(); !slices.Equal(got, want) {
			t.Errorf("%s: shown %q, want %q", group, got, want)
		}
	}
}

// An upstream that denies most names is a filter's, and its NXDOMAIN drops
// nothing, until a person says otherwise. What a search list makes of names
// speaks against nobody.
func TestUpstreamThatFilters(t *testing.T) {
	kept := func(l *capture.Ledger) (n int) {
		for _, r := range l.List(false).Rules {
			if strings.HasPrefix(r.Name, "denied") {
				n++
			}
		}
		return n
	}
	l := capture.NewLedger(capture.Info{})
	for i := range 30 {
		name := fmt.Sprintf("name%d.ubuntu.com", i)
		feed(l, "query[A] "+name+".corp.lan from 10.0.0.5", "reply "+name+".corp.lan is NXDOMAIN", "query[A] "+name+" from 10.0.0.5", "reply "+name+" is 192.0.2.1")
		if i < 25 {
			feed(l, fmt.Sprintf("query[A] denied%d.ubuntu.com from 10.0.0.5", i), fmt.Sprintf("reply denied%d.ubuntu.com is NXDOMAIN", i))
		}
	}
	if n := kept(l); n != 0 || l.List(false).Doubts != nil {
		t.Errorf("of an upstream that answers most names, %d denied ones are kept and %q is doubted", n, l.List(false).Doubts)
	}
	for i := range 10 {
		feed(l, fmt.Sprintf("query[A] denied-too%d.ubuntu.com from 10.0.0.5", i), fmt.Sprintf("reply denied-too%d.ubuntu.com is NXDOMAIN", i))
	}
	if n := kept(l); n != 35 || !strings.Contains(strings.Join(l.List(false).Doubts, ""), "most names were answered so") {
		t.Errorf("of one that denies most, %d are kept and %q is doubted", n, l.List(false).Doubts)
	}
	l.SetTrust(capture.TrustIt)
	if n := kept(l); n != 0 || l.List(false).Doubts != nil {
		t.Errorf("trusted by a person, %d are kept and %q is doubted", n, l.List(false).Doubts)
	}
	l.SetTrust(capture.DoubtIt)
	if n := kept(l); n != 35 {
		t.Errorf("doubted by a person, %d are kept", n)
	}
	probed := capture.NewLedger(capture.Info{})
	feed(probed, "query[A] denied.ubuntu.com from 10.0.0.5", "reply denied.ubuntu.com is NXDOMAIN")
	if n := kept(probed); n != 0 {
		t.Errorf("before the probe, %d are kept", n)
	}
	probed.UpstreamFilters("it denies example.com")
	if n := kept(probed); n != 1 || !strings.Contains(strings.Join(probed.List(false).Doubts, ""), "it denies example.com") {
		t.Errorf("after the probe, %d are kept and %q is doubted", n, probed.List(false).Doubts)
	}
}

// What is wanted of a log: by client and time, line by line; of what is there
// already, by name.
func TestOnly(t *testing.T) {
	day := func(clock string) time.Time {
		at, err := capture.ParseTime("2026-11-24 "+clock, noon)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	log := ""
	for i, from := range []string{"10.0.0.5", "10.0.0.6", "10.1.0.7", "fd00::5"} {
		log += fmt.Sprintf("Nov 24 %02d:00:00 dnsmasq[1]: query[A] n%d.ubuntu.com from %s\n", 9+i, i, from)
		log += fmt.Sprintf("Nov 24 %02d:00:00 dnsmasq[1]: query[A] all.ubuntu.com from %s\n", 9+i, from)
	}
	for _, c := range []struct {
		only           capture.Only
		names          string
		queriesOfAll   uint32
		namesOfSession string
	}{
		{capture.Only{}, "n0 all n1 n2 n3", 4, "n0 all n1 n2 n3"},
		{capture.Only{From: "10.0.0.6"}, "n1 all", 1, "all n1"},
		{capture.Only{From: "10.0.0.0/24"}, "n0 all n1", 2, "n0 all n1"},
		{capture.Only{From: "fd00::/8"}, "n3 all", 1, "all n3"},
		{capture.Only{From: "web"}, "", 0, "all n1"},
		{capture.Only{Since: day("10:00")}, "n1 all n2 n3", 3, "all n1 n2 n3"},
		{capture.Only{Since: day("10:00"), Until: day("11:00")}, "n1 all n2", 2, "all n1 n2"},
	} {
		l := capture.NewLedger(capture.Info{})
		l.Limit(c.only)
		l.Feed([]byte(log), noon, true)
		kept := capture.NewLedger(capture.Info{})
		kept.Feed([]byte(log), noon, true)
		kept.SetOwners(map[string]string{"10.0.0.6": "web"})
		kept.Limit(c.only)
		for want, l := range map[string]*capture.Ledger{"log " + c.names: l, "session " + c.namesOfSession: kept} {
			got, _, _ := strings.Cut(want, " ")
			for _, r := range rows(l) {
				if r.Rule == capture.Undecided {
					got += " " + strings.TrimSuffix(r.Name, ".ubuntu.com")
				}
				if r.Name == "all.ubuntu.com" && strings.HasPrefix(want, "log") && r.Queries != c.queriesOfAll {
					t.Errorf("%+v: it was asked for %d times, want %d", c.only, r.Queries, c.queriesOfAll)
				}
			}
			if got != strings.TrimSpace(want) {
				t.Errorf("%+v: got %q, want %q", c.only, got, want)
			}
		}
	}
	for text, want := range map[string]string{"2h": "10:00", "10:30": "10:30", "2026-11-24T09:00:00Z": "09:00", "2026-11-24": "00:00", "soon": ""} {
		at, err := capture.ParseTime(text, noon)
		if err == nil && at.UTC().Format("15:04") != want || err != nil && want != "" {
			t.Errorf("%s is %v, %v, want %s", text, at, err, want)
		}
	}
}

func TestLeftOut(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	if list := l.List(false); list.LeftOut != "" || list.Overruled != nil {
		t.Errorf("of nothing, %q is left out and %v overruled", list.LeftOut, list.Overruled)
	}
	feed(l, "query[A] a.example.net from 10.0.0.5", "query[A] b.example.net from 10.0.0.5",
		"query[A] gone.example from 10.0.0.5", "reply gone.example is NXDOMAIN")
	l.KeepSuffix("example.net", "")
	l.Mark(capture.Mark{Decision: capture.Drop}, 1)
	list := l.List(false)
	got, overruled := list.LeftOut, list.Overruled
	if want := "1 with NXDOMAIN only"; got != want || !slices.Equal(overruled, []string{"b.example.net"}) {
		t.Errorf("left out are %q and overruled %v, want %q and b.example.net", got, overruled, want)
	}
}

func TestUserRules(t *testing.T) {
	rules, err := capture.ReadRules(strings.NewReader(`# my rules
keep .ubuntu.com   # apt mirrors
drop ~^x[0-9]+\.   # telemetry

drop one.example
`))
	if err != nil {
		t.Fatal(err)
	}
	l := capture.NewLedger(capture.Info{})
	for _, name := range []string{"archive.ubuntu.com", "ubuntu.com", "x12.example", "one.example", "a.one.example", "notubuntu.com"} {
		feed(l, "query[A] "+name+" from 10.0.0.5")
	}
	l.SetRules(rules)
	for name, want := range map[string]string{
		"archive.ubuntu.com": "keep apt mirrors", "ubuntu.com": "keep apt mirrors", "x12.example": "drop telemetry",
		"one.example": "drop one.example", "a.one.example": "new ", "notubuntu.com": "new ",
	} {
		l.Read(func(r capture.Reader) {
			id, _ := r.Lookup(name)
			if v := r.Verdict(r.Domain(id)); v.Decision.String()+" "+v.Reason != want {
				t.Errorf("%s: %+v, want %q", name, v, want)
			}
		})
	}
	for _, bad := range []string{"keep", "allow a.example", "keep a b", "drop ~(", "keep *.example", "drop ."} {
		if _, err := capture.ReadRules(strings.NewReader("\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: %v, want an error of line 2", bad, err)
		}
	}
}
