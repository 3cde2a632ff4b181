package capture

import (
	"net/netip"
	"time"

	"lxd-allowlist/parse"
)

// ID names a domain of one ledger: its place in the order of first sight,
// from 0. It never changes and is never used again.
type ID uint32

// Decision is what becomes of a domain on export.
type Decision uint8

const (
	// New is undecided. It is exported: the danger of an allow-list is the
	// name that is missing.
	New Decision = iota
	// Keep is exported.
	Keep
	// Drop is not exported.
	Drop
)

// String returns "new", "keep" or "drop".
func (d Decision) String() string {
	return [...]string{"new", "keep", "drop"}[d]
}

// ParseDecision returns what String writes as word; New for all else.
func ParseDecision(word string) Decision {
	for _, d := range []Decision{Keep, Drop} {
		if d.String() == word {
			return d
		}
	}
	return New
}

// Mark is what a person said of a domain or of a group of them. The zero Mark
// says nothing, so that the rules decide.
type Mark struct {
	Decision Decision
	// Suffix is for a group that is kept: it is exported as one suffix rule,
	// which allows names that were never seen, too.
	Suffix bool
	Reason string
}

// Verdict is the decision in force for a domain and where it comes from.
type Verdict struct {
	Decision Decision
	// Rule is the rule that decided; ByUser for a person's mark, Undecided
	// where nothing has decided yet.
	Rule Rule
	// Reason is for people: the mark's own reason, or what the rule saw.
	Reason string
}

// Bounds of what one domain may hold. A hostile instance controls the names
// and, with its own upstream, the answers; what comes beyond these is left
// out and not missed by any decision.
const (
	maxAddresses = 8 // a CDN gives out more than anybody reads, at 24 bytes each
	maxChain     = 16
	maxClients   = 255
)

// Domain is what is known of one name, as it was when [Reader.Domain] returned
// it. It is read within [Ledger.Read] only.
type Domain struct {
	id          ID
	Name        string // lower-cased, without the trailing dot
	first, last int64  // Unix nanoseconds
	// Queries is how often the name was asked for; 0 for one that is known
	// only as the target of another's CNAME.
	Queries   uint32
	Denied    uint32 // queries that an enforced list refused, of Queries
	Unlisted  bool   // the first of them was: the name came up under that list
	Outcomes  Outcomes
	Origins   Origins // where its answers came from
	Class     parse.Class
	Special   parse.Special
	Types     []TypeCount
	Addresses []netip.Addr
	Chain     []ID // CNAME targets of the last answers, in order
	// Blocker says who blocked the name and what the client was told, in
	// words: "gravity", "special domain: NXDOMAIN". "" for none.
	Blocker string
	Mark    Mark
	step    uint32 // the last step that changed Mark while there was a sink

	// What Types and Addresses are of most names, so that a domain is allocated
	// in one go.
	twoTypes   [2]TypeCount
	oneAddress [1]netip.Addr
}

// TypeCount is how often a name was asked for with one query type.
type TypeCount struct {
	Type  string // "A", "HTTPS"
	Count uint32
}

// First returns when the name was first seen.
func (d *Domain) First() time.Time { return time.Unix(0, d.first) }

// Last returns when the name was last asked for.
func (d *Domain) Last() time.Time { return time.Unix(0, d.last) }

// Outcomes is the set of [parse.Outcome] that a name's queries had.
type Outcomes uint16

// Has reports whether o is in the set.
func (s Outcomes) Has(o parse.Outcome) bool { return s&(1<<o) != 0 }

func (s *Outcomes) add(o parse.Outcome) bool {
	old := *s
	*s |= 1 << o
	return *s != old
}

// String returns what a person should know of the set in one word: that the
// name was blocked, else the best of the outcomes, "" while there is none.
func (s Outcomes) String() string {
	for _, o := range []parse.Outcome{parse.Blocked, parse.Address, parse.Alias, parse.NoData, parse.NoName, parse.ServFail, parse.Refused, parse.OtherError, parse.Data} {
		if s.Has(o) {
			return outcomeWords[o]
		}
	}
	return ""
}

var outcomeWords = [...]string{
	parse.Address:    "resolved",
	parse.Alias:      "resolved",
	parse.Data:       "resolved",
	parse.NoData:     "no data",
	parse.NoName:     "NXDOMAIN",
	parse.ServFail:   "SERVFAIL",
	parse.Refused:    "REFUSED",
	parse.OtherError: "error",
	parse.Blocked:    "blocked",
}

// NoAnswer is the result of a name whose answer was not logged.
const NoAnswer = "no answer"

// NotAllowed is the result of a name that was asked for only while a list that
// doesn't allow it was enforced.
const NotAllowed = "not allowed"

// ResultWord says it in one or two words: one of the outcomes', or that there
// was no answer.
func (d *Domain) ResultWord() string {
	word := d.Outcomes.String()
	if word == "" && d.Denied > 0 {
		return NotAllowed
	}
	if word == "" && d.Queries > 0 {
		return NoAnswer
	}
	return word
}

// Result says what became of the queries: one of the outcomes' words, and of a
// name that was blocked who did it; "" for one that nobody asked for and no
// answer told of.
func (d *Domain) Result() string {
	word := d.ResultWord()
	if d.Blocker != "" {
		word += " by " + d.Blocker
	}
	return word
}

// Origins is the set of [parse.Origin] that a name's answers had.
type Origins uint8

// Only reports whether there is nothing but o in the set.
func (s Origins) Only(o parse.Origin) bool { return s == 1<<o }

// blockers are what people call those who block, by dnsmasq's and Pi-hole's
// words for it.
var blockers = map[string]string{
	"config":              "dnsmasq's configuration",
	"reply":               "the upstream",
	"cached":              "the upstream",
	"cached-stale":        "the upstream",
	"gravity blocked":     "gravity",
	"gravity blacklisted": "gravity",
	"exactly denied":      "an exact rule",
	"exactly blacklisted": "an exact rule",
	"regex denied":        "a regex rule",
	"regex blacklisted":   "a regex rule",
	"Rate-limiting":       "rate-limiting",
}

// blocker says who blocked a name by the source of an answer, and what error
// the client was told, if it was one.
func blocker(source []byte, told parse.Outcome) string {
	who := blockers[string(source)]
	if who == "" {
		who = string(source)
	}
	if word := outcomeWords[told]; told == parse.NoName || told == parse.Refused || told == parse.ServFail {
		who += ": " + word
	}
	return who
}
