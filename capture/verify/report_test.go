package verify

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a policy that met all that a report tells.
func sample() Over {
	p := New(append(exact("used.example", "unused.example", "192.0.2.4:443/tcp", "[2001:db8::/64]:22/tcp"), below("wide.example")), nothingLocal)
	ask(p, "used.example", 1)
	ask(p, "x.wide.example", 2)
	ask(p, "blocked.example", 3)
	ask(p, "blocked.example", 4)
	ask(p, "telemetry.example", 5)
	ask(p, "late.example", 6)
	ask(p, "granted.example", 6)
	p.GrantOnce("granted.example", at(7))
	p.Asked(Query{At: at(8), Type: "A", Refused: true, Why: "no question"})
	p.Set(append(exact("used.example", "unused.example", "192.0.2.4:443/tcp", "[2001:db8::/64]:22/tcp", "late.example"), below("wide.example")), at(7))
	p.Connected(endpoint("192.0.2.4:443/tcp"), 3)
	p.Asked(Query{At: at(8), Name: "odd|`<b>\x1b[31m.example", Type: "type=4096", Refused: true, Why: "class CH"})
	packets := &Packets{}
	packets.Add(netip.MustParseAddrPort("192.0.2.9:443"), "tcp", at(9))
	packets.Add(netip.MustParseAddrPort("192.0.2.9:443"), "tcp", at(10))
	packets.Add(netip.MustParseAddrPort("[2001:db8::9]:0"), "icmp", at(11))
	packets.Add(netip.MustParseAddrPort("224.0.0.252:5355"), "udp", at(12))
	packets.Add(netip.AddrPort{}, "frame 0x8100", at(12))
	packets.AddServer(netip.MustParseAddrPort("192.0.2.4:443"), "other.example", at(13))
	packets.AddServer(netip.MustParseAddrPort("192.0.2.4:443"), "other.example", at(14))
	return Over{
		Policy: p, Packets: packets, Instance: "dnstest", Network: "lxdbr0", Strict: true, Begun: at(0), Ended: at(60),
		Digest: rule.Digest(append(exact("used.example", "unused.example", "192.0.2.4:443/tcp", "[2001:db8::/64]:22/tcp"), below("wide.example"))),
		Proofs: []Proof{{At: at(0), Tried: "the name x.example.com", Proven: true}, {At: at(59), Tried: "the address 192.0.2.1", Proven: true}},
		Notes:  []string{"The instance's caches were flushed: systemd-resolved."},
	}
}

func about() About {
	code := 4
	return About{
		Program: "lxd-allowlist 1.2.3", Server: "lxd 5.0.2", Resolver: "dnsmasq 2.90", Host: "host", List: "allow.txt",
		Command: []string{"sh", "-c", "true | false"}, ExitCode: &code,
		Expected: func(name string) (string, bool) { return "telemetry", name == "telemetry.example" },
		By: func(name string) []string {
			if name == "telemetry.example" {
				return []string{"/usr/bin/reporter"}
			}
			return nil
		},
	}
}

func TestReportIsWritten(t *testing.T) {
	r := NewReport(sample(), about())
	j, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"report.md": r.Markdown(), "report.json": j} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s (%v) is now:\n%s", name, err, got)
		}
	}
	var back Report
	if err := json.Unmarshal(j, &back); err != nil || !reflect.DeepEqual(back.Blocked, r.Blocked) {
		t.Errorf("read back (%v): %+v", err, back.Blocked)
	}
}

// The head of a list says what the report counts.
func TestResultCounts(t *testing.T) {
	r := NewReport(sample(), about())
	got, want := r.Result(), rule.Verified{
		Verdict: string(r.Verdict), Level: rule.Strictly, Digest: r.List.Digest, At: r.Ended, Took: time.Minute, Proven: true, Proofs: 2,
		Queries: r.Queries, Used: 3, Unused: 3, Blocked: len(r.Blocked) + len(r.Packets), Expected: 3, Late: 1, Versions: "lxd 5.0.2, dnsmasq 2.90",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	held := sample()
	held.Bridge, held.Proofs = true, nil
	r = NewReport(held, About{Program: "lxd-allowlist 1.2.3"})
	if got := r.Result(); got.Used+got.Unused+got.Proofs != 0 || got.Proven || got.Versions != "" {
		t.Errorf("by the bridge's dnsmasq, untried: %+v", got)
	}
}

func TestVerdict(t *testing.T) {
	proof := Proof{Tried: "x", Proven: true}
	failed := Proof{Tried: "x", Why: "it was answered"}
	zero, four := 0, 4
	for _, test := range []struct {
		what    string
		learn   bool
		proofs  []Proof
		code    *int
		refused []string
		packet  bool
		command bool // one was run, whose code isn't known
		lost    uint64
		bridge  bool
		want    Verdict
	}{
		{what: "all well", proofs: []Proof{proof, proof}, code: &zero, want: Works},
		{what: "no command", proofs: []Proof{proof}, want: Works},
		{what: "nothing tried", code: &zero, want: Unproven},
		{what: "proven at first only", proofs: []Proof{proof, failed}, code: &zero, want: Unproven},
		{what: "something blocked", proofs: []Proof{proof}, code: &zero, refused: []string{"a.example"}, want: Blocked},
		{what: "what is expected blocked", proofs: []Proof{proof}, code: &zero, refused: []string{"telemetry.example"}, want: Works},
		{what: "a packet refused", proofs: []Proof{proof}, code: &zero, packet: true, want: Blocked},
		{what: "the command failed", proofs: []Proof{proof}, code: &four, want: Failed},
		{what: "the command was interrupted", proofs: []Proof{proof}, command: true, want: Failed},
		{what: "learning, interrupted", learn: true, proofs: []Proof{proof}, command: true, want: Failed},
		{what: "blocked and failed", proofs: []Proof{proof}, code: &four, refused: []string{"a.example"}, want: Blocked},
		{what: "unproven and blocked", proofs: []Proof{failed}, refused: []string{"a.example"}, want: Unproven},
		{what: "learning, covered", learn: true, proofs: []Proof{proof, proof}, code: &zero, want: Covered},
		{what: "learning, not seen", learn: true, proofs: []Proof{proof, failed}, code: &zero, want: Unseen},
		{what: "learning, nothing tried", learn: true, code: &zero, want: Unseen},
		{what: "learning, something lost", learn: true, proofs: []Proof{proof}, code: &zero, lost: 1, want: Unseen},
		{what: "learning, not covered", learn: true, proofs: []Proof{proof}, code: &zero, refused: []string{"a.example"}, want: Uncovers},
		{what: "learning, not covered and not seen", learn: true, proofs: []Proof{failed}, code: &zero, refused: []string{"a.example"}, want: Uncovers},
		{what: "learning, failed", learn: true, proofs: []Proof{proof}, code: &four, want: Failed},
		{what: "by the bridge", bridge: true, proofs: []Proof{proof, proof}, code: &zero, want: Held},
		{what: "by the bridge, expected", bridge: true, proofs: []Proof{proof}, refused: []string{"telemetry.example"}, want: Held},
		{what: "by the bridge, blocked", bridge: true, proofs: []Proof{proof}, code: &zero, refused: []string{"a.example"}, want: Blocked},
		{what: "by the bridge, failed", bridge: true, proofs: []Proof{proof}, code: &four, want: Failed},
		{what: "by the bridge, not proven", bridge: true, proofs: []Proof{proof, failed}, code: &zero, want: Unproven},
		{what: "by the bridge, something lost", bridge: true, proofs: []Proof{proof}, code: &zero, lost: 1, want: Unproven},
		{what: "something lost", proofs: []Proof{proof}, code: &zero, lost: 1, want: Unproven},
	} {
		p, packets := New(nil, nothingLocal), &Packets{}
		for _, name := range test.refused {
			p.Asked(Query{At: start, Name: name, Type: "A", Refused: !test.learn, WouldRefuse: test.learn})
		}
		if test.packet {
			packets.Add(netip.MustParseAddrPort("192.0.2.9:443"), "tcp", start)
		}
		a := about()
		if a.ExitCode = test.code; a.ExitCode == nil && !test.command {
			a.Command = nil
		}
		r := NewReport(Over{Policy: p, Packets: packets, Learn: test.learn, Bridge: test.bridge, Proofs: test.proofs, Lost: test.lost}, a)
		if r.Verdict != test.want {
			t.Errorf("%s: %q", test.what, r.Verdict)
		}
		if (r.Verdict == Works || r.Verdict == Held || r.Verdict == Covered) != (len(r.Why) == 0) {
			t.Errorf("%s: %q says why: %q", test.what, r.Verdict, r.Why)
		}
		if strings.Contains(string(r.Markdown()), "orks with this list") != (test.want == Works) {
			t.Errorf("%s: its report says that it works:\n%s", test.what, r.Markdown())
		}
	}
}

// A list that the bridge's dnsmasq holds is never said to be used or not.
func TestReportOfABridge(t *testing.T) {
	o := sample()
	o.Strict, o.Bridge = false, true
	r := NewReport(o, about())
	text := string(r.Markdown())
	for _, s := range r.Rules {
		if s.State != "not known" {
			t.Errorf("rule %s is %s", s.Rule, s.State)
		}
	}
	if r.Level != "bridge" || !strings.Contains(text, "that the list has no rule for; those for allowed names are not seen") || strings.Contains(text, "unused |") {
		t.Errorf("level %s:\n%s", r.Level, text)
	}
}

// A canary's packet is nobody's.
func TestPacketsLeaveTheCanaryOut(t *testing.T) {
	var p Packets
	to := netip.MustParseAddr("192.0.2.1")
	for range 2 { // one after another, each of which two wait for
		first, second := p.Expect(to), p.Expect(to)
		p.Add(netip.AddrPortFrom(to, 80), "tcp", start)
		p.Add(netip.AddrPortFrom(to, 80), "tcp", start)
		for _, seen := range []<-chan struct{}{first, second} {
			select {
			case <-seen:
			default:
				t.Error("it was not seen")
			}
		}
	}
	if all := p.States(); len(all) != 0 {
		t.Errorf("it is told of: %v", all)
	}
}

func TestPacketsAreBounded(t *testing.T) {
	var p Packets
	for i := range maxPlaces + 7 {
		p.Add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1), "udp", start)
	}
	if n := len(p.States()); n != maxPlaces || p.lost() != 7 {
		t.Errorf("%d places, %d lost", n, p.lost())
	}
}

// Who knows of nothing that is expected has a report all the same.
func TestReportWithoutAnything(t *testing.T) {
	r := NewReport(sample(), About{})
	for _, n := range r.Blocked {
		if n.Expected {
			t.Errorf("%s is expected", n.Name)
		}
	}
	if len(r.Blocked) == 0 || len(r.Packets) == 0 {
		t.Errorf("%d names and %d packets are refused", len(r.Blocked), len(r.Packets))
	}
}

// A refused packet of QUIC says which server it was for and who sent it; no
// instance has any number of names remembered.
func TestReportOfRefusedServers(t *testing.T) {
	to, begun := netip.MustParseAddrPort("192.0.2.9:443"), start
	packets := &Packets{Called: func(at netip.AddrPort, protocol string, first, last time.Time) []string {
		if at != to || protocol != "udp" || !first.Equal(begun) || !last.Equal(begun) {
			t.Errorf("asked who called %s/%s from %v to %v", at, protocol, first, last)
		}
		return []string{"/usr/bin/curl"}
	}}
	packets.Named(to, "udp", "nobody.example")
	packets.Add(to, "udp", begun)
	for n := range maxServers + 2 {
		packets.Named(to, "udp", fmt.Sprintf("n%d.example", n/2))
	}
	p := New(nil, nothingLocal)
	r := NewReport(Over{Policy: p, Packets: packets, Strict: true, Proofs: []Proof{{Proven: true}}, Unread: 2}, About{})
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "2 connections of TLS began in more packets") || strings.Contains(notes, "TCP") {
		t.Errorf("notes: %s", notes)
	}
	if text := string(r.Markdown()); !strings.Contains(text, "| for n0.example, n1.example, n2.example, n3.example, n4.example; by /usr/bin/curl |") {
		t.Errorf("it says\n%s", text)
	}
	for n := range maxServers {
		packets.Named(to, "udp", fmt.Sprintf("m%d.example", n))
	}
	if latest, _ := packets.Latest(1); len(latest[0].Servers) != maxServers || len(latest[0].By) != 1 {
		t.Errorf("%+v", latest)
	}
}

// A command that could not be run failed for that reason.
func TestReportOfWhatCantBeRun(t *testing.T) {
	a, code := about(), 127
	a.ExitCode, a.Unrunnable = &code, "there is no apt-get in dnstest"
	r := NewReport(Over{Policy: New(nil, nothingLocal), Packets: &Packets{}, Proofs: []Proof{{Proven: true}}}, a)
	if r.Verdict != Failed || !reflect.DeepEqual(r.Why, []string{"The command ended with 127: there is no apt-get in dnstest."}) {
		t.Errorf("%s: %q", r.Verdict, r.Why)
	}
}

// What nothing was refused by is not said to have been enforced.
func TestReportOfLearning(t *testing.T) {
	r := NewReport(Over{Policy: New(nil, nothingLocal), Packets: &Packets{}, Learn: true, Begun: at(0), Ended: at(2), Proofs: []Proof{{Proven: true}}}, About{})
	if text := string(r.Markdown()); !strings.Contains(text, "\n| learnt | nothing was refused, from ") || strings.Contains(text, "enforced") {
		t.Error(text)
	}
}
