package lxd_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

var races = flag.Int("races", 0, "how often TestConcurrentLeasesHaveOneWinner has monitors race for one bridge; 0 for three times")

// holdVariable names the network that this test binary, run again as a
// program of its own, leases until it is killed.
const holdVariable = "LXD_ALLOWLIST_TEST_HOLD"

func TestMain(m *testing.M) {
	if network := os.Getenv(holdVariable); network != "" {
		hold(network)
		return
	}
	if network := os.Getenv(launchVariable); network != "" {
		launch(network)
		return
	}
	os.Exit(m.Run())
}

func hold(network string) {
	ctx := context.Background()
	s, err := lxd.Connect(ctx, "")
	if err == nil {
		_, err = s.Lease(ctx, network)
	}
	fmt.Println("leased", err)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// killedHolder leases the network in a process that is killed then.
func killedHolder(t *testing.T, network string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), holdVariable+"="+network)
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if killErr := c.Process.Kill(); killErr != nil {
		t.Fatal(killErr)
	}
	_ = c.Wait() // it was killed
	if err != nil || line != "leased <nil>\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
}

func network(t *testing.T, name string) *api.Network {
	t.Helper()
	n, _, err := lxdtest.Client(t).GetNetwork(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sameNetwork fails unless everything that can be set in the network is the
// same.
func sameNetwork(t *testing.T, before, after *api.Network) {
	t.Helper()
	if !reflect.DeepEqual(before.Writable(), after.Writable()) {
		t.Errorf("the network was\n%#v\nand is\n%#v", before.Writable(), after.Writable())
	}
}

func lease(t *testing.T, s *lxd.Server, network string) *lxd.Lease {
	t.Helper()
	l, err := s.Lease(t.Context(), network)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLeaseAndReleaseByteForByte(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	before := network(t, bridge)
	if before.Config["raw.dnsmasq"] != lxdtest.Raw(t) {
		t.Fatalf("LXD itself changed raw.dnsmasq to %q", before.Config["raw.dnsmasq"])
	}
	l := lease(t, s, bridge)
	during := network(t, bridge)
	if raw := during.Config["raw.dnsmasq"]; !strings.HasPrefix(raw, lxdtest.Raw(t)) || !strings.Contains(raw, "log-queries=extra") {
		t.Errorf("raw.dnsmasq is %q during the lease", raw)
	}
	for range 2 {
		if err := l.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameNetwork(t, before, network(t, bridge))
	}
}

func TestLeaseOfABridgeWithoutRaw(t *testing.T) {
	s, bridge, c := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Client(t)
	n := network(t, bridge)
	delete(n.Config, "raw.dnsmasq")
	if err := c.UpdateNetwork(bridge, n.Writable(), ""); err != nil {
		t.Fatal(err)
	}
	before := network(t, bridge)
	l := lease(t, s, bridge)
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	sameNetwork(t, before, network(t, bridge))
}

func TestCanaryAppearsInTheLog(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	l := lease(t, s, bridge)
	if !strings.HasSuffix(l.LogPath(), "/dnsmasq."+bridge+".log") {
		t.Errorf("LXD's log is %s", l.LogPath())
	}
	name, send := l.Canary(t.Context())
	appears(t, l.LogPath(), name, send)
	if !strings.HasSuffix(name, "."+l.Domain()) {
		t.Errorf("the canary %s is not in the domain %s", name, l.Domain())
	}

	if err := l.UseFile(t.Context()); err != nil {
		t.Fatal(err)
	}
	own := l.LogPath()
	if !strings.HasPrefix(own, "/var/log/lxd-allowlist/") {
		t.Errorf("the log of our own is %s", own)
	}
	name, send = l.Canary(t.Context())
	appears(t, own, name, send)
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own); !os.IsNotExist(err) {
		t.Errorf("the log of our own is still there: %v", err)
	}
	if raw := network(t, bridge).Config["raw.dnsmasq"]; raw != lxdtest.Raw(t) {
		t.Errorf("raw.dnsmasq is %q", raw)
	}
}

// appears fails unless the query for name comes to be in the log.
func appears(t *testing.T, log, name string, send func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var sent error
	for {
		sent = send(ctx)
		content, err := os.ReadFile(log)
		if err == nil && bytes.Contains(content, []byte(" query[A] "+name+" from ")) && sent == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s doesn't show up in %s (%v); sending it: %v\n%s", name, log, err, sent, content)
		}
	}
}

func TestSecondHolderIsTold(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	before := network(t, bridge)
	l := lease(t, s, bridge)
	_, err := s.Lease(t.Context(), bridge)
	var held *lxd.HeldError
	if !errors.As(err, &held) || held.Network != bridge || !strings.Contains(held.By, fmt.Sprint(os.Getpid())) || held.Since.IsZero() {
		t.Errorf("the second holder was told %#v", err)
	}
	if _, err := s.Restore(t.Context(), bridge, false); !errors.As(err, &held) {
		t.Errorf("the restore of a held lease said %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	sameNetwork(t, before, network(t, bridge))
}

func TestRestoreAfterAKill(t *testing.T) {
	s, bridge := lxdtest.Server(t), lxdtest.Bridge(t)
	before := network(t, bridge)
	killedHolder(t, bridge)
	if raw := network(t, bridge).Config["raw.dnsmasq"]; raw == lxdtest.Raw(t) {
		t.Fatal("the killed holder left nothing behind, so this test shows nothing")
	}
	var leftover *lxd.LeftoverError
	if _, err := s.Lease(t.Context(), bridge); !errors.As(err, &leftover) || leftover.Network != bridge {
		t.Errorf("the lease of a leftover said %v", err)
	}
	restored, err := s.Restore(t.Context(), bridge, false)
	if err != nil || len(restored) != 1 || restored[0] != (lxd.Restored{Network: bridge}) {
		t.Errorf("restored %v, %v", restored, err)
	}
	sameNetwork(t, before, network(t, bridge))
	if restored, err := s.Restore(t.Context(), bridge, false); err != nil || len(restored) != 0 {
		t.Errorf("restored again %v, %v", restored, err)
	}
}

func TestOthersChangesStay(t *testing.T) {
	s, bridge, c := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Client(t)
	before := network(t, bridge)
	l := lease(t, s, bridge)
	change := func(key, value string) {
		n := network(t, bridge)
		n.Config[key] = value
		if err := c.UpdateNetwork(bridge, n.Writable(), ""); err != nil {
			t.Fatal(err)
		}
	}
	change("user.meanwhile", "added")
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	before.Config["user.meanwhile"] = "added"
	sameNetwork(t, before, network(t, bridge))

	raw := network(t, bridge).Config["raw.dnsmasq"]
	for _, test := range []struct{ what, set, want string }{
		{"something else", "no-resolv\nlog-queries", "no-resolv\nlog-queries"},
		{"something more", "+\naddress=/more.test/192.0.2.9", raw + "address=/more.test/192.0.2.9"},
	} {
		l = lease(t, s, bridge)
		during := network(t, bridge).Config["raw.dnsmasq"]
		change("raw.dnsmasq", strings.Replace(test.set, "+", during, 1))
		var changed *lxd.ChangedError
		if err := l.Check(t.Context()); !errors.As(err, &changed) {
			t.Errorf("%s: the check said %v", test.what, err)
		}
		if err := l.Release(t.Context()); err != nil || !l.Kept() {
			t.Errorf("%s: the release said %v, kept %v", test.what, err, l.Kept())
		}
		before.Config["raw.dnsmasq"] = test.want
		sameNetwork(t, before, network(t, bridge))
		change("raw.dnsmasq", raw)
	}
}

// A lease that others have overwritten logs again beside what they set, and
// gives that back.
func TestRenew(t *testing.T) {
	s, bridge, c := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Client(t)
	before := network(t, bridge)
	l := lease(t, s, bridge)
	if err := l.Check(t.Context()); err != nil {
		t.Errorf("the check of a lease that stands said %v", err)
	}
	theirs := lxdtest.Raw(t) + "address=/more.test/192.0.2.9"
	n := network(t, bridge)
	n.Config["raw.dnsmasq"] = theirs
	if err := c.UpdateNetwork(bridge, n.Writable(), ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Errorf("renewed, the check said %v", err)
		}
		if raw := network(t, bridge).Config["raw.dnsmasq"]; !strings.HasPrefix(raw, theirs) || !strings.Contains(raw, "log-queries=extra") {
			t.Errorf("renewed, raw.dnsmasq is %q", raw)
		}
	}
	if err := l.Release(t.Context()); err != nil || l.Kept() {
		t.Errorf("the release said %v, kept %v", err, l.Kept())
	}
	before.Config["raw.dnsmasq"] = theirs
	sameNetwork(t, before, network(t, bridge))
}

func TestConcurrentLeasesHaveOneWinner(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	before := network(t, bridge)
	const usual, rivals = 3, 4
	for round := range cmp.Or(*races, usual) {
		var mu sync.Mutex
		var won []*lxd.Lease
		var lost []error
		var wg sync.WaitGroup
		for range rivals {
			s := lxdtest.Server(t)
			wg.Go(func() {
				l, err := s.Lease(t.Context(), bridge)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					lost = append(lost, err)
				} else {
					won = append(won, l)
				}
			})
		}
		wg.Wait()
		told := 0
		for _, err := range lost {
			var held *lxd.HeldError
			if errors.As(err, &held) && strings.Contains(held.By, fmt.Sprintf("process %d ", os.Getpid())) {
				told++
			}
		}
		if len(won) != 1 || told != rivals-1 {
			t.Fatalf("race %d: %d won, and the others were told %q", round+1, len(won), lost)
		}
		if !strings.Contains(network(t, bridge).Config["raw.dnsmasq"], "log-queries=extra") {
			t.Error("the winner's options are not there")
		}
		if err := won[0].Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sameNetwork(t, before, network(t, bridge)); t.Failed() {
			t.Fatalf("race %d", round+1)
		}
	}
}

func TestOptionsThatDnsmasqRefuses(t *testing.T) {
	s, bridge, c := lxdtest.Server(t), lxdtest.Bridge(t), lxdtest.Client(t)
	include := t.TempDir() + "/included.conf"
	if err := os.WriteFile(include, []byte("log-facility=/dev/null\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	n := network(t, bridge)
	n.Config = maps.Clone(n.Config)
	n.Config["raw.dnsmasq"] += "conf-file=" + include
	if err := c.UpdateNetwork(bridge, n.Writable(), ""); err != nil {
		t.Fatal(err)
	}
	before := network(t, bridge)
	_, err := s.Lease(t.Context(), bridge)
	if err == nil || !strings.Contains(err.Error(), "sets log-facility as well") {
		t.Errorf("the lease said %v", err)
	}
	sameNetwork(t, before, network(t, bridge))
}
