package e2e

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var soak = flag.Duration("soak", time.Minute, "for how long TestScreenSoak asks soakRate queries a second")

const (
	soakRate    = 1000
	soakDomains = 200_000
	// soakRounds is how often each domain is asked for at least: the first time
	// makes the rows, afterwards nothing may grow.
	soakRounds = 3
	// soakRoom is what a garbage collector may need more at one time than at
	// another.
	soakRoom = 16 << 10
)

// usage is what a process that runs for long must not take ever more of.
type usage struct{ kilobytes, threads, descriptors int }

func (p *ownPTY) use() (u usage) {
	p.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &u.kilobytes)
		_, _ = fmt.Sscanf(line, "Threads: %d", &u.threads)
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		p.t.Fatal(err)
	}
	u.descriptors = len(open)
	return u
}

// loggingDNS starts a dnsmasq that logs and asks a server of the test's, which has
// an answer for every name, and returns a connection to it.
func loggingDNS(t *testing.T, log string) net.Conn {
	t.Helper()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.LocalAddr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	upstream, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { upstream.Close() })
	go answer(upstream)
	_, server, _ := net.SplitHostPort(upstream.LocalAddr().String())
	c := exec.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=", "--no-hosts", "--no-resolv", "--bind-interfaces",
		"--listen-address=127.0.0.1", "--port="+port, "--cache-size=0", "--server=127.0.0.1#"+server, "--log-queries=extra", "--log-facility="+log)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	})
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for late := time.After(patience); ; {
		if asks(t, conn, "ready.soak.test") {
			return conn
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-late:
			t.Fatal("dnsmasq doesn't answer")
		}
	}
}

// answer answers what it is asked until the connection is closed.
func answer(conn net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Additionals = true, nil
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
		}}
		if reply, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(reply, from) // who asked asks again
		}
	}
}

// asks asks for a name and reports whether there was an answer. Whoever waits for
// it asks no more than dnsmasq can log.
func asks(t *testing.T, conn net.Conn, name string) bool {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	query, err := m.Pack()
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = conn.Write(query)
	}
	if err == nil {
		_, err = conn.Read(make([]byte, 512))
	}
	if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatal(err)
	}
	return err == nil
}

// A real dnsmasq logs a thousand queries a second, and somebody works in the
// table that follows: once all domains are there, memory stays what it is, as
// threads and descriptors do, and in the end no row is wrong.
func TestScreenSoak(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	log := filepath.Join(dir, "dns.log")
	conn := loggingDNS(t, log)
	p := onPTY(t, dir, "open", "--follow", log)
	look := func(string) {}
	if !p.until(nil, look, "ready.soak.test") {
		t.Fatalf("it ended: %s", p.screen.Text())
	}
	all := int(soak.Seconds() * soakRate)
	domains := min(soakDomains, all/soakRounds)
	rounds := all / domains
	// A domain is selected before one is kept: without a decision no session stays.
	work := []string{"\x1b[B", "a", "\x1b[6~", "s", "r", "t", "t", "t", "/host1\r", "/\x15\r"}
	const burst = soakRate / 20
	tick := time.NewTicker(time.Second / 20)
	defer tick.Stop()
	var used []usage
	begin := time.Now()
	for n := range rounds * domains {
		if n%burst == 0 {
			<-tick.C
		}
		if n%soakRate == 0 {
			p.presses(t, work[n/soakRate%len(work)])
		}
		asks(t, conn, fmt.Sprintf("host%d.zone%d.soak.test", n%domains, n%domains%997))
		if (n+1)%domains == 0 {
			used = append(used, p.use())
			t.Logf("round %d after %v: %+v", len(used), time.Since(begin).Round(time.Second), used[len(used)-1])
		}
	}
	first, last := used[1], used[rounds-1]
	if last.kilobytes > first.kilobytes*11/10+soakRoom || last.threads > first.threads+2 || last.descriptors > first.descriptors {
		t.Errorf("from round 2 to round %d it went from %+v to %+v", rounds, first, last)
	}
	for done := (rounds*domains-1)/soakRate + 1; done%len(work) != 0; done++ {
		p.presses(t, work[done%len(work)]) // to the table as it was
	}
	p.quits()
	rows(t, dir, domains, rounds)
}

// quits leaves the table without writing a file.
func (p *ownPTY) quits() {
	p.t.Helper()
	for _, step := range []struct{ keys, sees string }{{"q", "quit, no file"}, {"n", ""}} {
		p.presses(p.t, step.keys)
		if step.sees != "" && !p.until(nil, func(string) {}, step.sees) {
			p.t.Fatalf("it ended: %s", p.screen.Text())
		}
	}
	p.ends()
}

// rows checks that each domain is in the session, asked for once in each round.
func rows(t *testing.T, dir string, domains, rounds int) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(dir, "state", "lxd-allowlist", "sessions", "*.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("sessions: %v, %v", journals, err)
	}
	out, err := exec.Command(program, "export", "--format", "csv", journals[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen, wrong := 0, 0
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line[0], "host") {
			continue
		}
		seen++
		if line[4] != strconv.Itoa(rounds) {
			if wrong++; wrong < 4 {
				t.Errorf("of %d rounds: %q", rounds, line)
			}
		}
	}
	if seen != domains || wrong > 0 {
		t.Errorf("there are %d domains, want %d; %d are wrong", seen, domains, wrong)
	}
}
