package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/capture/verify/minimize"
	"lxd-allowlist/export/rule"
)

// trials runs a command with a part of a list in force, each time in an
// instance that was put back from a snapshot.
type trials struct {
	server            *lxd.Server
	instance, network string
	rules             []rule.Rule
	as                capture.Trial // what all trials have in common
	session           string        // that keeps them, "" for none
	timeout           time.Duration
	bar               *bar

	snapshot *lxd.Snapshot // nil before the first trial
	whole    []time.Duration
	said     *tail // by the last command; a new one each time, for one that never ends goes on
}

// leftError is of a list that could not be taken out of force, which matters
// more than why the trial ended.
type leftError struct{ error }

// unprovenError says why nothing can be said of a trial.
type unprovenError struct{ why string }

func (e *unprovenError) Error() string {
	return "enforcement could not be proven: " + e.why
}

// setOf returns the rules of a trial that was kept, if it was one of these
// trials.
func (t *trials) setOf(k capture.Trial, at map[string]int) (in minimize.Set, ok bool) {
	if k.Instance != t.as.Instance || k.User != t.as.User || k.Strict != t.as.Strict || !slices.Equal(k.Command, t.as.Command) {
		return nil, false
	}
	var items []int
	for _, text := range k.Allowed {
		i, ok := at[text]
		if !ok {
			return nil, false
		}
		items = append(items, i)
	}
	in = minimize.NewSet(len(t.rules), items...)
	if len(items) == len(t.rules) && k.Worked {
		t.whole = append(t.whole, k.Took)
	}
	return in, true
}

// begin makes the snapshot.
func (t *trials) begin(ctx context.Context) (err error) {
	if t.snapshot, err = t.server.Snapshot(ctx, t.instance); err != nil {
		return err
	}
	t.bar.say(fmt.Sprintf("instance %s is put back from snapshot %s and started anew for each trial", t.instance, t.snapshot.Name))
	if len(t.snapshot.Outside) > 0 {
		t.bar.say("the snapshot doesn't hold " + strings.Join(t.snapshot.Outside, ", ") + ": what the command writes there stays")
	}
	return nil
}

// end puts the instance back.
func (t *trials) end(ctx context.Context) error {
	if t.snapshot == nil {
		return nil
	}
	return t.snapshot.PutBack(ctx)
}

// try makes a trial.
func (t *trials) try(ctx context.Context, in minimize.Set) (o minimize.Outcome, err error) {
	if err := ctx.Err(); err != nil {
		return o, err
	}
	if t.snapshot == nil {
		if err := t.begin(ctx); err != nil {
			return o, err
		}
	}
	at := time.Now()
	if err := t.snapshot.Restore(ctx); err != nil {
		return o, err
	}
	network, _, err := live.Ready(ctx, t.server, t.instance, t.network, true, func(string, float64) {})
	if err != nil {
		return o, err
	}
	if err := t.server.RunsAs(ctx, t.instance, t.as.User); err != nil {
		return o, err
	}
	var rules []rule.Rule
	for i, r := range t.rules {
		if in.Has(i) {
			rules = append(rules, r)
		}
	}
	e, err := enforce.Start(ctx, t.server, enforce.Config{Instance: t.instance, Network: network, Rules: rules, Strict: t.as.Strict})
	if err != nil {
		return o, err
	}
	defer func() {
		if failed := e.Stop(context.WithoutCancel(ctx)); failed != nil {
			err = &leftError{failed}
		}
	}()
	if !e.Prove(ctx) {
		if err := ctx.Err(); err != nil {
			return o, err
		}
		return o, unproven(e)
	}
	if o, err = t.run(ctx); err != nil {
		return o, err
	}
	if in.Len() == len(t.rules) && o.Worked {
		t.whole = append(t.whole, o.Took)
	}
	t.keep(t.trialOf(in, o, at))
	t.bar.tried(in.Len(), len(t.rules), o, time.Since(at))
	return o, nil
}

// unproven says which proof failed.
func unproven(e *enforce.Enforcement) error {
	for _, p := range e.Report(verify.About{}).Proofs {
		if !p.Proven {
			return &unprovenError{p.Tried + ": " + p.Why}
		}
	}
	return &unprovenError{"nothing was tried"}
}

// run runs the command.
func (t *trials) run(ctx context.Context) (o minimize.Outcome, err error) {
	within := ctx
	if limit := t.limit(); limit > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	t.said = new(tail)
	begun := time.Now()
	command := lxd.Command{Args: t.as.Command, User: t.as.User, Stdout: t.said, Stderr: t.said}
	code, err := t.server.Run(within, t.instance, command)
	o = minimize.Outcome{Worked: err == nil && code == 0, Took: time.Since(begun)}
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		t.bar.say(fmt.Sprintf("the command was ended after %s, which counts as failing: --timeout gives it longer", seconds(t.limit())))
		return o, nil
	}
	if unrunnable := t.server.Unrunnable(ctx, t.instance, command, code); unrunnable != "" {
		return o, errors.New(unrunnable)
	}
	return o, err
}

// limitFactor and limitMore are how much longer than with the whole list a
// command may take.
const (
	limitFactor = 3
	limitMore   = time.Minute
)

// limit returns how long the command may take, 0 for as long as it likes.
func (t *trials) limit() time.Duration {
	if t.timeout > 0 || len(t.whole) == 0 {
		return t.timeout
	}
	return limitFactor*slices.Max(t.whole) + limitMore
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailSize = 4 << 10

// text returns what is kept.
func (t *tail) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.last)
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	t.last = t.last[max(0, len(t.last)-tailSize):]
	return len(p), nil
}
