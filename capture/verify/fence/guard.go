package fence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/nftables"
)

// The kernel could remove the tables with the process by itself: the flag
// owner, Linux 5.12. But nft before 1.0.8 breaks when it prints a table with a
// flag as JSON, and LXD has it print all of them whenever it changes a network,
// so that LXD would fail as long as a fence is up. Hence a process of ours
// waits for this one's end, however that comes, and takes the tables away.

// guardFor is the variable that has the program be the guard of a port.
const guardFor = "LXD_ALLOWLIST_GUARD"

// Any program that has fences can be started as their guard, tests included.
func init() {
	if text := os.Getenv(guardFor); text != "" {
		guardPort(text)
	}
}

// guardName is what a guard is called in lists of processes.
const guardName = "lxd-allowlist-guard"

// What a guard says when it has begun: that it watches, or that another does.
const (
	watches      = "watches"
	watchedSince = "another watches"
)

// endPatience is how long the guard of a process that was just killed may take
// to end.
const endPatience = time.Second

// guardPort is the guard: it ends when its standard input does, with the
// process that has the other end of it.
func guardPort(text string) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	var p Port
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// The name is this guard's as long as it lives, so that nobody fences the
	// port anew between the end of a process and that of its tables.
	name, err := net.Listen("unix", "@"+tableName(p))
	for deadline := time.Now().Add(endPatience); errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(deadline); {
		if other, err := net.Dial("unix", "@"+tableName(p)); err == nil { // nobody answers: it ends with the other guard
			_ = other.SetReadDeadline(deadline)
			_, _ = io.Copy(io.Discard, other)
			_ = other.Close()
		}
		name, err = net.Listen("unix", "@"+tableName(p))
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Println(watchedSince)
		os.Exit(1)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(watches)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := Sweep(p); err != nil {
		os.Exit(1)
	}
	_ = name.Close()
	os.Exit(0)
}

// guard is the guard of a fence, as who started it has it.
type guard struct {
	process *exec.Cmd
	end     io.Closer // its standard input
}

// newGuard starts the guard of a port and returns when it watches.
func newGuard(p Port) (*guard, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	c := exec.Command("/proc/self/exe")
	c.Args = []string{guardName}
	c.Env = []string{guardFor + "=" + string(text)}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a terminal's signals are not for it
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the process that takes the fence away when this one ends: %w", err)
	}
	g := &guard{c, in}
	word, err := bufio.NewReader(out).ReadString('\n')
	switch word = strings.TrimSpace(word); {
	case word == watches:
		return g, nil
	case word == watchedSince:
		err = errors.New("another process has fenced this instance: end that one first")
	case err == nil:
		err = errors.New(word)
	}
	g.stop()
	return nil, err
}

// stop has the guard take the tables away, and waits for that.
func (g *guard) stop() {
	_ = g.end.Close()
	_ = g.process.Wait() // whether it went well is seen by what is left
}

// Sweep takes away what a killed process left of a fence, should its guard be
// killed as well: the tables, the labels that they put on connections, and the DNS
// connections that are still led to a forwarder that is gone. With nothing left it
// does nothing.
func Sweep(p Port) error {
	left := removeTables(tableName(p))
	if left != nil {
		left = fmt.Errorf("take away the fence of %s on %s: %w", p.MAC, p.Bridge, left)
	}
	known, err := addresses(p)
	if err == nil {
		err = forget(astray(known))
	}
	return errors.Join(left, err)
}

// removeTables removes the tables of a name, and the labels that they have put on
// connections.
func removeTables(name string) error {
	c := new(nftables.Conn)
	tables, err := c.ListTables()
	if err != nil {
		return err
	}
	put, unread := labelsOf(c, name) // the tables go whatever is known of their labels
	found := false
	for _, t := range tables {
		if t.Name == name {
			c.DelTable(t)
			found = true
		}
	}
	if !found {
		return nil
	}
	if err := c.Flush(); err != nil && !errors.Is(err, syscall.ENOENT) { // others were faster
		return err
	}
	for _, l := range put {
		unread = errors.Join(unread, l.off())
	}
	return unread
}
