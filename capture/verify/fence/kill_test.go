// MAINTAINER: stop and read NOTE-FROM-THE-MAINTAINER.md at the top of this worktree now: the OWNER flag breaks LXD. (Then delete this line.)
package fence

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
)

// child has the program raise a fence and wait for its end.
const child = "LXD_ALLOWLIST_FENCE_CHILD"

func raiseAndWait() {
	fmt.Println("started")
	_, err := Raise(Port{Bridge: bridgeName, MAC: instanceMAC, Host: instanceHost}, Strict, forwarder)
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
}

// left returns the tables of ours that the kernel has.
func left(t *testing.T) (names []string) {
	t.Helper()
	all, err := new(nftables.Conn).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		if strings.HasPrefix(table.Name, "lxd-allowlist") {
			names = append(names, fmt.Sprint(table.Family, " ", table.Name))
		}
	}
	return names
}

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
	if l := left(t); l != nil {
		t.Errorf("left after a kill: %v", l)
	}
	// The kernel goes on with what it knows of a connection, until it is swept.
	if got, err := ask(same); got != "forwarder" {
		t.Errorf("before the sweep: %q, %v, want the forwarder", got, err)
	}
	g.check(Sweep([]netip.Addr{netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("fd77::2")}))
	if got, err := ask(same); got != "outside" {
		t.Errorf("after the sweep: %q, %v, want the server outside", got, err)
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
		if l := left(t); l != nil {
			t.Fatalf("left after a kill: %v", l)
		}
	}
	g.answers(g.instance, "udp", "198.51.100.1:53", "outside")
	g.answers(g.instance, "tcp", "10.77.0.3:80", "second")
	f := g.raise(Strict)
	g.refused(g.instance, "tcp", "198.51.100.1:443")
	g.check(f.Lower())
}
