package capture

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// UserRule is a rule of the user's own: it keeps or drops on sight.
type UserRule struct {
	Decision Decision
	// Pattern is a name, ".name" for the name and all below it, or "~regexp".
	Pattern string
	Reason  string

	match func(name string) bool
}

// newUserRule compiles a rule.
func newUserRule(d Decision, pattern, reason string) (UserRule, error) {
	r := UserRule{Decision: d, Pattern: pattern, Reason: reason}
	name := strings.ToLower(strings.TrimSuffix(pattern, "."))
	switch {
	case strings.HasPrefix(pattern, "~"):
		re, err := regexp.Compile("(?i)" + pattern[1:])
		if err != nil {
			return r, fmt.Errorf("%s is no regular expression: %w", pattern[1:], err)
		}
		r.match = re.MatchString
	case strings.Trim(name, ".") == "" || strings.ContainsAny(name, "*?/"):
		return r, fmt.Errorf("%q is no pattern: write a name, .name for all below it too, or ~regexp", pattern)
	case strings.HasPrefix(name, "."):
		r.match = func(s string) bool { return inDomain(s, name[1:]) }
	default:
		r.match = func(s string) bool { return s == name }
	}
	return r, nil
}

// ReadRules reads rules, one a line; the first that matches a name decides:
//
//	keep .ubuntu.com             # apt mirrors, ticket 4711
//	drop ~^[0-9a-f]{16}\.        # telemetry
//
// What follows " #" is the reason. Empty lines and those that begin with "#"
// don't count. An error begins with the line's number.
func ReadRules(in io.Reader) ([]UserRule, error) {
	var rules []UserRule
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if text, _, _ := strings.Cut(" "+lines.Text(), " #"); strings.TrimSpace(text) == "" {
			continue
		}
		r, err := ParseRule(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		rules = append(rules, r)
	}
	return rules, lines.Err()
}

// ParseRule reads one rule: a line as [ReadRules] has it.
func ParseRule(text string) (UserRule, error) {
	rule, reason, _ := strings.Cut(" "+text, " #")
	words := strings.Fields(rule)
	if len(words) != 2 || ParseDecision(words[0]) == New {
		return UserRule{}, fmt.Errorf("want \"keep PATTERN # reason\" or \"drop PATTERN # reason\", not %q", strings.TrimSpace(rule))
	}
	return newUserRule(ParseDecision(words[0]), words[1], strings.TrimSpace(reason))
}

// String returns the rule as [ParseRule] reads it.
func (r UserRule) String() string {
	line := r.Decision.String() + " " + r.Pattern
	if reason := strings.Join(strings.Fields(r.Reason), " "); reason != "" {
		line += " # " + reason
	}
	return line
}

// SetRules gives the ledger the user's rules. The verdicts follow.
func (l *Ledger) SetRules(rules []UserRule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = rules
	l.edition++
	for id := range l.domains {
		l.show(ID(id))
		l.breathe(id)
	}
	l.announce()
}
