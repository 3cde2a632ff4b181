package live_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

const patience = time.Minute

func start(t *testing.T, c live.Config) *live.Capture {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s, err := live.Start(ctx, lxdtest.Server(t), c, func(string, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.WithoutCancel(ctx)) })
	return s
}

func ask(t *testing.T, s *live.Capture, names ...string) {
	t.Helper()
	for _, name := range names {
		code, err := s.Run(t.Context(), lxd.Command{Args: append([]string{"nslookup"}, strings.Fields(name)...)})
		if err != nil {
			t.Fatalf("nslookup %s: %d, %v", name, code, err)
		}
	}
	s.AwaitSilence(t.Context(), 300*time.Millisecond)
}

func has(s *live.Capture, name string) (ok bool) {
	s.Ledger.Read(func(r capture.Reader) { _, ok = r.Lookup(name) })
	return ok
}

func TestCapture(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance, Program: "test"})
	if s.Network != bridge || s.Instance != instance {
		t.Errorf("it watches %s on %s", s.Instance, s.Network)
	}
	ask(t, s, "a.example.test")
	s.Ledger.Read(func(r capture.Reader) {
		if r.Len() != 1 || r.Domain(0).Result() != "resolved" || r.Info().Domain != "lxd" {
			t.Errorf("the ledger has %d domains, the first %+v", r.Len(), *r.Domain(0))
		}
	})
	if err := s.Stop(t.Context()); err != nil || s.Err() != nil {
		t.Errorf("stopped with %v", err)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// A log that can't be read any more ends the capture, which says so, and the
// bridge is given back all the same.
func TestFollowerThatDies(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	log := filepath.Join(os.Getenv("LXD_DIR"), "logs", "dnsmasq."+bridge+".log")
	if err := os.Rename(log, log+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(log, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(log) })
	s.AwaitSilence(t.Context(), patience) // it ends with the capture
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "the list is incomplete") {
		t.Errorf("it ended with %v", err)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "the list is incomplete") {
		t.Errorf("stopped with %v", err)
	}
	told := ""
	for n := range s.Notices() {
		told += n + "\n"
	}
	if !strings.Contains(told, "the capture stopped") {
		t.Errorf("it said %q", told)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// A stopped instance on a bridge without IPv4 is ready once it has an address
// of IPv6.
func TestIPv6Only(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	lxdtest.Stop(t, instance)
	n := lxdtest.Network(t, bridge)
	n.Config["ipv4.address"] = "none"
	delete(n.Config, "ipv4.nat")
	if err := lxdtest.Client(t).UpdateNetwork(bridge, n, ""); err != nil {
		t.Fatal(err)
	}
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	server, _, _ := strings.Cut(before.Config["ipv6.address"], "/") // the image takes none from a router's advertisement
	for !has(s, "a.example.test") {                                 // until the kernel trusts the address
		if t.Context().Err() != nil {
			t.Fatal("what was asked by IPv6 is not there")
		}
		ask(t, s, "a.example.test "+server)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for n := range s.Notices() {
		t.Errorf("it said %q", n)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// Somebody else's change of raw.dnsmasq ends the logging: that is said with
// who and when, Repair mends it with theirs kept, the gap stands in the
// ledger, and in the end the bridge has theirs alone.
func TestLoggingThatOthersEnd(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	if l := s.Logging(); l.Problem != "" || l.Since.IsZero() {
		t.Errorf("at first it says %+v", l)
	}
	n := lxdtest.Network(t, bridge)
	n.Config["raw.dnsmasq"] = lxdtest.Raw(t) + "address=/more.test/192.0.2.9"
	if err := lxdtest.Client(t).UpdateNetwork(bridge, n, ""); err != nil {
		t.Fatal(err)
	}
	said := ""
	select {
	case said = <-s.Notices():
	case <-time.After(patience):
	}
	if l := s.Logging(); !strings.HasPrefix(l.Problem, "raw.dnsmasq was changed by ") || !strings.Contains(said, l.Problem) {
		t.Errorf("it says %+v and said %q", l, said)
	}
	if err := s.Repair(t.Context()); err != nil || s.Logging().Problem != "" {
		t.Errorf("repaired: %v, %+v", err, s.Logging())
	}
	ask(t, s, "a.example.test")
	s.Ledger.Read(func(r capture.Reader) {
		if _, ok := r.Lookup("a.example.test"); !ok || len(r.Gaps()) != 1 || !strings.Contains(strings.Join(r.Doubts(), "\n"), "queries were not logged from ") {
			t.Errorf("after the repair: asked %v, gaps %v, doubts %q", ok, r.Gaps(), r.Doubts())
		}
	})
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	before.Config["raw.dnsmasq"] = n.Config["raw.dnsmasq"]
	lxdtest.Unchanged(t, bridge, before)
}

// An upstream that filters is found out before anything is asked, and what it
// denies stays on the list.
func TestUpstreamThatFilters(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	lxdtest.Filter(t, bridge)
	s := start(t, live.Config{Instance: instance})
	said := ""
	select {
	case said = <-s.Notices():
	case <-time.After(patience):
	}
	if !strings.Contains(said, "it says that there is no example.com and no example.org") {
		t.Errorf("it said %q", said)
	}
	ask(t, s, "denied.example.com")
	list := s.Ledger.List(false)
	if len(list.Rules) != 1 || list.Rules[0].Name != "denied.example.com" || !strings.Contains(strings.Join(list.Doubts, ""), "seems to filter") {
		t.Errorf("the list is %+v", list)
	}
}

// Why nothing was heard is found out from inside the instance.
func TestUnheard(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	s := start(t, live.Config{Instance: instance})
	if why := s.Unheard(t.Context()); !strings.Contains(why, "nothing was asked by DNS") {
		t.Errorf("of an instance that is all right it says %q", why)
	}
	for conf, want := range map[string]string{
		"nameserver 192.0.2.53": "names 192.0.2.53, which is not the dnsmasq of bridge " + bridge,
		"options edns0":         "names no server",
	} {
		if code, err := s.Run(t.Context(), lxd.Command{Args: []string{"sh", "-c", "echo '" + conf + "' > /etc/resolv.conf"}}); err != nil || code != 0 {
			t.Fatalf("%d, %v", code, err)
		}
		if why := s.Unheard(t.Context()); !strings.Contains(why, want) {
			t.Errorf("with %q it says %q, want %q in it", conf, why, want)
		}
	}
	s.Ledger.Read(func(r capture.Reader) {
		if r.Len() != 0 || r.Counts().Queries != 0 {
			t.Errorf("the ledger has %d domains and %d queries", r.Len(), r.Counts().Queries)
		}
	})
}
