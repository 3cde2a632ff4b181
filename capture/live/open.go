package live

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"lxd-allowlist/capture"
)

// Reading is a log that is being read into a session of its own.
type Reading struct {
	Ledger *capture.Ledger
	Title  string // names what is read
	// Notices has the error that ended the reading, if one did.
	Notices chan string

	wg     sync.WaitGroup
	cancel context.CancelFunc
	stdin  bool
	size   int64 // of the log, 0 where that is not known
	read   atomic.Int64
}

// Progress returns how much of the log was read, from 0 to 1; 1 where that is
// not known.
func (r *Reading) Progress() float64 {
	if r.size <= 0 {
		return 1
	}
	return min(1, float64(r.read.Load())/float64(r.size))
}

// OpenSession opens a session that exists, or begins one of a log and reads
// that in the background: to its end, or with follow for as long as it grows.
func OpenSession(ctx context.Context, program, source string, follow bool) (_ *Reading, err error) {
	r := &Reading{Title: source, Notices: make(chan string, 1), stdin: source == "-"}
	if r.stdin {
		r.Title = "stdin"
	}
	ctx, r.cancel = context.WithCancel(ctx)
	if capture.IsSession(source) {
		r.Ledger, err = capture.Resume(source)
		return r, err
	}
	f, err := OpenLog(source)
	if err != nil {
		return nil, err
	}
	if r.Ledger, err = capture.Create(capture.Info{Program: program, Log: r.Title}); err != nil {
		f.Close()
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && !follow {
		r.size = st.Size()
	}
	r.wg.Go(func() {
		defer f.Close()
		var err error
		if follow && !r.stdin {
			err = FollowLog(ctx, r.Ledger, source, 0)
		} else {
			err = ReadLog(ctx, r.Ledger, f, r.read.Store)
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
	return r.Ledger.Close()
}

// Load reads all of a session or a log, with the user's rules.
func Load(ctx context.Context, program, source string) (*capture.Ledger, error) {
	if capture.IsSession(source) {
		return capture.Load(source)
	}
	rules, err := capture.LoadRules()
	if err != nil {
		return nil, err
	}
	f, err := OpenLog(source)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := capture.NewLedger(capture.Info{Program: program, Log: source})
	l.SetRules(rules)
	if err := ReadLog(ctx, l, f, func(int64) {}); err != nil {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	l.Read(func(r capture.Reader) {
		if c := r.Counts(); c.Lines > 0 && c.Queries == 0 {
			err = fmt.Errorf("read %s: there is no query in its %d lines; is it dnsmasq's log, with log-queries?", source, c.Lines)
		}
	})
	return l, err
}
