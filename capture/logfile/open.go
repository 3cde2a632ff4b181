package logfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
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
	// fleeting says that the session is worth nothing until something is
	// decided: the logs are files, and can be read again.
	fleeting bool
	wg       sync.WaitGroup
	cancel   context.CancelFunc
	size     int64 // of the logs, 0 where that is not known
	read     atomic.Int64
	ended    atomic.Bool // all that was read is in the ledger
}

// mostRead is the progress while what was read is not all in the ledger.
const mostRead = 0.99

// Progress returns how much of the logs was read, from 0 to 1; 1 where that is
// not known.
func (r *Reading) Progress() float64 {
	if r.size <= 0 || r.ended.Load() {
		return 1
	}
	return min(mostRead, float64(r.read.Load())/float64(r.size))
}

// Open opens a session that exists, or begins one of logs and reads these in
// the background: to their ends, or with follow a single one for as long as it
// grows. Only limits what is read.
func Open(ctx context.Context, program string, sources []string, only capture.Only, follow bool) (*Reading, error) {
	r := &Reading{Title: title(sources), Notices: make(chan string, 1), cancel: func() {}}
	name, err := sessionOf(sources)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if r.session, err = session.Resume(name); err != nil {
			return nil, err
		}
		r.Ledger = r.session.Ledger
		r.Ledger.Limit(only)
		return r, nil
	}
	files, err := openAll(ctx, sources)
	if err != nil {
		return nil, err
	}
	if r.session, err = session.Create(capture.Info{Program: program, Log: r.Title}); err != nil {
		closeAll(files)
		return nil, err
	}
	r.Ledger, r.Growing = r.session.Ledger, follow && sources[0] != stdin
	r.Ledger.Limit(only)
	total, regular := size(files)
	if r.fleeting = regular; !r.Growing {
		r.size = total
	}
	ctx, r.cancel = context.WithCancel(ctx)
	r.wg.Go(crash.Guarded("the reading of the log", func() {
		var err error
		if r.Growing {
			err = feed(ctx, r.Ledger, sources[0])
		} else {
			if err = readAll(ctx, r.Ledger, files, r.read.Store); err == nil {
				err = unheard(r.Ledger, sources, files, only)
			}
		}
		r.ended.Store(true)
		if err != nil && ctx.Err() == nil {
			r.Notices <- err.Error()
		}
	}, func() { closeAll(files) }))
	return r, nil
}

// size returns the size of all files, 0 where that of one is not known, and
// whether all are files that can be read again.
func size(files []*input) (n int64, regular bool) {
	for _, f := range files {
		st, err := f.Stat()
		if err != nil || !st.Mode().IsRegular() {
			return 0, false
		}
		n += st.Size()
	}
	return n, true
}

// readAll reads logs one behind the other.
func readAll(ctx context.Context, l *capture.Ledger, files []*input, progress func(int64)) error {
	var before int64
	for _, f := range files {
		asked := queries(l)
		f.heard = func() bool { return queries(l) > asked }
		var done int64
		err := read(ctx, l, f, func(n int64) {
			done = n
			progress(before + n)
		})
		if err != nil {
			var of *fs.PathError
			if errors.As(err, &of) && of.Path == f.Name() {
				err = of.Err // once is enough
			}
			return fmt.Errorf("read %s: %w", title([]string{f.path}), err)
		}
		if len(files) > 1 && !f.heard() {
			l.Unread(passedOver(f))
		}
		before += done
	}
	return nil
}

// Kept reports whether the session is kept when the reading ends: one of logs
// that are files is only if anything was decided.
func (r *Reading) Kept() (kept bool) {
	r.Ledger.Read(func(l capture.Reader) { kept = !r.fleeting || l.Decided() })
	return kept
}

// queries returns how many queries were read, wanted or not.
func queries(l *capture.Ledger) (n uint64) {
	l.Read(func(r capture.Reader) { n = r.Counts().Queries + r.Counts().Unwanted })
	return n
}

// passedOver says of one log among others that nothing came of it.
func passedOver(f *input) string {
	why := "no query is in it"
	if what, ok := f.recognize(); ok {
		why = what.String()
	}
	return title([]string{f.path}) + ": " + why
}

// Close ends the reading and the session.
func (r *Reading) Close() error {
	r.cancel()
	r.wg.Wait()
	if !r.Kept() {
		return r.session.Discard()
	}
	return r.session.Close()
}

// Load reads all of a session or of logs, with the user's rules; only limits
// what is read.
func Load(ctx context.Context, program string, sources []string, only capture.Only) (*capture.Ledger, error) {
	return load(ctx, program, sources, only, false)
}

// LoadBare is Load for a [capture.Ledger.BareList]: of logs it reads no more than
// that asks for.
func LoadBare(ctx context.Context, program string, sources []string, only capture.Only) (*capture.Ledger, error) {
	return load(ctx, program, sources, only, true)
}

func load(ctx context.Context, program string, sources []string, only capture.Only, bare bool) (*capture.Ledger, error) {
	name, err := sessionOf(sources)
	if err != nil {
		return nil, err
	}
	if name != "" {
		l, err := session.Load(name)
		if err != nil {
			return nil, err
		}
		l.Limit(only)
		if only != (capture.Only{}) && len(l.List(true).Rules) == 0 {
			return nil, fmt.Errorf("read session %q: none of its names was asked for %s", name, only)
		}
		return l, nil
	}
	rules, err := session.LoadRules()
	if err != nil {
		return nil, err
	}
	files, err := openAll(ctx, sources)
	if err != nil {
		return nil, err
	}
	defer closeAll(files)
	l := capture.NewLedger(capture.Info{Program: program, Log: title(sources)})
	l.SetRules(rules)
	if l.Limit(only); bare && only == (capture.Only{}) {
		l.Bare()
	}
	if err := readAll(ctx, l, files, func(int64) {}); err != nil {
		return nil, err
	}
	return l, unheard(l, sources, files, only)
}

// NoQueryError says that no query was in a log: what a list would be made of
// then is nothing, and not that nothing was asked.
type NoQueryError struct {
	Log   string
	Why   string            // what it is instead and what to do, as far as that can be told
	Known bool              // it could be told
	Held  map[string][]byte // what was read of pipes, which can't be read again, by their paths
}

func (e *NoQueryError) Error() string { return fmt.Sprintf("read %s: %s", e.Log, e.Why) }

// unheard returns a [*NoQueryError] for logs without a query.
func unheard(l *capture.Ledger, sources []string, files []*input, only capture.Only) error {
	var c capture.Counts
	l.Read(func(r capture.Reader) { c = r.Counts() })
	if c.Queries > 0 {
		return nil
	}
	if c.Unwanted > 0 {
		return fmt.Errorf("read %s: none of its %d queries was sent %s", title(sources), c.Unwanted, only)
	}
	e := &NoQueryError{Log: title(sources), Why: fmt.Sprintf("there is no query in its %d lines: is it dnsmasq's log, with log-queries?", c.Lines)}
	switch {
	case c.Losses.Ended > 0:
		e.Why, e.Known = "it ends before anything of it could be unpacked", true
	case c.Lines == 0:
		e.Why, e.Known = "it is empty", true
	}
	if len(files) == 1 {
		if f, ok := files[0].recognize(); ok {
			e.Why, e.Known = f.String(), true
		}
	}
	e.Held = make(map[string][]byte)
	for _, f := range files {
		if !regular(f.File) {
			e.Held[f.path] = f.begin
		}
		if f.tooLarge {
			e.Why, e.Known = fmt.Sprintf("there is no query in its %d lines: a list of more than %d MiB is read from a file alone", c.Lines, maxHeld>>20), true
		}
	}
	return e
}
