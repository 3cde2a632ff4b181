package ui

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/dialog"
)

// Processes of the scene's instance.
var (
	method = &witness.Process{PID: 812, Host: 40812, Comm: "https", Exe: "/usr/lib/apt/methods/https", Args: []string{"/usr/lib/apt/methods/https"}, User: "_apt",
		Parents: []string{"apt", "sudo", "bash", "systemd"}, Command: "sudo apt update"}
	browser = &witness.Process{PID: 977, Host: 40977, Comm: "firefox", Exe: "/usr/lib/firefox/firefox", Args: []string{"/usr/lib/firefox/firefox", "--new-window", "https://www.example.com/?token=1"}, User: "ubuntu",
		Parents: []string{"bash", "systemd"}, Command: "firefox --new-window https://www.example.com/?token=1"}
	daemon = &witness.Process{PID: 300, Host: 40300, Comm: "ntpd", Exe: "/usr/sbin/ntpd", User: "root", Parents: []string{"systemd"}}
)

// watched shows a session whose instance is watched from its beginning.
func (s *scene) watched() *scene {
	s.session()
	witnessed(s.m().capture.Ledger)
	s.m().table.Refresh(s.now)
	return s
}

// witnessed has a ledger told of what a witness saw.
func witnessed(l *capture.Ledger) {
	l.BeginWatch(capture.Packets|capture.Processes, noon.Add(-time.Minute), "", time.Time{})
	b := l.Book()
	asked := func(by *witness.Process, times int, names ...string) {
		for _, name := range names {
			for range times {
				b.Asked(name, by, noon)
			}
		}
	}
	reached := func(by *witness.Process, to, protocol, spoken string, times int, names ...string) {
		for range times {
			b.Reached(witness.Reach{Names: names, To: netip.MustParseAddrPort(to), Protocol: protocol, Spoken: spoken, Process: by, At: noon})
		}
	}
	asked(method, 2, "archive.ubuntu.com")
	reached(method, "192.0.2.1:443", "tcp", "tls", 12, "archive.ubuntu.com")
	reached(method, "192.0.2.1:80", "tcp", "http", 1, "archive.ubuntu.com")
	asked(browser, 1, "www.example.com", "a-rather-long-name-for-a-host.with.several.labels.cdn.example.com")
	reached(browser, "192.0.2.2:443", "udp", "quic", 3, "www.example.com")
	reached(browser, "192.0.2.2:443", "tcp", "tls", 2, "www.example.com", "edge.example.net")
	b.Said(witness.Reach{Names: []string{"www.example.com"}, To: netip.MustParseAddrPort("192.0.2.2:443"), Protocol: "udp", Spoken: "quic", Server: "cdn.example.net", Hidden: true})
	feed(l, noon, "query[A] time.example.net from 10.0.0.5", "reply time.example.net is 192.0.2.3")
	asked(daemon, 1, "time.example.net")
}

// bypasses has the instance go round the bridge's DNS.
func (s *scene) bypasses() *scene {
	wentRound(s.m().capture.Ledger)
	s.m().table.Refresh(s.now)
	return s
}

func wentRound(l *capture.Ledger) {
	b := l.Book()
	went := func(kind witness.Kind, to, protocol, name string, by *witness.Process, times int) {
		for range times {
			b.Bypassed(witness.Bypass{Kind: kind, To: netip.MustParseAddrPort(to), Protocol: protocol, Name: name, Process: by, At: noon.Add(40 * time.Second)})
		}
	}
	went(witness.DoH, "1.1.1.1:443", "tcp", "cloudflare-dns.com", browser, 12)
	went(witness.Bare, "198.51.100.7:123", "udp", "", daemon, 3)
	went(witness.Bare, "[2001:db8::7]:8443", "tcp", "licence.example.net", method, 1)
}

// What a witness saw is shown when a session is opened later, whether it is gone
// on with or only looked at: who asked, what was connected to, what went round.
func TestOpenedSessionShowsWitness(t *testing.T) {
	s := newScene(t, 200, 60)
	s.prefs.Undocked = true // else lines are broken elsewhere
	recorded, err := session.Create(capture.Info{Program: "test", Instance: "dnstest", Network: "lxdbr0", Started: noon})
	if err != nil {
		t.Fatal(err)
	}
	feed(recorded.Ledger, noon, "query[A] archive.ubuntu.com from 10.0.0.5", "reply archive.ubuntu.com is 192.0.2.1", "query[A] www.example.com from 10.0.0.5")
	witnessed(recorded.Ledger)
	wentRound(recorded.Ledger)
	if err := recorded.Close(); err != nil {
		t.Fatal(err)
	}
	var name string
	recorded.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	shown := func(l *capture.Ledger, readOnly string) {
		t.Helper()
		s.shows(&Capture{Ledger: l, Title: name, ReadOnly: readOnly})
		s.m().table.Refresh(s.now)
		s.wants("apt → /usr/lib/apt/methods/https", "443/tcp ×12, 80/tcp", "443/udp, 443/tcp", "ntpd", "only resolved", "went round DNS  3")
		s.m().table.Select("archive.ubuntu.com")
		s.press("enter").wants("PID 812, user _apt, below apt, sudo, bash, systemd", "from the shell's command: sudo apt update", "connected ×13", "443/tcp ×12")
		s.press("esc")
	}
	looked, err := logfile.Load(t.Context(), "test", []string{name}, capture.Only{})
	if err != nil {
		t.Fatal(err)
	}
	shown(looked, "only looked at")
	opened, err := logfile.Open(t.Context(), "test", []string{name}, capture.Only{}, false)
	if err != nil {
		t.Fatal(err)
	}
	shown(opened.Ledger, "")
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

// What went round DNS stands below a head of its own that folds, by key and by
// mouse, opens like a row, and can't be put on a list.
func TestRoundRows(t *testing.T) {
	s := newScene(t, 120, 40).watched().bypasses()
	m := s.m()
	s.wants("3 went round DNS", "▸ went round DNS  3  1 DNS over HTTPS · 2 bare address")
	s.press("G", "right", "j").wants("▾ went round DNS", "DNS over HTTPS", "1.1.1.1:443/tcp  cloudflare", "×12")
	s.press("a").wants("no list holds DNS over HTTPS")
	s.press("j", "a").wants("✓")
	list := m.capture.Ledger.List(false)
	if !slices.ContainsFunc(list.Rules, func(r rule.Rule) bool { return strings.Contains(r.String(), "198.51.100.7") }) {
		t.Errorf("a kept address isn't in the list: %v", list.Rules)
	}
	s.press("u", "k")
	s.press("d", "space", "c", "w", "n")
	if got := m.table.Tally(); got.Keep+got.DropByUser > 0 || m.dialog != nil {
		t.Errorf("a key on a way round decided about a domain: %+v", got)
	}
	s.press("enter").wants("may lack them", "cloudflare-dns.com ×12", "PID 977, user ubuntu")
	s.press("j").wants("198.51.100.7:123/udp", "no DNS answer gave this address")
	s.press("w").wants("an address has no name")
	s.press("esc", "p")
	if strings.Contains(s.text(), "keep a-rather") || strings.Contains(s.text(), "keep archive") {
		t.Errorf("a rule about a domain that isn't selected:\n%s", s.text())
	}
	s.press("esc", "g", "v", "G", "d")
	if got := m.table.Tally(); got.DropByUser != 7 {
		t.Errorf("of a range that ends at ways round %d domains are dropped, want 7", got.DropByUser)
	}
	s = newScene(t, 120, 40).watched().bypasses()
	y := 1
	for !strings.Contains(s.shownAt(y), "went round DNS") {
		y++
	}
	x := strings.Index(s.shownAt(y), "▸")
	if s.clicks(x, y); !strings.Contains(s.shownAt(y), "▾ went round DNS") {
		t.Errorf("a click on the fold leaves %q", s.shownAt(y))
	}
	s.clicks(x+9, y+1)
	s.clicks(x+9, y+1)
	s.wants("may lack them")
}

// Who asks a server for a page by its address names it twice; that is one name
// less.
func TestWayNamesItsAddressOnce(t *testing.T) {
	s := newScene(t, 200, 60).watched()
	b := s.m().capture.Ledger.Book()
	for _, name := range []string{"203.0.113.9", "2001:db8::9", "licence.example.net"} {
		for _, to := range []string{"203.0.113.9:80", "[2001:db8::9]:80"} {
			b.Bypassed(witness.Bypass{Kind: witness.Bare, To: netip.MustParseAddrPort(to), Protocol: "tcp", Name: name, Process: method, At: noon})
		}
	}
	s.m().table.Refresh(s.now)
	s.press("G", "right", "j")
	s.wants("203.0.113.9:80/tcp  2001:db8::9  licence.example.net", "[2001:db8::9]:80/tcp  203.0.113.9  licence.example.net")
	s.press("enter")
	if text := s.text(); strings.Contains(text, "203.0.113.9 ×1") == strings.Contains(text, "2001:db8::9 ×1") {
		t.Errorf("the details have the address among the names, or lack the other:\n%s", text)
	}
}

// That nothing went round is said only where there is room, and never where
// anything may have.
func TestNothingWentRound(t *testing.T) {
	for _, test := range []struct {
		h        int
		do       func(*capture.Ledger)
		want     string
		wantsNot string
	}{
		{40, func(*capture.Ledger) {}, "nothing went round DNS  watched all the time", "not watched"},
		{24, func(*capture.Ledger) {}, "", "round DNS"},
		{40, func(l *capture.Ledger) { l.Book().Lost(witness.Wire, 2, "no room") }, "nothing was seen to go round DNS  watched in part", "nothing went"},
	} {
		s := newScene(t, 120, test.h).watched()
		test.do(s.m().capture.Ledger)
		s.m().table.Refresh(s.now)
		if text := s.text(); !strings.Contains(text, test.want) || strings.Contains(text, test.wantsNot) {
			t.Errorf("want %q and not %q in\n%s", test.want, test.wantsNot, text)
		}
	}
	s := newScene(t, 120, 40).session()
	s.m().capture.Ledger.BeginWatch(0, noon, "it takes root on LXD's host", time.Time{})
	s.m().table.Refresh(s.now)
	s.wants("what goes round DNS is not watched: it takes root")
}

// Details say who asked, from which command, what was connected to, and what
// speaks for nothing having been.
func TestWitnessedDetails(t *testing.T) {
	s := newScene(t, 120, 60).watched().press("i")
	for name, want := range map[string][]string{
		"archive.ubuntu.com": {"/usr/lib/apt/methods/https  asked ×2, connected ×13", "PID 812, user _apt, below apt, sudo, bash, systemd", "from the shell's command: sudo apt update", "443/tcp ×12", "80/tcp"},
		"www.example.com":    {"443/udp QUIC ×3", "443/tcp  perhaps ×2", "cdn.example.net ×1", "perhaps ×1: the server's name was encrypted (ECH)", "--new-window https://www.example.com/?token=1"},
		"time.example.net":   {"only resolved: nothing connected to it", "/usr/sbin/ntpd  asked ×1"},
	} {
		s.m().table.Select(name)
		s.press("enter").wants(want...)
		s.press("esc")
	}
}

// Whose try it was that a list refused stands in its row and beside the shell.
func TestBlockedNamesItsProcess(t *testing.T) {
	s := newScene(t, 200, 60)
	s.enforcing(verify.Names)
	l := s.m().capture.Ledger
	l.BeginWatch(capture.Packets|capture.Processes, noon.Add(-time.Minute), "", time.Time{})
	s.refuses()
	l.Book().Asked("updates.telemetry.example", method, noon)
	s.m().table.Refresh(s.now)
	s.press("g").wants("by apt", "apt → https")
}

// A way round has the room for its name that the process beside it doesn't need,
// and where it is all that was seen nobody waits for the first query.
func TestRoundNamesHaveRoom(t *testing.T) {
	for _, w := range []int{120, 200} {
		s := newScene(t, w, 40).watched().bypasses()
		s.press("G", "right").wants("1.1.1.1:443/tcp  cloudflare-dns.com  ")
	}
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	s := newScene(t, 80, 24).shows(&Capture{Ledger: l, Title: "dnstest", Live: true})
	s.wants("waiting for the first query")
	l.BeginWatch(capture.Packets|capture.Processes, noon.Add(-time.Minute), "", time.Time{})
	wentRound(l)
	s.m().table.Refresh(s.now)
	s.wants("went round DNS", "what went round it has the rows here")
}

// A command line is broken between its words, and one that is a book is cut.
func TestCommandLineIsBrokenBetweenWords(t *testing.T) {
	words := strings.Repeat("oneArgumentOfMany ", 50)
	s := newScene(t, 80, 24).session()
	s.m().capture.Ledger.Book().Asked("archive.ubuntu.com", &witness.Process{PID: 9, Comm: "sh", Exe: "/bin/sh", Args: []string{"sh", words}}, noon)
	s.m().table.Select("archive.ubuntu.com")
	text := s.press("enter").text()
	whole := strings.Count(text, "oneArgumentOfMany")
	if part := strings.Count(text, "oneArg"); whole != part || whole < 6 {
		t.Errorf("%d of %d words are whole:\n%s", whole, part, text)
	}
	lines := 0
	for line := range strings.Lines(text) {
		if strings.Contains(line, "oneArgumentOfMany") {
			lines++
		}
	}
	if lines != 3 || !strings.Contains(text, "oneArgumentOfMany…") {
		t.Errorf("%d lines of a book:\n%s", lines, text)
	}
}

// However narrow the details are, they say how often a program asked and was
// connected, and which one that was.
func TestWitnessedCountsAreSeen(t *testing.T) {
	s := newScene(t, 120, 40).watched().selects("archive.ubuntu.com")
	m := s.m()
	it, _ := m.table.Selected()
	for w := 36; w < 120; w++ {
		d := dialog.NewDetails(m.keys, m.capture.Ledger, nil, nil, it.ID)
		text := ansi.Strip(strings.Join(d.Dock(dialog.Screen{Styles: m.styles, W: w, H: 60, Now: s.now}), "\n"))
		for _, want := range []string{"asked ×2, connected ×13", "methods/https"} {
			if !strings.Contains(text, want) {
				t.Fatalf("%d cells wide the details lack %q:\n%s", w, want, text)
			}
		}
	}
}
