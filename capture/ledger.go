// Package capture is the capture itself: the ledger of domains, the decisions
// about them with undo. It is memory alone: it knows no file and no LXD.
package capture

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// Ledger holds one record per domain that was asked for, fed with dnsmasq's
// log and a person's decisions. It is memory alone: whoever wants it kept
// gives it a [Sink]. It is safe for concurrent use.
//
//	log bytes --Feed--> reader --block--> facts: a record a name --Refresh--> the screen
//	                                               |    ^
//	                                             Sink   Decide, Mark, Undo, Redo
//
// Everything that it decides by itself is derived from the records when it is
// asked for (see [Rule]); only a person's marks are state.
//
// The lock: exported methods take it, and a [Reader] is there only while it is
// held. All that isn't exported, and all methods of facts and of a [Sink], want
// it held and don't take it. Who does something with a great many records lets
// others at the ledger now and then, see breathe: each record is then right by
// itself, and its change is told by the next Refresh. So that steps happen one
// after the other all the same, who decides holds deciding around the lock; and
// survey, which takes both by itself, sees no step half done.
type Ledger struct {
	deciding sync.Mutex
	mu       sync.Mutex

	info   Info
	groups map[string]Mark // by the name that they are below
	// addresses are a person's marks on what was reached without a name.
	addresses map[rule.Endpoint]Mark
	rules     []UserRule
	series    []keptPattern        // that a person keeps for this session
	wide      map[string]*UserRule // those of rules that are suffix rules, by name
	places    rulePlaces

	facts
	reader  reader
	losses  parse.Losses
	outside uint64 // how many queries reader.only left out

	done, undone []change
	settled      bool // see Settle
	// undoable and redoable say whether there are any, to who can't wait.
	undoable, redoable atomic.Bool

	gaps         []Gap
	unread       []string // see Unread
	mostlyAbsent bool     // most names got NXDOMAIN, see weigh
	weighAt      int      // how many domains there must be for the next weigh
	steps        uint32   // decisions, undos and redos so far
	kept         uint32   // the last of the steps that the sink has kept
	unkept       []change // those after it, by their numbers
	edition      uint64   // counts what else than a fact can change a verdict
	exported     *Written // the last file, nil for none
	exportedAt   uint32   // steps then
	trials       []Trial
	commands     []Command
	verified     rule.Verified

	wake    chan struct{}
	unknown chan struct{} // a client without an owner appeared
	decided chan struct{} // see Decided
}

// Info says what a ledger is about. It stands first in a session.
type Info struct {
	Session  string    `json:"session"`            // the session's name: "20261123-211600-dnstest"
	Program  string    `json:"program,omitempty"`  // name and version of the program that wrote it
	Started  time.Time `json:"started"`            // when the capture began
	Server   string    `json:"server,omitempty"`   // LXD remote, "" for a log file
	Instance string    `json:"instance,omitempty"` // whose names are wanted; "" for everybody's
	Network  string    `json:"network,omitempty"`
	Domain   string    `json:"domain,omitempty"`   // the bridge's own DNS domain, such as "lxd"
	Search   []string  `json:"search,omitempty"`   // the instance's search list
	Filters  string    `json:"filters,omitempty"`  // why a probe says that the upstream filters
	NXDOMAIN Trust     `json:"nxdomain,omitempty"` // what a person thinks of it
	Log      string    `json:"log,omitempty"`      // the log file that was read, for one without a bridge
}

// Subject names what was captured: "dnstest on lxdbr0", or the log file.
func (i Info) Subject() string {
	if i.Instance == "" {
		return i.Log
	}
	if i.Server != "" && i.Server != "local" {
		return i.Server + ":" + i.Instance + " on " + i.Network
	}
	return i.Instance + " on " + i.Network
}

// Client is one address that asked.
type Client struct {
	Address string // as logged
	Owner   string // the instance that holds it, HostOwner, or "" while unknown
}

// HostOwner is the owner of the bridge's own addresses: what the LXD host
// itself asked.
const HostOwner = "(host)"

// NewLedger returns an empty ledger that is kept in memory only.
func NewLedger(info Info) *Ledger {
	if info.Started.IsZero() {
		info.Started = time.Now()
	}
	l := &Ledger{
		info:      info,
		groups:    make(map[string]Mark),
		addresses: make(map[rule.Endpoint]Mark),
		facts:     newFacts(maphash.MakeSeed()),
		wake:      make(chan struct{}, 1),
		unknown:   make(chan struct{}, 1),
		decided:   make(chan struct{}, 1),
	}
	l.own = info.Domain
	l.expect = make(map[string]*expected)
	l.reader.seed = l.ids.seed
	return l
}

// Feed reads the next bytes of the log, however they are cut. at is the time
// for lines that carry none; with stamps true the lines' own times are used
// where they have one.
func (l *Ledger) Feed(data []byte, at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.feed(data, at, stamps)
	l.announce()
}

// EndOfLog reads a last line that has no newline, as a finished file may
// have, and starts anew with what follows.
func (l *Ledger) EndOfLog(at time.Time, stamps bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader.begin(at, stamps)
	l.reader.split.Flush(l.reader.hear)
	l.take(&l.reader.block)
	l.reader.block.clear()
	l.chain = chain{}
	l.announce()
}

// ResetLog forgets an unfinished line, and counts it: the log was truncated or
// replaced.
func (l *Ledger) ResetLog() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reader.split.Unfinished() {
		l.losses.Cut++
		l.announce()
	}
	l.reader.split.Reset()
	l.chain = chain{}
}

// breath is how many records are worked on before others get at the ledger: a
// screen must not wait for all of them.
const breath = 2048

// breathe lets others at the ledger after every breath of records, of which n
// are done.
func (l *Ledger) breathe(n int) {
	if n%breath == breath-1 {
		l.mu.Unlock()
		l.mu.Lock()
	}
}

// announce tells those who wait that something changed.
func (l *Ledger) announce() {
	l.weigh()
	if len(l.changed) > 0 {
		notify(l.wake)
	}
	if l.unnamed {
		l.unnamed = false
		notify(l.unknown)
	}
	if l.sink != nil {
		l.sink.Told()
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
