// Package rule says what a rule of an allow-list means: an exact name, a name
// and everything below it, or an address with a port. No format knows more than
// this.
//
//	List --Compile--> Compiled --Hold--> what one target can hold
//	        |                     |
//	        Refused               Refused
//
// Names are hostile until [Compile] has passed them. A format takes a
// [Compiled] only, and nothing but Compile makes one, so that no other name
// can reach a file.
package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule allows one name, or one name and everything below it, or an [Endpoint]:
// what a person kept that was reached without a name; or names of a [Pattern].
type Rule struct {
	Name   string // normalised: lower case, no trailing dot; of an endpoint and a pattern as they are written
	Suffix bool   // the names below are meant, too
	// Apex says of a compiled suffix that its own name was on the list as well,
	// and isn't known to have no address: for targets where a name without one
	// does harm.
	Apex bool
	// Below says of a suffix that was read from a file that the file allows
	// what is below its name and not the name itself.
	Below  bool
	Reason string // why, in a person's words
	Source string // who says so: "user", "observed"
	Seen   *Seen  // the evidence, nil for none
}

// Kind returns "exact", "suffix", "address" or "pattern".
func (r Rule) Kind() string {
	if r.Suffix {
		return "suffix"
	}
	if _, is := r.Endpoint(); is {
		return "address"
	}
	if _, is := r.Pattern(); is {
		return "pattern"
	}
	return "exact"
}

// Endpoint returns what a rule is about that is about no name; false for one
// that is. A name has no colon, so that neither is ever taken for the other.
func (r Rule) Endpoint() (at Endpoint, is bool) {
	if r.Suffix || !strings.Contains(r.Name, ":") {
		return at, false
	}
	at, err := ParseEndpoint(r.Name)
	return at, err == nil && at.String() == r.Name
}

// Absent reports whether all that is known of the name is that there is no such
// name.
func (r Rule) Absent() bool { return r.Seen != nil && r.Seen.Outcome == "NXDOMAIN" }

// Covers reports whether the rule is about a name, normalised as its own.
func (r Rule) Covers(name string) bool {
	if p, is := r.Pattern(); is {
		return p.Matcher()(name)
	}
	return name == r.Name || r.Suffix && strings.HasSuffix(name, "."+r.Name)
}

// Dotted writes a rule as [FromDotted] reads it: a suffix with a dot before it.
func (r Rule) Dotted() string {
	if r.Suffix {
		return "." + r.Name
	}
	return r.Name
}

// FromDotted reads what [Rule.Dotted] wrote.
func FromDotted(s string) Rule {
	name, suffix := strings.CutPrefix(s, ".")
	return Rule{Name: name, Suffix: suffix}
}

// String writes a rule as a plain list does: a suffix with a dot before it.
// What no list can hold is quoted, so that it is fit for a terminal.
func (r Rule) String() string {
	s := r.Dotted()
	if r.Problem() != "" {
		return strconv.Quote(s)
	}
	return s
}

// Seen is what was observed of a rule's names.
type Seen struct {
	Queries     uint64 // of an endpoint: connections
	Outcome     string // "resolved", "NXDOMAIN"
	Instances   []string
	First, Last time.Time
	Types       []string // query types: "A", "HTTPS"

	// What a witness saw, see Watched.
	Programs []string // that asked or connected: paths
	Ports    []Port   // that were connected to, or may have been
	Servers  []string // server names that were seen there and are none of the rule's
	// Watched says that it was watched from the first query on and nothing was
	// lost, so that there were no other ports; Unused that there was no
	// connection at all: it was only resolved.
	Watched, Unused bool
}

// Port is one that was connected to.
type Port struct {
	Number   uint16
	Protocol string // "tcp", "udp"
}

// String returns "443/tcp".
func (p Port) String() string { return strconv.Itoa(int(p.Number)) + "/" + p.Protocol }

// ParsePort reads what String wrote.
func ParsePort(text string) (Port, error) {
	digits, protocol, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || protocol == "" {
		return Port{}, fmt.Errorf("%q is no port: write 443/tcp", text)
	}
	return Port{uint16(n), protocol}, nil
}

// Merge returns what both say together. It changes neither.
func (s *Seen) Merge(t *Seen) *Seen {
	if s == nil {
		return t
	}
	if t == nil {
		return s
	}
	m := &Seen{
		Queries:   s.Queries + t.Queries,
		Outcome:   cmp.Or(s.Outcome, t.Outcome),
		Instances: union(s.Instances, t.Instances),
		Types:     union(s.Types, t.Types),
		First:     s.First,
		Last:      s.Last,
		Programs:  union(s.Programs, t.Programs),
		Servers:   union(s.Servers, t.Servers),
		Watched:   s.Watched && t.Watched,
		Unused:    s.Unused && t.Unused,
	}
	m.Ports = slices.Concat(s.Ports, t.Ports)
	slices.SortFunc(m.Ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Protocol, b.Protocol))
	})
	m.Ports = slices.Compact(m.Ports)
	if m.First.IsZero() || !t.First.IsZero() && t.First.Before(m.First) {
		m.First = t.First
	}
	if t.Last.After(m.Last) {
		m.Last = t.Last
	}
	return m
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// List is what is to be exported.
type List struct {
	Rules []Rule
	// Aliases are names that were seen only as the target of a CNAME. Hardly
	// any target needs them; json lists them apart.
	Aliases []string
	Header  Header
	// Doubts says in sentences why there may have been names that the list
	// doesn't have; LeftOut how many it leaves out and why, "" for none.
	Doubts  []string
	LeftOut string
	// Overruled are names and addresses that a person dropped, and that a suffix
	// rule or a prefix of the list allows all the same.
	Overruled []string
}

// Wider says how many suffixes come from a file that has them as "*.h", without
// h itself, "" for none: nearly everywhere a suffix is both.
func (l List) Wider() string {
	var wide []Rule
	for _, r := range l.Rules {
		if r.Suffix && r.Below {
			wide = append(wide, r)
		}
	}
	switch ByDomain(wide); len(wide) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("*.%s was read: as a suffix rule it allows %[1]s itself, too", wide[0].Name)
	}
	return fmt.Sprintf("*.%s and %d more were read: as suffix rules they allow the names themselves, too", wide[0].Name, len(wide)-1)
}

// Header says where a list comes from. Formats with comments print what is
// set; with neither When nor Host the same rules give the same bytes.
type Header struct {
	Program  string // name and version
	Session  string
	Instance string
	Network  string
	Host     string
	When     time.Time
	Verified Verified
}

// Verified is what came of a list when it was enforced; the zero one says that
// none was.
type Verified struct {
	Verdict string    `json:"verdict"` // "works with this list"
	Level   string    `json:"level"`   // what was refused: "names", [Strictly]
	Digest  string    `json:"digest"`  // of the list, see [Digest]
	At      time.Time `json:"at"`

	// What follows is the report's, and was not always noted: Took is 0 then.
	Took     time.Duration `json:"took,omitempty"`     // nanoseconds
	Proven   bool          `json:"proven,omitempty"`   // what the list refuses was tried from inside, and was refused each time
	Proofs   int           `json:"proofs,omitempty"`   // how often it was tried
	Queries  int           `json:"queries,omitempty"`  // all
	Used     int           `json:"used,omitempty"`     // rules
	Unused   int           `json:"unused,omitempty"`   // rules
	Blocked  int           `json:"blocked,omitempty"`  // names and addresses, expected ones and late ones among them
	Expected int           `json:"expected,omitempty"` // that are to be blocked
	Late     int           `json:"late,omitempty"`     // that were allowed meanwhile
	Versions string        `json:"versions,omitempty"` // "lxd 5.0.2, dnsmasq 2.90"
}

// Levels of enforcing: Strictly is that at which packets are refused, too, Learning
// at which nothing is, Bridgewide where the bridge's dnsmasq refuses names.
const (
	Strictly   = "names and packets"
	Learning   = "learning"
	Bridgewide = "bridge"
)
