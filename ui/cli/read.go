package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/output"
	"lxd-allowlist/ui"
)

func (o *options) open(ctx context.Context, sources []string) (err error) {
	switch isSession := session.Exists(sources[0]); {
	case o.replay && (len(sources) > 1 || !isSession):
		return wrong(errors.New("--replay has one session happen again: name one as lxd-allowlist sessions lists it"))
	case o.replay && (o.from != "" || o.since != "" || o.until != ""):
		return wrong(errors.New("--replay has all of a session happen again: leave out --from, --since and --until"))
	case o.readOnly && o.follow:
		return wrong(errors.New("--read-only reads what is there: leave out --follow"))
	case !o.replay && o.speed != defaultSpeed:
		return wrong(errors.New("--speed is that of a replay: ask for one by --replay"))
	case !o.follow:
	case len(sources) > 1:
		return wrong(errors.New("--follow reads one log that grows: name one"))
	case session.Exists(sources[0]):
		return wrong(fmt.Errorf("%s is a session, which doesn't grow: leave out --follow, or go on with its capture by --resume", sources[0]))
	}
	if err := o.checkSpeed(); err != nil {
		return err
	}
	only, err := o.only()
	if err != nil {
		return err
	}
	s, err := o.screen("", "open needs a terminal: use lxd-allowlist export")
	if err != nil {
		return err
	}
	if o.replay || o.readOnly {
		return o.look(ctx, s, sources, only)
	}
	r, err := logfile.Open(ctx, program(), sources, only, o.follow)
	if err != nil {
		return err
	}
	s.Capture = &ui.Capture{Ledger: r.Ledger, Title: r.Title, Live: r.Growing, Notices: r.Notices, Progress: r.Progress}
	result, err := ui.Run(ctx, s)
	kept := r.Kept()
	err = errors.Join(err, r.Close())
	farewell(result, "open", r.Ledger, kept)
	return o.goOn(ctx, "", result, err)
}

// defaultSpeed is that of a replay.
const defaultSpeed = 10

func (o *options) checkSpeed() error {
	if o.speed < 1 || o.speed > ui.MaxSpeed {
		return wrong(fmt.Errorf("--speed %d: a replay is 1 to %d times as fast", o.speed, ui.MaxSpeed))
	}
	return nil
}

// readOnly is why nothing can be decided.
const readOnly = "the session is only looked at, as --read-only or --replay asked: lxd-allowlist open SESSION without them lets you decide"

// look shows sources, or has a session happen again, and changes nothing.
func (o *options) look(ctx context.Context, s ui.Options, sources []string, only capture.Only) error {
	c := &ui.Capture{ReadOnly: readOnly, Speed: o.speed}
	var err error
	if o.replay {
		if c.Player, err = session.Play(sources[0]); err == nil {
			c.Title, c.Live = c.Player.Title(), true
		}
	} else if c.Ledger, err = logfile.Load(ctx, program(), sources, only); err == nil {
		c.Title = strings.Join(sources, " ")
	}
	if err != nil {
		return err
	}
	s.Capture = c
	result, err := ui.Run(ctx, s)
	if sayWrote(result); result.Wrote != "" && session.Exists(sources[0]) {
		say("the session is only looked at, and doesn't note that: lxd-allowlist export does")
	}
	return o.goOn(ctx, "", result, err)
}

// exportGarbage is how much garbage, in per cent of what is in use, an export lets
// come together. The ledger has hardly a pointer, so that to collect costs little;
// the runtime's 100 would have a million names take twice the memory.
const exportGarbage = 20

func (o *options) export(ctx context.Context, sources []string) error {
	debug.SetGCPercent(exportGarbage)
	if slices.Contains(sources, "-") && (o.plan.Diff == "-" || o.plan.CoveredBy == "-") {
		return wrong(errors.New("standard input is read once: name a file for --diff and --covered-by, or for what is exported"))
	}
	only, err := o.only()
	if err != nil {
		return err
	}
	list, err := o.check("")
	if err != nil {
		return err
	}
	suffixes, err := o.suffixNames()
	if err != nil {
		return err
	}
	trust, err := o.trust()
	if err != nil {
		return err
	}
	load, names := logfile.LoadBare, (*capture.Ledger).BareList
	if list.Evidence() {
		load, names = logfile.Load, (*capture.Ledger).List
	}
	l, err := load(ctx, program(), sources, only)
	var none *logfile.NoQueryError
	switch {
	case err == nil:
		keepSuffixes(l, suffixes)
		if trust != capture.TrustAuto {
			l.SetTrust(trust)
		}
		err = list.Write(names(l, o.all), os.Stdout, os.Stderr)
	case errors.As(err, &none):
		names, notList := output.ReadLists(sources, none.Held)
		if notList != nil {
			if why := (*output.NoListError)(nil); !none.Known && errors.As(notList, &why) {
				err = fmt.Errorf("%w And no list of names: %s", err, why.Why)
			}
			break
		}
		if err = o.completeList(&names, sources, suffixes, only); err == nil {
			err = list.Write(names, os.Stdout, os.Stderr)
		}
	}
	if wrote(err) && session.Exists(sources[0]) {
		if err := session.NoteExports(sources[0], written(list)); err != nil {
			say(err.Error())
		}
	}
	return o.compared(err)
}
