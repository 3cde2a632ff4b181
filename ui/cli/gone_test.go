package cli

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// A list stays in force while LXD is away, by the packet filter and by the
// bridge's dnsmasq. The end waits for LXD, is proven then, and leaves nothing;
// who doesn't wait has restore. So it is where LXD goes away only with the last
// thing that it is told.
func TestVerifyWhileLXDIsAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := setRaw(t, bridge, ownRaw(t))
	config := d.Config(bridge)
	// ends has a list in force that LXD is killed under, and ends it then.
	ends := func(t *testing.T, c *exec.Cmd, meanwhile func()) {
		t.Helper()
		told := inForce(t, c)
		d.Kill()
		d.Inside(instance, "sh", "-c", "! nslookup b.example.test")
		hears(t, told, "blocked: A b.example.test")
		_ = c.Process.Signal(syscall.SIGINT)
		hears(t, told, "LXD doesn't answer: it was stopped, or is restarting; waiting for it, and the list stays in force")
		meanwhile()
		d.Start()
		for told.Scan() {
		}
		_ = c.Wait()
	}
	clean := func(t *testing.T) {
		t.Helper()
		lxdtest.Unchanged(t, bridge, before)
		if now := d.Config(bridge); now != config {
			t.Errorf("dnsmasq was told %q, want %q", now, config)
		}
		nothingLeft(t, instance)
		if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code != 0 {
			t.Errorf("afterwards a look-up ended with %d", code)
		}
	}
	ended := func(t *testing.T, c *exec.Cmd, r verify.Report) {
		t.Helper()
		if code := c.ProcessState.ExitCode(); code != exitFailed || !r.Proven() || strings.Join(blocked(r), " ") != "b.example.test" {
			t.Errorf("exit code %d, %+v", code, r)
		}
		clean(t)
	}
	t.Run("by the packet filter", func(t *testing.T) {
		c := start(t, "verify", "--report", "report.json", instance, list(t, "a.example.test"))
		ends(t, c, func() {})
		ended(t, c, reportOf(t, c))
	})
	t.Run("by the bridge", func(t *testing.T) {
		verifies, report := memberVerifies(t, "a.example.test\n")
		c := verifies(instance, "allow.txt")
		ends(t, c, func() {})
		ended(t, c, report())
	})
	t.Run("from its last change on", func(t *testing.T) {
		socket, away, back := untilLastChange(t, d, instance)
		c := start(t, "verify", "--report", "report.json", instance, list(t, "a.example.test"))
		c.Env = append(c.Env, "LXD_SOCKET="+socket)
		told := inForce(t, c)
		d.Inside(instance, "sh", "-c", "! nslookup b.example.test")
		_ = c.Process.Signal(syscall.SIGINT)
		select {
		case <-away:
		case <-time.After(time.Minute):
			t.Fatal("it doesn't ask again")
		}
		d.Kill()
		hears(t, told, "LXD doesn't answer: it was stopped, or is restarting; the list is held without it, and the end waits for it")
		d.Start()
		close(back)
		for told.Scan() {
		}
		_ = c.Wait()
		ended(t, c, reportOf(t, c))
	})
	t.Run("not waited for", func(t *testing.T) {
		c := start(t, "verify", instance, list(t, "a.example.test"))
		ends(t, c, func() { _ = c.Process.Kill() })
		if _, stderr, code := run(t, start(t, "restore")); code != 0 || !strings.Contains(stderr, "instance "+instance+" has no list enforced any more") {
			t.Errorf("restore ends with %d: %s", code, stderr)
		}
		clean(t)
	})
}

// untilLastChange returns a socket that leads to an LXD until it is asked to
// change an instance for the second time, by which the note is taken away: LXD makes
// that change, and isn't there from then on, which away tells, until back is closed.
func untilLastChange(t *testing.T, d *lxdtest.Daemon, instance string) (socket string, away, back chan struct{}) {
	t.Helper()
	there := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.Dir(), "unix.socket"))
		}},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	socket = filepath.Join(d.Dir(), "until.socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	away, back = make(chan struct{}), make(chan struct{})
	var changes, refused atomic.Int64
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.Method == http.MethodPut && r.URL.Path == "/1.0/instances/"+instance && changes.Add(1) == 2
		if !last && changes.Load() < 2 || closed(back) {
			there.ServeHTTP(w, r)
			return
		}
		if last {
			there.ServeHTTP(httptest.NewRecorder(), r)
		}
		if refused.Add(1) == 2 { // by then it knows of the first, and doesn't wait for that any more
			close(away)
		}
		panic(http.ErrAbortHandler)
	})}
	go func() { _ = server.Serve(l) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	return socket, away, back
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// What was deleted before LXD was listened to is noticed, too.
func TestDeletedBeforeAnybodyListens(t *testing.T) {
	server, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	for name, at := range map[string][2]string{"instance": {"no-such-instance", bridge}, "bridge": {instance, "nobridge"}} {
		t.Run(name, func(t *testing.T) {
			there, run := watchPresence(t.Context(), server, at[0], at[1])
			select {
			case <-there.changed:
			case <-time.After(guardPatience):
				t.Fatal("nobody looks")
			}
			if there.look(run) || run.Err() == nil {
				t.Error("it isn't missed")
			}
		})
	}
}

// A list in force on an instance that is deleted, or on a bridge, is ended at once,
// with the report, and nothing is proven then: whoever waits, and who runs a command.
func TestVerifyOfADeletedInstance(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	allow := list(t, "a.example.test")
	before := lxdtest.Network(t, bridge)
	ends := func(t *testing.T, c *exec.Cmd, told *bufio.Scanner, what string) {
		t.Helper()
		hears(t, told, what)
		for told.Scan() {
		}
		_ = c.Wait()
		if r := reportOf(t, c); c.ProcessState.ExitCode() != exitUnproven || r.Verdict != verify.Unproven || !r.Proofs[0].Proven || r.Proofs[1].Proven {
			t.Errorf("exit code %d: %+v", c.ProcessState.ExitCode(), r)
		}
	}
	for name, command := range map[string][]string{"waiting": nil, "with a command": {"--", "sh", "-c", "echo it runs; sleep 1000"}} {
		t.Run(name, func(t *testing.T) {
			instance := lxdtest.Instance(t, bridge)
			c := start(t, append([]string{"verify", "--report", "report.json", instance, allow}, command...)...)
			out, err := c.StderrPipe()
			if err == nil {
				err = c.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			told := bufio.NewScanner(out)
			hears(t, told, map[bool]string{true: "Ctrl+C", false: "it runs"}[command == nil])
			if err := lxdtest.Server(t).Remove(t.Context(), instance); err != nil {
				t.Fatal(err)
			}
			word := "instance " + instance + " was deleted or renamed: nothing more is asked for there; ending"
			if command != nil { // which may end before
				word = "; ending"
			}
			ends(t, c, told, word)
		})
	}
	lxdtest.Unchanged(t, bridge, before)

	instance := lxdtest.Instance(t, bridge)
	c := start(t, "verify", "--report", "report.json", instance, allow)
	told := inForce(t, c)
	if out, err := exec.Command("lxc", "config", "device", "remove", instance, "eth0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := lxdtest.Client(t).DeleteNetwork(bridge); err != nil {
		t.Fatal(err)
	}
	ends(t, c, told, "bridge "+bridge+" was deleted: nothing more is asked for there; ending")
	if tables, err := exec.Command("nft", "list", "tables").Output(); err != nil || strings.Contains(string(tables), "lxd-allowlist-"+bridge) {
		t.Errorf("%v: tables are left: %s", err, tables)
	}
	if _, stderr, code := run(t, start(t, "restore")); code != 0 || strings.Contains(stderr, instance) {
		t.Errorf("restore ends with %d and found something to do: %s", code, stderr)
	}
}

// A recording whose instance is deleted ends, says so, and tells where what was
// heard until then is.
func TestRecordOfADeletedInstance(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	c := start(t, "record", instance, "--", "sh", "-c", "nslookup a.example.test; echo it has asked; sleep 1000")
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	told := bufio.NewScanner(out)
	hears(t, told, "it has asked")
	if err := lxdtest.Server(t).Remove(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	hears(t, told, "; no list was written, and the session is kept: lxd-allowlist export ")
	session := told.Text()[strings.LastIndexByte(told.Text(), ' ')+1:]
	for told.Scan() {
	}
	if _ = c.Wait(); c.ProcessState.ExitCode() == 0 {
		t.Error("it ended well")
	}
	export := start(t, "export", session)
	export.Env = c.Env
	if stdout, stderr, code := run(t, export); code != 0 || !strings.Contains(stdout, "a.example.test") {
		t.Errorf("the export ends with %d: %s, %s", code, stdout, stderr)
	}
	lxdtest.Unchanged(t, bridge, before)
}
