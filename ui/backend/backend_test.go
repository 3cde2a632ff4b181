package backend

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui"
)

func instance(name, status, nictype, network string) (i api.InstanceFull) {
	i.Name, i.Status, i.Project = name, status, "default"
	nic := map[string]string{"type": "nic", "nictype": nictype, "parent": network}
	if nictype == "" {
		nic = map[string]string{"type": "nic", "network": network}
	}
	i.ExpandedDevices = map[string]map[string]string{"eth0": nic}
	return i
}

// fixture is a backend on a fake LXD with a bridge.
func fixture(t *testing.T, all ...api.InstanceFull) (*Backend, *lxdfake.LXD) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	fake := lxdfake.New(api.Network{Name: "br", Type: "bridge", Managed: true, Config: map[string]string{"ipv4.address": "198.18.0.1/24", "raw.dnsmasq": "cache-size=0"}})
	fake.All = all
	b := New("", "", live.Config{Program: "test"})
	b.server = lxd.New(fake)
	return b, fake
}

func nothing(string, float64) {}

func TestChoices(t *testing.T) {
	on := instance("on", "Running", "", "br")
	started := time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC)
	on.LastUsedAt, on.ExpandedDevices["eth0"]["hwaddr"] = started, "00:16:3e:00:00:01"
	on.State = &api.InstanceState{Network: map[string]api.InstanceStateNetwork{
		"lo":   {Addresses: []api.InstanceStateNetworkAddress{{Family: "inet", Address: "127.0.0.1", Scope: "local"}}},
		"eth0": {Hwaddr: "00:16:3E:00:00:01", Addresses: []api.InstanceStateNetworkAddress{{Family: "inet6", Address: "fd42::5", Scope: "global"}, {Family: "inet", Address: "198.18.0.5", Scope: "global"}}},
	}}
	other := instance("other", "Running", "", "br")
	other.Project = "theirs"
	b, fake := fixture(t, on, instance("off", "Stopped", "", "br"), instance("far", "Running", "macvlan", "eth0"), other)
	held := fake.Network("br")
	for key, value := range map[string]string{"lock": "x", "host": "elsewhere", "pid": "4711", "since": "2026-11-25T12:00:00Z"} {
		held.Config["user.lxd-allowlist."+key] = value
	}
	fake.Replace(held)
	got, err := b.Choices(t.Context())
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	use := "in use by process 4711 on elsewhere since " + time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).Local().Format("2006-01-02 15:04")
	if want := (ui.Choice{Server: "local", Instance: "on", Status: "Running", Network: "br", Address: "198.18.0.5", Started: started, Use: use}); got[2] != want {
		t.Errorf("%+v, want %+v", got[2], want)
	}
	if want := (ui.Choice{Server: "local", Instance: "off", Status: "Stopped", Network: "br", Stopped: true, Use: use}); got[1] != want {
		t.Errorf("%+v, want %+v", got[1], want)
	}
	if want := "eth0: a macvlan device goes past the host's dnsmasq"; got[0].Problem != want {
		t.Errorf("%+v, want the problem %q", got[0], want)
	}
}

// An instance that is stopped is not started unasked, unless that was chosen.
func TestOpenAsksToStart(t *testing.T) {
	b, _ := fixture(t, instance("off", "Stopped", "", "br"))
	_, err := b.Open(t.Context(), ui.Choice{Instance: "off"}, nothing)
	var q ui.Question
	if !errors.As(err, &q) || q.Question() != "off is Stopped. Start it?" {
		t.Errorf("%v, want a question", err)
	}
	if _, err := b.Open(t.Context(), ui.Choice{Instance: "none"}, nothing); err == nil || errors.As(err, &q) || !strings.Contains(err.Error(), "none") {
		t.Errorf("an instance that isn't there: %v", err)
	}
}

// What a killed run left is asked about, and the answer puts the bridge back.
func TestOpenAsksToRestore(t *testing.T) {
	b, fake := fixture(t, instance("on", "Running", "", "br"))
	before := fake.Network("br")
	if _, err := lxd.New(fake).Lease(t.Context(), "br"); err != nil {
		t.Fatal(err)
	}
	fake.Set("br", "user.lxd-allowlist.start", "1") // whoever has our process ID is another process
	_, err := b.Open(t.Context(), ui.Choice{Instance: "on"}, nothing)
	var q ui.Question
	if !errors.As(err, &q) || !strings.Contains(q.Question(), "bridge br still has what was set by lxd-allowlist (user ") || !strings.HasSuffix(q.Question(), "which was killed at work. Put back what it had before?") {
		t.Fatalf("%v, want a question", err)
	}
	if err := q.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []lxd.Restored{{Network: "br"}}; !slices.Equal(b.config.Restored, want) {
		t.Errorf("the capture is told of %v, want %v", b.config.Restored, want)
	}
	if got := fake.Network("br"); got.Config["raw.dnsmasq"] != before.Config["raw.dnsmasq"] || len(got.Config) != len(before.Config) {
		t.Errorf("the bridge is %v, was %v", got.Config, before.Config)
	}
}

// Whoever holds the bridge is named, and nothing is asked.
func TestOpenSaysWhoHoldsTheBridge(t *testing.T) {
	b, fake := fixture(t, instance("on", "Running", "", "br"))
	if _, err := lxd.New(fake).Lease(t.Context(), "br"); err != nil {
		t.Fatal(err)
	}
	_, err := b.Open(t.Context(), ui.Choice{Instance: "on"}, nothing)
	var q ui.Question
	if err == nil || errors.As(err, &q) || !strings.Contains(err.Error(), "in use by") {
		t.Errorf("%v, want who holds it", err)
	}
	if l, _ := b.Ledger(); l != nil {
		t.Error("there is a session all the same")
	}
	if err := b.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// A session of the instance that was killed is offered, once: yes goes on with
// it, no begins another one.
func TestOpenOffersTheKilledSession(t *testing.T) {
	for _, yes := range []bool{true, false} {
		b, fake := fixture(t, instance("on", "Running", "", "br"))
		name := killed(t, b, "on")
		if _, err := lxd.New(fake).Lease(t.Context(), "br"); err != nil { // so that nothing is begun
			t.Fatal(err)
		}
		_, err := b.Open(t.Context(), ui.Choice{Instance: "on"}, nothing)
		var q ui.Alternative
		if !errors.As(err, &q) || !strings.HasPrefix(q.Question(), "session "+name+" of on was killed at ") || !strings.HasSuffix(q.Question(), " with 1 mark on 2 domains. Go on with it?") {
			t.Fatalf("%v, want a question", err)
		}
		want := ""
		if yes {
			want = name
			if err := q.Answer(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else {
			b.mu.Lock() // another capture is being opened: no doesn't wait for that
			q.Refuse()
			b.mu.Unlock()
		}
		if _, err = b.Open(t.Context(), ui.Choice{Instance: "on"}, nothing); err == nil || errors.As(err, &q) || !strings.Contains(err.Error(), "in use by") {
			t.Errorf("after the answer: %v", err)
		}
		if got, answered := b.answers.of("on"); !answered || got != want {
			t.Errorf("it goes on with %q, %v, want %q", got, answered, want)
		}
	}
}

// A session is opened without LXD, and is in nobody else's use when it is closed.
func TestOpenReadsASession(t *testing.T) {
	b, _ := fixture(t)
	name := killed(t, b, "on")
	b.server = nil
	c, err := b.Open(t.Context(), ui.Choice{Session: name}, nothing)
	if err != nil || c.Live || c.Shell != nil {
		t.Fatalf("%+v, %v", c, err)
	}
	if l, live := b.Ledger(); l != c.Ledger || live {
		t.Errorf("what was opened is %p, %v", l, live)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := session.Remove(name); err != nil {
		t.Error(err)
	}
}

// Who names a session, or watches another instance, is asked nothing.
func TestOpenOffersNoOtherSession(t *testing.T) {
	b, fake := fixture(t, instance("on", "Running", "", "br"), instance("two", "Running", "", "br"))
	name := killed(t, b, "on")
	if _, err := lxd.New(fake).Lease(t.Context(), "br"); err != nil {
		t.Fatal(err)
	}
	var q ui.Question
	if _, err := b.Open(t.Context(), ui.Choice{Instance: "two"}, nothing); err == nil || errors.As(err, &q) {
		t.Errorf("of another instance: %v", err)
	}
	b.config.Resume = name
	if _, err := b.Open(t.Context(), ui.Choice{Instance: "on"}, nothing); err == nil || errors.As(err, &q) {
		t.Errorf("with a session named: %v", err)
	}
}

// killed leaves a session of an instance as a killed program does.
func killed(t *testing.T, b *Backend, instance string) (name string) {
	t.Helper()
	s, err := session.Create(capture.Info{Server: b.server.Name(), Instance: instance, Network: "br"})
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger.Feed([]byte("query[A] a.example from 198.18.0.5\nquery[A] b.example from 198.18.0.5\n"), time.Now(), false)
	if _, err := s.Ledger.Decide(capture.Drop, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".jsonl")
	journal, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, journal[:bytes.LastIndexByte(journal[:len(journal)-1], '\n')+1], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}
