package live

import (
	"context"
	"fmt"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
)

// absence is a time in which LXD doesn't answer. Its dnsmasq runs on.
type absence struct {
	since   time.Time // zero while LXD answers
	missing uint64    // lines that were known to be missing before
}

// take takes up what happened to the bridge or to LXD.
func (s *Capture) take(run context.Context, e lxd.Event) {
	now := time.Now()
	switch e.Kind {
	case lxd.Changed:
		s.look(run, e.By, now)
	case lxd.Away:
		if s.away.since.IsZero() {
			s.away = absence{now, s.missing()}
		}
		s.look(run, "", now)
		if s.Logging().Problem == "" {
			s.notice("LXD doesn't answer: it was stopped, or is restarting; queries are logged all the same")
		}
	case lxd.Gone:
		s.lookForInstance(run)
	case lxd.Heard:
		s.lookForInstance(run)
		s.look(run, "", now)
	case lxd.Back:
		s.askOwners()
		s.lookForInstance(run)
		s.look(run, "", now)
		if run.Err() == nil {
			s.notice(s.back(now))
		}
		s.away = absence{}
	}
}

// lookForInstance says so where there is no instance of that name any more. The
// capture goes on: there may be another one by that name, and what others on the
// bridge ask is logged, too.
func (s *Capture) lookForInstance(run context.Context) {
	if _, err := s.server.Instance(run, s.Instance); lxd.IsGone(err) {
		s.notice("instance " + s.Instance + " was deleted or renamed: it asks for no more; what it has asked for is kept: write the list and quit, which gives the bridge back")
	}
}

// back says what was missed while LXD was away.
func (s *Capture) back(now time.Time) string {
	text := fmt.Sprintf("LXD answers again, after %s: ", now.Sub(s.away.since).Round(time.Second))
	lost := s.missing() - s.away.missing
	switch problem := s.Logging().Problem; {
	case problem != "":
		return text + "queries are not logged: " + problem
	case lost > 0:
		return text + fmt.Sprintf("%d lines of dnsmasq's log are missing", lost)
	}
	return text + "0 queries were missed"
}

// missing returns how many lines are known to be missing from the log.
func (s *Capture) missing() (n uint64) {
	s.Ledger.Read(func(r capture.Reader) {
		l := r.Counts().Losses
		n = l.Queue + l.Serials + l.Cut + l.Unread
	})
	return n
}
