package lxd_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
)

// denial has names held back and gives the bridge back.
func denial(ctx context.Context, s *lxd.Server) error {
	l, err := s.Deny(ctx, "web", "br", []string{"address=/#/", "server=/*a/127.0.0.1#5"})
	if err != nil {
		return err
	}
	return l.Release(ctx)
}

// What is said to dnsmasq stands behind what the user has there, who shares the
// bridge is told of, and what others change is told apart.
func TestDeny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := bridge()
		before.UsedBy = []string{"/1.0/profiles/default", "/1.0/instances/web"}
		f := lxdfake.New(before)
		l, err := lxd.New(f).Deny(t.Context(), "web", "br", []string{"address=/#/", "server=/*a/127.0.0.1#5"})
		if err != nil {
			t.Fatal(err)
		}
		want := before.Config["raw.dnsmasq"] + "# lxd-allowlist: what follows holds names back while a list is enforced, and goes with it\naddress=/#/ # lxd-allowlist\nserver=/*a/127.0.0.1#5 # lxd-allowlist"
		if raw := f.Running("br"); raw != want {
			t.Errorf("dnsmasq runs with %q, want %q", raw, want)
		}
		if _, err := lxd.New(f).Lease(t.Context(), "br"); !errors.As(err, new(*lxd.HeldError)) {
			t.Errorf("another lease: %v", err)
		}
		if others, err := l.Sharing(t.Context()); err != nil || len(others) > 0 {
			t.Errorf("shared with %v, %v", others, err)
		}
		n := f.Network("br")
		n.UsedBy = append(n.UsedBy, "/1.0/instances/mail?project=p")
		f.Replace(n)
		f.Set("br", "raw.dnsmasq", want+"\ncache-size=0\n")
		others, err := l.Sharing(t.Context())
		if !slices.Equal(others, []string{"mail in project p"}) || !errors.As(err, new(*lxd.ChangedError)) {
			t.Errorf("shared with %v, %v", others, err)
		}
		if err := l.Release(t.Context()); err != nil || !l.Kept() {
			t.Errorf("%v, kept %v", err, l.Kept())
		}
		before.UsedBy, before.Config["raw.dnsmasq"] = n.UsedBy, before.Config["raw.dnsmasq"]+"cache-size=0\n"
		unchanged(t, before, f)
	})
}

// A bridge where others would be held, or the list wouldn't be, is left as it is.
func TestDenyIsRefused(t *testing.T) {
	for why, change := range map[string]func(*lxdfake.LXD){
		"these would be held, too: mail":                       used("/1.0/instances/web", "/1.0/instances/mail"),
		"these would be held, too: web in project p":           used("/1.0/instances/web", "/1.0/instances/web?project=p"),
		"these would be held, too: network ovn":                used("/1.0/networks/ovn"),
		"dns.mode is none":                                     set("dns.mode", "none"),
		"bridge.external_interfaces joins it with others (e0)": set("bridge.external_interfaces", "e0"),
		`raw.dnsmasq has the line "address=/x/192.0.2.1"`:      set("raw.dnsmasq", "no-resolv\naddress=/x/192.0.2.1"),
		"it is in a cluster":                                   located("one", "two"),
		"is not managed by LXD": func(f *lxdfake.LXD) {
			n := f.Network("br")
			n.Managed = false
			f.Replace(n)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := lxdfake.New(bridge())
			change(f)
			before := f.Network("br")
			err := denial(t.Context(), lxd.New(f))
			if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
				t.Errorf("it said %v, want %q", err, why)
			}
			unchanged(t, before, f)
		})
	}
}

func set(key, value string) func(*lxdfake.LXD) {
	return func(f *lxdfake.LXD) { f.Set("br", key, value) }
}

func used(by ...string) func(*lxdfake.LXD) {
	return func(f *lxdfake.LXD) {
		n := f.Network("br")
		n.UsedBy = by
		f.Replace(n)
	}
}

func located(members ...string) func(*lxdfake.LXD) {
	return func(f *lxdfake.LXD) {
		n := f.Network("br")
		n.Locations = members
		f.Replace(n)
	}
}
