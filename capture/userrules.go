package capture

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// UserRule is a rule of the user's own: it keeps or drops on sight.
type UserRule struct {
	Decision Decision
	// Pattern is a name, ".name" for the name and all below it, "~regexp", a
	// pattern as lists have it, or an address with a port: as it was typed.
	Pattern string
	Reason  string

	on    rule.Rule     // of names, without a regexp: those that it is about
	at    rule.Endpoint // of an address
	match func(name string) bool
	// pattern is what a regexp says that a list can hold, or the pattern that was
	// typed; none for any other, and for what is dropped.
	pattern *rule.Pattern
}

// newUserRule compiles a rule.
func newUserRule(d Decision, pattern, reason string) (r UserRule, err error) {
	r = UserRule{Decision: d, Pattern: pattern, Reason: reason}
	if text, ok := strings.CutPrefix(pattern, "~"); ok {
		if p, is := rule.FromRegexp(text); is && d == Keep {
			r.pattern = &p
		}
		r.match, err = matcher(text)
		return r, err
	}
	if at, err := rule.ParseEndpoint(pattern); err == nil {
		if problem := at.Problem(); problem != "" {
			return r, fmt.Errorf("%q %s", pattern, problem)
		}
		r.at, r.match = at, func(string) bool { return false }
		return r, nil
	}
	if p, is := rule.ParsePattern(strings.ToLower(strings.TrimSuffix(pattern, "."))); is {
		if problem := (rule.Rule{Name: p.Text}).Problem(); problem != "" && d == Keep {
			return r, fmt.Errorf("%q %s", pattern, problem)
		}
		if r.match = p.Matcher(); d == Keep {
			r.pattern = &p
		}
		return r, nil
	}
	if r.on, err = names(pattern); err != nil {
		return r, err
	}
	checked := r.on
	checked.Suffix = checked.Suffix && d == Keep // what is dropped opens nothing
	if problem := checked.Problem(); problem != "" {
		return r, fmt.Errorf("%q %s", pattern, problem)
	}
	name := r.on.Name
	if r.match = func(s string) bool { return s == name }; r.on.Suffix {
		r.match = func(s string) bool { return inDomain(s, name) }
	}
	return r, nil
}

// matcher returns what a regexp matches: names as DNS has them, and where it
// is written in letters that these don't have, as people read them.
func matcher(text string) (func(name string) bool, error) {
	re, err := regexp.Compile("(?i)" + text)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%q is no regular expression: %s in %q", text, wrong.Code, strings.TrimPrefix(wrong.Expr, "(?i)"))
	}
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression: %w", text, err)
	}
	if strings.IndexFunc(text, func(c rune) bool { return c >= utf8.RuneSelf }) < 0 {
		return re.MatchString, nil
	}
	return func(name string) bool { return re.MatchString(cmp.Or(parse.Readable(name), name)) }, nil
}

// names reads a pattern that is no regexp: "name" or ".name", in any alphabet.
func names(pattern string) (rule.Rule, error) {
	_, err := netip.ParseAddr(pattern)
	switch {
	case err == nil: // its problem is told
	case strings.Contains(pattern, "/"):
		return rule.Rule{}, fmt.Errorf("%q is a URL or a path, and DNS knows names only: write the name in it", pattern)
	case strings.Contains(pattern, ":"):
		return rule.Rule{}, fmt.Errorf("%q has a port, and DNS knows names only: write the name without it, or an address, as in 192.0.2.7:443/tcp", pattern)
	case strings.Trim(pattern, ".") == "" || strings.ContainsAny(pattern, "*?<>"):
		return rule.Rule{}, fmt.Errorf("%q is no pattern: write a name, .name for all below it too, or ~regexp", pattern)
	}
	on := rule.FromDotted(strings.TrimSuffix(pattern, "."))
	if on.Name, err = parse.ASCII(on.Name); err != nil {
		return rule.Rule{}, fmt.Errorf("%q is no name: %w", pattern, err)
	}
	on.Name = strings.TrimSuffix(on.Name, ".") // other alphabets have full stops of their own
	return on, nil
}

// ParseSuffix reads the name of a suffix rule, "name" or ".name".
func ParseSuffix(text string) (name string, err error) {
	on, err := names(text)
	on.Suffix = true
	if problem := on.Problem(); err == nil && problem != "" {
		err = fmt.Errorf("%q %s", text, problem)
	}
	return on.Name, err
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\ufeff"

// ReadRules reads rules, one a line; the first that matches a name decides:
//
//	keep .ubuntu.com             # apt mirrors, ticket 4711
//	drop ~^[0-9a-f]{16}\.        # telemetry
//	keep 192.0.2.7:443/tcp       # the licence server, which has no name
//	keep sa<0-99>.blob.example.net
//
// What follows a "#" behind a blank is the reason. Empty lines and those that
// begin with "#" don't count. An error begins with the line's number.
func ReadRules(in io.Reader) ([]UserRule, error) {
	var rules []UserRule
	lines := bufio.NewScanner(in)
	n := 1
	for ; lines.Scan(); n++ {
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, byteOrderMark)
		}
		if line, _ := splitReason(text); line == "" {
			continue
		}
		r, err := ParseRule(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		rules = append(rules, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n, err)
	}
	return rules, nil
}

// comment is where a line's reason begins.
var comment = regexp.MustCompile(`(^|\s)#`)

func splitReason(line string) (text, reason string) {
	if at := comment.FindStringIndex(line); at != nil {
		line, reason = line[:at[0]], line[at[1]:]
	}
	return strings.TrimSpace(line), strings.TrimSpace(reason)
}

// ParseRule reads one rule: a line as [ReadRules] has it.
func ParseRule(line string) (UserRule, error) {
	text, reason := splitReason(line)
	words := strings.Fields(text)
	if len(words) != 2 || ParseDecision(words[0]) == New {
		return UserRule{}, fmt.Errorf("want \"keep PATTERN # reason\" or \"drop PATTERN # reason\", not %q", text)
	}
	return newUserRule(ParseDecision(words[0]), words[1], reason)
}

// String returns the rule as [ParseRule] reads it.
func (r UserRule) String() string {
	line := r.Decision.String() + " " + r.Pattern
	if reason := strings.Join(strings.Fields(r.Reason), " "); reason != "" {
		line += " # " + reason
	}
	return line
}

// Says returns what the rule decides about, in words: its pattern, and beside
// it the name as DNS has it, where that reads otherwise.
func (r UserRule) Says() string {
	what := r.Decision.String() + " " + r.Pattern
	if dotted := r.on.Dotted(); r.on.Name != "" && !strings.EqualFold(strings.TrimSuffix(r.Pattern, "."), dotted) {
		what += " (" + dotted + ")"
	}
	return what
}

// SetRules gives the ledger the user's rules. The verdicts follow.
func (l *Ledger) SetRules(rules []UserRule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules, l.wide, l.places = rules, wideOf(rules), placesOf(rules)
	l.edition++
	for id := ID(0); id < ID(l.n); id++ {
		l.show(id)
		l.breathe(int(id))
	}
	notify(l.decided)
	l.announce()
}

// wideOf returns the rules that are exported as suffix rules, by their names:
// those that keep a name and all below it, unless one before drops all that.
func wideOf(rules []UserRule) map[string]*UserRule {
	wide, dropped := make(map[string]*UserRule), make(map[string]bool)
	for i := range rules {
		r := &rules[i]
		if !r.on.Suffix {
			continue
		}
		name := r.on.Name
		switch {
		case r.Decision == Drop:
			dropped[name] = true
		case wide[name] == nil && !anyAbove(name, func(above string) bool { return dropped[above] }):
			wide[name] = r
		}
	}
	return wide
}

// anyAbove reports whether is holds for a name or one that it is below.
func anyAbove(name string, is func(string) bool) bool {
	for ; name != ""; _, name, _ = strings.Cut(name, ".") {
		if is(name) {
			return true
		}
	}
	return false
}
