// Lxd-allowlist finds every domain that an application needs: it has a
// managed LXD bridge's dnsmasq log its queries while the application is used
// in an instance, and turns what was asked for into an allow-list.
//
// This file is the command line: verbs, flags, wiring and exit codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/export"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/backend"
)

// version is set by the linker.
var version = "unreleased"

func program() string { return "lxd-allowlist " + version }

// Exit codes; record hands its command's code through.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a call that was wrong.
type usageError struct{ error }

// codeError ends the program with a code and without a word.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := fang.Execute(ctx, command(), fang.WithVersion(version), fang.WithErrorHandler(report))
	stop()
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	var usage usageError
	var code codeError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

func report(w io.Writer, _ fang.Styles, err error) {
	var usage usageError
	var code codeError
	switch {
	case errors.As(err, &code):
	case errors.As(err, &usage):
		fmt.Fprintf(w, "lxd-allowlist: %v; see lxd-allowlist --help\n", err)
	default:
		fmt.Fprintf(w, "lxd-allowlist: %v\n", err)
	}
}

// options are the flags of all verbs.
type options struct {
	network, launch, user, format, output, resume, leave string

	settle                        time.Duration
	all, follow, force, overwrite bool
}

func command() *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "lxd-allowlist [REMOTE:][INSTANCE]",
		Short: "Find every domain an application needs, live, on a real LXD bridge",
		Long: "Opens a shell in an instance beside a live table of every domain that is queried on its bridge.\n" +
			"Use the application, mark what is to be kept or dropped, quit, and have the allow-list.",
		Example: "lxd-allowlist                      # pick an instance\n" +
			"lxd-allowlist dnstest --format squid --output allow.txt\n" +
			"lxd-allowlist --launch ubuntu:24.04 # one that is removed at the end",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return monitor(c.Context(), o, first(a)) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	captureFlags(root, &o)
	exportFlags(root, &o)
	root.Flags().StringVar(&o.leave, "leave-key", "ctrl+]", "the chord that leaves the shell")
	root.AddCommand(recordCommand(), openCommand(), exportCommand(), restoreCommand(), sessionsCommand(), formatsCommand(), versionCommand())
	return root
}

func captureFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.network, "network", "", "the bridge to watch, where the instance is on several")
	f.StringVar(&o.launch, "launch", "", "launch an instance of this image and remove it at the end")
	f.StringVar(&o.user, "user", "", "the user of the shell (default: ubuntu where there is one, else root)")
	f.StringVar(&o.resume, "resume", "", "go on with a session, as `sessions` lists it")
}

func exportFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.format, "format", "plain", "the list's format, as `formats` lists them")
	f.StringVar(&o.output, "output", "", "the file to write")
	f.BoolVar(&o.overwrite, "overwrite", false, "overwrite the file if it exists")
}

// args makes a wrong number of arguments a wrong call.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		if err := check(c, a); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func first(a []string) string {
	if len(a) == 0 {
		return ""
	}
	return a[0]
}

// check finds what is wrong with the flags before anything is done.
func (o options) check(instance string) error {
	if _, err := export.Lookup(o.format); err != nil {
		return usageError{err}
	}
	if o.launch != "" && instance != "" {
		return usageError{fmt.Errorf("--launch makes an instance of its own: leave out %s", instance)}
	}
	if o.resume != "" && !capture.IsSession(o.resume) {
		return usageError{fmt.Errorf("no session %q: `lxd-allowlist sessions` lists those that exist", o.resume)}
	}
	return nil
}

func monitor(ctx context.Context, o options, target string) error {
	remote, instance := lxd.SplitTarget(target)
	if err := o.check(instance); err != nil {
		return err
	}
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return usageError{errors.New("the monitor needs a terminal: use lxd-allowlist record, or export a log")}
	}
	b := backend.New(remote, o.user, o.config)
	s := ui.Options{Program: program(), Backend: b, Format: o.format, Output: o.output, LeaveKey: o.leave}
	if instance != "" || o.launch != "" {
		s.Choice = &ui.Choice{Instance: instance}
	}
	result, err := ui.Run(ctx, s)
	// The screen is gone and its context may be over: the bridge is given back
	// with a fresh one.
	err = errors.Join(err, b.Close(context.WithoutCancel(ctx)))
	farewell(result, b.Session())
	return err
}

func (o options) config(server *lxd.Server, instance string, report func(string, float64)) live.Config {
	return live.Config{Server: server, Instance: instance, Launch: o.launch, Network: o.network, Resume: o.resume, Program: program(), Report: report}
}

// farewell says what the session left behind.
func farewell(r ui.Result, s *live.Session) {
	if r.Wrote != "" {
		fmt.Fprintf(os.Stderr, "wrote %s\n", r.Wrote)
	}
	if s == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "session %s is kept: lxd-allowlist export %[1]s\n", session(s.Ledger))
}

func session(l *capture.Ledger) (name string) {
	l.Read(func(r capture.Reader) { name = r.Info().Session })
	return name
}

func recordCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:     "record [REMOTE:]INSTANCE -- COMMAND...",
		Short:   "Run a command in an instance and print every domain that it needed",
		Long:    "Captures while a command runs in the instance, without a screen. The exit code is the command's. With the list on standard output, the command's output goes to standard error.",
		Example: "lxd-allowlist record dnstest -- apt-get update\nlxd-allowlist record dnstest --format squid --output allow.txt -- sh /root/install.sh",
		RunE: func(c *cobra.Command, a []string) error {
			at := c.ArgsLenAtDash()
			if at < 0 || at > 1 || at == len(a) || at == 0 && o.launch == "" {
				return usageError{errors.New("record wants an instance, -- and a command")}
			}
			return record(c.Context(), o, first(a[:at]), a[at:])
		},
	}
	captureFlags(c, &o)
	exportFlags(c, &o)
	c.Flags().DurationVar(&o.settle, "settle", time.Second, "after the command, wait until dnsmasq was silent for this long")
	return c
}

func record(ctx context.Context, o options, target string, words []string) (err error) {
	remote, instance := lxd.SplitTarget(target)
	if err := o.check(instance); err != nil {
		return err
	}
	server, err := lxd.Connect(ctx, remote)
	if err != nil {
		return err
	}
	defer server.Close()
	last := ""
	s, err := live.Start(ctx, o.config(server, instance, func(doing string, _ float64) {
		if doing != last {
			fmt.Fprintln(os.Stderr, "lxd-allowlist: "+doing)
		}
		last = doing
	}))
	var left *lxd.LeftoverError
	if errors.As(err, &left) {
		return fmt.Errorf("%w: lxd-allowlist restore %s", err, left.Network)
	}
	if err != nil {
		return err
	}
	end := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, s.Stop(end)) }()
	out := os.Stderr
	if o.output != "" && o.output != "-" {
		out = os.Stdout
	}
	code, err := s.Run(ctx, lxd.Command{Args: words, User: o.user, Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr})
	if err != nil && ctx.Err() == nil {
		return err
	}
	s.Settle(ctx, o.settle)
	if err := write(o, s.Ledger.List(false)); err != nil {
		return fmt.Errorf("%w; the session is kept: lxd-allowlist export %s", err, session(s.Ledger))
	}
	if code != 0 {
		return codeError(max(code, exitFailed))
	}
	return nil
}

// write writes the list to the output, or to standard output.
func write(o options, list export.List) error {
	format, err := export.Lookup(o.format)
	if err != nil {
		return usageError{err}
	}
	compiled, refused := export.Compile(list)
	for _, r := range refused {
		fmt.Fprintf(os.Stderr, "lxd-allowlist: left out %q: it %s\n", r.Rule.Name, r.Reason)
	}
	data, err := export.Render(format, compiled, export.Options{})
	if err != nil {
		return err
	}
	if o.output == "" || o.output == "-" {
		_, err := os.Stdout.Write(data)
		return err
	}
	if err := export.WriteFile(o.output, data, o.overwrite); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "lxd-allowlist: wrote %d rules to %s\n", len(compiled.Rules()), o.output)
	return nil
}

func openCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:     "open LOG|SESSION|-",
		Short:   "Prune a log or a session that exists; needs no LXD",
		Example: "lxd-allowlist open /var/log/pihole/pihole.log\nlxd-allowlist open --follow /var/log/dnsmasq.log\njournalctl -u dnsmasq | lxd-allowlist open -",
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, a []string) error { return open(c.Context(), o, a[0]) },
	}
	exportFlags(c, &o)
	c.Flags().BoolVar(&o.follow, "follow", false, "go on reading while the log grows")
	return c
}

func open(ctx context.Context, o options, source string) (err error) {
	if err := o.check(""); err != nil {
		return err
	}
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return usageError{errors.New("open needs a terminal: use lxd-allowlist export")}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &ui.Capture{Title: source, Live: o.follow}
	var reading sync.WaitGroup
	if capture.IsSession(source) {
		c.Ledger, err = capture.Resume(source)
	} else {
		c.Ledger, err = openLog(ctx, o, source, c, &reading)
	}
	if err != nil {
		return err
	}
	result, err := ui.Run(ctx, ui.Options{Program: program(), Capture: c, Format: o.format, Output: o.output, LeaveKey: o.leave})
	cancel()
	if source != "-" { // a read of standard input can't be broken off
		reading.Wait()
	}
	farewell(result, nil)
	fmt.Fprintf(os.Stderr, "session %s is kept: lxd-allowlist open %[1]s\n", session(c.Ledger))
	return errors.Join(err, c.Ledger.Close())
}

// openLog begins to read a log in the background.
func openLog(ctx context.Context, o options, source string, c *ui.Capture, reading *sync.WaitGroup) (*capture.Ledger, error) {
	f, err := live.OpenLog(source)
	if err != nil {
		return nil, err
	}
	l, err := capture.Create(capture.Info{Program: program(), Log: source})
	if err != nil {
		f.Close()
		return nil, err
	}
	notices := make(chan string, 1)
	c.Notices = notices
	reading.Go(func() {
		defer f.Close()
		var err error
		if o.follow && source != "-" {
			err = live.FollowLog(ctx, l, source, 0)
		} else {
			err = live.ReadLog(ctx, l, f, func(int64) {})
		}
		if err != nil && ctx.Err() == nil {
			notices <- err.Error()
		}
	})
	return l, nil
}

func exportCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:     "export LOG|SESSION|-",
		Short:   "Turn a log or a session into a list, without a screen",
		Example: "lxd-allowlist export /tmp/dnsmasq.log > allow.txt\nlxd-allowlist export --format squid --output allow.txt 20261123-211600-dnstest",
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, a []string) error { return exportSource(c.Context(), o, a[0]) },
	}
	exportFlags(c, &o)
	c.Flags().BoolVar(&o.all, "all", false, "apply no rule and no mark: every clean name that was queried")
	return c
}

func exportSource(ctx context.Context, o options, source string) error {
	if err := o.check(""); err != nil {
		return err
	}
	if capture.IsSession(source) {
		l, err := capture.Load(source)
		if err != nil {
			return err
		}
		return write(o, l.List(o.all))
	}
	f, err := live.OpenLog(source)
	if err != nil {
		return err
	}
	defer f.Close()
	l := capture.NewLedger(capture.Info{Program: program(), Log: source})
	if err := live.ReadLog(ctx, l, f, func(int64) {}); err != nil {
		return fmt.Errorf("read %s: %w", source, err)
	}
	return write(o, l.List(o.all))
}

func restoreCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:     "restore [REMOTE:][NETWORK]",
		Short:   "Put back what a killed run left behind on a bridge",
		Example: "lxd-allowlist restore          # every bridge that needs it\nlxd-allowlist restore lxdbr0",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE:    func(c *cobra.Command, a []string) error { return restore(c.Context(), o, first(a)) },
	}
	c.Flags().BoolVar(&o.force, "force", false, "even if a capture seems to be running, or raw.dnsmasq was changed since")
	return c
}

func restore(ctx context.Context, o options, target string) error {
	remote, network := lxd.SplitTarget(target)
	server, err := lxd.Connect(ctx, remote)
	if err != nil {
		return err
	}
	defer server.Close()
	done, err := server.Restore(ctx, network, o.force)
	for _, name := range done {
		fmt.Fprintf(os.Stderr, "lxd-allowlist: bridge %s is as it was before\n", name)
	}
	if err == nil && len(done) == 0 {
		fmt.Fprintln(os.Stderr, "lxd-allowlist: nothing to put back")
	}
	return err
}

func sessionsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sessions", Short: "List the sessions that are kept",
		Example: "lxd-allowlist sessions\nlxd-allowlist --resume SESSION dnstest",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			all, err := capture.Sessions()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			for _, s := range all {
				state := ""
				switch {
				case s.Err != nil:
					state = "unreadable: " + s.Err.Error()
				case s.InUse:
					state = "in use"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Info.Session, s.Modified.Format(time.DateTime), s.Info.Subject(), state)
			}
			return w.Flush()
		},
	}
}

func formatsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "formats", Short: "List the formats, and what they mean by a name",
		Example: "lxd-allowlist formats",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			for _, f := range export.Formats() {
				fmt.Printf("%s: %s\n  exact   %s\n  suffix  %s\n", f.Name, f.Title, f.Exact, f.Suffix)
				for _, s := range [][2]string{{"widens", f.Widens}, {"load", f.Load}, {"check", f.Check}, {"proven", f.Proven}} {
					if s[1] != "" {
						fmt.Printf("  %-7s %s\n", s[0], s[1])
					}
				}
			}
			return nil
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		Example: "lxd-allowlist version",
		Args:    args(cobra.NoArgs),
		Run:     func(*cobra.Command, []string) { fmt.Println(program()) },
	}
}
