package table

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/ui/look"
)

var (
	method = &witness.Process{PID: 812, Exe: "/usr/lib/apt/methods/https", User: "_apt", Command: "sudo apt update"}
	curl   = &witness.Process{PID: 900, Exe: "/usr/bin/curl", User: "root", Command: "curl a.example"}
	web    = netip.MustParseAddrPort("192.0.2.1:443")
)

// watched returns a ledger of an instance that is watched all the time.
func watched(names ...string) *capture.Ledger {
	l := capture.NewLedger(capture.Info{Instance: "dnstest", Network: "lxdbr0"})
	l.BeginWatch(capture.Packets|capture.Processes, noon.Add(-time.Hour), "", time.Time{})
	for _, name := range names {
		feed(l, noon, "query[A] "+name+" from 10.0.0.5", "reply "+name+" is 192.0.2.1")
	}
	return l
}

// reach has a process connect to a domain so many times.
func reach(l *capture.Ledger, name string, by *witness.Process, port uint16, protocol, spoken string, times int) {
	for range times {
		l.Book().Reached(witness.Reach{Names: []string{name}, To: netip.AddrPortFrom(web.Addr(), port), Protocol: protocol, Spoken: spoken, Process: by, At: noon})
	}
}

// cells returns what a column shows of a domain in so many cells.
func cells(l *capture.Ledger, name string, col, w int) (text string) {
	l.Read(func(r capture.Reader) {
		id, _ := r.Lookup(name)
		text = string(columns[col].cell(nil, Read(r, id, noon, nil), w))
	})
	return text
}

// Of who asked and what was connected to, what says most stays.
func TestWitnessedColumns(t *testing.T) {
	l := watched("a.example", "unused.example")
	b := l.Book()
	b.Asked("a.example", curl, noon)
	reach(l, "a.example", method, 443, "tcp", "tls", 12)
	reach(l, "a.example", method, 443, "udp", "quic", 1)
	b.Reached(witness.Reach{Names: []string{"a.example", "x.example"}, To: netip.AddrPortFrom(web.Addr(), 80), Protocol: "tcp", Spoken: "http"})
	for _, test := range []struct {
		col, w int
		want   string
	}{
		{colProcess, 40, "apt → /usr/lib/apt/methods/https +1"},
		{colProcess, 34, "apt → https +1"},
		{colProcess, 12, "apt +1"},
		{colProcess, 5, "a… +1"},
		{colConnected, 40, "443/tcp ×12, 443/udp QUIC, 80/tcp ?"},
		{colConnected, 26, "443/tcp, 443/udp, 80/tcp"},
		{colConnected, 14, "443/tcp ×12 +2"},
		{colConnected, 13, "443/tcp +2"},
	} {
		if got := cells(l, "a.example", test.col, test.w); got != test.want {
			t.Errorf("%s in %d cells is %q, want %q", columns[test.col].name, test.w, got, test.want)
		}
	}
	if got := cells(l, "unused.example", colConnected, 26); got != OnlyResolved {
		t.Errorf("what nobody connected to is %q", got)
	}
	b.Lost(witness.Wire, 1, "no room")
	if got := cells(l, "unused.example", colConnected, 26); got != "" {
		t.Errorf("where something was lost, it is %q", got)
	}
}

// Where nothing was watched there is no column of it.
func TestUnwatchedHasNoColumns(t *testing.T) {
	for _, test := range []struct {
		of   *capture.Ledger
		want bool
	}{{ledgerOf("a.example"), false}, {watched("a.example"), true}} {
		table := New(test.of)
		table.Resize(300, 10)
		table.Refresh(noon)
		table.Draw(look.NewStyles(true), true, nil)
		shown := false
		for _, p := range table.places() {
			shown = shown || p.col == colConnected
		}
		if shown != test.want {
			t.Errorf("shown: %t, want %t", shown, test.want)
		}
	}
}

// A program that goes by another name than its file has both, whoever told of it,
// and each applet of a busybox is its own.
func TestProgramByOtherName(t *testing.T) {
	l := watched("a.example")
	lookup := &witness.Process{Comm: "nslookup", Exe: "/bin/busybox", Command: "sh install.sh"}
	l.Book().Asked("a.example", lookup, noon)
	reach(l, "a.example", &witness.Process{Comm: "nc", Exe: "/bin/busybox", Command: "sh install.sh"}, 80, "tcp", "", 1)
	for w, want := range map[int]string{60: "install.sh → nslookup (/bin/busybox) +1", 36: "install.sh → nslookup (busybox) +1", 14: "install.sh +1"} {
		if got := cells(l, "a.example", colProcess, w); got != want {
			t.Errorf("in %d cells it is %q, want %q", w, got, want)
		}
	}
	for _, by := range []string{"nslookup", "nc", "busybox", "install.sh"} {
		table := New(l)
		if table.SetFilter("by:" + by); len(table.Shown()) != 1 {
			table.Refresh(noon)
		}
		if len(table.Shown()) != 1 {
			t.Errorf("by:%s finds nothing: %v", by, table.FilterError())
		}
	}
	for want, p := range map[string]witness.Process{
		"nslookup (/bin/busybox)": {Comm: "nslookup", Exe: "/bin/busybox"}, "nslookup": {Comm: "nslookup"}, "/bin/true": {Exe: "/bin/true"},
		"/usr/bin/python3.13": {Comm: "python3", Exe: "/usr/bin/python3.13"}, "/usr/bin/node": {Comm: "node-MainThread", Exe: "/usr/bin/node"},
		"/usr/lib/a-very-long-program-name": {Comm: "a-very-long-pro", Exe: "/usr/lib/a-very-long-program-name"},
	} {
		if got := Program(p); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
	direct := watched("b.example")
	direct.Book().Asked("b.example", &witness.Process{Comm: "nslookup", Exe: "/bin/busybox", Command: "nslookup b.example"}, noon)
	if got := cells(direct, "b.example", colProcess, 40); got != "nslookup (/bin/busybox)" {
		t.Errorf("what was entered is %q", got)
	}
}

func TestOrigin(t *testing.T) {
	for command, want := range map[string]string{
		"": "", "apt update": "apt", "sudo -u build /usr/bin/apt-get -y install x": "apt-get", "FOO=1 sh ./install.sh x": "install.sh",
		"python3 -m pip list": "pip", "bash": "bash", "sh -c \x1b[2Jls": "\ufffd[2Jls",
	} {
		if got := Origin(witness.Process{Command: command}); got != want {
			t.Errorf("%q belongs to %q, want %q", command, got, want)
		}
	}
}

// What a process is called is the instance's to say: nothing of it moves the
// cursor or hides what stands behind it.
func TestProcessNamesAreHarmless(t *testing.T) {
	l := watched("a.example")
	reach(l, "a.example", &witness.Process{Exe: "/tmp/\x1b[2J\u202ex\n\t", Comm: "\x07", Command: "\x1b]0;x\x07 y"}, 1, "t\x1b", "\x1bx", 1)
	for _, col := range []int{colProcess, colConnected} {
		for w := 1; w < 60; w++ {
			if text := cells(l, "a.example", col, w); strings.ContainsAny(text, "\x1b\u202e\n\t\x07") || text == "" {
				t.Errorf("%s shows %q", columns[col].name, text)
			}
		}
	}
}

// A filter finds who asked, where to, and what was only resolved; it is
// completed with counts, and what is mistyped is an error.
func TestWitnessedFilters(t *testing.T) {
	l := watched("a.example", "b.example", "unused.example")
	l.Book().Asked("a.example", curl, noon)
	reach(l, "a.example", method, 443, "tcp", "tls", 1)
	reach(l, "a.example", method, 443, "udp", "quic", 1)
	reach(l, "b.example", method, 8443, "tcp", "tls", 1)
	table := New(l)
	table.Resize(100, 20)
	table.Refresh(noon)
	table.EditFilter()
	for text, want := range map[string]string{
		"by:apt": "b.example a.example", "by:https": "b.example a.example", "by:curl": "a.example", "by:wget": "", "!by:curl": "unused.example b.example",
		"port:443": "a.example", "port:443/udp": "a.example", "port:44": "", "port:8443": "b.example", "port:tcp": "",
		"cmd:apt": "b.example a.example", "cmd:apt+update": "b.example a.example", "cmd:update": "b.example a.example", "!cmd:apt": "unused.example", "cmd:wget": "",
		"is:resolved-only": "unused.example", "is:resolved-only by:apt": "",
	} {
		table.SetFilter(text)
		if got := strings.Join(shown(table), " "); got != want {
			t.Errorf("%s shows %q, want %q (%v)", text, got, want, table.FilterError())
		}
	}
	for text, want := range map[string]string{"port:": "port:443 1", "by:": "by:apt 2", "cmd:": "cmd:sudo 2", "cmd:mistyped": "", "is:r": "is:resolved-only 1", "by:mistyped": ""} {
		table.SetFilter(text)
		got := ""
		if all := completions(text, table.census); len(all) > 0 {
			got = all[0].text + " " + strconv.Itoa(all[0].n)
		}
		if got != want || strings.HasSuffix(text, "d") && table.FilterError() == nil {
			t.Errorf("%s goes on with %q, want %q (%v)", text, got, want, table.FilterError())
		}
	}
	table.SetFilter("is:resolved-only")
	l.Book().Lost(witness.Wire, 1, "no room")
	if table.Tick(noon); len(shown(table)) > 0 {
		t.Errorf("something was lost, and %v is still said to be only resolved", shown(table))
	}
}

// Ways round are found by a filter like domains, and only by what they have.
func TestRoundIsFiltered(t *testing.T) {
	l := watched("a.example")
	to := netip.MustParseAddrPort("198.51.100.7:853")
	l.Book().Bypassed(witness.Bypass{Kind: witness.DoT, To: to, Protocol: "tcp", Name: "dns.example", Process: curl, At: noon})
	l.Book().Bypassed(witness.Bypass{Kind: witness.Bare, To: netip.AddrPortFrom(to.Addr(), 22), Protocol: "tcp", Process: method, At: noon})
	table := New(l)
	table.Resize(100, 40)
	table.Refresh(noon)
	table.EditFilter()
	for text, want := range map[string]int{
		"": 2, "198.51": 2, "dns.example": 1, "by:apt": 1, "by:curl": 1, "cmd:apt": 1, "!cmd:apt": 1, "cmd:curl+a.example": 1, "port:853": 1, "port:22/tcp": 1, "!port:22": 1, "over": 1, "is:new": 0, "from:dnstest": 0, "type:a": 0, "seen:5m": 0,
	} {
		table.SetFilter(text)
		if got := len(table.shown.round.ways); got != want {
			t.Errorf("%s shows %d ways round, want %d (%v)", text, got, want, table.FilterError())
		}
	}
}

// That nothing went round is no line to be on, also where a filter leaves nothing
// else.
func TestRoundIsLeftByTheFilter(t *testing.T) {
	table := New(watched("a.example", "b.example"))
	table.Resize(100, 40)
	table.Refresh(noon)
	table.Wake()
	table.EditFilter()
	for _, text := range []string{"b", "bx", "b", ""} {
		table.SetFilter(text)
		it, ok := table.Selected()
		if ok != (text != "bx") || !it.IsDomain() {
			t.Errorf("%q selects %+v", text, it)
		}
	}
	for _, do := range []func(){table.Bottom, func() { table.Scroll(9) }, func() { table.Click(20, chrome+2) }} {
		if do(); table.shown.lines() != 3 || table.cursor != 1 {
			t.Errorf("of %d lines, of which the last one has nothing, %d is selected", table.shown.lines(), table.cursor)
		}
	}
}

// Of a key that no row may have a value of nothing is counted, of all others all is:
// of the shell's commands where no witness told anything, too.
func TestCensusLeavesNothingOut(t *testing.T) {
	for _, test := range []struct {
		key, value string
		begin      func(l *capture.Ledger)
	}{
		{"cmd", "apt", func(l *capture.Ledger) { l.Entered(capture.Command{Line: "apt update", At: noon}) }},
		{"cmd", "sudo", func(l *capture.Ledger) { reach(l, "a.example", method, 443, "tcp", "", 1) }},
		{"by", "https", func(l *capture.Ledger) { reach(l, "a.example", method, 443, "tcp", "", 1) }},
		{"port", "443", func(l *capture.Ledger) { reach(l, "a.example", method, 443, "tcp", "", 1) }},
		{"type", "a", func(*capture.Ledger) {}},
		{"from", "10.0.0.5", func(*capture.Ledger) {}},
		{"result", "resolved", func(*capture.Ledger) {}},
	} {
		l := capture.NewLedger(capture.Info{Instance: "web"})
		feed(l, noon, "query[A] a.example from 10.0.0.5", "reply a.example is 192.0.2.1")
		test.begin(l)
		c := (&counting{ledger: l, ctx: t.Context(), now: noon}).make()
		if c[test.key][test.value] != 1 {
			t.Errorf("%s:%s is counted %d times of one: %v", test.key, test.value, c[test.key][test.value], c[test.key])
		}
	}
}
