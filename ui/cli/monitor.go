package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/term"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/backend"
)

// screen returns what the screen is to begin with.
func (o *options) screen(instance, without string) (ui.Options, error) {
	startCalmly()
	out, err := o.check(instance)
	if err != nil {
		return ui.Options{}, err
	}
	format, err := out.Single()
	if err != nil {
		return ui.Options{}, wrong(err)
	}
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return ui.Options{}, wrong(errors.New(without))
	}
	if !o.formatGiven {
		format = "" // what the session was written as, or the config says
	}
	lists, err := lists()
	if err != nil {
		return ui.Options{}, err
	}
	settings, err := ui.LoadSettings()
	settings.LeaveKey = cmp.Or(o.leave, settings.LeaveKey)
	return ui.Options{Program: program(), Format: format, Output: out.Path(), Export: out.Options(), Lists: lists, Settings: settings}, err
}

// startGarbage is how much garbage, in per cent of the 4 MB that the runtime begins
// at, a screen lets come together before the first collection: up to the first
// frame there is less, and two collections took a fifth of the time.
const startGarbage = 400

// startCalmly has the collector begin late, and go on as ever from then on.
func startCalmly() {
	usual := debug.SetGCPercent(startGarbage)
	if usual == startGarbage {
		return // who goes on from one screen to the next at once: it hasn't begun yet
	}
	runtime.AddCleanup(new([64]byte), func(usual int) { debug.SetGCPercent(usual) }, usual)
}

func (o *options) monitor(ctx context.Context, target string) error {
	remote, instance := lxd.SplitTarget(target)
	s, err := o.screen(instance, "the monitor needs a terminal: use lxd-allowlist record, or export a log")
	if err != nil {
		return err
	}
	if instance == "" && o.resume != "" {
		if instance, err = resumed(o.resume); err != nil {
			return err
		}
	}
	config := o.config("", s.Settings)
	config.Launch = "" // which the choice has
	b := backend.New(remote, o.user, config)
	s.Backend = b
	if instance != "" || o.launch != "" {
		s.Choice = &ui.Choice{Instance: instance, Image: o.launch}
	}
	result, err := ui.Run(ctx, s)
	// The screen is gone and its context may be over: the bridge is given back
	// with a fresh one.
	over := sayLate("giving the bridge back")
	err = errors.Join(err, b.Close(context.WithoutCancel(ctx)))
	over()
	switch l, live := b.Ledger(); {
	case live:
		farewell(result, "export", l, true)
	case l != nil:
		farewell(result, "open", l, true)
	}
	return o.goOn(ctx, remote, result, err)
}

// goOn goes on with what the user picked of the palette, once the screen and
// what it held have ended well. Who only looks at one session only looks at the
// next one, too.
func (o *options) goOn(ctx context.Context, remote string, r ui.Result, err error) error {
	if err != nil || r.Next == nil {
		return err
	}
	next := *o
	next.resume, next.launch, next.plan.Path = "", "", ""
	next.follow, next.replay, next.speed = false, false, defaultSpeed
	next.from, next.since, next.until = "", "", ""
	if r.Next.Session != "" {
		return next.open(ctx, []string{r.Next.Session})
	}
	target := r.Next.Instance
	if remote != "" {
		target = remote + ":" + target
	}
	return next.monitor(ctx, target)
}

// resumed returns the instance that a session was about.
func resumed(name string) (instance string, err error) {
	l, err := session.Load(name)
	if err != nil {
		return "", err
	}
	l.Read(func(r capture.Reader) { instance = r.Info().Instance })
	return instance, nil
}

func (o *options) config(instance string, of ui.Settings) live.Config {
	c := live.Config{Instance: instance, Launch: o.launch, Network: o.network, Resume: o.resume, Program: program()}
	if o.witness(of) {
		c.Watches = live.Watches()
	}
	return c
}

// witness reports whether an instance is to be watched.
func (o *options) witness(of ui.Settings) bool {
	return !o.noWitness && (of.Witness == nil || *of.Witness)
}

// farewell says what a run of the screen left behind.
func farewell(r ui.Result, verb string, l *capture.Ledger, kept bool) {
	sayWrote(r)
	if !kept {
		fmt.Fprintln(os.Stderr, "nothing was decided, so no session is kept")
		return
	}
	switch name := sessionOf(l); {
	case name == "": // its journal's error says why
		fmt.Fprintln(os.Stderr, "no session is kept")
	case !session.Exists(name):
		fmt.Fprintln(os.Stderr, "nothing was asked for, so no session is kept")
	default:
		fmt.Fprintf(os.Stderr, "session %s is kept: lxd-allowlist %s %[1]s\n", name, verb)
	}
}

func sayWrote(r ui.Result) {
	if r.Wrote != "" {
		fmt.Fprintf(os.Stderr, "wrote %s\n", r.Wrote)
	}
}

// sessionOf returns the session's name, "" where none is kept.
func sessionOf(l *capture.Ledger) (name string) {
	l.Read(func(r capture.Reader) { name = r.Info().Session })
	return name
}
