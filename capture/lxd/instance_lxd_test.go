package lxd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

var _ io.ReadWriteCloser = (*lxd.Shell)(nil)

// deadline bounds what would otherwise wait for good in a broken program.
const deadline = time.Minute

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func TestInstanceIsDescribed(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	all, err := s.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, err := s.Instance(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, i := range all {
		if i.Name != name {
			continue
		}
		if len(i.NICs) != 1 || i.Started.IsZero() {
			t.Fatalf("it is listed as %+v", i)
		}
		nic := i.NICs[0]
		nic.Address = one.NICs[0].Address // which a list has, and it has not
		found = i.Status == one.Status && nic == one.NICs[0]
	}
	if !found {
		t.Errorf("%+v is not among %+v", one, all)
	}
	nic, err := one.Watchable("")
	if err != nil || nic.Network != bridge || nic.Device != "eth0" || nic.Hwaddr == "" {
		t.Errorf("the NIC to watch is %+v, %v", nic, err)
	}
	if !one.Running() || one.Kind != "container" || one.Project != "default" || one.Ephemeral {
		t.Errorf("the instance is %+v", one)
	}
	if _, err := s.Instance(t.Context(), "not-there"); !api.StatusErrorCheck(err, http.StatusNotFound) {
		t.Errorf("an instance that is not there: %v", err)
	}
}

func TestOwners(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	leased := netip.MustParseAddr(lxdtest.Address(t, name))
	const own = "2001:db8:7::9"
	if code, err := s.Run(bounded(t), name, lxd.Command{Args: []string{"ip", "-6", "addr", "add", own + "/64", "dev", "eth0"}}); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	owners, err := s.Owners(t.Context(), bridge)
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]netip.Addr{"leased": leased, "static": netip.MustParseAddr(own)}
	for how, address := range addresses {
		if owners[address] != name {
			t.Errorf("the %s address %s belongs to %q among %v", how, address, owners[address], owners)
		}
	}
	other, err := s.Owners(t.Context(), lxdtest.Bridge(t))
	if err != nil || len(other) != 0 {
		t.Errorf("on a bridge with nobody there are %v, %v", other, err)
	}
}

func TestRun(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	for _, test := range []struct {
		what        string
		command     lxd.Command
		code        int
		out, errout string
		err         string
	}{
		{what: "exit code", command: lxd.Command{Args: []string{"sh", "-c", "echo out; echo err >&2; exit 7"}}, code: 7, out: "out\n", errout: "err\n"},
		{what: "environment", command: lxd.Command{Args: []string{"sh", "-c", "echo $A-$HOME"}, Env: map[string]string{"A": "b c"}}, out: "b c-/root\n"},
		{what: "user", command: lxd.Command{Args: []string{"sh", "-c", `id -un; echo "$1" "$A"`, "sh", "it's; $HOME"}, User: "ubuntu", Env: map[string]string{"A": "b c"}}, out: "ubuntu\nit's; $HOME b c\n"},
		{what: "standard input", command: lxd.Command{Args: []string{"cat"}, Stdin: strings.NewReader("in\nput")}, out: "in\nput"},
		{what: "missing command", command: lxd.Command{Args: []string{"not-there"}}, code: 127},
		{what: "command that ends like a missing one", command: lxd.Command{Args: []string{"sh", "-c", "exit 126"}}, code: 126},
		{what: "killed command", command: lxd.Command{Args: []string{"sh", "-c", "kill -9 $$"}}, code: 137},
		{what: "no command", code: -1, err: "name a command"},
	} {
		t.Run(test.what, func(t *testing.T) {
			var out, errout bytes.Buffer
			test.command.Stdout, test.command.Stderr = &out, &errout
			code, err := s.Run(bounded(t), name, test.command)
			if code != test.code || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("it ended with %d, %v", code, err)
			}
			if out.String() != test.out || errout.String() != test.errout {
				t.Errorf("it printed %q and %q", &out, &errout)
			}
		})
	}
}

// reader collects what comes from a stream.
type reader struct {
	chunks chan string // closed at the end of the stream
	all    string
}

func read(from io.Reader) *reader {
	r := &reader{chunks: make(chan string)}
	go func() {
		defer close(r.chunks)
		b := make([]byte, 4096)
		for {
			n, err := from.Read(b)
			r.chunks <- string(b[:n])
			if err != nil {
				return
			}
		}
	}()
	return r
}

// until reads until a text has come; "" is the end of the stream.
func (r *reader) until(t *testing.T, text string) {
	t.Helper()
	ctx := bounded(t)
	for text == "" || !strings.Contains(r.all, text) {
		select {
		case chunk, more := <-r.chunks:
			r.all += chunk
			if !more && text != "" {
				t.Fatalf("it ended without %q: %q", text, r.all)
			}
			if !more {
				return
			}
		case <-ctx.Done():
			t.Fatalf("%q doesn't come: %q", text, r.all)
		}
	}
}

func TestRunIsStoppedWithItsContext(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	for _, test := range []struct {
		what, script string
		code         int
	}{
		{"that ends when interrupted", `trap 'exit 5' INT; echo ready; while :; do sleep 0.1; done`, 5},
		{"that ends when terminated", `trap '' INT; trap 'exit 6' TERM; echo ready; while :; do sleep 0.1; done`, 6},
		{"that must be killed", `trap '' INT TERM; echo ready; while :; do sleep 0.1; done`, 137},
	} {
		t.Run(test.what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(bounded(t))
			out, stdout := io.Pipe()
			var code int
			var err error
			go func() {
				code, err = s.Run(ctx, name, lxd.Command{Args: []string{"sh", "-c", test.script}, Stdout: stdout})
				_ = stdout.Close()
			}()
			printed := read(out)
			printed.until(t, "ready\n")
			cancel()
			printed.until(t, "")
			if code != test.code || !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %d, %v", code, err)
			}
		})
	}
}

func shell(t *testing.T, s *lxd.Server, name, user string) (*lxd.Shell, *reader) {
	t.Helper()
	shell, err := s.Shell(bounded(t), name, user, 91, 23)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shell.Close() })
	return shell, read(shell)
}

func enter(t *testing.T, shell *lxd.Shell, line string) {
	t.Helper()
	if _, err := io.WriteString(shell, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func TestShell(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	shell, screen := shell(t, s, name, "")
	// What is awaited is no part of what is typed, which is echoed.
	enter(t, shell, `echo "<$(id -un) $HOME $TERM $(stty size)>"`)
	screen.until(t, "<ubuntu /home/ubuntu xterm-256color 23 91>")
	if err := shell.Resize(123, 40); err != nil {
		t.Fatal(err)
	}
	enter(t, shell, `while [ "$(stty size)" != "40 123" ]; do :; done; echo "<$(stty size)>"`)
	screen.until(t, "<40 123>")
	enter(t, shell, "exit 7")
	screen.until(t, "")
	for range 2 {
		if code, err := shell.Wait(); code != 7 || err != nil {
			t.Errorf("the shell ended with %d, %v", code, err)
		}
	}
	if _, err := shell.Write([]byte("x")); err == nil {
		t.Error("an ended shell takes input")
	}
	if err := shell.Close(); err != nil {
		t.Error(err)
	}
}

// What the user has in the environment, keys and tokens, is nothing to the
// instance.
func TestInstanceGetsNoEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	// LXD's own, the login's and the terminal's.
	const known = "COLORTERM HOME LANG LOGNAME MAIL OLDPWD PATH PS1 PWD SHELL SHLVL TERM USER _ container"
	more := `env | cut -d = -f 1 | grep -vxF "$(echo ` + known + ` | tr ' ' '\n')"`
	var out bytes.Buffer
	if code, err := s.Run(t.Context(), name, lxd.Command{Args: []string{"sh", "-c", "! " + more}, Stdout: &out}); code != 0 || err != nil || out.Len() != 0 {
		t.Errorf("a command gets more: %q, %d, %v", out.String(), code, err)
	}
	shell, screen := shell(t, s, name, "")
	enter(t, shell, "clear; "+more+`; echo "<"done">"`)
	screen.until(t, "<done>")
	if strings.Contains(screen.all, "AWS") || strings.Contains(screen.all, "s3cr3t") {
		t.Errorf("the shell gets more: %q", screen.all)
	}
}

func TestShellOfAUser(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	root, screen := shell(t, s, name, "root")
	// LXD may lose what a shell prints right before its end.
	enter(t, root, `echo "<$(id -un) $HOME>"; sed -i /ubuntu/d /etc/passwd`)
	screen.until(t, "<root /root>")
	enter(t, root, "exit")
	screen.until(t, "")

	byDefault, screen := shell(t, s, name, "")
	enter(t, byDefault, `echo "<$(id -un)>"`)
	screen.until(t, "<root>")

	absent, screen := shell(t, s, name, "ubuntu")
	screen.until(t, "")
	if code, err := absent.Wait(); code != 1 || err != nil {
		t.Errorf("the shell of an absent user ended with %d, %v: %q", code, err, screen.all)
	}
}

func TestClosingAShellEndsIt(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	shell, screen := shell(t, s, name, "root")
	enter(t, shell, `echo "<$$>"; yes`)
	screen.until(t, ">\r\ny\r\n")
	if err := shell.Close(); err != nil {
		t.Fatal(err)
	}
	// LXD kills the shell, or the loss of its terminal does.
	if code, err := shell.Wait(); code != 137 && code != 129 || err != nil {
		t.Errorf("the shell ended with %d, %v", code, err)
	}
	screen.until(t, "")
}

func TestShellOfAnInstanceThatStops(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	name := lxdtest.Instance(t, bridge)
	shell, screen := shell(t, s, name, "root")
	enter(t, shell, `echo "<rea""dy>"`)
	screen.until(t, "<ready>")
	if err := s.Remove(bounded(t), name); err != nil {
		t.Fatal(err)
	}
	screen.until(t, "")
	// On a busy machine LXD may show it as running for longer than is waited.
	if code, err := shell.Wait(); code != 137 && code != 129 || err != nil && !strings.Contains(err.Error(), "the instance was") {
		t.Errorf("the shell ended with %d, %v", code, err)
	}
	if _, err := s.Shell(bounded(t), name, "", 80, 24); err == nil {
		t.Error("a shell opened in an instance that is gone")
	}
}
