package capture

import (
	"cmp"
	"strings"

	"lxd-allowlist/parse"
)

// Rule names what decided about a domain.
type Rule string

// The rules, in the order in which they are asked; what none of them decides
// is new. Those of the program drop. A person's mark stands above them all,
// but nothing keeps a name that no list can hold.
const (
	ByUser      Rule = "user"
	Undecided   Rule = ""
	Unprintable Rule = "unprintable"    // dnsmasq could not print the name
	Unfit       Rule = "unfit"          // no list can hold the name
	ByGroup     Rule = "group"          // a person decided about all names below one
	ByFile      Rule = "rules file"     // see [ReadRules]
	Reverse     Rule = "reverse lookup" // in-addr.arpa, ip6.arpa
	Local       Rule = "local domain"   // the bridge's own domain
	AliasOnly   Rule = "CNAME target"   // never asked for, only an answer's alias
	NoSuchName  Rule = "NXDOMAIN"       // never answered but with NXDOMAIN
	Elsewhere   Rule = "other instance" // asked by others only
)

// judge returns the verdict in force for d: derived, never stored, so that it
// follows the facts as they come in.
func (l *Ledger) judge(d *Domain) Verdict {
	if d.Mark.Decision != New {
		return Verdict{d.Mark.Decision, ByUser, d.Mark.Reason}
	}
	switch d.Class {
	case parse.Unprintable:
		return Verdict{Drop, Unprintable, "dnsmasq could not print this name"}
	case parse.Unfit:
		return Verdict{Drop, Unfit, "no list can hold this name"}
	}
	if group, m := l.groupOf(d.Name); m.Decision != New {
		return Verdict{m.Decision, ByGroup, cmp.Or(d.Mark.Reason, m.Reason, "as all of "+group)}
	}
	for i := range l.rules {
		if r := &l.rules[i]; r.match(d.Name) {
			return Verdict{r.Decision, ByFile, cmp.Or(d.Mark.Reason, r.Reason, r.Pattern)}
		}
	}
	if rule, reason := l.dropRule(d); rule != Undecided {
		return Verdict{Drop, rule, reason}
	}
	return Verdict{New, Undecided, d.Mark.Reason}
}

// groupOf returns the mark of the nearest group that a name is in.
func (l *Ledger) groupOf(name string) (group string, m Mark) {
	if len(l.groups) == 0 {
		return "", Mark{}
	}
	for group = name; group != ""; _, group, _ = strings.Cut(group, ".") {
		if m := l.groups[group]; m.Decision != New {
			return group, m
		}
	}
	return "", Mark{}
}

func (l *Ledger) dropRule(d *Domain) (Rule, string) {
	switch {
	case d.Class == parse.Reverse:
		return Reverse, "reverse lookup"
	case inDomain(d.Name, l.info.Domain):
		return Local, "in the bridge's own domain " + l.info.Domain
	case d.Queries == 0:
		return AliasOnly, "only the target of a CNAME"
	case d.Outcomes == 1<<parse.NoName:
		return NoSuchName, "nothing but NXDOMAIN"
	}
	if owner, only := l.elsewhere(d); only {
		return Elsewhere, "asked by " + owner + " only"
	}
	return Undecided, ""
}

// elsewhere reports whether every client that asked for d is known not to be
// the instance of this capture, and names one of them. A client whose owner
// is not known yet counts as the instance: better one name too many.
func (l *Ledger) elsewhere(d *Domain) (owner string, only bool) {
	if l.info.Instance == "" || len(d.clients) == 0 {
		return "", false
	}
	for _, n := range d.clients {
		owner = l.clients[n].Owner
		if owner == "" || owner == l.info.Instance {
			return "", false
		}
	}
	return owner, true
}

func inDomain(name, domain string) bool {
	return domain != "" && (name == domain || strings.HasSuffix(name, "."+domain))
}
