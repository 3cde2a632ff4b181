package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// asker is a process of an instance that asks when it is told to: see
// testdata/ask.go.
type asker struct {
	names io.Writer
	times *bufio.Scanner
}

func newAsker(b *testing.B, instance, bridge string) *asker {
	b.Helper()
	lxdtest.PushProgram(b, instance, "/ask", "testdata/ask.go")
	n, _, err := lxdtest.Client(b).GetNetwork(bridge)
	if err != nil {
		b.Fatal(err)
	}
	server, _, _ := strings.Cut(n.Config["ipv4.address"], "/")
	c := exec.Command("lxc", "exec", "-T", instance, "--", "/ask", server)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		c.Wait()
	})
	return &asker{in, bufio.NewScanner(out)}
}

// row has a name asked for that nobody has asked for before, and returns how
// long after that its row was on the screen.
func (a *asker) row(b *testing.B, t *terminal) time.Duration {
	b.Helper()
	return a.until(b, func(name string) { t.sees(b, name) })
}

// until is row up to when sees, which waits for the name, returns.
func (a *asker) until(b *testing.B, sees func(name string)) time.Duration {
	b.Helper()
	name := fresh()
	if _, err := fmt.Fprintln(a.names, name); err != nil {
		b.Fatal(err)
	}
	sees(name)
	seen := time.Now()
	if !a.times.Scan() {
		b.Fatal("the process that asks ended: ", a.times.Err())
	}
	asked, err := strconv.ParseInt(a.times.Text(), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return seen.Sub(time.Unix(0, asked))
}
