// Package live runs a capture on a real bridge: it holds the bridge's lease,
// follows dnsmasq's log into the ledger and finds out who asked.
package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/capture/witness"
)

// Config says what to capture.
type Config struct {
	Instance string // whose names are wanted; "" with Launch
	Launch   string // an image to make an instance of that is removed at the end
	Network  string // the managed bridge to watch; "" for the instance's first
	Program  string // name and version, for the journal
	Resume   string // the session to go on with; "" begins one
	// Trust is what the user says of NXDOMAIN beforehand.
	Trust capture.Trust
	// Restored is what was undone so that the capture could begin.
	Restored []lxd.Restored
	// Watches see what the instance does; a source without one isn't watched.
	Watches map[witness.Source]Watch
}

// Report tells what is being done and how far it is: from 0 to 1, below 0
// where that is not known.
type Report func(doing string, done float64)

// Capture is a running capture.
type Capture struct {
	Ledger   *capture.Ledger
	Instance string
	Network  string

	kept     *session.Session
	stays    bool // kept is a file at the end, even if there is nothing in it
	server   *lxd.Server
	launched bool // the instance is ours and goes with the session
	adopted  bool // it is that of a killed run, and ours once the capture runs
	lease    *lxd.Lease
	// notices are sentences for the user: the log was replaced, the capture
	// ended.
	notices chan string
	// heard is when the last log bytes came, nil for never: by a clock that
	// nobody sets, as all times that are only compared.
	heard   atomic.Pointer[time.Time]
	stale   chan struct{} // has a value when the owners are to be asked for again
	away    absence       // of [Capture.watch]
	logging atomic.Pointer[Logging]
	looking sync.Mutex // held while the bridge's logging is looked after
	over    bool       // the bridge is given back; of looking
	probed  chan struct{}
	failed  atomic.Pointer[error]
	ended   chan struct{} // closed when failed is set
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	stopped sync.Once
	err     error

	witness   *watcher                            // nil before it is begun
	callers   atomic.Pointer[witness.Callers]     // of places, since a list was put in force; the ledger has those of names
	enforcing atomic.Pointer[enforce.Enforcement] // nil while none is
	raising   sync.Mutex                          // held while one is put in force
	ending    bool                                // none is to be any more; of raising
}

// Err returns why the capture ended by itself, nil while it goes on: what was
// asked since then is not known. Stop returns it, too.
func (s *Capture) Err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// fail ends the capture for good, for the first reason that there is.
func (s *Capture) fail(err error) {
	err = fmt.Errorf("the capture stopped, so that the list is incomplete: %w", err)
	if s.failed.CompareAndSwap(nil, &err) {
		close(s.ended)
		s.notice(err.Error())
	}
}

// canaryPatience bounds how long dnsmasq may take to log a query that was
// sent to it. It answers within a millisecond; a machine under load doesn't.
const canaryPatience = 3 * time.Second

// Start makes the instance ready, takes the bridge's lease, opens or resumes
// the session and returns when a canary query was seen to come through. On an
// error everything is as it was.
func Start(ctx context.Context, server *lxd.Server, c Config, report Report) (_ *Capture, err error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Capture{server: server, notices: make(chan string, 16), stale: make(chan struct{}, 1), ended: make(chan struct{}), probed: make(chan struct{}), cancel: cancel}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	for _, r := range c.Restored {
		s.notice(r.String())
	}
	// What is wrong with the user's files is said before anything is touched.
	if _, err = session.LoadRules(); err != nil {
		return nil, err
	}
	if err = s.choose(ctx, c, report); err != nil {
		return nil, err
	}
	report("taking the lease of bridge "+s.Network, -1)
	if s.lease, err = server.Lease(ctx, s.Network); err != nil {
		return nil, err
	}
	if err = s.open(ctx, c); err != nil {
		return nil, err
	}
	s.Ledger.SetOwners(s.hostOwners())
	s.beginWitness(ctx, run, c.Watches)
	report("waiting for dnsmasq to log a query", -1)
	if err = s.proveLogging(ctx, run); err != nil {
		return nil, err
	}
	s.logging.Store(&Logging{Since: time.Now()})
	s.tidy(ctx)
	s.wg.Go(crash.Guarded("the owners of addresses", func() { s.nameClients(run) }))
	s.wg.Go(crash.Guarded("the watch over the bridge", func() { s.watch(run) }))
	s.wg.Go(crash.Guarded("the probe of the upstream", func() { s.probe(run) }, func() { close(s.probed) }))
	return s, nil
}

func (s *Capture) open(ctx context.Context, c Config) (err error) {
	if c.Resume != "" {
		s.stays = true
		s.kept, err = session.Resume(c.Resume)
	} else {
		// A session that comes after a killed one says that who began it has
		// done with that: see [session.KilledOn].
		_, killed, listErr := session.KilledOn(s.server.Name(), s.Instance)
		s.stays = killed || listErr != nil
		s.kept, err = session.Create(capture.Info{
			Program: c.Program, Server: s.server.Name(), Instance: s.Instance,
			Network: s.Network, Domain: s.lease.Domain(), Search: s.search(ctx),
		})
	}
	if err != nil {
		return err
	}
	s.Ledger = s.kept.Ledger
	if c.Trust != capture.TrustAuto {
		s.Ledger.SetTrust(c.Trust)
	}
	if killed := s.kept.Broken; !killed.IsZero() {
		s.Ledger.Missed(capture.Gap{From: killed, To: time.Now(), Why: "the program was killed"})
	}
	return nil
}

// search returns the domains that the instance puts behind names. They only
// tell noise from names, so that not to know them is no fault.
func (s *Capture) search(ctx context.Context) []string {
	r, err := s.server.Resolver(ctx, s.Instance)
	if err != nil {
		return nil
	}
	return r.Search
}

// proveLogging follows the log that LXD keeps; where a canary query doesn't
// appear there, it has dnsmasq write a file of our own and tries that.
func (s *Capture) proveLogging(ctx, run context.Context) error {
	stop := s.followLog(run)
	err := s.canary(ctx)
	if err == nil {
		return nil
	}
	stop()
	if fallback := s.lease.UseFile(ctx); fallback != nil {
		return fmt.Errorf("%w; and a log file of our own was refused: %w", err, fallback)
	}
	s.notice("dnsmasq's log is not where LXD keeps it; following " + s.lease.LogPath() + " instead")
	s.followLog(run)
	return s.canary(ctx)
}

func (s *Capture) canary(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, canaryPatience)
	defer cancel()
	name, send := s.lease.Canary(ctx)
	seen := s.Ledger.Expect(name)
	again := time.NewTicker(canaryPatience / 6)
	defer again.Stop()
	var failed error
	for {
		if err := send(ctx); err != nil && ctx.Err() == nil && (failed == nil || !isLate(err)) {
			failed = err // the last one ends with the patience, and says nothing but that
		}
		select {
		case <-seen:
			return nil
		case <-again.C:
		case <-s.ended:
			return s.Err()
		case <-ctx.Done():
			if failed != nil {
				return fmt.Errorf("ask dnsmasq on bridge %s: %w", s.lease.Network(), failed)
			}
			return fmt.Errorf("dnsmasq on bridge %s answers, but %s doesn't show its queries: check that LXD's logs are there and readable", s.lease.Network(), s.lease.LogPath())
		}
	}
}

// isLate reports whether an error is that of a deadline.
func isLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// followLog follows the lease's log; stop ends that and returns when no more
// of it is fed to the ledger.
func (s *Capture) followLog(run context.Context) (stop func()) {
	run, cancel := context.WithCancel(run)
	path := s.lease.LogPath()
	done := make(chan struct{})
	s.wg.Go(crash.Guarded("the follower of the log", func() {
		if err := logfile.Follow(run, path, 0, func(e logfile.Event) { s.read(path, e) }); err != nil && run.Err() == nil {
			s.fail(err)
		}
	}, func() { close(done) }))
	return func() {
		cancel()
		<-done
		s.Ledger.ResetLog()
	}
}

func (s *Capture) read(path string, e logfile.Event) {
	switch e.Kind {
	case logfile.Data:
		now := time.Now()
		s.heard.Store(&now)
		s.Ledger.Feed(e.Data, now, false)
	case logfile.Reset:
		s.Ledger.ResetLog()
	case logfile.Gone:
		s.notice("the log " + path + " was deleted or renamed; what dnsmasq still writes to it is read until there is a new one")
	}
}

func (s *Capture) lastHeard() time.Time {
	if heard := s.heard.Load(); heard != nil {
		return *heard
	}
	return time.Time{}
}

// Notices returns sentences that the user should read, until the capture is
// stopped.
func (s *Capture) Notices() <-chan string { return s.notices }

// notice never waits: with nobody reading, the oldest words count most.
func (s *Capture) notice(text string) {
	select {
	case s.notices <- text:
	default:
	}
}

// mostSilences is how many times the silence is waited for that somebody else on
// the bridge may keep from coming.
const mostSilences = 10

// AwaitSilence waits until the log was silent for the given time, so that late
// queries are not lost, or until the capture ended by itself. On a bridge that
// is never so silent it gives up, and says so.
func (s *Capture) AwaitSilence(ctx context.Context, silence time.Duration) {
	select { // what the upstream is worth decides about names
	case <-s.probed:
	case <-s.ended:
		return
	case <-ctx.Done():
		return
	}
	begin := time.Now()
	late := time.After(mostSilences * silence)
	for {
		last := s.lastHeard()
		if last.Before(begin) {
			last = begin
		}
		wait := time.Until(last.Add(silence))
		if wait <= 0 {
			s.settleWitness()
			return
		}
		select {
		case <-time.After(wait):
		case <-late:
			s.notice(fmt.Sprintf("bridge %s isn't silent for %v, as its instances go on asking: what %s asks after another %v isn't waited for", s.Network, silence, s.Instance, mostSilences*silence))
			s.settleWitness()
			return
		case <-s.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// release gives the bridge back, after a look at what nobody looked at since.
func (s *Capture) release(ctx context.Context) error {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.over = true
	if l := s.logging.Load(); l != nil && l.Problem != "" {
		s.Ledger.Missed(capture.Gap{From: l.Since, To: time.Now(), Why: l.Problem})
	}
	err := s.lease.Release(ctx)
	if s.lease.Kept() {
		s.notice("raw.dnsmasq of bridge " + s.Network + " was changed by somebody else meanwhile: that stays, ours is gone")
	}
	return err
}

// endSession closes the session, or removes it where nothing is in it and
// nothing wants it to stay.
func (s *Capture) endSession() (err error) {
	empty := false
	s.Ledger.Read(func(r capture.Reader) { empty = r.Empty() && r.Info().Session != "" })
	if empty && !s.stays {
		return s.kept.Discard()
	}
	return s.kept.Close()
}

// Stop gives the bridge back, closes the session and removes the instance that
// was launched for it. It does so once; later calls return the first one's
// error.
func (s *Capture) Stop(ctx context.Context) error {
	s.stopped.Do(func() {
		s.raising.Lock() // what is being put in force is by then, or isn't
		s.ending = true
		s.raising.Unlock()
		if s.enforcing.Load() != nil {
			_ = s.server.Await(ctx) // one that is restarting has our note on the instance
		}
		s.err = errors.Join(s.Err(), s.Relax(ctx))
		if s.lease != nil {
			s.cancel() // before the release, which is a change of the network, too
			s.err = errors.Join(s.err, s.release(ctx))
		}
		s.cancel()
		s.wg.Wait()
		s.endWitness()
		close(s.notices)
		if s.kept != nil {
			s.err = errors.Join(s.err, s.endSession())
		}
		if s.launched {
			s.err = errors.Join(s.err, s.server.Remove(ctx, s.Instance))
		}
	})
	return s.err
}
