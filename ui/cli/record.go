package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/export/output"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/look"
)

func recordCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "record INSTANCE -- COMMAND...", Short: "Run a command in an instance and print every domain that it needed",
		Long:    "Captures while a command runs in the instance, without a screen. The exit code is the command's; it is 1 where the command ended with 0 and no query was heard, or no list could be written, and 2 where the call was wrong. With the list on standard output, the command's output goes to standard error.",
		Example: "lxd-allowlist record dnstest -- apt-get update\nlxd-allowlist record dnstest --format squid --output allow.txt -- sh /root/install.sh",
		RunE: func(c *cobra.Command, a []string) error {
			at := c.ArgsLenAtDash()
			if at < 0 || at > 1 || at == len(a) || at == 0 && o.launch == "" {
				return wrong(errors.New("record wants an instance, -- and a command"))
			}
			if o.seen && o.noWitness {
				return wrong(errors.New("--seen says what was watched: leave out --no-witness"))
			}
			return o.compared(o.record(c.Context(), strings.Join(a[:at], ""), a[at:]))
		},
	}
	captureFlags(c, o)
	exportFlags(c, o)
	toldFlag(c, o)
	c.Flags().Lookup("user").Usage = "the `user` that the command runs as"
	c.Flags().BoolVar(&o.seen, "seen", false, "also say on standard error who asked for each name, and what was connected to")
	c.Flags().DurationVar(&o.silence, "settle", time.Second, "after the command, wait until dnsmasq was silent for this long, ten times as long at most")
	return c
}

// connect is [lxd.Connect] that says what LXD is told, if that is wanted.
func (o *options) connect(ctx context.Context, remote string) (*lxd.Server, error) {
	defer sayLate("connecting")()
	return o.listen(lxd.Connect(ctx, remote))
}

func (o *options) listen(server *lxd.Server, err error) (*lxd.Server, error) {
	if err == nil && o.told {
		server.OnTold(func(t lxd.Told) {
			if t.Failed != "" {
				t.Command += " # refused: " + t.Failed
			}
			say("told LXD: " + t.Command)
		})
	}
	return server, err
}

func (o *options) record(ctx context.Context, target string, words []string) (err error) {
	remote, instance := lxd.SplitTarget(target)
	list, err := o.check(instance)
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
	server, err := o.connect(ctx, remote)
	if err != nil {
		return err
	}
	defer server.Close()
	if o.resume == "" && instance != "" {
		sayKilled(server.Name(), instance)
	}
	s, stop, err := o.capture(ctx, server, instance, trust)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	out := os.Stdout
	if list.Stdout() {
		out = os.Stderr
	}
	stdout, endOut := outlet(out)
	stderr, endErr := outlet(os.Stderr)
	command := lxd.Command{Args: words, User: o.user, Stdin: os.Stdin, Stdout: stdout, Stderr: stderr}
	code, err := s.Run(ctx, command)
	endOut()
	endErr()
	if err != nil && ctx.Err() == nil {
		return withSession(s, err)
	}
	unrunnable := server.Unrunnable(ctx, s.Instance, command, code)
	s.AwaitSilence(ctx, o.silence)
	if err := crash.Err(); err != nil {
		return err // names may be missing
	}
	if err := o.heard(ctx, s); err != nil {
		switch {
		case unrunnable != "":
			err = exit{code, errors.New(unrunnable + "; nothing was written")}
		case code != 0:
			err = errors.Join(exit{max(code, exitFailed), errQuiet}, err)
		}
		return err
	}
	keepSuffixes(s.Ledger, suffixes)
	err = list.Write(s.Ledger.List(false), os.Stdout, os.Stderr)
	sayWitnessed(os.Stderr, s.Ledger, o.seen)
	kept := keptOf(s.Ledger)
	switch {
	case !wrote(err) && kept == "":
		return err
	case !wrote(err):
		return fmt.Errorf("%w; the session is kept: lxd-allowlist export %s", err, kept)
	case unrunnable != "":
		err = exit{code, errors.New(unrunnable)}
	case code != 0:
		err = exit{max(code, exitFailed), errQuiet}
	}
	for _, w := range written(list) {
		s.Ledger.Exported(w)
	}
	if kept != "" {
		next := ""
		if o.launch == "" {
			next = fmt.Sprintf(", and lxd-allowlist verify %s %s -- COMMAND proves it", target, kept)
		}
		say(fmt.Sprintf("session %s is kept: lxd-allowlist open %[1]s prunes it%s", kept, next))
	}
	return err
}

// withSession returns the error that a recording ended with, and where what was
// heard until then is.
func withSession(s *live.Capture, err error) error {
	if kept := keptOf(s.Ledger); kept != "" {
		return fmt.Errorf("%w; no list was written, and the session is kept: lxd-allowlist export %s", err, kept)
	}
	return err
}

// keptOf returns the session that a recording leaves for what was asked for in
// it, "" for none.
func keptOf(l *capture.Ledger) (name string) {
	l.Read(func(r capture.Reader) {
		if r.Counts().Queries > 0 {
			name = r.Info().Session
		}
	})
	return name
}

// sayKilled tells of a session of the instance that was killed.
func sayKilled(remote, instance string) {
	k, killed, err := session.KilledOn(remote, instance)
	if err != nil {
		say(fmt.Sprintf("can't tell whether a session of %s was killed: %v", instance, err))
	}
	if killed {
		say(fmt.Sprintf("session %s of %s was killed with %s: --resume %[1]s goes on with it", k.Name(), instance, look.Plural(k.Marks, "mark")))
	}
}

// capture begins a capture whose notices are said until stop, which gives the
// bridge back whatever became of ctx.
func (o *options) capture(ctx context.Context, server *lxd.Server, instance string, trust capture.Trust) (s *live.Capture, stop func() error, err error) {
	settings, err := ui.LoadSettings()
	if err != nil {
		return nil, nil, err
	}
	config := o.config(instance, settings)
	config.Trust = trust
	if len(config.Watches) == 0 {
		say("not watched: which process asks, and what it connects to: it is off")
	}
	s, err = live.Start(ctx, server, config, func(doing string, done float64) {
		if done < 0 { // a step, not how far one is
			say(doing)
		}
	})
	var left *lxd.LeftoverError
	switch {
	case errors.As(err, &left):
		return nil, nil, fmt.Errorf("%w: lxd-allowlist restore %s", err, left.Network)
	case err != nil:
		return nil, nil, err
	}
	told := make(chan struct{})
	go crash.Guarded("the notices", func() {
		for notice := range s.Notices() {
			say(notice)
		}
	}, func() { close(told) })()
	return s, func() error {
		defer sayLate("giving the bridge back")()
		err := s.Stop(context.WithoutCancel(ctx))
		<-told
		return err
	}, nil
}

// wrote reports whether a list was written, by the error of that.
func wrote(err error) bool {
	return err == nil || err == output.ErrChanged || err == output.ErrUncovered || err == output.ErrDoubtful
}

// written returns what a session is to tell of a list that was written.
func written(list *output.Output) (all []capture.Written) {
	list.Places(func(format, path string) {
		all = append(all, capture.Written{Format: format, Path: cmp.Or(path, capture.Stdout), At: time.Now()})
	})
	return all
}

// heard returns an error for a capture that no query was heard in: that is not
// to say that nothing was asked.
func (o *options) heard(ctx context.Context, s *live.Capture) error {
	var c capture.Counts
	s.Ledger.Read(func(r capture.Reader) { c = r.Counts() })
	if c.Queries > 0 || s.Err() != nil || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("no query was heard of %s: %s; nothing was written", s.Instance, s.Unheard(ctx))
}

func (o *options) restore(ctx context.Context, target string) error {
	remote, network := lxd.SplitTarget(target)
	server, err := o.connect(ctx, remote)
	if errors.Is(err, lxd.ErrStopped) {
		say(err.Error() + "; waiting for it")
		server, err = o.listen(lxd.ConnectLate(ctx, remote))
	}
	if err != nil {
		return err
	}
	defer server.Close()
	// First what is found by an instance that may go next.
	freed, failed := enforce.Restore(ctx, server, o.force)
	for _, instance := range freed {
		say("instance " + instance + " has no list enforced any more")
	}
	back, err := putBackInstances(ctx, server, o.force)
	failed = errors.Join(failed, err)
	for _, instance := range back {
		say("instance " + instance + " is as it was before the trials with it")
	}
	done, err := server.Restore(ctx, network, o.force)
	for _, r := range done {
		say(r.String())
	}
	err = errors.Join(failed, err)
	if err == nil && len(done)+len(freed)+len(back) == 0 {
		fmt.Fprintln(os.Stderr, "lxd-allowlist: nothing to put back")
	}
	return err
}

// putBackInstances puts instances back that killed runs of minimize have left,
// and returns their names. What was enforced on them is off by then.
func putBackInstances(ctx context.Context, server *lxd.Server, force bool) (done []string, err error) {
	left, err := server.LeftSnapshots(ctx, force)
	for _, s := range left {
		if failed := s.PutBack(ctx); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		done = append(done, s.Instance)
	}
	return done, err
}
