package fence

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
)

// child has the program raise a fence and wait for its end.
const child = "LXD_ALLOWLIST_FENCE_CHILD"

func raiseAndWait() {
	fmt.Println("started")
	f, err := Raise(Port{Bridge: bridgeName, MAC: instanceMAC, Host: instanceHost}, Strict, forwarder)
	if err == nil {
		err = f.Admit(openTo, time.Hour)
	}
	fmt.Println("raised:", err)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(1)
}

// startChild returns a process that raises the instance's fence, and what it says.
func startChild(t *testing.T) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), child+"=1")
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil { // it ends when this process does
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c, bufio.NewScanner(out)
}

func kill(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed
	killed = time.Now()
}

// left returns the names of the tables of ours that the kernel has.
func left(t *testing.T) (names []string) {
	t.Helper()
	for _, table := range tablesLeft(t) {
		names = append(names, fmt.Sprint(table.Family, " ", table.Name))
	}
	return names
}

func tablesLeft(t *testing.T) []*nftables.Table {
	t.Helper()
	all, err := new(nftables.Conn).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(table *nftables.Table) bool { return !strings.HasPrefix(table.Name, "lxd-allowlist") })
}

// gone waits until the guard of a process that was killed has ended, and fails
// the test if it left a table.
func gone(t *testing.T) {
	t.Helper()
	for guards := guards(t); len(guards) > 0; guards = slices.DeleteFunc(guards, isGone) {
		if time.Since(killed) > patience {
			t.Fatalf("guards are still there: %v", guards)
		}
		time.Sleep(time.Millisecond) // they are nobody's children any more
	}
	if l := left(t); l != nil {
		t.Fatalf("left after a kill: %v", l)
	}
}

// isGone reports whether a process has ended. One that nobody has waited for yet
// has no command line any more.
func isGone(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err != nil || len(line) == 0
}

var killed time.Time // when kill did so last

func TestKillLeavesNothing(t *testing.T) {
	g := newGround(t)
	g.masquerade() // else nothing tracks connections when the fence is gone
	g.serveWorld()
	c, says := startChild(t)
	for range 2 {
		says.Scan()
	}
	if says.Text() != "raised: <nil>" {
		t.Fatalf("the other process says %q", says.Text())
	}
	if n := len(left(t)); n != 2 {
		t.Fatalf("%d tables with a fence", n)
	}
	if _, err := Raise(g.port(), Names, forwarder); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second fence of the same instance: %v", err)
	}
	g.answers(g.instance, "tcp", "198.51.100.1:53", "forwarder")
	same, err := dial(g.instance, "udp", "198.51.100.1:53")
	g.check(err)
	defer same.Close()
	if got, err := ask(same); got != "forwarder" {
		t.Errorf("%q, %v, want the forwarder", got, err)
	}
	kill(t, c)
	gone(t)
	if got, err := ask(same); got != "outside" {
		t.Errorf("%q, %v, want the server outside", got, err)
	}
	g.answers(g.instance, "tcp", "198.51.100.1:443", "outside")
	g.answers(g.instance, "udp", "10.77.0.3:80", "second")
}

func TestKillAtAnyInstant(t *testing.T) {
	g := newGround(t)
	g.serveWorld()
	for range 25 {
		c, says := startChild(t)
		says.Scan()
		<-time.After(rand.N(20 * time.Millisecond)) // that it takes to raise one
		kill(t, c)
		gone(t)
	}
	g.answers(g.instance, "udp", "198.51.100.1:53", "outside")
	g.answers(g.instance, "tcp", "10.77.0.3:80", "second")
	f := g.raise(Strict)
	g.refused(g.instance, "tcp", "198.51.100.1:443")
	g.check(f.Lower())
}

// guards returns the processes that guard a port in this network namespace.
func guards(t *testing.T) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		dir := filepath.Dir(path)
		line, _ := os.ReadFile(path) // "" once it has ended
		if there, _ := os.Readlink(filepath.Join(dir, "ns/net")); there == here && strings.HasPrefix(string(line), guardName+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// With its guard killed, too, a process leaves tables behind; a sweep takes
// them away, and so does the next fence.
func TestKillWithItsGuard(t *testing.T) {
	g := newGround(t)
	g.masquerade()
	g.serveWorld()
	for _, mend := range []func(){
		func() { g.check(Sweep(g.port())) },
		func() {
			f := g.raise(Names) // nothing of the strict one is in it
			g.answers(g.instance, "tcp", "198.51.100.1:443", "outside")
			g.check(f.Lower())
		},
	} {
		c, says := startChild(t)
		for range 2 {
			says.Scan()
		}
		for _, pid := range guards(t) {
			g.check(syscall.Kill(pid, syscall.SIGKILL))
		}
		kill(t, c)
		if n := len(left(t)); n != 2 {
			t.Fatalf("%d tables are left, want 2: %v", n, left(t))
		}
		g.refused(g.instance, "tcp", "198.51.100.1:443")
		mend()
		if l := left(t); l != nil {
			t.Errorf("left: %v", l)
		}
		g.answers(g.instance, "tcp", "198.51.100.1:443", "outside")
		g.answers(g.instance, "udp", "198.51.100.1:53", "outside")
	}
	g.check(Sweep(g.port()))
}

// LXD has nft print all tables as JSON whenever it changes a network or starts
// an instance: with one that nft can't print it fails.
func TestTablesCanBePrinted(t *testing.T) {
	g := newGround(t)
	for _, level := range []Level{Names, Strict} {
		f := g.raise(level)
		g.check(f.Admit([]netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")}, time.Hour))
		for _, what := range []string{"ruleset", "tables"} {
			out, err := exec.Command("nft", "--json", "list", what).Output()
			if err != nil || !json.Valid(out) || !strings.Contains(string(out), tableName(g.port())) {
				t.Errorf("%v: nft list %s: %v: %d bytes, valid: %v", level, what, err, len(out), json.Valid(out))
			}
		}
		g.check(f.Lower())
	}
}
