package live_test

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

var awayCount = flag.Int("away", 0, "how often TestLXDAway kills LXD and, every other time, stops it; 0 for once each")

// raw are words of sockets and of Go that no user should read.
var raw = regexp.MustCompile(`unix\.socket|websocket|EOF|http://|dial `)

// said waits for a notice that begins with a text.
func said(t *testing.T, s *live.Capture, begins string) string {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case n := <-s.Notices():
			if raw.MatchString(n) {
				t.Errorf("it said %q", n)
			}
			if strings.HasPrefix(n, begins) {
				return n
			}
		case <-late:
			t.Fatalf("it didn't say %q", begins)
		}
	}
}

// An LXD that is stopped or killed and back after a while: that is said in
// plain words, queries are logged meanwhile, what was missed is said, owners
// are known again and a shell opens again.
func TestLXDAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	ask(t, s, "a.example.test")
	for try := range cmp.Or(*awayCount, 2) {
		end, kills := d.Kill, try%2 == 0
		if !kills {
			end = d.Stop
		}
		shell, err := s.Shell(t.Context(), "", 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		output := bufio.NewReader(shell)
		if _, err := output.ReadString('$'); err != nil { // the prompt: LXD's client waits for its end now
			t.Fatal(err)
		}
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, output) // the shell's Wait tells of its end
		}()
		if !kills { // an LXD that is stopped waits for what it runs
			_ = shell.Close()
		}
		end()
		if _, err := shell.Wait(); kills && (err == nil || raw.MatchString(err.Error()) || !strings.Contains(err.Error(), "LXD doesn't answer")) {
			t.Errorf("the shell ended with %v", err)
		}
		<-drained
		said(t, s, "LXD doesn't answer: it was stopped, or is restarting; queries are logged all the same")
		name := fmt.Sprintf("away%d.example.test", try)
		d.Inside(instance, "nslookup", name)
		s.AwaitSilence(t.Context(), 300*time.Millisecond)
		if !has(s, name) {
			t.Errorf("%s, asked for while LXD was away, is missing", name)
		}
		if problem := s.Logging().Problem; problem != "" {
			t.Errorf("while LXD is away it says %q", problem)
		}
		d.Start()
		if got := said(t, s, "LXD answers again, after "); !strings.HasSuffix(got, ": 0 queries were missed") {
			t.Errorf("it said %q", got)
		}
		ask(t, s, "later."+name)
		s.Ledger.Read(func(r capture.Reader) {
			id, ok := r.Lookup("later." + name)
			if !ok || len(r.Gaps()) != 0 || len(r.Doubts()) != 0 {
				t.Errorf("after LXD is back: asked %v, gaps %v, doubts %q", ok, r.Gaps(), r.Doubts())
				return
			}
			if owners := r.Owners(r.Domain(id)); !slices.Contains(owners, instance) {
				t.Errorf("after LXD is back it was asked by %q", owners)
			}
		})
		again, err := s.Shell(t.Context(), "", 80, 24)
		if err != nil {
			t.Fatalf("a shell after LXD is back: %v", err)
		}
		_ = again.Close()
		if t.Failed() {
			t.Fatalf("try %d", try+1)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// A dnsmasq that ends while LXD is away logs nothing: the canary finds out.
func TestDnsmasqEndsWhileLXDIsAway(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	d.Kill()
	said(t, s, "LXD doesn't answer")
	killDnsmasq(t, d, bridge)
	said(t, s, "queries are not logged: ")
	d.Start()
	said(t, s, "queries are logged again")
	s.Ledger.Read(func(r capture.Reader) {
		if len(r.Gaps()) != 1 {
			t.Errorf("the gaps are %v", r.Gaps())
		}
	})
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// killDnsmasq kills a bridge's dnsmasq.
func killDnsmasq(t *testing.T, d *lxdtest.Daemon, bridge string) {
	t.Helper()
	for _, pid := range d.Dnsmasqs(bridge) {
		if err := exec.Command("kill", "-KILL", strconv.Itoa(pid)).Run(); err != nil {
			t.Fatal(err)
		}
	}
}

// What a killed run launched is gone once the next capture runs, and that one
// was chosen again goes at its end.
func TestNextCaptureTidiesUp(t *testing.T) {
	lxdtest.NewDaemon(t)
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	server := lxdtest.Server(t)
	left, wanted := abandoned(t, server, bridge), abandoned(t, server, bridge)
	s := start(t, live.Config{Instance: wanted})
	said(t, s, "instance "+left+", which a killed run had launched, is removed")
	said(t, s, "instance "+wanted+" was launched by a killed run")
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	all, err := server.Instances(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != instance {
		t.Errorf("there are %+v, %v, want %s alone", all, err, instance)
	}
}

// abandoned launches an instance whose holder is another process, which has
// ended.
func abandoned(t *testing.T, server *lxd.Server, bridge string) string {
	t.Helper()
	name, err := server.Launch(t.Context(), lxdtest.Image, bridge, func(string, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Remove(context.Background(), name) })
	if out, err := exec.Command("lxc", "config", "set", name, "user.lxd-allowlist.start=1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}
