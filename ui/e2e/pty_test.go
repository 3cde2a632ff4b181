package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lxd-allowlist/ui/term"
)

// ownPTY is the program on a terminal of which this process has the other end,
// so that it can be closed, and the program killed, at any instant.
type ownPTY struct {
	terminal
	t     *testing.T
	outer *os.File
	read  chan struct{} // closed when all that was written is on the screen
	ended chan struct{} // closed when the program has ended
}

// newPTY makes a terminal of so many cells and returns both of its ends.
func newPTY(t testing.TB, w, h uint16) (outer, inner *os.File) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	raw, err := outer.SyscallConn() // by Fd a read would keep it from being closed
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
				t.Fatal(err)
			}
			if err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: h, Col: w}); err != nil {
				t.Fatal(err)
			}
			if number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	inner, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return outer, inner
}

// onto starts a command on a terminal.
func onto(t testing.TB, inner *os.File, c *exec.Cmd) {
	t.Helper()
	defer inner.Close()
	c.Env = append(os.Environ(), "TERM=xterm-256color")
	c.Stdin, c.Stdout, c.Stderr = inner, inner, inner
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
}

// onPTY starts the program in a directory, on a terminal of 120 by 40 cells.
func onPTY(t *testing.T, dir string, args ...string) *ownPTY {
	t.Helper()
	outer, inner := newPTY(t, 120, 40)
	c := exec.Command(program, args...)
	c.Dir = dir
	onto(t, inner, c)
	p := &ownPTY{
		terminal: terminal{in: outer, screen: term.New(120, 40), frame: make(chan struct{}, 1), cmd: c},
		t:        t, outer: outer, read: make(chan struct{}), ended: make(chan struct{}),
	}
	go func() {
		_ = c.Wait() // it is killed, mostly
		close(p.ended)
	}()
	go func() {
		defer close(p.read)
		p.follow(outer)
	}()
	t.Cleanup(func() {
		outer.Close()
		p.ends()
		p.screen.Close()
	})
	return p
}

// ends waits for the program's end.
func (p *ownPTY) ends() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%v still runs after its terminal is gone", p.cmd.Args)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// kill kills the program where it stands, and returns when all that it had
// written is on the screen.
func (p *ownPTY) kill() {
	p.t.Helper()
	_ = p.cmd.Process.Kill() // it may just have ended
	<-p.ended
	select {
	case <-p.read:
	case <-time.After(patience):
		p.t.Errorf("the terminal of %v is still held", p.cmd.Args)
	}
}

// until waits for a line of the screen that holds all the texts, and reports
// whether it came before the program's end or stop. Each screen on the way is
// looked at.
func (p *ownPTY) until(stop <-chan time.Time, look func(screen string), texts ...string) bool {
	p.t.Helper()
	late := time.After(patience)
	for !p.shows(texts) {
		look(p.screen.Text())
		select {
		case <-p.frame:
		case <-p.screen.Changed():
		case <-stop:
			return false
		case <-p.ended:
			<-p.read
			return p.shows(texts)
		case <-late:
			p.t.Fatalf("%q doesn't come; the screen shows\n%s", texts, p.screen.Text())
		}
	}
	return true
}
