package e2e

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/ui/term"
)

// terminal runs a command on a terminal of 200 by 60 cells that is this
// process's own, so that a frame is known the moment it is written.
type terminal struct {
	in     io.Writer // keys
	screen *term.Screen
	frame  chan struct{} // something was written
	cmd    *exec.Cmd
	close  func()       // ends it, and waits for that
	pauses atomic.Int64 // before a write: frames
}

// newTerminal runs the program.
func newTerminal(b *testing.B, args ...string) *terminal {
	b.Helper()
	b.Setenv("XDG_STATE_HOME", b.TempDir())
	return newTerminalOf(b, exec.Command(program, args...))
}

func newTerminalOf(b *testing.B, c *exec.Cmd) *terminal {
	b.Helper()
	outer, inner := newPTY(b, 200, 60)
	onto(b, inner, c)
	t := &terminal{in: outer, screen: term.New(200, 60), frame: make(chan struct{}, 1), cmd: c}
	t.close = sync.OnceFunc(func() {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		outer.Close()
		t.screen.Close()
	})
	b.Cleanup(t.close)
	go t.follow(outer)
	return t
}

// pause is the least time between two frames: within one a terminal is written to
// without any.
const pause = 4 * time.Millisecond

// follow has what the program writes on the screen until that ends.
func (t *terminal) follow(out io.Reader) {
	buf := make([]byte, 64<<10)
	for last := time.Now(); ; last = time.Now() {
		n, err := out.Read(buf)
		if time.Since(last) > pause {
			t.pauses.Add(1)
		}
		t.screen.Write(buf[:n])
		select {
		case t.frame <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// presses writes keys as a terminal does.
func (t *terminal) presses(b testing.TB, keys string) {
	b.Helper()
	if _, err := io.WriteString(t.in, keys); err != nil {
		b.Fatal(err)
	}
}

// sees waits until one line of the screen holds all the texts.
func (t *terminal) sees(b *testing.B, texts ...string) {
	b.Helper()
	late := time.After(patience)
	for !t.shows(texts) {
		select {
		case <-t.frame:
		case <-t.screen.Changed():
		case <-late:
			b.Fatalf("%q doesn't come; the screen shows\n%s", texts, t.screen.Text())
		}
	}
}

func (t *terminal) shows(texts []string) bool {
	for line := range strings.Lines(t.screen.Text()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return true
		}
	}
	return false
}

// monitored runs the monitor on an instance and a bridge of its own.
func monitored(b *testing.B, flags ...string) (t *terminal, bridge, instance string) {
	b.Helper()
	bridge = lxdtest.Bridge(b)
	instance = lxdtest.Instance(b, bridge)
	t = newTerminal(b, append(flags, instance)...)
	t.sees(b, "~$")
	return t, bridge, instance
}

// resolver returns a connection to the dnsmasq of a bridge.
func resolver(b *testing.B, bridge string) net.Conn {
	b.Helper()
	n, _, err := lxdtest.Client(b).GetNetwork(bridge)
	if err != nil {
		b.Fatal(err)
	}
	server, _, _ := strings.Cut(n.Config["ipv4.address"], "/")
	conn, err := net.Dial("udp", net.JoinHostPort(server, "53"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}

// inside returns such a connection from an instance.
func inside(b *testing.B, instance, bridge string) (conn net.Conn) {
	b.Helper()
	state, _, err := lxdtest.Client(b).GetInstanceState(instance)
	if err != nil {
		b.Fatal(err)
	}
	ns, err := netns.GetFromPid(int(state.Pid))
	if err != nil {
		b.Fatal(err)
	}
	defer ns.Close()
	own, err := netns.Get()
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A connection stays where it was made.
	if err := netns.Set(ns); err != nil {
		b.Fatal(err)
	}
	defer netns.Set(own)
	return resolver(b, bridge)
}

// ask asks for a name that nobody has asked for before.
func ask(b *testing.B, conn net.Conn) (name string) {
	b.Helper()
	name = fresh()
	if _, err := conn.Write(query(b, name)); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkQueryToRow measures the time from a query of a process in the
// instance, which dnsmasq on a real bridge gets, to its row on the screen: of
// one program that watches names alone and of one that has its witness, packets
// and processes, in turn; and to its line in dnsmasq's log, which is what any
// program waits for. The p99 of the second is to be no more than 2 ms above the
// first's; how far a program without a witness is from another one such, again,
// is what the machine itself adds.
func BenchmarkQueryToRow(b *testing.B) {
	type side struct {
		name     string
		terminal *terminal
		asker    *asker
		took     []time.Duration
	}
	sides := []*side{{name: "names"}, {name: "witness"}, {name: "again"}}
	var line side
	var inLog func(string)
	for _, s := range sides {
		var flags []string
		if s.name != "witness" {
			flags = []string{"--no-witness"}
		}
		t, bridge, instance := monitored(b, flags...)
		defer t.close()
		s.terminal, s.asker = t, newAsker(b, instance, bridge)
		s.asker.row(b, t) // both are at work from here on
		if s.name == "names" {
			line, inLog = side{name: "line", asker: s.asker}, newest(b, dnsmasqLog(bridge))
		}
	}
	sides[1].terminal.sees(b, "/ask") // its process is known: the witness does its part
	for i := 0; b.Loop(); i++ {
		for j := range sides { // none is always behind the same one
			s := sides[(i+j)%len(sides)]
			if i%2 == 1 {
				s = sides[(i+len(sides)-j)%len(sides)]
			}
			s.took = append(s.took, s.asker.row(b, s.terminal))
		}
		line.took = append(line.took, line.asker.until(b, inLog))
	}
	for _, s := range append(sides, &line) {
		slices.Sort(s.took)
		for _, p := range []int{50, 99} {
			b.ReportMetric(s.took[(len(s.took)-1)*p/100].Seconds()*1000, fmt.Sprintf("%s-p%d-ms", s.name, p))
		}
	}
}

// fresh returns a name that nobody has asked for before, and that a row shows
// whole.
func fresh() string { return strings.ToLower(rand.Text()[:12]) + ".example.test" }

// enforced runs the monitor with its list in force, which is proven, and
// returns a connection from the instance to its resolver.
func enforced(b *testing.B) (*terminal, net.Conn) {
	b.Helper()
	t, bridge, instance := monitored(b)
	t.presses(b, "\x1d")
	t.sees(b, "q quit")
	t.presses(b, "V")
	t.sees(b, "Enforce the list")
	t.presses(b, "\r")
	t.sees(b, "▣ enforcing")
	t.presses(b, "\x1d")
	t.sees(b, "to the table")
	return t, inside(b, instance, bridge)
}

// BenchmarkBlockedToRow measures the time from a query in the instance for a
// name that the list in force refuses to its row on the screen.
func BenchmarkBlockedToRow(b *testing.B) {
	t, conn := enforced(b)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		t.sees(b, "▣ out", ask(b, conn))
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

// BenchmarkAllowToAnswer measures the time from the key that allows a refused
// name to the first answer to whoever asks for it without end.
func BenchmarkAllowToAnswer(b *testing.B) {
	t, conn := enforced(b)
	var took []time.Duration
	refused := 0
	for b.Loop() {
		name := fresh()
		if answered(b, conn, name) {
			b.Fatalf("%s is not on the list and was answered", name)
		}
		t.sees(b, "▣ out", name)
		t.presses(b, "\x1d") // to that row
		t.sees(b, "▌▣ out", name)
		begin := time.Now()
		t.presses(b, "a")
		for !answered(b, conn, name) {
			refused++
		}
		took = append(took, time.Since(begin))
		t.presses(b, "\x1d")
		t.sees(b, "to the table")
	}
	report(b, took)
	b.ReportMetric(float64(refused)/float64(len(took)), "refused/op")
}

// answered asks for a name and reports whether it has an address.
func answered(b *testing.B, conn net.Conn, name string) bool {
	b.Helper()
	if _, err := conn.Write(query(b, name)); err != nil {
		b.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.Fatal(err)
	}
	reply := make([]byte, 1<<16)
	for {
		n, err := conn.Read(reply)
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply[:n]); err != nil || len(m.Questions) != 1 {
			b.Fatalf("%s: %v: %v", name, m, err)
		}
		if m.Questions[0].Name.String() == name+"." {
			return len(m.Answers) > 0
		}
	}
}

// BenchmarkLeaveUnderFlood measures the time from the chord to the table's
// keys on the screen, while the shell is flooded with output; and that from a key
// to its echo in tmux, beside LXD's exec alone with the same flood, which is read
// and not drawn.
func BenchmarkLeaveUnderFlood(b *testing.B) {
	b.Run("here", func(b *testing.B) {
		t, _, _ := monitored(b)
		t.presses(b, "yes flood\r")
		t.sees(b, "│flood")
		var took []time.Duration
		for b.Loop() {
			took = append(took, t.leaves(b))
		}
		report(b, took)
	})
	b.Run("tmux", func(b *testing.B) {
		outer, inner := newPTY(b, 200, 60)
		c := exec.Command("lxc", "exec", lxdtest.Instance(b, lxdtest.Bridge(b)), "--", "yes", "flood")
		onto(b, inner, c)
		flood := make([]byte, 1<<16)
		if _, err := outer.Read(flood); err != nil {
			b.Fatal(err)
		}
		read := make(chan bool)
		go func() {
			defer close(read)
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, outer, flood) // EIO is the terminal's end
		}()
		t, _ := newTmux(b)
		t.echoes(b)
		_ = c.Process.Kill()
		_ = c.Wait()
		<-read
		_ = outer.Close()
	})
}

func query(b *testing.B, name string) []byte {
	b.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	data, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

// BenchmarkFirstFrame measures the time from the program's start to the first
// frame, of a log that is opened: LXD's own time is left out.
func BenchmarkFirstFrame(b *testing.B) {
	path := filepath.Join(b.TempDir(), "dns.log")
	if err := os.WriteFile(path, []byte("dnsmasq: query[A] www.example.com from 10.0.0.5\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		t := newTerminal(b, "open", path)
		t.sees(b, "www.example.com")
		took = append(took, time.Since(begin))
		t.close()
	}
	report(b, took)
}
