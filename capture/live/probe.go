package live

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
)

// Names that there always are (RFC 2606), and a domain below one of them in
// which there is none of our own.
var (
	reserved = []string{"example.com", "example.org"}
	nowhere  = "example.com"
)

// probePatience is how long an upstream may take. One that is out of reach
// filters nothing.
const probePatience = 5 * time.Second

// probe finds out whether the bridge's upstream tells what there is: two names
// that must exist, one that must not. The ledger takes no notice of these.
func (s *Capture) probe(run context.Context) {
	ctx, cancel := context.WithTimeout(run, probePatience)
	defer cancel()
	ask := func(name string) (lxd.Answer, error) {
		s.Ledger.Overlook(name)
		return s.lease.Ask(ctx, name)
	}
	var denied []string
	for _, name := range reserved {
		if a, err := ask(name); err == nil && a.Denied {
			denied = append(denied, name)
		}
	}
	if len(denied) == len(reserved) {
		s.filters("it says that there is no " + strings.Join(denied, " and no "))
		return
	}
	invented := strings.ToLower(rand.Text()[:20]) + "." + nowhere
	if a, err := ask(invented); err == nil && len(a.Addresses) > 0 && !a.Denied {
		s.filters("it has an address for a name that doesn't exist")
	}
}

func (s *Capture) filters(why string) {
	s.Ledger.UpstreamFilters(why)
	known := false
	s.Ledger.Read(func(r capture.Reader) { known = r.Trust() != capture.TrustAuto })
	if known {
		return
	}
	s.notice(capture.Filtering(why))
}

// Unheard says why no query may have been heard, in words behind "no query was
// heard: ". It asks from inside the instance.
func (s *Capture) Unheard(ctx context.Context) string {
	if _, err := s.server.Instance(ctx, s.Instance); lxd.IsGone(err) {
		return "the instance was deleted or renamed"
	}
	r, err := s.server.Resolver(ctx, s.Instance)
	bridge := s.lease.Addresses()
	switch {
	case err != nil:
		return err.Error()
	case len(r.Servers) == 0:
		return "its /etc/resolv.conf names no server"
	}
	for _, server := range r.Servers {
		if slices.Contains(bridge, server) {
			return s.unheardInside(ctx)
		}
	}
	return fmt.Sprintf("its /etc/resolv.conf names %v, which is not the dnsmasq of bridge %s at %v", r.Servers[0], s.Network, bridge)
}

func (s *Capture) unheardInside(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, canaryPatience)
	defer cancel()
	name, _ := s.lease.Canary(ctx)
	seen := s.Ledger.Expect(name)
	asked := false
	for _, lookUp := range [][]string{{"getent", "hosts", name}, {"nslookup", name}} {
		if code, err := s.Run(ctx, lxd.Command{Args: lookUp}); err == nil && code != 127 {
			asked = true
			break
		}
	}
	if !asked {
		return "it has neither getent nor nslookup to ask with, so that it can't be told whether its queries come through"
	}
	select {
	case <-seen:
		return "a query of ours from inside it came through, so that nothing was asked by DNS"
	case <-ctx.Done():
		return "a query of ours from inside it did not reach the bridge's dnsmasq either"
	}
}
