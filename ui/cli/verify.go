package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/export"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/look"
)

// Exit codes of verify: what was blocked, or a command that failed, is 1.
const (
	exitUnproven = 3
	exitHeld     = 4 // as 0, less what [verify.Held] doesn't say
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	strict, learn bool
	expect        []string
	report        string
}

func verifyCommand(o *options) *cobra.Command {
	var v verifyOptions
	c := &cobra.Command{
		Use: "verify INSTANCE LIST|SESSION [-- COMMAND...]", Short: "Enforce a list on an instance, run it again, and have the proof",
		Long: "From now on the instance, and no other on the bridge, reaches only what the list allows. Runs the command in it, or waits for Ctrl+C, and reports what was used, unused and blocked. dnsmasq isn't restarted, and nothing stays.\n\n" +
			"Without root on LXD's host the bridge's dnsmasq holds names back, on a bridge that is the instance's alone: it is started anew before and after, and a client that asks another resolver is not held.\n\n" +
			"The list is a file of any format, or a session. Exit codes: 0 it works with this list, and enforcement was proven; 1 something was blocked, or the command failed; 2 the call was wrong, or it could not be done; 3 enforcement could not be proven; 4 as 0, but without root: nothing that the bridge's dnsmasq was asked for was blocked, and other resolvers weren't held.\n\n" +
			"--learn refuses nothing: 0 is then that the list covers all that was asked for, and that it was proven from inside that queries are seen; 1 that it would have blocked something, or the command failed; 3 that it isn't proven that queries are seen.",
		Example: "lxd-allowlist verify dnstest allow.txt -- apt-get update\nlxd-allowlist verify --strict --report proof.json dnstest 20261123-211600-dnstest -- sh /root/install.sh\nlxd-allowlist verify --learn dnstest allow.txt # refuses nothing",
		RunE: func(c *cobra.Command, a []string) error {
			at := c.ArgsLenAtDash()
			if at < 0 {
				at = len(a)
			}
			if at != 2 || at == len(a) && c.ArgsLenAtDash() >= 0 {
				return wrong(errors.New("verify wants an instance and a list, and behind -- a command"))
			}
			return o.verify(c.Context(), v, a[0], a[1], a[2:])
		},
	}
	toldFlag(c, o)
	f := c.Flags()
	witnessFlag(c, o)
	f.StringVar(&o.network, "network", "", "the `bridge`, where the instance is on several")
	f.StringVar(&o.user, "user", "", "the `user` that the command runs as")
	f.BoolVar(&v.strict, "strict", false, "refuse packets, too, that go anywhere but to the addresses of allowed names, and to addresses that the list has itself")
	f.BoolVar(&v.learn, "learn", false, "refuse nothing: report what the list would have blocked")
	f.StringArrayVar(&v.expect, "expect", nil, "this `name`, or .name for all below it too, is to be blocked: that is no failure; may be repeated")
	f.StringVar(&v.report, "report", "", "write the report to this `file`, in place of what is there: JSON where its name ends in .json, else Markdown")
	f.DurationVar(&o.silence, "settle", time.Second, "after the command, go on for this long")
	return c
}

// verifyList is what is enforced.
type verifyList struct {
	name   string
	rules  []rule.Rule
	held   rule.Compiled           // the same, as they were compiled
	seeds  map[string][]netip.Addr // addresses that names had, where packets are refused
	kept   bool                    // in a session of the list of sessions
	ledger *capture.Ledger         // judges what was refused
	expect []rule.Rule             // that are to be refused besides
}

// readVerifyList reads a session or a file, for what is refused strictly or by
// names alone.
func readVerifyList(from string, strict bool) (l verifyList, err error) {
	l.name = from
	var list rule.List
	if session.Exists(from) {
		if l.ledger, err = session.Load(from); err != nil {
			return l, err
		}
		list, l.kept = l.ledger.List(false), !strings.HasSuffix(from, ".jsonl")
		if strict {
			l.ledger.Read(func(r capture.Reader) { l.seeds = r.Answered() })
		}
	} else if list, err = output.ReadList(from); errors.Is(err, fs.ErrNotExist) {
		return l, wrong(fmt.Errorf("%s is no session and no file: lxd-allowlist sessions lists those that there are", from))
	} else if err != nil {
		return l, wrong(err)
	} else if err := sayUnruled(from); err != nil {
		return l, err
	}
	compiled, unfit := rule.Compile(list)
	compiled, addresses := compiled.Enforced(strict)
	l.held, l.rules, unfit = compiled, compiled.Rules(), append(unfit, addresses...)
	for _, r := range unfit {
		say(fmt.Sprintf("%s is not enforced: it %s", r.Rule, r.Why()))
	}
	for _, doubt := range list.Doubts {
		say(doubt)
	}
	if wider := list.Wider(); wider != "" {
		say(wider)
	}
	return l, nil
}

// judgeFor readies the ledger that says of a refused name whether it is to be.
func (l *verifyList) judgeFor(ctx context.Context, server *lxd.Server, instance string, plug lxd.Plug, expect []rule.Rule) error {
	if l.ledger == nil {
		info := capture.Info{Instance: instance, Network: plug.Network, Domain: plug.Domain}
		if r, err := server.Resolver(ctx, instance); err == nil {
			info.Search = r.Search
		}
		l.ledger = capture.NewLedger(info)
		rules, err := session.LoadRules()
		if err != nil {
			return err
		}
		l.ledger.SetRules(rules)
	}
	l.expect = expect
	owners := make(map[string]string)
	for _, a := range plug.Addresses {
		owners[a.String()] = instance
	}
	l.ledger.SetOwners(owners)
	return nil
}

// expected is [verify.About.Expected].
func (l *verifyList) expected(name string) (reason string, expected bool) {
	for _, r := range l.expect {
		if r.Covers(name) {
			return "as --expect says", true
		}
	}
	l.ledger.Read(func(r capture.Reader) { reason, expected = r.Dropped(name) })
	return reason, expected
}

func (o *options) verify(ctx context.Context, v verifyOptions, target, from string, words []string) (err error) {
	remote, instance := lxd.SplitTarget(target)
	var expect []rule.Rule
	for _, text := range v.expect {
		name, err := capture.ParseSuffix(text)
		if err != nil {
			return wrong(fmt.Errorf("--expect: %w", err))
		}
		expect = append(expect, rule.Rule{Name: name, Suffix: strings.HasPrefix(text, ".")})
	}
	switch {
	case v.strict && v.learn:
		return wrong(errors.New("--learn refuses nothing: leave out --strict"))
	case o.silence < 0:
		return wrong(fmt.Errorf("--settle: %v is no time to wait", o.silence))
	case v.report != "": // before the proof is made that it is to hold
		if d, err := os.Stat(filepath.Dir(v.report)); err != nil || !d.IsDir() {
			return wrong(fmt.Errorf("--report %s: there is no directory %s", v.report, filepath.Dir(v.report)))
		}
	}
	list, err := readVerifyList(from, v.strict)
	if err != nil {
		return err
	}
	server, err := o.connect(ctx, remote)
	if err != nil {
		return exit{exitTrouble, err}
	}
	defer server.Close()
	code, err := o.enforce(ctx, v, server, instance, list, expect, words)
	if err != nil {
		return exit{exitTrouble, err}
	}
	if code != 0 {
		return exit{code, errQuiet}
	}
	return nil
}

func (o *options) enforce(ctx context.Context, v verifyOptions, server *lxd.Server, instance string, list verifyList, expect []rule.Rule, words []string) (code int, err error) {
	settings, err := ui.LoadSettings()
	if err != nil {
		return 0, err
	}
	byBridge := enforce.ByBridge(server) && !v.strict && !v.learn
	if err := enforce.Able(server, instance, v.strict); err != nil && !byBridge {
		return 0, err
	}
	network, addressed, err := live.Ready(ctx, server, instance, o.network, false, func(doing string, done float64) {
		if done < 0 {
			say(doing)
		}
	})
	if err != nil {
		return 0, err
	}
	if !addressed {
		say(instance + " has no address yet: its network may not be ready")
	}
	if err := server.RunsAs(ctx, instance, o.user); err != nil {
		return 0, err
	}
	plug, err := server.Plug(ctx, instance, network)
	if err != nil {
		return 0, err
	}
	if err := list.judgeFor(ctx, server, instance, plug, expect); err != nil {
		return 0, err
	}
	callers := o.watchCallers(ctx, server, instance, network, settings)
	defer callers.Close()
	refused := sayRefusals(callers)
	defer refused.close()
	e, err := list.start(ctx, server, byBridge, enforce.Config{
		Instance: instance, Network: network, Rules: list.rules, Strict: v.strict, Learn: v.learn, Seeds: list.seeds,
		Refused: func(q verify.Query, first bool) {
			list.ledger.Denied(q.Name, q.Type, q.From, q.At)
			if first {
				refused.name(q, &list)
			}
		},
		RefusedPacket: refused.packet,
		Called:        callers.Called,
	})
	if err != nil {
		return 0, err
	}
	inForce := true
	defer func() {
		if inForce {
			end := context.WithoutCancel(ctx)
			awaitLXD(end, server, instance)
			err = errors.Join(err, takeOff(end, e, byBridge, instance))
		}
	}()
	about := verify.About{Program: program(), Server: server.Version(), Resolver: e.Resolver(ctx), List: list.name, Command: words, Expected: list.expected, By: callers.Asked}
	about.Host, _ = os.Hostname()
	proven := "enforcing %s on %s, proven from inside"
	if v.learn {
		proven = "holding what is asked for against %s on %s, which is proven from inside to come here; nothing is refused"
	}
	if e.Prove(ctx) {
		say(fmt.Sprintf(proven, look.Plural(len(list.rules), "rule"), instance))
	}
	there, run := watchPresence(ctx, server, instance, e.Network())
	defer there.over()
	done, undone := ctx.Done(), e.Fallen()
	go crash.Guarded("the word on what is in force", func() {
		for {
			select {
			case <-undone:
				say(fallen(byBridge, v.learn))
				undone = nil
			case <-there.changed:
				there.look(run)
			case <-done:
				say("ending: trying once more whether " + map[bool]string{false: "the list is in force", true: "queries are seen"}[v.learn])
				done = nil
			case <-e.Done():
				return
			}
		}
	})()
	if len(words) == 0 {
		say("use the application now; Ctrl+C ends it and reports")
		<-run.Done()
	} else {
		stdout, endOut := outlet(os.Stderr)
		stderr, endErr := outlet(os.Stderr)
		command := lxd.Command{Args: words, User: o.user, Stdin: os.Stdin, Stdout: stdout, Stderr: stderr}
		ended, err := server.Run(run, instance, command)
		endOut()
		endErr()
		switch {
		case err != nil && run.Err() == nil && there.look(run):
			if there.runs(run) {
				return 0, err
			}
			say(err.Error() + "; ending")
		case err == nil:
			about.ExitCode = &ended
			if about.Unrunnable = server.Unrunnable(ctx, instance, command, ended); about.Unrunnable != "" {
				say(about.Unrunnable)
			}
			o.settle(run)
		}
	}
	end := context.WithoutCancel(ctx)
	awaitLXD(end, server, instance)
	e.Prove(end)
	inForce = false
	stopped := takeOff(end, e, byBridge, instance) // what came of it is worth no less where that failed
	if err := crash.Err(); err != nil {
		return 0, errors.Join(stopped, err)
	}
	callers.Close()
	refused.close()
	about.Notes = callers.Notes()
	report := e.Report(about)
	if list.kept {
		if err := session.NoteVerified(list.name, report.Result()); err != nil {
			say(err.Error())
		}
	}
	for _, r := range expect {
		if !slices.ContainsFunc(report.Blocked, func(n verify.NameResult) bool { return r.Covers(n.Name) }) {
			say(fmt.Sprintf("--expect %s: nothing of that was refused", r.Dotted()))
		}
	}
	return codeOf(report), errors.Join(stopped, writeReport(report, v.report))
}

// awaitLXD waits for an LXD that is away, while the list stays in force: without
// it nothing is proven, and what it has of ours stays.
func awaitLXD(ctx context.Context, server *lxd.Server, instance string) {
	if _, err := server.Instance(ctx, instance); lxd.IsAway(err) {
		say(err.Error() + "; waiting for it, and the list stays in force")
		_ = server.Await(ctx) // what is done next tells
	}
}

// takeOff takes the list out of force. The bridge's says itself what is to be
// done where that failed.
func takeOff(ctx context.Context, e *enforce.Enforcement, byBridge bool, instance string) error {
	defer sayLate("taking the list off " + instance)()
	err := e.Stop(ctx)
	switch {
	case err == nil || byBridge:
		return err
	case lxd.IsAway(err):
		return fmt.Errorf("take the list off %s: %w: start LXD, then run lxd-allowlist restore", instance, err)
	}
	return fmt.Errorf("take the list off %s: %w: run lxd-allowlist restore", instance, err)
}

// settle waits for what comes late.
func (o *options) settle(ctx context.Context) {
	select {
	case <-time.After(o.silence):
	case <-ctx.Done():
	}
}

func codeOf(r verify.Report) int {
	switch r.Verdict {
	case verify.Works, verify.Covered:
		return 0
	case verify.Unproven, verify.Unseen:
		return exitUnproven
	case verify.Held:
		return exitHeld
	}
	return exitFailed
}

// writeReport writes a report to a file, and to standard output what a person
// reads of it.
func writeReport(r verify.Report, path string) error {
	text := r.Markdown()
	if path == "" {
		_, err := os.Stdout.Write(text)
		return err
	}
	if strings.HasSuffix(path, ".json") {
		var err error
		if text, err = r.JSON(); err != nil {
			return err
		}
	}
	if err := export.WriteFile(path, text, true); err != nil {
		_, lost := os.Stdout.Write(text) // the run isn't to be made again for it
		return errors.Join(fmt.Errorf("%w: the report is on standard output instead", err), lost)
	}
	say(fmt.Sprintf("%s: %s; the report is in %s", r.Instance, r.Headline(), path))
	return nil
}
