package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/output"
	"lxd-allowlist/ui"
)

func (o *options) open(ctx context.Context, sources []string) (err error) {
	switch {
	case !o.follow:
	case len(sources) > 1:
		return wrong(errors.New("--follow reads one log that grows: name one"))
	case session.Exists(sources[0]):
		return wrong(fmt.Errorf("%s is a session, which doesn't grow: leave out --follow, or go on with its capture by --resume", sources[0]))
	}
	only, err := o.only()
	if err != nil {
		return err
	}
	s, err := o.screen("", "open needs a terminal: use lxd-allowlist export")
	if err != nil {
		return err
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
	return err
}

func (o *options) export(ctx context.Context, sources []string) error {
	only, err := o.only()
	if err != nil {
		return err
	}
	list, err := o.check("")
	if err != nil {
		return err
	}
	keepSuffixes, err := o.keepSuffixes()
	if err != nil {
		return err
	}
	l, err := logfile.Load(ctx, program(), sources, only)
	var none *logfile.NoQueryError
	switch {
	case err == nil:
		keepSuffixes(l)
		names := l.BareList
		if list.Evidence() {
			names = l.List
		}
		err = list.Write(names(o.all), os.Stdout, os.Stderr)
	case errors.As(err, &none) && only == (capture.Only{}):
		if names, notList := output.ReadLists(sources); notList == nil {
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
