package table

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/look"
)

// filter is what the user typed, compiled. A row is shown when every term
// agrees. The zero filter shows all.
type filter struct {
	text  string
	terms []condition
	// words and patterns are what is highlighted in the names.
	words    []string
	patterns []*regexp.Regexp
	// timed is set where the time alone changes what is shown.
	timed bool
	// facts is set where a term looks at more than the name.
	facts bool
	err   error // what is wrong with the text: it matches nothing then
}

// candidate is what a term looks at.
type candidate struct {
	*Row
	way *capture.Bypass // instead of a domain, with a name that says all of it
}

type condition func(candidate) bool

// filterKey is a word that stands before a colon in a filter.
type filterKey struct {
	name string
	// always are values that there are whatever was asked, as they are
	// written; more are in the census. wants says in words what they are.
	always []string
	wants  string
	// values calls yield with each value that a row has, nil where these are
	// no words.
	values func(d *Row, yield func(string))
	// some reports whether any row may have a value; nil for yes.
	some func(r capture.Reader, p *verify.Policy) bool
	// compile returns the term of a value that is one of the key's; nil where
	// a row is to have it, or one that contains it.
	compile func(f *filter, value string) (condition, error)
	// way reports whether a way round has the value; nil for none has.
	way func(c candidate, value string) bool
}

var filterKeys = []filterKey{
	{name: "is", always: []string{"new", "out", "keep", "drop", "auto", "resolved-only"}, compile: isTerm,
		values: func(d *Row, yield func(string)) {
			switch {
			case ByRule(d.Verdict):
				yield("auto")
			case d.Out():
				yield("out")
			default:
				yield(d.Verdict.Decision.String())
			}
			if d.r.OnlyResolved(d.id) {
				yield("resolved-only")
			}
		}},
	{name: "type", always: []string{"a", "aaaa", "https", "svcb", "mx", "txt", "srv", "ptr", "ns", "soa", "caa", "any"},
		values: func(d *Row, yield func(string)) {
			for _, t := range d.Types {
				yield(t.Type)
			}
		},
		compile: func(_ *filter, value string) (condition, error) {
			return func(c candidate) bool {
				return slices.ContainsFunc(c.Types, func(t capture.TypeCount) bool { return strings.EqualFold(t.Type, value) })
			}, nil
		}},
	{name: "result", always: []string{"resolved", "no-data", "nxdomain", "servfail", "refused", "error", "blocked", "no-answer", "not-allowed"},
		values: func(d *Row, yield func(string)) { yield(d.Result()) }},
	{name: "from", wants: "an instance or an address that asked",
		values: func(d *Row, yield func(string)) {
			var few [4]string
			for _, o := range d.r.AppendOwners(few[:0], d.Domain) {
				yield(o)
			}
		}},
	{name: "by", wants: "a program that asked or connected, or the command that it descends from",
		values: func(d *Row, yield func(string)) { actorNames(d.r, d.Seen().Actors, yield) }, some: witnessed, way: byWay},
	{name: "port", wants: "a port that was connected to: 443, 443/udp",
		values: func(d *Row, yield func(string)) { portValues(d.Seen().Ports, yield) }, some: witnessed, compile: portTerm, way: portWay},
	{name: "cmd", wants: "words of a command that was entered in the shell, or that a program descends from", values: commandValues,
		some:    func(r capture.Reader, p *verify.Policy) bool { return len(r.Commands()) > 0 || witnessed(r, p) },
		compile: func(_ *filter, value string) (condition, error) { return commandTerm(value), nil }, way: commandWay},
	{name: "seen", wants: "a time such as 30s, 5m, 2h", compile: seenTerm},
	{name: "state", always: stateValues(),
		values: func(d *Row, yield func(string)) {
			if d.policy != nil {
				state, _, _ := d.State()
				yield(state.String())
			}
		},
		some: func(_ capture.Reader, p *verify.Policy) bool { return p != nil }},
}

func witnessed(r capture.Reader, _ *verify.Policy) bool { return r.AnyWitnessed() }

func stateValues() (all []string) {
	for _, word := range stateWords {
		all = append(all, dashed(word))
	}
	return all
}

// FilterHelp is the filter's language, for the help.
var FilterHelp = [][2]string{
	{"word", "names that contain it"},
	{"!word", "names that don't"},
	{"~regexp", "names that match it"},
	{"is:new", "or is:out, keep, drop, auto"},
	{"type:https", "asked with that type"},
	{"result:nx", "answered like that"},
	{"from:web", "asked by that instance"},
	{"by:apt", "asked by that program"},
	{"port:443", "connected to that port"},
	{"is:resolved-only", "asked, never used"},
	{"cmd:apt", "of that command"},
	{"seen:5m", "asked within that time"},
	{"state:unused", "under an enforced list"},
}

// compileFilter returns the filter of a text. Values that are no words of the
// filter's own are looked for in the census; nil for none was made yet.
func compileFilter(text string, c census) filter {
	f := filter{text: text}
	for _, word := range strings.Fields(text) {
		not := strings.HasPrefix(word, "!")
		t, err := f.compile(strings.TrimPrefix(word, "!"), not, c)
		switch {
		case err != nil:
			f.err = err
			return f
		case not:
			f.terms = append(f.terms, func(c candidate) bool { return !t(c) })
		default:
			f.terms = append(f.terms, t)
		}
	}
	return f
}

func (f *filter) compile(word string, not bool, c census) (condition, error) {
	name, value, tagged := strings.Cut(word, ":")
	switch {
	case strings.HasPrefix(word, "~"):
		re, err := regexp.Compile("(?i)" + word[1:])
		if err != nil {
			var wrong *syntax.Error
			errors.As(err, &wrong)
			return nil, fmt.Errorf("%s is no regular expression: %s", word[1:], wrong.Code)
		}
		if !not && word != "~" {
			f.patterns = append(f.patterns, re)
		}
		return func(c candidate) bool { return re.MatchString(c.Name) }, nil
	case tagged:
		return f.tagged(name, strings.ToLower(value), c)
	case word == "":
		return nil, errors.New("! wants a word behind it")
	}
	word = strings.ToLower(word)
	if !not {
		f.words = append(f.words, word)
	}
	return func(c candidate) bool { return strings.Contains(c.Name, word) }, nil
}

func (f *filter) tagged(name, value string, c census) (condition, error) {
	at := slices.IndexFunc(filterKeys, func(k filterKey) bool { return k.name == name })
	if at < 0 {
		var names []string
		for _, k := range filterKeys {
			names = append(names, k.name+":")
		}
		return nil, fmt.Errorf("there is no filter %s: there are %s", name, strings.Join(names, ", "))
	}
	k := &filterKeys[at]
	if value == "" {
		return nil, fmt.Errorf("%s: wants %s", name, k.all(c))
	}
	if k.values != nil && name != "is" && !k.has(value, c) {
		return nil, fmt.Errorf("there is no %s:%s: it wants %s", name, value, k.all(c))
	}
	f.timed, f.facts = f.timed || name == "state", true
	term, err := k.term(f, value)
	return func(c candidate) bool {
		if c.way != nil {
			return k.way != nil && k.way(c, value)
		}
		return term(c)
	}, err
}

// term is the term of a value, of domains.
func (k *filterKey) term(f *filter, value string) (condition, error) {
	if k.compile != nil {
		return k.compile(f, value)
	}
	whole := k.name == "state" && slices.Contains(k.always, value) // "unused" has "used" in it
	return func(c candidate) (found bool) {
		k.values(c.Row, func(v string) {
			v = dashed(v)
			found = found || v == value || !whole && strings.Contains(v, value)
		})
		return found
	}, nil
}

// has reports whether any value of the key contains what was typed.
func (k *filterKey) has(value string, c census) bool {
	in := func(v string) bool { return strings.Contains(v, value) }
	switch {
	case k.name == "cmd":
		in = func(line string) bool { return entered(line, value) }
	case k.compile != nil:
		in = func(v string) bool { return v == value }
	}
	if slices.ContainsFunc(k.always, in) || c == nil && k.always == nil {
		return true
	}
	from := k.name
	if from == "cmd" {
		from = enteredLines
	}
	for v := range c[from] {
		if in(v) {
			return true
		}
	}
	return false
}

// all says what values the key has.
func (k *filterKey) all(c census) string {
	if k.wants != "" && len(c[k.name]) == 0 {
		return k.wants
	}
	values := slices.Clone(k.always)
	for _, v := range slices.Sorted(maps.Keys(c[k.name])) {
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return look.Few(values)
}

func seenTerm(f *filter, value string) (condition, error) {
	within, err := time.ParseDuration(value)
	if err != nil {
		return nil, fmt.Errorf("seen:%s is no time: 30s, 5m, 2h", value)
	}
	f.timed = true
	return func(c candidate) bool { return c.now.Sub(c.Last()) <= within }, nil
}

func portTerm(_ *filter, value string) (condition, error) {
	return func(c candidate) (found bool) {
		portValues(c.Seen().Ports, func(v string) { found = found || v == value })
		return found
	}, nil
}

func isTerm(f *filter, value string) (condition, error) {
	verdict := func(ok func(capture.Verdict) bool) (condition, error) {
		return func(c candidate) bool { return ok(c.Verdict) }, nil
	}
	switch value {
	case "new":
		return func(c candidate) bool { return c.Verdict.Decision == capture.New && !c.Out() }, nil
	case "out":
		return func(c candidate) bool { return c.Out() }, nil
	case "keep", "kept":
		return verdict(func(v capture.Verdict) bool { return v.Decision == capture.Keep })
	case "drop", "dropped":
		return verdict(func(v capture.Verdict) bool { return v.Decision == capture.Drop && !ByRule(v) })
	case "auto":
		return verdict(ByRule)
	case "resolved-only":
		f.timed = true // it ends for all once anything was lost
		return func(c candidate) bool { return c.r.OnlyResolved(c.id) }, nil
	}
	if slices.Contains(stateValues(), value) {
		return nil, fmt.Errorf("how a row stands while a list is enforced is state:%s", value)
	}
	return nil, fmt.Errorf("there is no is:%s: it wants new, out, keep, drop, auto, resolved-only", value)
}

// ByRule reports whether a rule of the program's dropped, not a person or a rule
// of theirs.
func ByRule(v capture.Verdict) bool {
	return v.Decision == capture.Drop && v.Rule != capture.ByUser && v.Rule != capture.ByGroup && v.Rule != capture.ByFile
}

// match reports whether a row is shown. What can't be understood shows none: it
// might be any.
func (f *filter) match(c candidate) bool {
	if f.err != nil {
		return false
	}
	for _, t := range f.terms {
		if !t(c) {
			return false
		}
	}
	return true
}

// spans appends which bytes of the name matched: sorted pairs of start and end
// that don't overlap.
func (f *filter) spans(found [][2]int, name string) [][2]int {
	for _, w := range f.words {
		for at := 0; ; {
			i := strings.Index(name[at:], w)
			if i < 0 {
				break
			}
			found = append(found, [2]int{at + i, at + i + len(w)})
			at += i + len(w)
		}
	}
	for _, re := range f.patterns {
		for _, s := range re.FindAllStringIndex(name, -1) {
			found = append(found, [2]int{s[0], s[1]})
		}
	}
	slices.SortFunc(found, func(a, b [2]int) int { return a[0] - b[0] })
	whole := found[:0]
	for _, s := range found {
		if n := len(whole); n > 0 && s[0] <= whole[n-1][1] {
			whole[n-1][1] = max(whole[n-1][1], s[1])
			continue
		}
		whole = append(whole, s)
	}
	return whole
}
