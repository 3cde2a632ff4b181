package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lxd-allowlist/capture"
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

// watch looks after the bridge's logging: when LXD tells that somebody changed
// the network, and when nothing was heard for a while.
func (s *Capture) watch(run context.Context) {
	changes := make(chan string, 1)
	s.wg.Go(func() {
		err := s.server.WatchNetwork(run, s.Network, func(by string) {
			select {
			case changes <- by:
			default:
			}
		})
		if run.Err() == nil {
			s.notice(fmt.Sprintf("LXD doesn't tell of changes of bridge %s (%v): silence alone will show them", s.Network, err))
		}
	})
	again := time.NewTicker(silence)
	defer again.Stop()
	for {
		select {
		case by := <-changes:
			s.look(run, by)
		case <-again.C:
			if time.Since(time.Unix(0, s.heard.Load())) >= silence {
				s.look(run, "")
			}
		case <-run.Done():
			return
		}
	}
}

// look finds out whether queries are logged.
func (s *Capture) look(run context.Context, by string) {
	s.looking.Lock()
	defer s.looking.Unlock()
	problem := ""
	var changed *lxd.ChangedError
	switch err := s.lease.Check(run); {
	case errors.As(err, &changed) && by != "":
		problem = "raw.dnsmasq was changed by " + by
	case errors.As(err, &changed):
		problem = "raw.dnsmasq was changed by somebody else"
	case err != nil:
		problem = err.Error()
	default:
		if err := s.canary(run); err != nil {
			problem = err.Error()
		}
	}
	if run.Err() == nil {
		s.sees(problem)
	}
}

// sees notes what was found out. A gap is noted when it ends.
func (s *Capture) sees(problem string) {
	was := s.Logging()
	if was.Problem == problem {
		return
	}
	now := Logging{Since: time.Now(), Problem: problem}
	if was.Problem != "" && problem != "" {
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
	if err := s.lease.Renew(ctx); err != nil {
		return err
	}
	s.look(ctx, "")
	if problem := s.Logging().Problem; problem != "" {
		return errors.New(problem)
	}
	return nil
}
