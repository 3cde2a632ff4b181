package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
)

// Enforce puts the list that would be exported now in force on the instance,
// until Relax. What is decided meanwhile counts at once; a name that is new is
// refused until somebody keeps it, or would be.
func (s *Capture) Enforce(ctx context.Context, level verify.Level) (*enforce.Enforcement, error) {
	strict, learn := level == verify.Strict, level == verify.Learn
	if err := enforce.Able(s.server, s.Instance, strict); err != nil {
		return nil, err
	}
	s.raising.Lock()
	defer s.raising.Unlock()
	if s.ending {
		return nil, errors.New("the capture is over")
	}
	if before := s.enforcing.Load(); before != nil {
		select {
		case <-before.Done(): // but its note on the instance is still there
			if err := s.Relax(ctx); err != nil {
				return nil, err
			}
		default:
			return nil, errors.New("the list is being enforced already")
		}
	}
	list := s.Ledger.List(false)
	base := observed(list)
	compiled, _ := rule.Compile(list)
	compiled, addresses := compiled.Enforced(strict)
	for _, r := range addresses {
		s.notice(fmt.Sprintf("%s is not enforced: it %s", r.Rule, r.Why()))
	}
	var seeds map[string][]netip.Addr
	if strict {
		s.Ledger.Read(func(r capture.Reader) { seeds = r.Answered() })
	}
	grants := grants{dropped: make(map[string]bool)}
	callers := new(witness.Callers) // what was called before is refused to nobody
	s.callers.Store(callers)
	e, err := enforce.Start(ctx, s.server, enforce.Config{
		Instance: s.Instance, Network: s.Network, Rules: compiled.Rules(), Strict: strict, Learn: learn, Seeds: seeds,
		Refused: func(q verify.Query, _ bool) {
			if learn { // dnsmasq is asked all the same, and its log tells of that
				s.Ledger.Reshow(q.Name)
			} else {
				s.Ledger.Denied(q.Name, q.Type, q.From, q.At)
			}
		},
		Granted:  func(name string) { grants.note(name, s.rejected(name)) },
		Canary:   func(name string) { s.Ledger.Expect(name) },
		CanaryTo: s.Ledger.ExpectTo,
		Called:   callers.Called,
	})
	if err != nil {
		return nil, err
	}
	s.enforcing.Store(e)
	s.Ledger.SetOwners(s.hostOwners())
	s.wg.Go(crash.Guarded("the list in force", func() { s.follow(e, base, &grants) }))
	return e, nil
}

// Relax takes the list out of force, if one is. It can be called again where it
// failed.
func (s *Capture) Relax(ctx context.Context) error {
	e := s.enforcing.Load()
	if e == nil {
		return nil
	}
	if err := e.Stop(ctx); err != nil {
		return fmt.Errorf("take the list off %s: %w: run lxd-allowlist restore", s.Instance, err)
	}
	s.enforcing.CompareAndSwap(e, nil)
	return nil
}

// Report returns what came of an enforcement so far.
func (s *Capture) Report(e *enforce.Enforcement) verify.Report {
	s.Ledger.Overlook(enforce.VersionName)
	about := verify.About{Server: s.server.Version(), Resolver: e.Resolver(context.Background()), Expected: s.expected, By: s.by, Notes: s.callersNotes(), Screen: true}
	s.Ledger.Read(func(r capture.Reader) { about.Program, about.List = r.Info().Program, r.Info().Session })
	about.Host, _ = os.Hostname()
	return e.Report(about)
}

// expected is [verify.About.Expected]: what a person or a rule drops is to be
// refused.
func (s *Capture) expected(name string) (reason string, expected bool) {
	s.Ledger.Read(func(r capture.Reader) { reason, expected = r.Dropped(name) })
	return reason, expected
}

// by is [verify.About.By].
func (s *Capture) by(name string) (programs []string) {
	s.Ledger.Read(func(r capture.Reader) { programs = r.By(name) })
	return programs
}

// observed returns the names that a list has because they were asked for and
// nobody decided about them.
func observed(list rule.List) map[string]bool {
	names := make(map[string]bool)
	for _, r := range list.Rules {
		if r.Source == capture.Observed {
			names[r.Name] = true
		}
	}
	return names
}

// grants are the names that were let through for a time, and whether somebody
// had dropped each before.
type grants struct {
	mu      sync.Mutex
	dropped map[string]bool
}

func (g *grants) note(name string, dropped bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dropped[name] = dropped
}

func (g *grants) wasDropped(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dropped[name]
}

func (s *Capture) rejected(name string) (is bool) {
	s.Ledger.Read(func(r capture.Reader) { is = r.Rejected(name) })
	return is
}

// follow has the list in force follow what is decided. base are the names that
// were in it without a decision. To drop a name ends its being let through.
func (s *Capture) follow(e *enforce.Enforcement, base map[string]bool, grants *grants) {
	for {
		select {
		case <-s.Ledger.Decided():
		case <-e.Done():
			return
		}
		list := s.Ledger.List(false)
		rules := list.Rules[:0]
		for _, r := range list.Rules {
			if r.Source != capture.Observed || base[r.Name] {
				rules = append(rules, r)
			}
		}
		list.Rules = rules
		compiled, _ := rule.Compile(list)
		compiled, _ = compiled.Enforced(e.Strict())
		e.Set(compiled.Rules())
		for _, name := range e.Policy.Grants(time.Now()) {
			if !grants.wasDropped(name) && s.rejected(name) {
				e.Revoke(name)
			}
		}
	}
}
