package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify/enforce"
	"lxd-allowlist/capture/verify/minimize"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// minimizeOptions are the flags of minimize.
type minimizeOptions struct {
	strict, again, json bool
	timeout             time.Duration
}

func minimizeCommand(o *options) *cobra.Command {
	var m minimizeOptions
	c := &cobra.Command{
		Use: "minimize INSTANCE SESSION|LIST -- COMMAND...", Short: "Find by trials which names of a list a command needs",
		Long: "Runs the command again and again with a part of the list enforced, and tells which names are needed, which of several will do, without which it is only slower, and which are optional. A command works if it ends with 0. For each trial the instance is put back from a snapshot and started anew, and at the end once more.\n\n" +
			"The trials are kept in the session, and the same call goes on with them; those with a list that is no session can't be kept. With --output the list of what is needed is written, too. Exit codes are those of verify: 0 it was found; 1 the command fails with the whole list, or isn't steady; 2 the call was wrong, or it could not be done; 3 enforcement could not be proven.",
		Example: "lxd-allowlist minimize dnstest 20261123-211600-dnstest -- sh /root/install.sh\nlxd-allowlist minimize --format squid --output needed.txt dnstest allow.txt -- apt-get update",
		RunE: func(c *cobra.Command, a []string) error {
			if c.ArgsLenAtDash() != 2 || len(a) == 2 {
				return wrong(errors.New("minimize wants an instance, a session or a list, and behind -- a command"))
			}
			if m.timeout < 0 || m.timeout == 0 && c.Flags().Changed("timeout") {
				return wrong(fmt.Errorf("--timeout: %v is no time for a command", m.timeout))
			}
			for _, flag := range []string{"format", "overwrite", "ports", "reproducible"} {
				if o.plan.Path == "" && c.Flags().Changed(flag) {
					return wrong(fmt.Errorf("--%s is of the file that is written: name it with --output", flag))
				}
			}
			return o.minimize(c.Context(), m, a[0], a[1], a[2:])
		},
	}
	screenFlags(c, o)
	toldFlag(c, o)
	f := c.Flags()
	f.BoolVar(&o.plan.Overwrite, "overwrite", false, "overwrite the file if it exists")
	f.StringVar(&o.network, "network", "", "the `bridge`, where the instance is on several")
	f.StringVar(&o.user, "user", "", "the `user` that the command runs as")
	f.BoolVar(&m.strict, "strict", false, "refuse packets, too, that go anywhere but to the addresses of allowed names, and try the addresses that the list has itself")
	f.BoolVar(&m.again, "again", false, "make all trials anew, whatever the session has of them")
	f.BoolVar(&m.json, "json", false, "print what was found as JSON")
	f.DurationVar(&m.timeout, "timeout", 0, "end the command after this long, which counts as failing (default three times as long as with the whole list, and a minute)")
	return c
}

func (o *options) minimize(ctx context.Context, m minimizeOptions, target, from string, words []string) error {
	remote, instance := lxd.SplitTarget(target)
	out, err := output.Prepare(o.plan)
	if err != nil {
		return wrong(err)
	}
	if st, err := os.Stat(o.plan.Path); err == nil && st.Mode().IsRegular() && !o.plan.Overwrite {
		return wrong(fmt.Errorf("%s exists: name another file, or overwrite it with --overwrite", o.plan.Path))
	}
	list, err := readVerifyList(from, m.strict)
	if err != nil {
		return err
	}
	server, err := o.connect(ctx, remote)
	if err != nil {
		return exit{exitTrouble, err}
	}
	defer server.Close()
	if err := enforce.Able(server, instance, m.strict); err != nil {
		return exit{exitTrouble, err}
	}
	t := &trials{
		server: server, instance: instance, network: o.network, rules: list.rules, timeout: m.timeout,
		as:  capture.Trial{Instance: instance, Command: words, User: o.user, Strict: m.strict},
		bar: newBar(os.Stderr), said: new(tail),
	}
	if list.kept {
		t.session = from
	} else {
		say(from + " is no session of the list of sessions: the trials are not kept, and can't be gone on with")
	}
	search := minimize.Search{Groups: groups(list.rules), Try: func(in minimize.Set) (minimize.Outcome, error) { return t.try(ctx, in) }, Progress: t.bar.progress}
	if t.session != "" && !m.again {
		search.Known = t.known(list.ledger)
	}
	found, err := search.Run()
	t.bar.end()
	if failed := t.end(context.WithoutCancel(ctx)); failed != nil {
		return exit{exitTrouble, errors.Join(err, failed)}
	}
	if err != nil {
		return t.why(ctx, err, found.Trials)
	}
	return o.tellFound(m, out, list, found)
}

// groups returns the registrable domain of each rule, the address of one that
// is about that.
func groups(rules []rule.Rule) (all []string) {
	for _, r := range rules {
		group := table.Registrable(r.Name)
		if to, is := r.Endpoint(); is {
			group = to.Prefix.String()
		}
		all = append(all, group)
	}
	return all
}

// known returns the trials of the session that were of the same command and of
// rules that are still on its list.
func (t *trials) known(l *capture.Ledger) (all []minimize.Trial) {
	at := make(map[string]int)
	for i, r := range t.rules {
		at[r.Dotted()] = i
	}
	var last time.Time
	l.Read(func(r capture.Reader) {
		for _, k := range r.Trials() {
			if in, ok := t.setOf(k, at); ok {
				all, last = append(all, minimize.Trial{Set: in, Outcome: minimize.Outcome{Worked: k.Worked, Took: k.Took}}), k.At
			}
		}
	})
	if len(all) > 0 {
		say(fmt.Sprintf("goes on with %s of the session, the last of %s; --again makes them anew", look.Plural(len(all), "trial"), last.Format(time.DateTime)))
	}
	return all
}

// why makes of the error that ended the search what the program ends with.
func (t *trials) why(ctx context.Context, err error, made int) error {
	var unproven *unprovenError
	var left *leftError
	switch {
	case errors.As(err, &left):
	case ctx.Err() != nil:
		goesOn := "the same call goes on with them"
		if t.session == "" {
			goesOn = "they are not kept"
		}
		return exit{exitTrouble, fmt.Errorf("ended after %s, and instance %s is as it was before; %s", look.Plural(made, "trial"), t.instance, goesOn)}
	case errors.As(err, &unproven):
		return exit{exitUnproven, err}
	case errors.Is(err, minimize.ErrWhole), errors.Is(err, minimize.ErrWholeTwice):
		to, end := outlet(os.Stderr)
		_, _ = to.Write(t.said.text())
		end()
		return exit{exitFailed, err}
	case errors.Is(err, minimize.ErrUnsteady):
		return exit{exitFailed, err}
	}
	return exit{exitTrouble, err}
}

// verdict is what was found of a rule.
type verdict struct {
	Rule   string     `json:"rule"`
	Is     string     `json:"is"` // "needed", "either", "slower", "optional"
	Others [][]string `json:"others,omitempty"`
	status minimize.Status
}

var statusWords = map[minimize.Status][2]string{ // for machines, for people
	minimize.Needed:   {"needed", "needed"},
	minimize.Either:   {"either", "either-or with "},
	minimize.Slower:   {"slower", "only slower without"},
	minimize.Optional: {"optional", "optional"},
}

func (v verdict) words() string {
	var others []string
	for _, together := range v.Others {
		others = append(others, strings.Join(together, " and "))
	}
	return statusWords[v.status][1] + strings.Join(others, ", or ")
}

// found is what minimize prints as JSON.
type found struct {
	Rules        []verdict `json:"rules"`
	Needed       []string  `json:"needed"` // rules that suffice
	Trials       int       `json:"trials"`
	Contradicted int       `json:"contradicted"` // trials that did not agree with others
	Whole        []float64 `json:"whole"`        // seconds with the whole list, twice
	Alone        float64   `json:"alone"`        // with Needed alone
	Slow         float64   `json:"slow"`         // more than this counts as slow
}

func (o *options) tellFound(m minimizeOptions, out *output.Output, list verifyList, r minimize.Result) error {
	f := found{
		Trials: r.Trials, Contradicted: r.Contradicted,
		Whole: []float64{r.Whole[0].Seconds(), r.Whole[1].Seconds()}, Alone: r.Alone.Seconds(), Slow: r.Slow.Seconds(),
	}
	needed := rule.List{Header: rule.Header{Program: program(), When: time.Now()}}
	if list.ledger != nil {
		needed.Header = list.ledger.List(false).Header
	}
	for _, s := range []minimize.Status{minimize.Needed, minimize.Either, minimize.Slower, minimize.Optional} {
		for i, one := range list.rules {
			if r.Status[i] != s {
				continue
			}
			v := verdict{Rule: one.String(), Is: statusWords[s][0], status: s}
			for _, together := range r.StandIns[i] {
				var names []string
				for _, j := range together {
					names = append(names, list.rules[j].String())
				}
				v.Others = append(v.Others, names)
			}
			f.Rules = append(f.Rules, v)
			if r.Least.Has(i) {
				f.Needed = append(f.Needed, v.Rule)
				one.Reason = cmp.Or(one.Reason, "found by trials: "+v.words())
				needed.Rules = append(needed.Rules, one)
			}
		}
	}
	to := os.Stdout
	if o.plan.Path != "" && out.Stdout() {
		to = os.Stderr
	}
	if err := f.print(to, m.json); err != nil {
		return err
	}
	f.sum(r)
	if o.plan.Path == "" {
		return nil
	}
	return out.Write(needed, os.Stdout, os.Stderr)
}

func (f found) print(to io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(f)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tIS")
	for _, v := range f.Rules {
		fmt.Fprintf(w, "%s\t%s\n", v.Rule, v.words())
	}
	return w.Flush()
}

// sum says what was found in a few sentences.
func (f found) sum(r minimize.Result) {
	say(fmt.Sprintf("%d of %s suffice, found by %s", len(f.Needed), look.Plural(len(f.Rules), "rule"), look.Plural(f.Trials, "trial")))
	slow := "as fast as"
	if r.Alone > r.Slow {
		slow = "slower than"
	}
	say(fmt.Sprintf("with these alone the command took %s, %s with the whole list: %s and %s; more than %s counts as slow",
		seconds(r.Alone), slow, seconds(r.Whole[0]), seconds(r.Whole[1]), seconds(r.Slow)))
	if f.Contradicted > 0 {
		say(fmt.Sprintf("the command isn't steady: %s did not agree with others, so that a name may be wrongly called needed; --again makes sure", look.Plural(f.Contradicted, "trial")))
	}
}

// seconds writes a time as people say it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// trialOf is a set of rules as a session keeps it.
func (t *trials) trialOf(in minimize.Set, o minimize.Outcome, at time.Time) capture.Trial {
	kept := t.as
	kept.Allowed, kept.Worked, kept.Took, kept.At = []string{}, o.Worked, o.Took, at
	for i, r := range t.rules {
		if in.Has(i) {
			kept.Allowed = append(kept.Allowed, r.Dotted())
		}
	}
	return kept
}

// keep notes a trial in the session, once it is known that this can't be done
// no more.
func (t *trials) keep(k capture.Trial) {
	if t.session == "" {
		return
	}
	if err := session.NoteTrial(t.session, k); err != nil {
		t.bar.say(fmt.Sprintf("%v: what follows can't be gone on with", err))
		t.session = ""
	}
}
