// Package explain says in lines for people what is known of a name: whose it
// is, what it is for, and what the rules that could allow it would open.
package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/export/rule/psl"
	"lxd-allowlist/parse"
)

// Name normalises a name as a person gives it: in any case, with letters
// beyond ASCII, with a dot at its end, or before it as a suffix rule has.
func Name(text string) (string, error) {
	bare := strings.TrimPrefix(text, ".")
	if _, err := netip.ParseAddr(bare); err == nil {
		return "", fmt.Errorf("%.200q is an address, not a name", text)
	}
	if strings.Contains(bare, "/") {
		return "", fmt.Errorf("%.200q is a URL or a network, not a name: give the host name alone", text)
	}
	return known.Name(bare)
}

// Lines explains a normalised name:
//
//	paste.ubuntu.com
//	  reads   what people read in it, where that is something else
//	  entry   paste.ubuntu.com, paste or file drop
//	  whose   Canonical
//	  for     texts of anyone
//	  source  https://paste.ubuntu.com/
//	  domain  ubuntu.com, below the public suffix com
//	  rule    paste.ubuntu.com: paste.ubuntu.com is a paste or file drop of Canonical and …
//	  list    ads:7: paste.ubuntu.com
//	  kept    by a pattern of the rules file: paste<0-9>.ubuntu.com (ticket 4711)
//
// There is an entry for all that the table has of the name, and a rule for the
// very name, for all below it, for its registrable domain, and for the pattern
// that keeps it, nil if there is none.
func Lines(name string, lists *known.Lists, by *rule.Rule) []string {
	lines := []string{name}
	say := func(key, text string) { lines = append(lines, line(key, text)) }
	if text := parse.Readable(name); text != "" {
		say("reads", text)
	}
	facts := known.Of(name)
	for _, f := range facts {
		say("entry", f.Dotted()+", "+f.Kind.String())
		say("whose", f.Owner)
		say("for", f.For)
		say("source", f.Source)
	}
	if len(facts) == 0 {
		say("entry", "none: the table of known names lacks it")
	}
	domain, about := registrable(name)
	say("domain", about)
	rules := []rule.Rule{{Name: name}, {Name: name, Suffix: true}}
	if domain != name && domain != "" {
		rules = append(rules, rule.Rule{Name: domain, Suffix: true})
	}
	if by != nil {
		rules = append(rules, *by)
	}
	for _, r := range rules {
		say("rule", r.Dotted()+": "+opens(r))
	}
	for _, m := range lists.Of(name) {
		say("list", m.String())
	}
	if by != nil {
		text := "by a pattern of the rules file: " + by.Name
		if by.Reason != "" {
			text += " (" + by.Reason + ")"
		}
		say("kept", text)
	}
	return lines
}

// Pattern explains a pattern: what it matches, and what it would open.
func Pattern(p rule.Pattern) []string {
	return []string{p.Text, line("matches", p.Regexp), line("rule", p.Text+": "+opens(rule.Rule{Name: p.Text}))}
}

func line(key, text string) string { return fmt.Sprintf("  %-7s %s", key, text) }

// opens says what a rule would open.
func opens(r rule.Rule) string {
	if problem := r.Problem(); problem != "" {
		return "refused, since it " + problem
	}
	if warning := r.Warning(); warning != "" {
		return warning
	}
	if _, is := r.Pattern(); is {
		return "allows what it matches, whoever has it; nobody else is known to"
	}
	if r.Suffix {
		return "allows the names below, too; none is known that leads elsewhere"
	}
	return "allows this name alone"
}

// registrable returns the domain that somebody registered to have the name, ""
// if there is none, and words about it.
func registrable(name string) (domain, about string) {
	suffix, registry := psl.PublicSuffix(name)
	domain = rule.Registrable(name)
	switch {
	case domain != "" && registry:
		return domain, domain + ", below the public suffix " + suffix
	case domain != "" && !strings.Contains(suffix, "."):
		return domain, domain + ", below " + suffix + ", which no registry has"
	case domain == "" && suffix != name:
		return "", "none: nobody can register a name below " + suffix
	case domain != "":
		return domain, domain + ", below the public suffix " + suffix + ": anyone can have a name there"
	case strings.Contains(name, ".") || registry:
		return "", "none: " + name + " is a public suffix, and anyone can have a name below it"
	}
	return "", "none: " + name + " is a single label"
}
