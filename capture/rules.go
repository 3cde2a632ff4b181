package capture

import (
	"strings"

	"lxd-allowlist/parse"
)

// Rule names what decided about a domain.
type Rule string

// The rules of the program, in the order in which they are asked. Each drops;
// what none of them drops is new. A person's mark stands above them all.
const (
	ByUser      Rule = "user"
	Undecided   Rule = ""
	Unprintable Rule = "unprintable"    // dnsmasq could not print the name
	Unfit       Rule = "unfit"          // no list can hold the name
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
	if rule, reason := l.dropRule(d); rule != Undecided {
		return Verdict{Drop, rule, reason}
	}
	return Verdict{New, Undecided, d.Mark.Reason}
}

func (l *Ledger) dropRule(d *Domain) (Rule, string) {
	switch {
	case d.Class == parse.Unprintable:
		return Unprintable, "dnsmasq could not print this name"
	case d.Class == parse.Unfit:
		return Unfit, "no list can hold this name"
	case d.Class == parse.Reverse:
		return Reverse, "reverse lookup of an address"
	case inDomain(d.Name, l.info.Domain):
		return Local, "in the bridge's own domain " + l.info.Domain
	case d.Queries == 0:
		return AliasOnly, "never asked for, only the target of a CNAME"
	case d.Outcomes == 1<<parse.NoName:
		return NoSuchName, "there is no such name (NXDOMAIN)"
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
