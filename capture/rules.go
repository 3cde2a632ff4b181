package capture

import (
	"cmp"
	"math"
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
	SpecialUse  Rule = "special use"    // no name of the internet's, see [parse.Special]
	SingleLabel Rule = "single label"   // a name without a dot
	SearchList  Rule = "search list"    // a name that was asked for with a search domain behind it
	Answered    Rule = "answered here"  // dnsmasq answered it by itself
	AliasOnly   Rule = "CNAME target"   // never asked for, only an answer's alias
	NoSuchName  Rule = "NXDOMAIN"       // never answered but with NXDOMAIN
	Elsewhere   Rule = "other instance" // asked by others only
	Unwanted    Rule = "not wanted"     // outside of [Only]
	NotListed   Rule = "not allowed"    // see [Ledger.listed]
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
	group, m := l.groupOf(d.Name)
	if text := l.patternOf(d.Name, group); text != "" {
		return Verdict{Keep, ByGroup, cmp.Or(d.Mark.Reason, l.groups[text].Reason, "as all of "+text)}
	}
	if m.Decision != New {
		return Verdict{m.Decision, ByGroup, cmp.Or(d.Mark.Reason, m.Reason, "as all of "+group)}
	}
	if r := l.ruleOn(d.Name); r != nil {
		return Verdict{r.Decision, ByFile, cmp.Or(d.Mark.Reason, r.Reason, r.Pattern)}
	}
	if rule, reason := l.dropRule(d); rule != Undecided {
		return Verdict{Drop, rule, reason}
	}
	return Verdict{New, Undecided, d.Mark.Reason}
}

// listed is the verdict that a list follows. A name that came up under an
// enforced list that didn't allow it, and that nobody has decided about since,
// is undecided to whoever looks, and left out: else that list would grow by
// being enforced.
func (l *Ledger) listed(d *Domain) Verdict {
	v := l.judge(d)
	if v.Decision == New && d.Unlisted {
		return Verdict{Drop, NotListed, "refused while a list was enforced, and undecided"}
	}
	return v
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
	case d.Special == parse.SingleLabel:
		return SingleLabel, "a single label: only a search list makes a name of it"
	case notPublic[d.Special]:
		return SpecialUse, d.Special.String()
	case l.answeredHere(d):
		return Answered, "dnsmasq answered it by itself"
	case d.Outcomes == absent && Reader{l}.Filters() == "":
		return NoSuchName, "nothing but NXDOMAIN"
	}
	if l.unwanted(d) {
		return Unwanted, "asked by others or at other times than is wanted"
	}
	if search := l.searched(d.Name); search != "" {
		return SearchList, "asked for with the search domain " + search + " behind it"
	}
	if owner, only := l.elsewhere(d); only {
		return Elsewhere, "asked by " + owner + " only"
	}
	return Undecided, ""
}

// notPublic are the kinds of names that no application has on the internet.
// Documentation's stand for those that do, a Service's are looked up, and
// Unresolvable ones may be of a network that says otherwise.
var notPublic = [math.MaxUint8 + 1]bool{
	parse.Loopback: true, parse.Multicast: true, parse.HomeNet: true, parse.Onion: true, parse.Internal: true,
	parse.Discovery: true, parse.Canary: true, parse.Browsing: true, parse.Chaos: true,
}

// answeredHere reports whether no upstream ever answered for d but dnsmasq
// itself did: from a hosts file, a lease, its configuration. What it blocks is
// none of these.
func (l *Ledger) answeredHere(d *Domain) bool {
	return d.Origins.Only(parse.Local) && !d.Outcomes.Has(parse.Blocked)
}

// searched returns the domain of the search list that a name has behind it,
// "" if it is none or if nobody asked for the name without it. What stands
// before it has to have a dot: else it may be a host of that domain.
func (l *Ledger) searched(name string) string {
	for _, domain := range l.info.Search {
		short, ok := strings.CutSuffix(name, "."+domain)
		if !ok || !strings.Contains(short, ".") {
			continue
		}
		if id, known := l.lookup(short); known && l.asked(id) {
			return domain
		}
	}
	return ""
}

// elsewhere reports whether every client that asked for d is known not to be
// the instance of this capture, and names one of them. A client whose owner
// is not known yet counts as the instance: better one name too many.
func (l *Ledger) elsewhere(d *Domain) (owner string, only bool) {
	if l.info.Instance == "" {
		return "", false
	}
	clients := l.clientsIn(l.at(d.id))
	for _, n := range clients {
		owner = l.clients[n].Owner
		if owner == "" || owner == l.info.Instance {
			return "", false
		}
	}
	return owner, len(clients) > 0
}

func inDomain(name, domain string) bool {
	above := len(name) - len(domain) - 1 // where the dot before it is
	return domain != "" && strings.HasSuffix(name, domain) && (above < 0 || name[above] == '.')
}
