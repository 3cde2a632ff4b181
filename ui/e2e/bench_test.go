package e2e

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/ui/term"
)

// terminal runs the program on a terminal of 200 by 60 cells that is this
// process's own, so that a frame is known the moment it is written.
type terminal struct {
	in     io.Writer // keys
	screen *term.Screen
	frame  chan struct{} // something was written
	cmd    *exec.Cmd
	close  func() // waits for the program's end
}

func newTerminal(b *testing.B, args ...string) *terminal {
	b.Helper()
	b.Setenv("XDG_STATE_HOME", b.TempDir())
	t := &terminal{screen: term.New(200, 60), frame: make(chan struct{}, 1)}
	// script(1) makes the terminal; it has no size of its own here.
	line := "stty rows 60 cols 200; exec " + program + " " + strings.Join(args, " ")
	t.cmd = exec.Command("script", "-qfc", line, "/dev/null")
	t.cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	in, err := t.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	t.in = in
	out, err := t.cmd.StdoutPipe()
	if err == nil {
		err = t.cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	t.close = sync.OnceFunc(func() {
		in.Close()
		t.cmd.Process.Signal(syscall.SIGTERM) // script hands it on
		t.cmd.Wait()
		t.screen.Close()
	})
	b.Cleanup(t.close)
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := out.Read(buf)
			t.screen.Write(buf[:n])
			select {
			case t.frame <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return t
}

// presses writes keys as a terminal does.
func (t *terminal) presses(b *testing.B, keys string) {
	b.Helper()
	if _, err := io.WriteString(t.in, keys); err != nil {
		b.Fatal(err)
	}
}

// sees waits until the text is on the screen.
func (t *terminal) sees(b *testing.B, text string) {
	b.Helper()
	late := time.After(patience)
	for !strings.Contains(t.screen.Text(), text) {
		select {
		case <-t.frame:
		case <-t.screen.Changed():
		case <-late:
			b.Fatalf("%q doesn't come; the screen shows\n%s", text, t.screen.Text())
		}
	}
}

// monitored runs the monitor on an instance and a bridge of its own.
func monitored(b *testing.B) (t *terminal, bridge, instance string) {
	b.Helper()
	bridge = lxdtest.Bridge(b)
	instance = lxdtest.Instance(b, bridge)
	t = newTerminal(b, instance)
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

// ask asks for a name that nobody has asked for before.
func ask(b *testing.B, conn net.Conn) (name string) {
	b.Helper()
	name = strings.ToLower(rand.Text()[:16]) + ".example.test"
	if _, err := conn.Write(query(b, name)); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkQueryToRow measures the time from a query that dnsmasq on a real
// bridge gets to its row on the screen.
func BenchmarkQueryToRow(b *testing.B) {
	t, bridge, _ := monitored(b)
	conn := resolver(b, bridge)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		t.sees(b, ask(b, conn))
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

// BenchmarkKeyToEcho measures the time from a key typed into the shell to its
// echo, while a thousand new domains a second come in.
func BenchmarkKeyToEcho(b *testing.B) {
	t, bridge, _ := monitored(b)
	conn := resolver(b, bridge)
	flood := time.NewTicker(time.Millisecond)
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-flood.C:
				ask(b, conn)
			case <-done:
				return
			}
		}
	})
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		word := fmt.Sprintf("<%d>", i)
		t.presses(b, word[:len(word)-1])
		t.sees(b, word[:len(word)-1])
		begin := time.Now()
		t.presses(b, ">")
		t.sees(b, word)
		took = append(took, time.Since(begin))
		t.presses(b, "\x15") // the line goes
	}
	close(done)
	asking.Wait()
	report(b, took)
}

// BenchmarkLeaveUnderFlood measures the time from the chord to the table's
// keys on the screen, while the shell is flooded with output.
func BenchmarkLeaveUnderFlood(b *testing.B) {
	t, _, _ := monitored(b)
	t.presses(b, "yes flood\r")
	t.sees(b, "│flood")
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		t.presses(b, "\x1d")
		t.sees(b, "q quit")
		took = append(took, time.Since(begin))
		t.presses(b, "\x1d")
		t.sees(b, "to the table")
	}
	report(b, took)
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

// BenchmarkIdle measures how much of a core the monitor takes while nothing
// happens, over ten seconds for each round.
func BenchmarkIdle(b *testing.B) {
	_, _, instance := monitored(b)
	pid, err := exec.Command("pgrep", "-nf", "^"+program+" "+instance).Output()
	if err != nil {
		b.Fatal(err)
	}
	var spent, lasted time.Duration
	for b.Loop() {
		begin, before := time.Now(), cpu(b, strings.TrimSpace(string(pid)))
		<-time.After(10 * time.Second)
		spent += cpu(b, strings.TrimSpace(string(pid))) - before
		lasted += time.Since(begin)
	}
	b.ReportMetric(100*spent.Seconds()/lasted.Seconds(), "%core")
}

// cpu returns the time that a process has spent, from /proc/PID/schedstat of
// its threads, in nanoseconds.
func cpu(b *testing.B, pid string) time.Duration {
	b.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/schedstat", pid))
	if err != nil || len(paths) == 0 {
		b.Fatalf("no schedstat of process %s: %v", pid, err)
	}
	var sum time.Duration
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			continue // a thread that ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}
