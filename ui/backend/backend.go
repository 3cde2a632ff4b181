// Package backend joins the screen to captures on LXD.
package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// Backend is what the screen wants of LXD.
type Backend struct {
	remote, user string
	config       live.Config

	mu      sync.Mutex // held while a capture is being opened
	server  *lxd.Server
	session *live.Capture
	reading *logfile.Reading // of a session, in place of a capture

	answers answers
}

var _ ui.Backend = (*Backend)(nil)

// New returns a backend on a remote; user is whose shell is opened, and c how
// a capture is begun, but for the instance.
func New(remote, user string, c live.Config) *Backend {
	return &Backend{remote: remote, user: user, config: c}
}

// Ledger returns that of what was opened last, nil for nothing; live says that
// it is a capture's.
func (b *Backend) Ledger() (l *capture.Ledger, live bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.session != nil:
		return b.session.Ledger, true
	case b.reading != nil:
		return b.reading.Ledger, false
	}
	return nil, false
}

// read opens a session without LXD.
func (b *Backend) read(ctx context.Context, name string, report func(string, float64)) (*ui.Capture, error) {
	report("reading session "+name, -1)
	r, err := logfile.Open(ctx, b.config.Program, []string{name}, capture.Only{}, false)
	if err != nil {
		return nil, err
	}
	b.reading = r
	return &ui.Capture{Ledger: r.Ledger, Title: r.Title, Notices: r.Notices}, nil
}

func (b *Backend) connect(ctx context.Context) (err error) {
	if b.server == nil {
		b.server, err = lxd.Connect(ctx, b.remote)
	}
	return err
}

// Choices implements [ui.Backend].
func (b *Backend) Choices(ctx context.Context) ([]ui.Choice, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	instances, err := b.server.Instances(ctx)
	if err != nil {
		return nil, err
	}
	var choices []ui.Choice
	for _, i := range instances {
		nic, err := i.Watchable(b.config.Network)
		c := ui.Choice{
			Server: b.server.Name(), Instance: i.Name, Status: i.Status, Stopped: !i.Running(),
			Network: nic.Network, Address: nic.Address, Started: i.Started, Use: cmp.Or(nic.Use, i.Use),
		}
		var not *lxd.UnwatchableError
		if errors.As(err, &not) {
			c.Problem = not.Why
		}
		choices = append(choices, c)
	}
	return choices, nil
}

// Images implements [ui.Backend].
func (b *Backend) Images(ctx context.Context) ([]ui.Choice, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	images, err := b.server.Images(ctx)
	if err != nil {
		return nil, err
	}
	var choices []ui.Choice
	for _, i := range images {
		choices = append(choices, ui.Choice{Image: i.Name, About: i.Description})
	}
	return choices, nil
}

// Open implements [ui.Backend].
func (b *Backend) Open(ctx context.Context, c ui.Choice, report func(string, float64)) (*ui.Capture, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Session != "" && c.Instance == "" {
		return b.read(ctx, c.Session, report)
	}
	report("connecting to LXD", -1)
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	if c.Instance != "" && !c.Stopped {
		report("looking up "+c.Instance, -1)
		i, err := b.server.Instance(ctx, c.Instance)
		if err != nil {
			return nil, err
		}
		if !i.Running() {
			return nil, question{fmt.Errorf("%s is %s. Start it?", i.Name, i.Status), func(ctx context.Context) error { return b.server.Start(ctx, i.Name) }}
		}
	}
	config := b.config
	config.Instance, config.Launch, config.Resume = c.Instance, c.Image, cmp.Or(c.Session, config.Resume)
	if config.Resume == "" {
		if err := b.askKilled(c.Instance); err != nil {
			return nil, err
		}
		config.Resume, _ = b.answers.of(c.Instance)
	}
	s, err := live.Start(ctx, b.server, config, report)
	var left *lxd.LeftoverError
	if errors.As(err, &left) {
		return nil, question{fmt.Errorf("bridge %s still has what was set by %s, which was killed at work. Put back what it had before?", left.Network, left.By),
			func(ctx context.Context) error {
				restored, err := b.server.Restore(ctx, left.Network, false)
				b.config.Restored = append(b.config.Restored, restored...)
				return err
			}}
	}
	if err != nil {
		return nil, err
	}
	b.session = s
	shell := func(ctx context.Context, w, h int) (ui.Shell, error) { return b.shell(ctx, s, w, h) }
	logging := func() (string, time.Time) { l := s.Logging(); return l.Problem, l.Since }
	return &ui.Capture{Ledger: s.Ledger, Title: s.Title(), Live: true, Shell: shell, Notices: s.Notices(), Logging: logging, Repair: s.Repair, Unheard: s.Unheard, Told: b.told,
		Enforce: func(ctx context.Context, level verify.Level) (*ui.Enforcement, error) {
			return b.enforce(ctx, s, level)
		}}, nil
}

// told returns what LXD was told.
func (b *Backend) told() (all []dialog.Told) {
	for _, t := range b.server.Told() {
		all = append(all, dialog.Told(t))
	}
	return all
}

// shell opens a shell, in an instance that was stopped meanwhile after
// starting it: who asks for a shell there wants that. It waits for an LXD that
// is restarting.
func (b *Backend) shell(ctx context.Context, s *live.Capture, w, h int) (ui.Shell, error) {
	if err := b.server.Await(ctx); err != nil {
		return nil, err
	}
	i, err := b.server.Instance(ctx, s.Instance)
	if err == nil && !i.Running() {
		err = b.server.Start(ctx, s.Instance)
	}
	if err != nil {
		return nil, err
	}
	shell, err := s.Shell(ctx, b.user, w, h)
	if err != nil {
		return nil, err // not a nil shell in an interface
	}
	return shell, nil
}

// enforce puts the list in force.
func (b *Backend) enforce(ctx context.Context, s *live.Capture, level verify.Level) (*ui.Enforcement, error) {
	e, err := s.Enforce(ctx, level)
	if err != nil {
		return nil, err
	}
	return &ui.Enforcement{
		Policy: e.Policy, Packets: &e.Packets, Wake: e.Wake(), Done: e.Done(), Fallen: e.Fallen(), Prove: e.Prove,
		Report: func() verify.Report { return s.Report(e) },
		Stop: func(ctx context.Context) error {
			e.Prove(ctx)
			return s.Relax(ctx)
		},
	}, nil
}

// Close ends the capture, one that is still being opened too.
func (b *Backend) Close(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if b.session != nil {
		err = b.session.Stop(ctx)
	}
	if b.reading != nil {
		err = errors.Join(err, b.reading.Close())
	}
	if b.server != nil {
		b.server.Close()
	}
	return err
}

// askKilled returns a question if the last session of an instance was killed.
func (b *Backend) askKilled(instance string) error {
	if _, answered := b.answers.of(instance); answered || instance == "" {
		return nil
	}
	s, killed, err := session.KilledOn(b.server.Name(), instance)
	if err != nil || !killed {
		return err
	}
	return alternative{
		question{fmt.Errorf("session %s of %s was killed at %s with %s on %s. Go on with it?", s.Name(), instance,
			s.Modified.Format("2006-01-02 15:04"), look.Plural(s.Marks, "mark"), look.Plural(s.Domains, "domain")),
			func(context.Context) error { b.answers.set(instance, s.Name()); return nil }},
		func() { b.answers.set(instance, "") },
	}
}

// answers has what a user said of killed sessions, by instance: the one to go
// on with, "" for none. It has a lock of its own, since no is said by who draws
// the screen and can't wait for a capture to be opened.
type answers struct {
	mu   sync.Mutex
	said map[string]string
}

func (a *answers) set(instance, session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == nil {
		a.said = make(map[string]string)
	}
	a.said[instance] = session
}

func (a *answers) of(instance string) (session string, answered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	session, answered = a.said[instance]
	return session, answered
}

// alternative is a question to which no leads on, too.
type alternative struct {
	question
	refuse func()
}

func (a alternative) Refuse() { a.refuse() }

// question is a decision that is the user's.
type question struct {
	error
	answer func(context.Context) error
}

func (q question) Question() string                 { return q.Error() }
func (q question) Answer(ctx context.Context) error { return q.answer(ctx) }
