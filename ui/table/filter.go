package table

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
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
	err   error // what is wrong with the text; its term is left out
}

// candidate is what a term looks at.
type candidate struct {
	r   capture.Reader
	d   *capture.Domain
	v   capture.Verdict
	now time.Time
	// policy is that of a list that is enforced, nil while none is.
	policy *verify.Policy
}

type condition func(candidate) bool

// FilterHelp is the filter's language, for the help.
var FilterHelp = [][2]string{
	{"word", "names that contain it"},
	{"!word", "names that don't"},
	{"~regexp", "names that match it"},
	{"is:new", "or is:keep, is:drop, auto"},
	{"type:https", "asked with that type"},
	{"result:nx", "answered like that"},
	{"from:web", "asked by that instance"},
	{"cmd:apt", "came up after that command"},
	{"seen:5m", "asked within that time"},
	{"state:unused", "under an enforced list"},
}

func compileFilter(text string) filter {
	f := filter{text: text}
	for _, word := range strings.Fields(text) {
		not := strings.HasPrefix(word, "!")
		t, err := f.compile(strings.TrimPrefix(word, "!"), not)
		switch {
		case err != nil:
			f.err = err
		case t == nil: // half typed
		case not:
			f.terms = append(f.terms, func(c candidate) bool { return !t(c) })
		default:
			f.terms = append(f.terms, t)
		}
	}
	return f
}

func (f *filter) compile(word string, not bool) (condition, error) {
	name, value, tagged := strings.Cut(word, ":")
	switch {
	case strings.HasPrefix(word, "~"):
		re, err := regexp.Compile("(?i)" + word[1:])
		if err != nil {
			return nil, fmt.Errorf("%s is no regular expression", word[1:])
		}
		if !not && word != "~" {
			f.patterns = append(f.patterns, re)
		}
		return func(c candidate) bool { return re.MatchString(c.d.Name) }, nil
	case tagged && value == "":
		return nil, nil
	case tagged:
		return f.tagged(name, strings.ToLower(value))
	case word == "":
		return nil, nil
	}
	word = strings.ToLower(word)
	if !not {
		f.words = append(f.words, word)
	}
	return func(c candidate) bool { return strings.Contains(c.d.Name, word) }, nil
}

func (f *filter) tagged(name, value string) (condition, error) {
	switch name {
	case "is":
		return isTerm(value)
	case "type":
		return func(c candidate) bool {
			return slices.ContainsFunc(c.d.Types, func(t capture.TypeCount) bool { return strings.EqualFold(t.Type, value) })
		}, nil
	case "result":
		return func(c candidate) bool { return strings.Contains(strings.ToLower(c.d.Result()), value) }, nil
	case "from":
		return func(c candidate) bool {
			return slices.ContainsFunc(c.r.Owners(c.d), func(o string) bool { return strings.Contains(strings.ToLower(o), value) })
		}, nil
	case "cmd":
		return commandTerm(value), nil
	case "state":
		f.timed = true
		return func(c candidate) bool {
			s, _, _ := Row{Domain: c.d, Verdict: c.v, r: c.r, now: c.now, policy: c.policy}.State()
			return c.policy != nil && strings.Contains(s.String(), value)
		}, nil
	case "seen":
		within, err := time.ParseDuration(value)
		if err != nil {
			return nil, fmt.Errorf("seen:%s is no time: 30s, 5m, 2h", value)
		}
		f.timed = true
		return func(c candidate) bool { return c.now.Sub(c.d.Last()) <= within }, nil
	}
	return nil, fmt.Errorf("there is no filter %s: (is, type, result, from, cmd, seen, state)", name)
}

func isTerm(value string) (condition, error) {
	verdict := func(ok func(capture.Verdict) bool) (condition, error) {
		return func(c candidate) bool { return ok(c.v) }, nil
	}
	switch value {
	case "new":
		return verdict(func(v capture.Verdict) bool { return v.Decision == capture.New })
	case "keep", "kept":
		return verdict(func(v capture.Verdict) bool { return v.Decision == capture.Keep })
	case "drop", "dropped":
		return verdict(func(v capture.Verdict) bool { return v.Decision == capture.Drop })
	case "auto":
		return verdict(func(v capture.Verdict) bool { return byRule(v) })
	}
	return nil, fmt.Errorf("there is no is:%s (new, keep, drop, auto)", value)
}

// byRule reports whether a rule dropped, not a person here and now.
func byRule(v capture.Verdict) bool {
	return v.Decision == capture.Drop && v.Rule != capture.ByUser && v.Rule != capture.ByGroup
}

func (f *filter) match(c candidate) bool {
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
