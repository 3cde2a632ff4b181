package lxd_test

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// What LXD was told of a lease is what makes the network that, and back, when
// lxc is told it: run by a shell that counts words, it is done to a copy.
func TestToldOfALease(t *testing.T) {
	const raw = "cache-size=0\naddress=/it's.example/192.0.2.1 \\ \"x\""
	fake := lxdfake.New(api.Network{Name: "br", Type: "bridge", Managed: true, Config: map[string]string{"ipv4.address": "198.18.0.1/24", "raw.dnsmasq": raw}})
	s := lxd.New(fake)
	var heard []lxd.Told
	s.OnTold(func(told lxd.Told) { heard = append(heard, told) })
	before := fake.Network("br").Config
	l, err := s.Lease(t.Context(), "br")
	if err != nil {
		t.Fatal(err)
	}
	copied := fake.Network("br").Config
	mirror := map[string]string{"ipv4.address": before["ipv4.address"], "raw.dnsmasq": raw}
	done := 0
	follow := func(what string, want map[string]string) {
		t.Helper()
		told := s.Told()
		for _, one := range told[done:] {
			lxcOf(t, one.Command, mirror)
		}
		done = len(told)
		for key, value := range want {
			if mirror[key] != value {
				t.Errorf("%s, %s is %q, want %q", what, key, mirror[key], value)
			}
		}
		if len(mirror) != len(want) {
			t.Errorf("%s, there are %d keys, want %d", what, len(mirror), len(want))
		}
	}
	follow("leased", copied)
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	follow("released", before)
	if !slices.Equal(heard, s.Told()) {
		t.Errorf("%d were told as they came, of %d", len(heard), len(s.Told()))
	}
}

// lxcOf does to a configuration what a command line does to that of br.
func lxcOf(t *testing.T, line string, config map[string]string) {
	t.Helper()
	out, err := exec.Command("bash", "-c", `lxc() { printf '%s\0' "$@"; }; `+line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(words) < 4 || words[0] != "network" || words[2] != "br" {
		t.Fatalf("it is told %q", words)
	}
	for _, w := range words[3:] {
		key, value, set := strings.Cut(w, "=")
		switch {
		case words[1] == "set" && set && value != "":
			config[key] = value
		case words[1] == "unset" && !set:
			delete(config, key)
		default:
			t.Fatalf("it is told %q", words)
		}
	}
}

// What LXD refuses is told, too, with why.
func TestToldOfWhatFails(t *testing.T) {
	fake := lxdfake.New(api.Network{Name: "br", Type: "bridge", Managed: true, Config: map[string]string{"ipv4.address": "198.18.0.1/24"}})
	fake.Fault = func(call string) lxdfake.Fault {
		if call == "PUT" {
			return lxdfake.Refuse
		}
		return lxdfake.None
	}
	s := lxd.New(fake)
	if _, err := s.Lease(t.Context(), "br"); err == nil {
		t.Fatal("nothing was refused")
	}
	if told := s.Told(); len(told) == 0 || !strings.HasPrefix(told[0].Command, "lxc network set br user.lxd-allowlist.") || !strings.Contains(told[0].Failed, "refused by the test") {
		t.Errorf("told %+v", told)
	}
}

// Nothing that is told has a value of others' keys, where secrets are.
func TestToldHasNoSecret(t *testing.T) {
	const secret = "s3cr3t"
	others := map[string]string{"user.password": secret, "environment.TOKEN": secret, "cloud-init.user-data": "password: " + secret}
	config := map[string]string{"ipv4.address": "198.18.0.1/24", "bgp.peers.a.password": secret}
	maps.Copy(config, others)
	fake := lxdfake.New(api.Network{Name: "br", Type: "bridge", Managed: true, Config: config})
	fake.All = []api.InstanceFull{{Instance: api.Instance{Name: "web", Project: "default", Config: others}}}
	s := lxd.New(fake)
	l, err := s.Lease(t.Context(), "br")
	if err != nil {
		t.Fatal(err)
	}
	release, err := s.Enforce(t.Context(), "web", lxd.Plug{Network: "br"})
	if err != nil {
		t.Fatal(err)
	}
	fake.Set("br", "user.password", "other-"+secret) // by somebody else
	if err := errors.Join(release(t.Context()), l.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	told := s.Told()
	for _, one := range told {
		if strings.Contains(one.Command+one.Failed, secret) {
			t.Errorf("it tells %q", one)
		}
	}
	if all := fmt.Sprint(told); !strings.Contains(all, "network set br") || !strings.Contains(all, "config set web") {
		t.Errorf("it tells %s", all)
	}
}
