package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/output"
	"lxd-allowlist/ui"
)

// options are the flags of all verbs.
type options struct {
	network, launch, user, resume, leave string

	plan               output.Plan
	silence            time.Duration
	noWitness          bool
	seen               bool // of record: say what a witness saw of each name
	from, since, until string
	suffixes           []string
	filters            string // what the user knows of the upstream: "yes", "no", "" for nothing
	all, follow, force bool
	formatGiven        bool // on the command line
	readOnly, replay   bool
	told               bool
	speed              int
}

// many is no most number of arguments.
const many = -1

// verbs is a command of so many arguments, with examples of its use.
func verbs(use, short string, least, most int, run func(context.Context, []string) error, examples ...string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: strings.Join(examples, "\n"), Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, a []string) error {
			if err := count(c, a, least, most); err != nil {
				return wrong(err)
			}
			return run(c.Context(), a)
		},
	}
}

// count says what is missing or too much, in the words of the command's use.
func count(c *cobra.Command, a []string, least, most int) error {
	_, takes, _ := strings.Cut(c.Use, " ")
	it := "it" // the program, whose name is in front of the line
	if c.HasParent() {
		it = strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
	}
	switch {
	case len(a) < least:
		return fmt.Errorf("%s wants %s", it, takes)
	case most == 0 && len(a) > 0 && c.HasAvailableSubCommands():
		var names []string
		for _, sub := range c.Commands() {
			names = append(names, sub.Name())
		}
		return fmt.Errorf("%s has no %q: there are %s", it, a[0], strings.Join(names, ", "))
	case most >= 0 && len(a) > most && mistyped(c, a[0]) != "":
		return errors.New(mistyped(c, a[0]))
	case most >= 0 && len(a) > most:
		return fmt.Errorf("%s takes %s: leave out %s", it, cmp.Or(takes, "no argument"), strings.Join(a[most:], " "))
	}
	return nil
}

// inWords returns the error of a flag's value without Go's name for what it
// isn't.
func inWords(err error) error {
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return err
	}
	says := "that is no whole number"
	if errors.Is(number, strconv.ErrRange) {
		says = "that number is too large"
	}
	return errors.New(strings.ReplaceAll(err.Error(), number.Error(), says))
}

// mistyped says which verb may have been meant by a word, "" where none is near.
func mistyped(c *cobra.Command, word string) string {
	near := c.SuggestionsFor(word)
	if c.HasParent() || word == "" || len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("there is no command %q: did you mean %s?", word, strings.Join(near, " or "))
}

// verb is a command of at most one argument.
func verb(use, short string, most int, run func(context.Context, string) error, examples ...string) *cobra.Command {
	return verbs(use, short, 0, most, func(ctx context.Context, a []string) error { return run(ctx, strings.Join(a, "")) }, examples...)
}

// configless are the verbs that the config file changes nothing of: what is
// wrong with it is said and stops none of them. The others read it themselves.
var configless = []string{"export", "minimize", "explain", "formats", "sessions", "prune", "rm", "restore"}

func command() *cobra.Command {
	var o options
	root := verb("lxd-allowlist [REMOTE:][INSTANCE]", "Find every domain an application needs, live, on a real LXD bridge", 1, o.monitor,
		"lxd-allowlist                      # pick an instance",
		"lxd-allowlist dnstest --format squid --output allow.txt",
		"lxd-allowlist --launch ubuntu:24.04 # one that is removed at the end")
	root.Long = "Opens a shell in an instance beside a live table of every domain that is queried on its bridge.\n" +
		"Use the application, mark what is to be kept or dropped, quit, and have the allow-list."
	root.PersistentPreRun = func(c *cobra.Command, _ []string) {
		f := c.Flag("format")
		o.formatGiven = f != nil && f.Changed
		if slices.Contains(configless, c.Name()) {
			if _, err := ui.LoadSettings(); err != nil {
				say(err.Error() + "; " + c.CommandPath() + " takes nothing from it and goes on")
			}
		}
	}
	root.SuggestionsMinimumDistance = 2 // two letters that are swapped
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if word := c.Flags().Arg(0); mistyped(c, word) != "" {
			err = errors.New(mistyped(c, word)) // whose flags these are
		}
		return called(c, wrong(inWords(err)))
	})
	root.Version, root.SilenceErrors, root.SilenceUsage = version, true, true
	root.SetHelpFunc(help)
	captureFlags(root, &o)
	screenFlags(root, &o)
	root.Flags().StringVar(&o.leave, "leave-key", "", "the `chord` that leaves the shell (default: the config file's, else "+ui.DefaultLeaveKey+")")

	open := verbs("open LOG...|SESSION|-", "Prune logs or a session that exists; needs no LXD", 1, many, o.open,
		"lxd-allowlist open /var/log/pihole/pihole.log",
		"lxd-allowlist open --follow /var/log/dnsmasq.log",
		"journalctl -u dnsmasq | lxd-allowlist open -",
		"lxd-allowlist open --replay --speed 20 20261123-211600-dnstest")
	screenFlags(open, &o)
	limitFlags(open, &o)
	open.Flags().BoolVar(&o.follow, "follow", false, "go on reading while the log grows")
	open.Flags().BoolVar(&o.readOnly, "read-only", false, "only look: nothing can be decided, and a session is left as it is, whoever has it open")
	open.Flags().BoolVar(&o.replay, "replay", false, "have a session happen again, in its own time, with a timeline to go to and fro on")
	open.Flags().IntVar(&o.speed, "speed", defaultSpeed, "replay so many `times` as fast as it was")

	demo := verb("demo", "Try the screen on a sample session; needs no LXD, and leaves nothing", 0, func(ctx context.Context, _ string) error { return o.demo(ctx) },
		"lxd-allowlist demo")
	demo.Flags().IntVar(&o.speed, "speed", defaultSpeed, "play so many `times` as fast as it was")

	export := verbs("export LOG...|SESSION|-", "Turn logs or a session into a list, without a screen", 1, many, o.export,
		"lxd-allowlist export /var/log/dnsmasq.log* > allow.txt",
		"lxd-allowlist export --format squid,json --output lists/ 20261123-211600-dnstest",
		"lxd-allowlist export --diff allow.txt 20261123-211600-dnstest # in CI",
		"lxd-allowlist export --covered-by allow.txt 20261123-211600-dnstest")
	exportFlags(export, &o)
	limitFlags(export, &o)
	export.Flags().BoolVar(&o.all, "all", false, "apply no rule and no mark: every clean name that was queried")

	restore := verb("restore [REMOTE:][NETWORK]", "Put back what a killed run left behind, on a bridge or an instance", 1, o.restore,
		"lxd-allowlist restore          # every bridge that needs it",
		"lxd-allowlist restore lxdbr0")
	restore.Flags().BoolVar(&o.force, "force", false, "even if a capture seems to be running, or raw.dnsmasq was changed since")

	toldFlag(restore, &o)

	completes(root, instanceNames)
	root.AddCommand(
		completes(recordCommand(&o), instanceNames, files), completes(verifyCommand(&o), instanceNames, sources, files), completes(minimizeCommand(&o), instanceNames, sources, files),
		completes(open, sources), completes(export, sources), completes(restore, networkNames),
		sessionsCommand(), demo, manCommand(),
		completes(verb("formats [NAME]", "List the formats, or all about one of them", 1, formats, "lxd-allowlist formats", "lxd-allowlist formats squid"), formatNames),
		verbs("explain NAME...", "Say whose a name is, what it is for, and what allowing it would open", 1, many, explainNames, "lxd-allowlist explain dns.google me.github.io"),
		verb("version", "Print the version", 0, func(context.Context, string) error {
			_, err := fmt.Println(program())
			return err
		}, "lxd-allowlist version"))
	for _, c := range append(root.Commands(), root) {
		completesFlags(c)
	}
	return root
}

func captureFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringVar(&o.network, "network", "", "the `bridge` to watch, where the instance is on several")
	f.StringVar(&o.launch, "launch", "", "launch an instance of this `image` and remove it at the end")
	f.StringVar(&o.user, "user", "", "the `user` of the shell (default: ubuntu where there is one, else root)")
	witnessFlag(c, o)
	f.StringVar(&o.resume, "resume", "", "go on with a `session`, as lxd-allowlist sessions lists it")
}

func witnessFlag(c *cobra.Command, o *options) {
	c.Flags().BoolVar(&o.noWitness, "no-witness", false, "don't watch which process asks, what it connects to and what goes round DNS (witness: off in the config file)")
}

func toldFlag(c *cobra.Command, o *options) {
	c.Flags().BoolVar(&o.told, "told", false, "say what LXD is told, as the lxc command that does the same")
}

// screenFlags are what the screen's export begins with.
func screenFlags(c *cobra.Command, o *options) {
	f := c.Flags()
	f.StringSliceVar(&o.plan.Formats, "format", []string{"plain"}, "the list's `format`, see lxd-allowlist formats; without a screen several, with commas between them")
	f.StringVar(&o.plan.Path, "output", "", "the `file` to write, or a directory, with a slash at its end, for a file of each format: lists/squid.domains")
	f.IntSliceVar(&o.plan.Ports, "ports", nil, "the `ports`, for formats that name some (default 443,80)")
	f.BoolVar(&o.plan.Reproducible, "reproducible", false, "leave out time, host and session: the same list gives the same file")
}

func exportFlags(c *cobra.Command, o *options) {
	screenFlags(c, o)
	f := c.Flags()
	f.BoolVar(&o.plan.Overwrite, "overwrite", false, "overwrite the file if it exists")
	f.StringArrayVar(&o.suffixes, "suffix", nil, "keep this `name` and everything below it, as one suffix rule; may be repeated")
	f.BoolVar(&o.plan.Merge, "merge", false, "unite the list with that of the file, if it exists")
	f.BoolVar(&o.plan.Strict, "strict", false, "exit with 1 if anything was lost or can't be read, or the upstream seems to filter, so that names may be missing")
	f.StringVar(&o.filters, "upstream-filters", "", "whether the upstream filters (`yes|no`), where you know: if it does, its NXDOMAIN drops no name; --strict doubts neither")
	f.StringVar(&o.plan.CoveredBy, "covered-by", "", "print the names that this `list`, of any format, doesn't allow, and exit with 1 if there are any; writes only with --output")
	f.StringVar(&o.plan.Diff, "diff", "", "compare with this `file`, print what came and went, and exit with 1 if anything did; writes only with --output")
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
	if !only.Since.IsZero() && !only.Until.IsZero() && only.Since.After(only.Until) {
		return only, wrong(fmt.Errorf("--since %s is later than --until %s: no time is between them", o.since, o.until))
	}
	return only, nil
}

// trust returns what the user says of the upstream's NXDOMAIN.
func (o *options) trust() (capture.Trust, error) {
	switch o.filters {
	case "":
		return capture.TrustAuto, nil
	case "yes":
		return capture.DoubtIt, nil
	case "no":
		return capture.TrustIt, nil
	}
	return "", wrong(fmt.Errorf("--upstream-filters %s: it is yes or no", o.filters))
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

// suffixNames reads the names of --suffix.
func (o *options) suffixNames() (names []string, err error) {
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
	return names, nil
}

// keepSuffixes has a ledger keep the names of --suffix.
func keepSuffixes(l *capture.Ledger, names []string) {
	for _, name := range names {
		l.KeepSuffix(name, "") // ParseSuffix took it
		if !askedBelow(l, name) {
			say(fmt.Sprintf("--suffix %s: nothing of that was asked for; .%[1]s is on the list all the same", name))
		}
	}
}

// askedBelow reports whether a name or one below it was asked for.
func askedBelow(l *capture.Ledger, name string) (found bool) {
	l.Read(func(r capture.Reader) {
		for id := 0; id < r.Len() && !found; id++ {
			d := r.Domain(capture.ID(id))
			found = d.Queries > 0 && (d.Name == name || strings.HasSuffix(d.Name, "."+name))
		}
	})
	return found
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
