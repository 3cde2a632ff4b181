package verify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/export/rule"
)

// Report is what came of enforcing a list.
type Report struct {
	Program  string    `json:"program"`            // name and version
	Server   string    `json:"server,omitempty"`   // LXD's version
	Resolver string    `json:"resolver,omitempty"` // dnsmasq's version
	Host     string    `json:"host,omitempty"`
	Instance string    `json:"instance"`
	Network  string    `json:"network"`
	Level    string    `json:"level"` // "names", "names and packets", "learning", "bridge"
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Command  []string  `json:"command,omitempty"`
	ExitCode *int      `json:"exit_code,omitempty"` // the command's; nil without one, or where it isn't known

	List    ListID   `json:"list"`
	Queries int      `json:"queries"`
	Proofs  []Proof  `json:"proofs"`
	Verdict Verdict  `json:"verdict"`
	Why     []string `json:"why,omitempty"` // of a verdict that isn't Works

	Rules   []RuleResult   `json:"rules"`
	Blocked []NameResult   `json:"blocked"`
	Packets []PacketResult `json:"packets,omitempty"`
	Servers []ServerResult `json:"servers,omitempty"`
	Notes   []string       `json:"notes,omitempty"`

	unrunnable string // see About
	lossy      bool   // packets came too fast, so that the notes say how many are missing
}

// Learning reports whether nothing was refused.
func (r *Report) Learning() bool { return r.Level == rule.Learning }

// Result is the report in short, for the head of the list that was enforced.
func (r Report) Result() rule.Verified {
	v := rule.Verified{
		Verdict: string(r.Verdict), Level: r.Level, Digest: r.List.Digest, At: r.Ended, Took: r.Ended.Sub(r.Started),
		Proven: r.Proven(), Proofs: len(r.Proofs), Queries: r.Queries,
		Blocked: len(r.Blocked) + len(r.Packets), Late: r.late(), Versions: strings.Join(r.versions()[1:], ", "),
	}
	v.Expected = v.Blocked - len(r.Unexpected())
	for _, s := range r.Rules {
		switch {
		case s.State == notKnown || s.State == takenAway:
		case s.Queries+s.Connections > 0:
			v.Used++
		default:
			v.Unused++
		}
	}
	return v
}

// versions returns those of the program, and of LXD and dnsmasq where they are
// known.
func (r *Report) versions() []string {
	all := []string{r.Program}
	for _, v := range []string{r.Server, r.Resolver} {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}

// Proof says whether the list was in force at a time: something that it
// refuses was tried from inside the instance, and was refused.
type Proof struct {
	At     time.Time `json:"at"`
	Tried  string    `json:"tried"` // "the name x.example.com", "the address 192.0.2.1"
	Proven bool      `json:"proven"`
	Why    string    `json:"why,omitempty"` // it isn't
}

// ListID says which list was enforced.
type ListID struct {
	Name   string `json:"name"`                      // the file or session that it is from
	Digest string `json:"digest"`                    // see [rule.Digest]: of what was in force at the end
	Begun  string `json:"digest_at_start,omitempty"` // where the list was changed meanwhile
	Rules  int    `json:"rules"`
}

// RuleResult is what became of a rule.
type RuleResult struct {
	Rule    string `json:"rule"`  // a suffix with a dot before it
	State   string `json:"state"` // as [RuleState.State] has it, or "not known"
	Queries int    `json:"queries,omitempty"`
	// Connections are those to an address.
	Connections int        `json:"connections,omitempty"`
	First       *time.Time `json:"first,omitempty"`
	Last        *time.Time `json:"last,omitempty"`
}

// noName stands for the name of queries that have none that can be read.
const noName = "(no name)"

// NameResult is what became of a name that was refused.
type NameResult struct {
	Name     string    `json:"name"` // "(no name)" for queries that have none that can be read
	Types    []string  `json:"types"`
	Times    int       `json:"times"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Expected bool      `json:"expected"`
	// Reason says why it is expected, or why it was refused whatever the list
	// says.
	Reason string     `json:"reason,omitempty"`
	Late   *time.Time `json:"allowed_late,omitempty"`
	// Temporary says that it was let through for a time only.
	Temporary bool `json:"temporary,omitempty"`
	// By are the programs that asked for it, none where they are not known.
	By []string `json:"by,omitempty"`
}

// PacketResult is what became of packets that were refused.
type PacketResult struct {
	To    string    `json:"to"` // address, port and protocol: "192.0.2.1:443/tcp"
	Times int       `json:"times"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Expected is said of what is for nobody outside of the bridge, and of an
	// address that only names had which are to be refused: Names, Reason saying
	// why the first one is.
	Expected bool     `json:"expected"`
	Names    []string `json:"names,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	// Servers are the names that the beginnings of QUIC connections were for. A
	// refused connection of TCP has none: it never gets to say one.
	Servers []string `json:"server_names,omitempty"`
	// By are the programs that sent them, none where they are not known.
	By []string `json:"by,omitempty"`
}

// ServerResult is a server whose name the list doesn't have, and that was
// reached at an address of a name that it has.
type ServerResult struct {
	Name  string    `json:"name"`
	At    string    `json:"at"` // address and port
	Times int       `json:"times"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// About is what a report says that an enforcement doesn't know.
type About struct {
	Program, Server, Resolver, Host, List string
	Command                               []string
	ExitCode                              *int
	Unrunnable                            string // why the command could not be run; "" where it could
	// Expected says whether a name that was refused is to be, and why: a
	// person dropped it, or a rule that every capture has.
	// nil for none.
	Expected func(name string) (reason string, expected bool)
	// By returns the programs that asked for a name; it may be nil.
	By    func(name string) []string
	Notes []string // besides those of the enforcement
	// Screen says that it is made where names are kept and dropped, and no command
	// line has them.
	Screen bool
}

// Over is what is reported on.
type Over struct {
	Policy            *Policy
	Packets           *Packets
	Addresses         *Addresses // nil where packets aren't refused
	Instance, Network string
	Strict, Learn     bool
	// Bridge says that the bridge's dnsmasq refuses names, so that nobody tells of
	// those that are allowed: Policy has the refused ones alone.
	Bridge       bool
	Begun, Ended time.Time // Ended is zero while it lasts
	Digest       string    // of the rules at the start
	Proofs       []Proof
	Notes        []string
	Lost         uint64 // packets with queries that came too fast to be read
	Unread       int    // connections of TLS that began in more packets than are read
	Untold       uint64 // refused packets, and connections, that came too fast to be told of
}

// NewReport returns what came of it so far.
func NewReport(o Over, about About) Report {
	rules, names, counts := o.Policy.States()
	r := Report{
		Program: about.Program, Server: about.Server, Resolver: about.Resolver, Host: about.Host,
		Instance: o.Instance, Network: o.Network, Level: level(o),
		Started: o.Begun.Round(0), Ended: o.Ended.Round(0), Command: about.Command, ExitCode: about.ExitCode,
		Queries: counts.Queries, Proofs: slices.Clone(o.Proofs), Notes: slices.Concat(o.Notes, about.Notes),
		Rules: []RuleResult{}, Blocked: []NameResult{},
	}
	if r.Ended.IsZero() {
		r.Ended = time.Now().Round(0)
	}
	expected := about.Expected
	if expected == nil {
		expected = func(string) (string, bool) { return "", false }
	}
	var inForce []rule.Rule
	for _, s := range rules {
		if s.Gone.IsZero() {
			inForce = append(inForce, s.Rule)
		}
		result := RuleResult{Rule: s.Rule.Dotted(), State: s.State(), Queries: s.Queries, Connections: s.Connections}
		if o.Bridge {
			result.State = notKnown
		}
		if s.Queries > 0 {
			result.First, result.Last = ptr(s.First.Round(0)), ptr(s.Last.Round(0))
		}
		r.Rules = append(r.Rules, result)
	}
	r.List = ListID{Name: about.List, Digest: rule.Digest(inForce), Rules: len(inForce)}
	if r.List.Digest != o.Digest {
		r.List.Begun = o.Digest
	}
	for _, s := range names {
		n := NameResult{Name: cmp.Or(s.Name, noName), Types: s.Types, Times: s.Times, First: s.First.Round(0), Last: s.Last.Round(0), Reason: s.Why}
		if reason, expected := expected(s.Name); expected {
			n.Expected = true
			if n.Reason == "" {
				n.Reason = reason
			}
		}
		if about.By != nil {
			n.By = about.By(s.Name)
		}
		if !s.Allowed.IsZero() {
			n.Late, n.Temporary = ptr(s.Allowed.Round(0)), s.Temporary
		}
		r.Blocked = append(r.Blocked, n)
	}
	for _, s := range o.Packets.States() {
		p := PacketResult{To: s.String(), Times: s.Times, First: s.First.Round(0), Last: s.Last.Round(0), Expected: s.Stays(), Servers: s.Servers, By: s.By}
		if names, reason := o.Addresses.expected(s.To.Addr(), expected); len(names) > 0 && !p.Expected {
			p.Expected, p.Names, p.Reason = true, names, reason
		}
		r.Packets = append(r.Packets, p)
	}
	for _, s := range o.Packets.Servers() {
		r.Servers = append(r.Servers, ServerResult{Name: s.Name, At: s.At.String(), Times: s.Times, First: s.First.Round(0), Last: s.Last.Round(0)})
	}
	r.note(counts, o)
	r.unrunnable = about.Unrunnable
	r.lossy = o.Lost > 0 || o.Untold > 0
	r.judge(o, about.Screen)
	return r
}

func ptr[T any](v T) *T { return &v }

// notKnown is the state of rules where the bridge's dnsmasq refuses names.
const notKnown = "not known"

func level(o Over) string {
	switch {
	case o.Bridge:
		return rule.Bridgewide
	case o.Learn:
		return rule.Learning
	case o.Strict:
		return rule.Strictly
	}
	return "names"
}

// note says what was lost.
func (r *Report) note(c Counts, o Over) {
	if c.Beyond > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d refused queries were for more than %d names: those beyond are not listed.", c.Beyond, maxNames))
	}
	if n := o.Packets.lost(); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d refused packets are not listed.", n))
	}
	if o.Lost > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d packets with queries came faster than they could be read, and were not answered.", o.Lost))
	}
	if o.Untold > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d refused packets, or connections, came faster than they could be noted.", o.Untold))
	}
	if o.Unread > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s began in more packets than are read: which server each was for is not known.", plural(o.Unread, "connection of TLS", "connections of TLS")))
	}
	stay, unsure := o.Addresses.shared(r.Ended)
	if len(stay) > 0 {
		var all []string
		for _, s := range stay {
			all = append(all, fmt.Sprintf("%s of %s is %s's", s.at, printable(s.refused), printable(s.allowed)))
		}
		r.Notes = append(r.Notes, fmt.Sprintf("Within reach, though of a name that isn't allowed, since one that is has it, too: %s.", shorten(all, 5)))
	}
	if on := o.Addresses.goingOn(); len(on) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("Let through for one try; what that opened was not ended with it: %s.", shorten(on, 5)))
	}
	if unsure > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s that more than %d names had: of them none was allowed when the last ones were taken off; another may have been, and is reached once it is asked for again.", plural(unsure, "address was closed", "addresses were closed"), maxHolders))
	}
	if slices.ContainsFunc(r.Packets, func(p PacketResult) bool { return !p.Expected && strings.HasSuffix(p.To, "/tcp") }) {
		r.Notes = append(r.Notes, "A TCP connection that was refused has no server name: it is refused at its first packet, before TLS says one.")
	}
	if c.Failures > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d allowed queries got no answer from upstream.", c.Failures))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func shorten(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// JSON writes the report for programs.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
