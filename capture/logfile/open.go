package logfile

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// Reading is a session that was opened, or a log that is being read into one.
type Reading struct {
	Ledger  *capture.Ledger
	Title   string // names what is read
	Growing bool   // the log is followed as it grows
	// Notices has the error that ended the reading, if one did, or what of the
	// session is lost.
	Notices chan string

	session *session.Session
	wg      sync.WaitGroup
	cancel  context.CancelFunc
	stdin   bool
	size    int64 // of the log, 0 where that is not known
	read    atomic.Int64
}

// Progress returns how much of the log was read, from 0 to 1; 1 where that is
// not known.
func (r *Reading) Progress() float64 {
	if r.size <= 0 {
		return 1
	}
	return min(1, float64(r.read.Load())/float64(r.size))
}

// Open opens a session that exists, or begins one of a log and reads
// that in the background: to its end, or with follow for as long as it grows.
func Open(ctx context.Context, program, source string, follow bool) (_ *Reading, err error) {
	r := &Reading{Title: source, Notices: make(chan string, 1), stdin: source == "-"}
	if r.stdin {
		r.Title = "stdin"
	}
	ctx, r.cancel = context.WithCancel(ctx)
	if session.Exists(source) {
		if r.session, err = session.Resume(source); err != nil {
			return nil, err
		}
		r.Ledger = r.session.Ledger
		return r, nil
	}
	f, err := openLog(source)
	if err != nil {
		return nil, err
	}
	if r.session, err = session.Create(capture.Info{Program: program, Log: r.Title}); err != nil {
		f.Close()
		return nil, err
	}
	r.Ledger, r.Growing = r.session.Ledger, follow && !r.stdin
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && !r.Growing {
		r.size = st.Size()
	}
	r.wg.Go(func() {
		defer f.Close()
		var err error
		if r.Growing {
			err = feed(ctx, r.Ledger, source)
		} else {
			err = Read(ctx, r.Ledger, f, r.read.Store)
		}
		if err != nil && ctx.Err() == nil {
			r.Notices <- err.Error()
		}
	})
	return r, nil
}

// Close ends the reading and the session.
func (r *Reading) Close() error {
	r.cancel()
	if !r.stdin { // a read of standard input can't be broken off
		r.wg.Wait()
	}
	return r.session.Close()
}

// Load reads all of a session or a log, with the user's rules.
func Load(ctx context.Context, program, source string) (*capture.Ledger, error) {
	if session.Exists(source) {
		return session.Load(source)
	}
	rules, err := session.LoadRules()
	if err != nil {
		return nil, err
	}
	f, err := openLog(source)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := capture.NewLedger(capture.Info{Program: program, Log: source})
	l.SetRules(rules)
	if err := Read(ctx, l, f, func(int64) {}); err != nil {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	return l, unheard(l, source)
}

// unheard returns an error for a log that no query was in: what a list would
// be made of then is nothing, and not that nothing was asked.
func unheard(l *capture.Ledger, source string) (err error) {
	l.Read(func(r capture.Reader) {
		switch c := r.Counts(); {
		case c.Queries > 0:
		case c.Lines == 0:
			err = fmt.Errorf("read %s: it is empty", source)
		default:
			err = fmt.Errorf("read %s: there is no query in its %d lines; is it dnsmasq's log, with log-queries?", source, c.Lines)
		}
	})
	return err
}
