package witness

import (
	"context"
	"time"
)

// beat is how often it is looked at what came or is due, at most. Each time wakes
// threads, and at 1,000 connections a second that costs as much as the work.
const beat = 100 * time.Millisecond

// Beat returns when it is looked next at what comes meanwhile. Whoever waits for
// it wakes with the others.
func Beat(now time.Time) time.Time { return now.Add(beat - now.Sub(now.Truncate(beat))) }

// Run settles what is due, until ctx ends; then all that is held. It sleeps
// while nothing is due.
func (j *Joiner) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var settled time.Time
	for {
		select {
		case <-j.wake:
		case <-timer.C:
			settled = time.Now()
			j.Settle(settled)
		case <-ctx.Done():
			j.Flush()
			return
		}
		if next := j.plan(Beat(settled)); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// plan returns when to settle what is held now, but not before a time; zero for
// nothing.
func (j *Joiner) plan(least time.Time) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next, j.least = time.Time{}, least
	if len(j.late)+len(j.lost) > 0 {
		j.next = least
	}
	for _, q := range j.queries {
		j.next = earlier(j.next, q.due)
	}
	for _, c := range j.conns {
		j.next = earlier(j.next, c.due)
	}
	if !j.next.IsZero() && j.next.Before(least) {
		j.next = least
	}
	return j.next
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// hurry has something settled when it is due; the zero time is at once.
func (j *Joiner) hurry(due time.Time) {
	if planned := !j.next.IsZero(); planned && (!due.Before(j.next) || !j.next.After(j.least)) {
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
