package live

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
)

// Logging is whether queries reach the ledger.
type Logging struct {
	Since   time.Time // of this state
	Problem string    // why they don't; "" if they do
}

// Logging returns the state as it was last seen.
func (s *Capture) Logging() Logging { return *s.logging.Load() }

// silence is how long nothing may be heard before a canary is sent: nobody
// asked, or nobody logs.
const silence = 30 * time.Second

// knockEvery is how often it is looked whether there is a dnsmasq at all: LXD
// doesn't notice that one has ended.
const knockEvery = time.Second

// watch looks after the bridge's logging: when LXD tells that somebody changed
// the network, when nothing was heard for a while, and again and again while
// LXD is away, and at once when dnsmasq has ended.
func (s *Capture) watch(run context.Context) {
	events := make(chan lxd.Event)
	s.wg.Go(crash.Guarded("LXD's events", func() {
		err := s.server.WatchNetwork(run, s.Network, s.Instance, func(e lxd.Event) {
			select {
			case events <- e:
			case <-run.Done():
			}
		})
		if run.Err() == nil {
			s.notice(fmt.Sprintf("LXD doesn't tell of changes of bridge %s (%v): silence alone will show them", s.Network, err))
		}
	}))
	again := time.NewTicker(silence / 6)
	defer again.Stop()
	knock := time.NewTicker(knockEvery)
	defer knock.Stop()
	for {
		select {
		case e := <-events:
			s.take(run, e)
		case <-knock.C:
			if s.Logging().Problem == "" && !s.lease.Listens(run) {
				s.look(run, "", time.Now().Add(-knockEvery)) // it may have ended right after the last knock
			}
		case now := <-again.C:
			if heard := s.lastHeard(); now.Sub(heard) >= silence {
				s.look(run, "", heard)
			} else if !s.away.since.IsZero() {
				s.look(run, "", now)
			}
		case <-run.Done():
			return
		}
	}
}

// look finds out whether queries are logged; if not, they are not since then.
func (s *Capture) look(run context.Context, by string, since time.Time) {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.lookHeld(run, by, since)
}

func (s *Capture) lookHeld(run context.Context, by string, since time.Time) {
	problem := ""
	var changed *lxd.ChangedError
	switch err := s.lease.Check(run); {
	case errors.As(err, &changed) && by != "":
		problem = "raw.dnsmasq was changed by " + by
	case errors.As(err, &changed):
		problem = "raw.dnsmasq was changed by somebody else"
	case lxd.IsGone(err):
		problem = "bridge " + s.Network + " was deleted: there is nothing to give back; write the list and quit"
	case err != nil && !lxd.IsAway(err):
		problem = err.Error()
	default: // with LXD away, dnsmasq runs on
		if err := s.canary(run); errors.Is(err, syscall.ECONNREFUSED) {
			problem = "the dnsmasq of bridge " + s.Network + " has ended, and no name is answered there: LXD starts it anew when this ends, or when queries are to be logged again"
		} else if err != nil {
			problem = err.Error()
		}
	}
	if run.Err() == nil {
		s.sees(problem, since)
	}
}

// sees notes what was found out. A gap is noted when it ends.
func (s *Capture) sees(problem string, since time.Time) {
	was := s.Logging()
	if was.Problem == problem {
		return
	}
	now := Logging{Since: since, Problem: problem}
	switch {
	case problem == "":
		now.Since = time.Now()
	case was.Problem != "":
		now.Since = was.Since
	}
	s.logging.Store(&now)
	switch {
	case problem == "":
		s.Ledger.Missed(capture.Gap{From: was.Since, To: now.Since, Why: was.Problem})
		s.notice("queries are logged again")
	case was.Problem == "":
		s.notice("queries are not logged: " + problem)
	}
}

// Repair has dnsmasq log again. What others set in raw.dnsmasq stays, and is
// what the bridge gets back in the end.
func (s *Capture) Repair(ctx context.Context) error {
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.over {
		return errors.New("the capture is over")
	}
	if err := s.lease.Renew(ctx); err != nil {
		return err
	}
	s.lookHeld(ctx, "", time.Now())
	if problem := s.Logging().Problem; problem != "" {
		return errors.New(problem)
	}
	return nil
}
