// Lxd-allowlist finds every domain that an application needs: it has a
// managed LXD bridge's dnsmasq log its queries while the application is used
// in an instance, and turns what was asked for into an allow-list.
//
// This file is the command line: verbs, flags, wiring and exit codes.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/explain"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/ui"
	"lxd-allowlist/ui/backend"
	"lxd-allowlist/ui/look"
)

// version is set by the linker.
var version = "unreleased"

func program() string { return "lxd-allowlist " + version }

// Exit codes; record hands its command's code through. With --diff they are
// those of diff(1): 1 says that the list has changed, 2 that nobody knows.
const (
	exitFailed, exitChanged = 1, 1
	exitUsage, exitTrouble  = 2, 2
)

// exit is an error with the code that it ends the program with.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// errQuiet has nothing to say: the code is all.
var errQuiet = errors.New("the exit code is not 0")

// wrong is a call that was wrong.
func wrong(err error) error {
	return exit{exitUsage, fmt.Errorf("%w; see lxd-allowlist --help", err)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := fang.Execute(ctx, command(), fang.WithVersion(version), fang.WithErrorHandler(report))
	stop()
	var e exit
	if err != nil && !errors.As(err, &e) {
		e.code = exitFailed
	}
	os.Exit(e.code)
}

// report says what went wrong, a line each where it is several things. A code
// is said by itself.
func report(w io.Writer, styles fang.Styles, err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			report(w, styles, one)
		}
		return
	}
	if e, ok := err.(exit); !ok || e.error != errQuiet {
		fmt.Fprintf(w, "lxd-allowlist: %v\n", err)
	}
}

// options are the flags of all verbs.
type options struct {
	network, launch, user, resume, leave string

	plan               output.Plan
	silence            time.Duration
	from, since, until string
	suffixes           []string
	all, follow, force bool
}

// verbs is a command of any number of arguments, with examples of its use.
func verbs(use, short string, n cobra.PositionalArgs, run func(context.Context, []string) error, examples ...string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: strings.Join(examples, "\n"), Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, a []string) error {
			if err := n(c, a); err != nil {
				return wrong(err)
			}
			return run(c.Context(), a)
		},
	}
}

// verb is a command of at most one argument.
func verb(use, short string, n cobra.PositionalArgs, run func(context.Context, string) error, examples ...string) *cobra.Command {
	return verbs(use, short, n, func(ctx context.Context, a []string) error { return run(ctx, strings.Join(a, "")) }, examples...)
}

func command() *cobra.Command {
	var o options
	root := verb("lxd-allowlist [REMOTE:][INSTANCE]", "Find every domain an application needs, live, on a real LXD bridge", cobra.MaximumNArgs(1), o.monitor,
		"lxd-allowlist                      # pick an instance",
		"lxd-allowlist dnstest --format squid --output allow.txt",
		"lxd-allowlist --launch ubuntu:24.04 # one that is removed at the end")
	root.Long = "Opens a shell in an instance beside a live table of every domain that is queried on its bridge.\n" +
		"Use the application, mark what is to be kept or dropped, quit, and have the allow-list."
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return wrong(err) })
	captureFlags(root, &o)
	screenFlags(root, &o)
	root.Flags().StringVar(&o.leave, "leave-key", "", "the chord that leaves the shell (default: the config file's, else "+ui.DefaultLeaveKey+")")

	open := verbs("open LOG...|SESSION|-", "Prune logs or a session that exists; needs no LXD", cobra.MinimumNArgs(1), o.open,
		"lxd-allowlist open /var/log/pihole/pihole.log",
		"lxd-allowlist open --follow /var/log/dnsmasq.log",
		"journalctl -u dnsmasq | lxd-allowlist open -")
	screenFlags(open, &o)
	limitFlags(open, &o)
	open.Flags().BoolVar(&o.follow, "follow", false, "go on reading while the log grows")

	export := verbs("export LOG...|SESSION|-", "Turn logs or a session into a list, without a screen", cobra.MinimumNArgs(1), o.export,
		"lxd-allowlist export /var/log/dnsmasq.log* > allow.txt",
		"lxd-allowlist export --format squid,json --output allow.txt 20261123-211600-dnstest",
		"lxd-allowlist export --diff allow.txt 20261123-211600-dnstest # in CI",
		"lxd-allowlist export --covered-by allow.txt 20261123-211600-dnstest")
	exportFlags(export, &o)
	limitFlags(export, &o)
	export.Flags().BoolVar(&o.all, "all", false, "apply no rule and no mark: every clean name that was queried")

	restore := verb("restore [REMOTE:][NETWORK]", "Put back what a killed run left behind on a bridge", cobra.MaximumNArgs(1), o.restore,
		"lxd-allowlist restore          # every bridge that needs it",
		"lxd-allowlist restore lxdbr0")
	restore.Flags().BoolVar(&o.force, "force", false, "even if a capture seems to be running, or raw.dnsmasq was changed since")

	root.AddCommand(recordCommand(&o), open, export, restore,
		sessionsCommand(),
		verb("formats [NAME]", "List the formats, or all about one of them", cobra.MaximumNArgs(1), formats, "lxd-allowlist formats", "lxd-allowlist formats squid"),
		verbs("explain NAME...", "Say whose a name is, what it is for, and what allowing it would open", cobra.MinimumNArgs(1), explainNames, "lxd-allowlist explain dns.google me.github.io"),
		verb("version", "Print the version", cobra.NoArgs, func(context.Context, string) error {
			_, err := fmt.Println(program())
			return err
		}, "lxd-allowlist version"))
	return root
}

func captureFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.network, "network", "", "the bridge to watch, where the instance is on several")
	f.StringVar(&o.launch, "launch", "", "launch an instance of this image and remove it at the end")
	f.StringVar(&o.user, "user", "", "the user of the shell (default: ubuntu where there is one, else root)")
	f.StringVar(&o.resume, "resume", "", "go on with a session, as `sessions` lists it")
}

// screenFlags are what the screen's export begins with.
func screenFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringSliceVar(&o.plan.Formats, "format", []string{"plain"}, "the list's format, see lxd-allowlist formats; without a screen several, with commas between them")
	f.StringVar(&o.plan.Path, "output", "", "the file to write, or a directory; several formats get a file each")
	f.IntSliceVar(&o.plan.Ports, "ports", nil, "the ports, for formats that name some (default 443,80)")
	f.BoolVar(&o.plan.Reproducible, "reproducible", false, "leave out time, host and session: the same list gives the same file")
}

func exportFlags(c *cobra.Command, o *options) {
	screenFlags(c, o)
	f := c.Flags()
	f.BoolVar(&o.plan.Overwrite, "overwrite", false, "overwrite the file if it exists")
	f.StringArrayVar(&o.suffixes, "suffix", nil, "keep this `name` and everything below it, as one suffix rule; may be repeated")
	f.BoolVar(&o.plan.Merge, "merge", false, "unite the list with that of the file, if it exists")
	f.BoolVar(&o.plan.Strict, "strict", false, "exit with 1 if anything was lost or can't be read, so that names may be missing")
	f.StringVar(&o.plan.CoveredBy, "covered-by", "", "print the names that this list, of any format, doesn't allow, and exit with 1 if there are any; writes only with --output")
	f.StringVar(&o.plan.Diff, "diff", "", "compare with this file, print what came and went, and exit with 1 if anything did; writes only with --output")
}

// limitFlags are what is wanted of a log.
func limitFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "only what this client asked for: an `address`, a prefix, or the instance of a session")
	f.StringVar(&o.since, "since", "", "only from this `time` on: 2026-11-25 10:00, 10:00 for today, 2h for two hours ago")
	f.StringVar(&o.until, "until", "", "only up to this `time`")
}

// only returns what is wanted of a log.
func (o *options) only() (only capture.Only, err error) {
	only.From = o.from
	now := time.Now()
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"--since", o.since, &only.Since}, {"--until", o.until, &only.Until}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = capture.ParseTime(t.text, now); err != nil {
			return only, wrong(fmt.Errorf("%s: %w", t.flag, err))
		}
	}
	return only, nil
}

// check finds what is wrong with the flags before anything is done.
func (o *options) check(instance string) (*output.Output, error) {
	out, err := output.Prepare(o.plan)
	switch {
	case err != nil:
	case o.launch != "" && instance != "":
		err = fmt.Errorf("--launch makes an instance of its own: leave out %s", instance)
	case o.resume != "" && !session.Exists(o.resume):
		err = fmt.Errorf("no session %q: `lxd-allowlist sessions` lists those that exist", o.resume)
	}
	if err != nil {
		return nil, wrong(err)
	}
	return out, nil
}

// keepSuffixes reads the names of --suffix, and returns what has a
// ledger keep them.
func (o *options) keepSuffixes() (func(*capture.Ledger), error) {
	var names []string
	for _, text := range o.suffixes {
		name, err := capture.ParseSuffix(text)
		if err != nil {
			return nil, wrong(fmt.Errorf("--suffix: %w", err))
		}
		names = append(names, name)
	}
	if o.all && len(names) > 0 {
		return nil, wrong(errors.New("--all applies no rule: leave out --suffix"))
	}
	return func(l *capture.Ledger) {
		for _, name := range names {
			l.KeepSuffix(name)
		}
	}, nil
}

// screen returns what the screen is to begin with.
func (o *options) screen(instance, without string) (ui.Options, error) {
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
	lists, err := lists()
	if err != nil {
		return ui.Options{}, err
	}
	config, err := ui.LoadConfig()
	config.LeaveKey = cmp.Or(o.leave, config.LeaveKey)
	return ui.Options{Program: program(), Format: format, Output: o.plan.Path, Export: out.Options(), Lists: lists, Config: config}, err
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
	b := backend.New(remote, o.user, o.config(""))
	s.Backend = b
	if instance != "" || o.launch != "" {
		s.Choice = &ui.Choice{Instance: instance}
	}
	result, err := ui.Run(ctx, s)
	// The screen is gone and its context may be over: the bridge is given back
	// with a fresh one.
	err = errors.Join(err, b.Close(context.WithoutCancel(ctx)))
	if s := b.Session(); s != nil {
		farewell(result, "export", s.Ledger, true)
	}
	return err
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

func (o *options) config(instance string) live.Config {
	return live.Config{Instance: instance, Launch: o.launch, Network: o.network, Resume: o.resume, Program: program()}
}

// farewell says what a run of the screen left behind.
func farewell(r ui.Result, verb string, l *capture.Ledger, kept bool) {
	if r.Wrote != "" {
		fmt.Fprintf(os.Stderr, "wrote %s\n", r.Wrote)
	}
	if !kept {
		fmt.Fprintln(os.Stderr, "nothing was decided, so no session is kept")
		return
	}
	fmt.Fprintf(os.Stderr, "session %s is kept: lxd-allowlist %s %[1]s\n", sessionOf(l), verb)
}

// say writes a sentence for the user, beside the data.
func say(text string) { fmt.Fprintln(os.Stderr, "lxd-allowlist: "+text) }

func sessionOf(l *capture.Ledger) (name string) {
	l.Read(func(r capture.Reader) { name = r.Info().Session })
	return name
}

func recordCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "record INSTANCE -- COMMAND...", Short: "Run a command in an instance and print every domain that it needed",
		Long:    "Captures while a command runs in the instance, without a screen. The exit code is the command's. With the list on standard output, the command's output goes to standard error.",
		Example: "lxd-allowlist record dnstest -- apt-get update\nlxd-allowlist record dnstest --format squid --output allow.txt -- sh /root/install.sh",
		RunE: func(c *cobra.Command, a []string) error {
			at := c.ArgsLenAtDash()
			if at < 0 || at > 1 || at == len(a) || at == 0 && o.launch == "" {
				return wrong(errors.New("record wants an instance, -- and a command"))
			}
			return o.compared(o.record(c.Context(), strings.Join(a[:at], ""), a[at:]))
		},
	}
	captureFlags(c, o)
	exportFlags(c, o)
	c.Flags().DurationVar(&o.silence, "settle", time.Second, "after the command, wait until dnsmasq was silent for this long")
	return c
}

func (o *options) record(ctx context.Context, target string, words []string) (err error) {
	remote, instance := lxd.SplitTarget(target)
	list, err := o.check(instance)
	if err != nil {
		return err
	}
	keepSuffixes, err := o.keepSuffixes()
	if err != nil {
		return err
	}
	server, err := lxd.Connect(ctx, remote)
	if err != nil {
		return err
	}
	defer server.Close()
	if o.resume == "" && instance != "" {
		if k, killed, err := session.KilledOn(server.Name(), instance); err == nil && killed {
			say(fmt.Sprintf("session %s of %s was killed with %s: --resume %[1]s goes on with it", k.Name(), instance, look.Plural(k.Marks, "mark")))
		}
	}
	s, err := live.Start(ctx, server, o.config(instance), func(doing string, done float64) {
		if done < 0 { // a step, not how far one is
			say(doing)
		}
	})
	var left *lxd.LeftoverError
	switch {
	case errors.As(err, &left):
		return fmt.Errorf("%w: lxd-allowlist restore %s", err, left.Network)
	case err != nil:
		return err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for notice := range s.Notices() {
			say(notice)
		}
	}()
	defer func() {
		err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		<-told
	}()
	out := os.Stdout
	if list.Stdout() {
		out = os.Stderr
	}
	code, err := s.Run(ctx, lxd.Command{Args: words, User: o.user, Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr})
	if err != nil && ctx.Err() == nil {
		return err
	}
	s.AwaitSilence(ctx, o.silence)
	if err := o.heard(ctx, s); err != nil {
		if code != 0 {
			err = errors.Join(exit{max(code, exitFailed), errQuiet}, err)
		}
		return err
	}
	keepSuffixes(s.Ledger)
	err = list.Write(s.Ledger.List(false), os.Stdout, os.Stderr)
	if wrote(err) {
		for _, w := range written(list) {
			s.Ledger.Exported(w)
		}
	}
	switch {
	case !wrote(err):
		return fmt.Errorf("%w; the session is kept: lxd-allowlist export %s", err, sessionOf(s.Ledger))
	case code == 127:
		return exit{code, fmt.Errorf("the command ended with 127: there may be no %s in %s", words[0], s.Instance)}
	case code != 0:
		return exit{max(code, exitFailed), errQuiet}
	}
	return err
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

// compared gives an error the code that it has where lists are compared.
func (o *options) compared(err error) error {
	var e exit
	switch {
	case err == output.ErrChanged, err == output.ErrUncovered:
		return exit{exitChanged, errQuiet}
	case err == nil || o.plan.Diff == "" && o.plan.CoveredBy == "" || errors.As(err, &e):
		return err
	}
	return exit{exitTrouble, err}
}

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
		err = list.Write(l.List(o.all), os.Stdout, os.Stderr)
	case errors.As(err, &none) && len(sources) == 1:
		if names, notList := output.ReadList(sources[0]); notList == nil {
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

func (o *options) restore(ctx context.Context, target string) error {
	remote, network := lxd.SplitTarget(target)
	server, err := lxd.Connect(ctx, remote)
	if err != nil {
		return err
	}
	defer server.Close()
	done, err := server.Restore(ctx, network, o.force)
	for _, r := range done {
		if r.Kept {
			say("bridge " + r.Network + " has nothing of ours any more; raw.dnsmasq was changed by somebody else meanwhile, and that stays")
		} else {
			say("bridge " + r.Network + " is as it was before")
		}
	}
	if err == nil && len(done) == 0 {
		fmt.Fprintln(os.Stderr, "lxd-allowlist: nothing to put back")
	}
	return err
}

func sessionsCommand() *cobra.Command {
	c := verb("sessions", "List the sessions that are kept, and what became of each", cobra.NoArgs, sessions, "lxd-allowlist sessions", "lxd-allowlist --resume SESSION dnstest")
	var older string
	var dry bool
	prune := verb("prune --older AGE", "Remove the sessions that nothing was added to for long", cobra.NoArgs,
		func(context.Context, string) error { return pruneSessions(older, dry) },
		"lxd-allowlist sessions prune --older 30d --dry-run", "lxd-allowlist sessions prune --older 4w")
	prune.Flags().StringVar(&older, "older", "", "how long: an `age` such as 30d, 4w or 36h")
	prune.Flags().BoolVar(&dry, "dry-run", false, "remove nothing, and say what would be")
	c.AddCommand(prune, verbs("rm SESSION...", "Remove sessions", cobra.MinimumNArgs(1), removeSessions, "lxd-allowlist sessions rm 20261123-211600-dnstest"))
	return c
}

func sessions(context.Context, string) error {
	all, err := session.List()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tLAST CHANGE\tAGE\tDOMAINS\tMARKS\tSUBJECT\tSTATE")
	for _, s := range all {
		s.Count()
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Name(), s.Modified.Format(time.DateTime), look.Age(time.Since(s.Modified)),
			s.Domains, s.Marks, s.Info.Subject(), s.State())
	}
	return w.Flush()
}

func removeSessions(_ context.Context, names []string) (err error) {
	for _, name := range names {
		if failed := session.Remove(name); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		fmt.Println("removed " + name)
	}
	return err
}

// pruneSessions removes what is older, less what is in use or can't be read,
// and says so of each.
func pruneSessions(older string, dry bool) error {
	age, err := capture.ParseAge(older)
	if err != nil {
		return wrong(fmt.Errorf("--older: %w", err))
	}
	all, err := session.List()
	if err != nil {
		return err
	}
	told := map[bool]string{false: "removed", true: "would remove"}[dry]
	n := 0
	var failed error
	for _, s := range all {
		since := time.Since(s.Modified)
		if since < age {
			continue
		}
		if s.Count(); s.Err != nil || s.InUse {
			fmt.Printf("left %s: %s\n", s.Name(), s.State())
			continue
		}
		if !dry {
			if err := session.Remove(s.Name()); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
		}
		n++
		fmt.Printf("%s %s: %s, %s of %s, %d marked, %s\n", told, s.Name(), s.Info.Subject(), look.Plural(s.Domains, "domain"), s.Modified.Format(time.DateOnly), s.Marks, s.State())
	}
	fmt.Printf("%s %d of %s\n", told, n, look.Plural(len(all), "session"))
	return failed
}

func formats(_ context.Context, name string) error {
	if name == "" {
		return output.ListFormats(os.Stdout)
	}
	f, err := output.Describable(name)
	if err != nil {
		return wrong(err)
	}
	return output.Describe(os.Stdout, f)
}

// lists reads the user's lists of names. What is wrong with them is said.
func lists() (*known.Lists, error) {
	dir, err := session.ListsPath()
	if err != nil {
		return nil, err
	}
	all, err := known.LoadLists(os.DirFS(dir))
	if err != nil {
		for one := range strings.SplitSeq(err.Error(), "\n") {
			say(one)
		}
	}
	return all, nil
}

// explainNames explains all names, or none if one isn't a name.
func explainNames(_ context.Context, texts []string) error {
	var names []string
	for _, text := range texts {
		name, err := explain.Name(text)
		if err != nil {
			return wrong(err)
		}
		names = append(names, name)
	}
	lists, err := lists()
	if err != nil {
		return err
	}
	var lines []string
	for _, name := range names {
		lines = append(lines, explain.Lines(name, lists)...)
	}
	_, err = fmt.Println(strings.Join(lines, "\n"))
	return err
}
