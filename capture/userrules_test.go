package capture_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
)

func readRules(t *testing.T, text string) []capture.UserRule {
	t.Helper()
	rules, err := capture.ReadRules(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// What is typed in people's letters is about the name that DNS has.
func TestRulesInAnyAlphabet(t *testing.T) {
	for _, line := range []string{
		"drop .bücher.example # typed as people write it", "drop .BÜCHER.Example.", "drop .xn--bcher-kva.example", "drop .Xn--Bcher-Kva.example",
		"drop bücher.example", "drop ~^bücher\\.", "drop ~^BÜCHER\\.", "drop .bu\u0308cher。example", "\ufeffdrop .bücher.example", "\ufeff# mine\r\ndrop .bücher.example\r\n",
		"drop\t.bücher.example\t# behind a tab",
	} {
		l := capture.NewLedger(capture.Info{})
		feed(l, "query[A] xn--bcher-kva.example from 192.0.2.5", "query[A] bucher.example from 192.0.2.5")
		l.SetRules(readRules(t, line))
		if got := exported(l, false); !slices.Equal(got, []string{"bucher.example"}) {
			t.Errorf("%q leaves %q", line, got)
		}
	}
}

func exported(l *capture.Ledger, all bool) (rules []string) {
	for _, r := range l.List(all).Rules {
		rules = append(rules, r.Dotted())
	}
	slices.Sort(rules)
	return rules
}

// A rule that can't be is refused with its line, and with what to write.
func TestRulesThatCantBe(t *testing.T) {
	for bad, says := range map[string]string{
		"drop example.com:443": "without it", "keep .example.com:443": "without it", "keep https://example.com/x": "the name in it", "drop example.com/": "the name in it",
		"keep .com": "top-level", "keep .co.uk": "public suffix", "keep .xn--p1ai": "top-level", "keep .рф": "top-level", "keep .lan": "single label", "keep ..example.com": "labels",
		"keep 192.0.2.1": "address", "drop 2001:db8::1": "address", "keep 0x7f.1": "no", "keep *.example.com": ".name", "drop .": ".name", "keep .sa<0-99>.example.com": ".name", "drop .sa<0-99>.example.com": ".name", "drop sa<0-98>.example.com": ".name", "keep sa<0-99>.com": "register", "keep a\u202eb.example": "no name",
		"keep a.example reason": "want", "drop exa mple.com": "want", "keep a,b.example": "letters", "keep # nothing": "want", "allow a.example": "want",
		"drop ~(": "regular expression", "drop ~(\x1b]0;x\x07": `"(\x1b]0;x\a" is no regular expression`, "keep " + strings.Repeat("a", 64) + ".example": "1 to 63", "keep a.example # " + strings.Repeat("x", 70_000): "too long",
	} {
		_, err := capture.ReadRules(strings.NewReader("# mine\nkeep good.example\n" + bad + "\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") || says != "no" && !strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\n\x1b\x07") {
			t.Errorf("%q: %v, want an error of line 3 with %q", bad, err, says)
		}
	}
	for _, good := range []string{"drop .lan", "drop .co.uk", "drop wpad", "keep _sip._tcp.example.com", "keep .s3.amazonaws.com", "drop ~^x # why", "drop sa<0-99>.com", "keep api.<region>.example.com"} {
		if _, err := capture.ReadRules(strings.NewReader(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// A rule that keeps a name and all below it is one suffix rule in every list,
// seen or not, unless what stands above it drops all of that; what it allows
// in spite of a decision is said.
func TestRulesAsSuffixes(t *testing.T) {
	for rules, want := range map[string]string{
		"keep .x.example # mirrors":             ".x.example other.example y.example|",
		"keep .never.example":                   ".never.example a.x.example b.x.example other.example x.example y.example|",
		"drop .x.example\nkeep .x.example":      "other.example y.example|",
		"drop .x.example\nkeep .a.x.example":    "other.example y.example|",
		"keep .x.example\ndrop .x.example":      ".x.example other.example y.example|.x.example",
		"drop a.x.example\nkeep .x.example":     ".x.example other.example y.example|a.x.example",
		"drop .ads.x.example\nkeep .x.example":  ".x.example other.example y.example|.ads.x.example",
		"drop ~^a\\.\nkeep .x.example":          ".x.example other.example y.example|a.x.example",
		"keep x.example":                        "a.x.example b.x.example other.example x.example y.example|",
		"keep ~x\\.example$":                    "a.x.example b.x.example other.example x.example y.example|",
		"keep .bücher.example":                  ".xn--bcher-kva.example a.x.example b.x.example other.example x.example y.example|",
		"keep .x.example\nkeep .x.example # 2":  ".x.example other.example y.example|",
		"keep .gone.example # only NXDOMAIN":    ".gone.example a.x.example b.x.example other.example x.example y.example|",
		"keep .a.x.example\nkeep .x.example\n#": ".x.example other.example y.example|",
	} {
		l := capture.NewLedger(capture.Info{})
		feed(l, "query[A] a.x.example from 192.0.2.5", "query[A] b.x.example from 192.0.2.5", "query[A] x.example from 192.0.2.5",
			"query[A] y.example from 192.0.2.5", "query[A] other.example from 192.0.2.5", "query[A] gone.example from 192.0.2.5", "reply gone.example is NXDOMAIN")
		l.SetRules(readRules(t, rules))
		list := l.List(false)
		compiled, _ := rule.Compile(list)
		var got []string
		for _, r := range compiled.Rules() {
			got = append(got, r.Dotted())
		}
		slices.Sort(got)
		if said := strings.Join(got, " ") + "|" + strings.Join(list.Overruled, " "); said != want {
			t.Errorf("%q: %s, want %s", rules, said, want)
		}
		if all := exported(l, true); len(all) != 6 {
			t.Errorf("%q: all are %q, want no rule in it", rules, all)
		}
	}
}

// An address that is dropped, and that a prefix of the list allows, is said.
func TestDroppedAddressInAPrefix(t *testing.T) {
	for rules, want := range map[string][]string{
		"drop 192.0.2.7:443/tcp\nkeep 192.0.2.0/24:443/tcp":                            {"192.0.2.7:443/tcp"},
		"keep 192.0.2.0/24:443/tcp\ndrop 192.0.2.7:443/tcp\ndrop 192.0.3.0/24:443/tcp": {"192.0.2.7:443/tcp"},
		"drop 192.0.2.7:443/udp\nkeep 192.0.2.0/24:443/tcp":                            nil,
		"drop 192.0.2.0/24:443/tcp\nkeep 192.0.2.7:443/tcp":                            nil,
	} {
		l := capture.NewLedger(capture.Info{})
		l.SetRules(readRules(t, rules))
		if list := l.List(false); !slices.Equal(list.Overruled, want) {
			t.Errorf("%q: overruled are %q, want %q", rules, list.Overruled, want)
		}
	}
}

// Rules are looked up by their names, and the first of all that match decides.
func TestFirstRuleOfEachKind(t *testing.T) {
	lines := []string{"drop a.x.example", "keep .x.example", "drop .a.x.example", "keep ~^a\\.", "drop a<0-9>.x.example", "keep a.x.example", "keep 192.0.2.7:443/tcp", "drop ~b"}
	names := []string{"a.x.example", "x.example", "b.x.example", "b.a.x.example", "a1.x.example", "a.example", "notx.example", "b.example"}
	decided := func(text string) (all []capture.Decision) {
		l := capture.NewLedger(capture.Info{})
		l.SetRules(readRules(t, text))
		for _, name := range names {
			feed(l, "query[A] "+name+" from 192.0.2.5")
		}
		l.Read(func(r capture.Reader) {
			for id := range names {
				all = append(all, r.Verdict(r.Domain(capture.ID(id))).Decision)
			}
		})
		return all
	}
	alone := make(map[string][]capture.Decision)
	for _, line := range lines {
		alone[line] = decided(line)
	}
	for range 200 {
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		want := make([]capture.Decision, len(names))
		for _, line := range slices.Backward(lines) { // the first has the last word
			for i, d := range alone[line] {
				if d != capture.New {
					want[i] = d
				}
			}
		}
		text := strings.Join(lines, "\n")
		if got := decided(text); !slices.Equal(got, want) {
			t.Errorf("%v of %q, want %v, with\n%s", got, names, want, text)
		}
	}
}

// The first rule on a name is the one in force, with its reason.
func TestFirstRuleDecides(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	l.SetRules(readRules(t, "keep .x.example # one\nkeep .x.example # two"))
	if list := l.List(false); len(list.Rules) != 1 || list.Rules[0].Reason != "one" || list.Rules[0].Source != "rules file" {
		t.Errorf("%+v", list.Rules)
	}
}

// A person's word on the screen stands above the file.
func TestMarksStandAboveRules(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.x.example from 192.0.2.5", "query[A] b.x.example from 192.0.2.5")
	l.SetRules(readRules(t, "keep .x.example # mirrors"))
	l.DecideGroup(capture.Drop, "x.example")
	if got := exported(l, false); len(got) != 0 {
		t.Errorf("all of it is dropped, exported are %q", got)
	}
	l.Undo()
	l.Decide(capture.Drop, 0)
	if list := l.List(false); !slices.Equal(list.Overruled, []string{"a.x.example"}) {
		t.Errorf("overruled are %q", list.Overruled)
	}
	l.Read(func(r capture.Reader) {
		if !r.Overruled(0) || r.Overruled(1) {
			t.Error("a.x.example is overruled, and nothing else")
		}
	})
	l.DecideGroup(capture.Drop, "b.x.example")
	if list := l.List(false); !slices.Equal(list.Overruled, []string{"a.x.example", "b.x.example"}) {
		t.Errorf("with a group below it, overruled are %q", list.Overruled)
	}
}

// A rule is a step between others; it is taken back and done again at its
// place, and what is kept of a session never has it.
func TestRulesAmongSteps(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.example from 192.0.2.5", "query[A] b.example from 192.0.2.5")
	added := readRules(t, "drop .bücher.example # ads")[0]
	l.Decide(capture.Drop, 0)
	l.Ruled(added)
	l.Decide(capture.Keep, 1)
	var did []string
	step := func(redo bool, do func() string) {
		r := l.NextRule(redo)
		did = append(did, fmt.Sprint(do(), " ", r != nil))
	}
	for range 4 {
		step(false, l.Undo)
	}
	for range 4 {
		step(true, l.Redo)
	}
	const ruled = "rule drop .bücher.example (.xn--bcher-kva.example)"
	want := []string{
		"keep b.example false", ruled + " true", "drop a.example false", " false",
		"drop a.example false", ruled + " true", "keep b.example false", " false",
	}
	if !slices.Equal(did, want) {
		t.Errorf("did\n%q, want\n%q", did, want)
	}
}

// Whatever is in a rules file: it is refused in one line, or each of its rules
// is read again from what is written of it and decides the same.
func FuzzRules(f *testing.F) {
	f.Add("keep .ubuntu.com # ticket 4711\ndrop ~^[0-9a-f]{16}\\. # telemetry\n\nkeep 192.0.2.7:443/tcp\n", "a.ubuntu.com")
	f.Add("\ufeffdrop .b\u00fccher.example\t# mine\r\nkeep ~^x[0-9]+\\.example\\.com$", "x1.example.com")
	f.Add("keep x<0-99>.example.com # series\ndrop api.<region>.example.com", "x1.example.com")
	f.Add("drop wpad\nkeep [2001:db8::7]:53/udp", "wpad")
	f.Fuzz(func(t *testing.T, text, name string) {
		rules, err := capture.ReadRules(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
				t.Errorf("%q", err)
			}
			return
		}
		var written strings.Builder
		for _, r := range rules {
			fmt.Fprintln(&written, r)
		}
		again, err := capture.ReadRules(strings.NewReader(written.String()))
		if err != nil || len(again) != len(rules) {
			t.Fatalf("%d rules are written as %q, which is read as %d: %v", len(rules), written.String(), len(again), err)
		}
		lists := make([][]string, 2)
		for i, all := range [][]capture.UserRule{rules, again} {
			l := capture.NewLedger(capture.Info{})
			feed(l, "query[A] "+name+" from 192.0.2.5", "query[A] a.example.com from 192.0.2.5")
			l.SetRules(all)
			list := l.List(true)
			if compiled, _ := rule.Compile(list); compiled.Len() > len(list.Rules) {
				t.Errorf("%d rules became %d", len(list.Rules), compiled.Len())
			}
			lists[i] = exported(l, true)
		}
		if !slices.Equal(lists[0], lists[1]) {
			t.Errorf("%q gives %q, and written again %q", text, lists[0], lists[1])
		}
	})
}
