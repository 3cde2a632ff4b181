package capture

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
)

// Bounds of what is kept of an instance that is watched. What is beyond is
// counted where it belongs.
const (
	maxActors      = 8       // of a domain, and of a way round
	maxPorts       = 16      // of a domain
	maxServerNames = 8       // of a domain, and of a way round
	maxBypasses    = 1 << 12 // ways round
	maxProcesses   = 1 << 12
)

// witnessed is all that a witness told a ledger, beside its domains. It is nil
// while no witness told anything.
type witnessed struct {
	domains   map[ID]*sighted
	ways      []*bypass
	wayOf     map[wayKey]int
	processes []witness.Process
	processN  map[processKey]ProcessID
	addresses map[netip.Addr][]ID // those in domains, see addressed; nil until they are wanted
	watch     Watch
	edition   uint64 // counts changes of ways and of watch
}

// ProcessID names a process of one ledger, from 1; 0 for one that isn't known.
type ProcessID uint32

// processKey is what makes processes one to whoever reads a list: their PIDs
// and arguments are those of the first.
type processKey struct{ program, called, user, command, parent string }

func keyOf(p *witness.Process) processKey {
	k := processKey{program: cmp.Or(p.Exe, p.Comm), user: p.User, command: p.Command}
	if p.ByOtherName() {
		k.called = p.Comm
	}
	if len(p.Parents) > 0 {
		k.parent = p.Parents[0]
	}
	return k
}

// Actor is a process, or several that ran the same program for the same user
// from the same command, and what it did.
type Actor struct {
	Process     ProcessID `json:"process"`
	Queries     uint32    `json:"queries,omitempty"`
	Connections uint32    `json:"connections,omitempty"`
}

// Port is where connections went to. Of an address that several names share it
// isn't known which of them was meant: Maybe counts those.
type Port struct {
	Number   uint16 `json:"port"`
	Protocol string `json:"protocol"`         // "tcp", "udp"
	Spoken   string `json:"spoken,omitempty"` // "tls", "quic", "http": what was last; "" while that isn't known
	Count    uint32 `json:"count,omitempty"`
	Maybe    uint32 `json:"maybe,omitempty"`
}

// Named is a name and how often it was seen.
type Named struct {
	Name  string `json:"name"`
	Count uint32 `json:"count"`
}

// Seen is what a witness saw of a domain. The zero one says that it saw
// nothing: see [Reader.OnlyResolved] for what that means.
type Seen struct {
	Actors []Actor `json:"actors,omitempty"` // who asked and connected, as they came, of no more than maxActors
	Others uint32  `json:"others,omitempty"` // queries and connections of more of them
	Ports  []Port  `json:"ports,omitempty"`
	// OtherPorts counts connections to more ports than are kept.
	OtherPorts uint32 `json:"other_ports,omitempty"`
	// Servers are server names that were said over connections to the domain's
	// addresses and are none of its own.
	Servers      []Named `json:"servers,omitempty"`
	OtherServers uint32  `json:"other_servers,omitempty"`
	Hidden       uint32  `json:"hidden,omitempty"` // connections whose server name was encrypted (ECH)
}

// Connections returns how many there were, those that may have been to another
// name at the same address included.
func (s Seen) Connections() (n uint32) {
	for _, p := range s.Ports {
		n += p.Count + p.Maybe
	}
	return n + s.OtherPorts
}

func (s Seen) clone() Seen {
	s.Actors, s.Ports, s.Servers = slices.Clone(s.Actors), slices.Clone(s.Ports), slices.Clone(s.Servers)
	return s
}

type sighted struct{ Seen }

// Bypass is a way round the bridge's DNS that the instance took.
type Bypass struct {
	Kind     witness.Kind   `json:"kind"`
	To       netip.AddrPort `json:"to,omitzero"`        // the zero one where only a name is known
	From     netip.Addr     `json:"from,omitzero"`      // of [witness.Foreign]
	Protocol string         `json:"protocol,omitempty"` // "tcp", "udp"
	// Names are the names that were asked for there, or the server names that
	// were seen; none where there was none to see.
	Names      []Named   `json:"names,omitempty"`
	OtherNames uint32    `json:"other_names,omitempty"`
	Actors     []Actor   `json:"actors,omitempty"`
	Others     uint32    `json:"others,omitempty"`
	Count      uint32    `json:"count"` // of queries or connections
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
}

// Place returns "192.0.2.1:443/tcp", "" where no address is known.
func (b Bypass) Place() string {
	if !b.To.IsValid() {
		return ""
	}
	return b.To.String() + "/" + b.Protocol
}

func (b Bypass) clone() Bypass {
	b.Names, b.Actors = slices.Clone(b.Names), slices.Clone(b.Actors)
	return b
}

type bypass struct{ Bypass }

type wayKey struct {
	kind     witness.Kind
	to       netip.AddrPort
	from     netip.Addr
	protocol string
}

// witness returns what is kept of a witness, and makes it.
func (l *Ledger) witness() *witnessed {
	if l.witnessed == nil {
		l.witnessed = &witnessed{
			domains: make(map[ID]*sighted), wayOf: make(map[wayKey]int), processN: make(map[processKey]ProcessID),
		}
	}
	return l.witnessed
}

// process returns the ID of a process, 0 where it isn't known or there are too
// many.
func (l *Ledger) process(p *witness.Process) ProcessID {
	if p == nil {
		return 0
	}
	w := l.witness()
	k := keyOf(p)
	if id, ok := w.processN[k]; ok {
		return id
	}
	if len(w.processes) == maxProcesses {
		return 0
	}
	w.processes = append(w.processes, *p)
	id := ProcessID(len(w.processes))
	w.processN[k] = id
	l.tell(Sight{Process: id}, true)
	return id
}

// acted counts what a process did among actors.
func acted(actors *[]Actor, others *uint32, did Actor) (news bool) {
	if did.Process == 0 {
		return false
	}
	i := slices.IndexFunc(*actors, func(a Actor) bool { return a.Process == did.Process })
	if i < 0 {
		if len(*actors) == maxActors {
			*others++
			return false
		}
		*actors, i, news = append(*actors, Actor{Process: did.Process}), len(*actors), true
	}
	a := &(*actors)[i]
	a.Queries += did.Queries
	a.Connections += did.Connections
	return news
}

func counted(names *[]Named, others *uint32, name string) (news bool) {
	if name == "" {
		return false
	}
	i := slices.IndexFunc(*names, func(n Named) bool { return n.Name == name })
	if i < 0 {
		if len(*names) == maxServerNames {
			*others++
			return false
		}
		*names, i, news = append(*names, Named{Name: name}), len(*names), true
	}
	(*names)[i].Count++
	return news
}

// port returns the entry of a port, nil where there is no room for one more.
func (s *sighted) port(r witness.Reach) (p *Port, news bool) {
	is := func(p Port) bool { return p.Number == r.To.Port() && p.Protocol == r.Protocol }
	i := slices.IndexFunc(s.Ports, is)
	if i < 0 {
		if len(s.Ports) == maxPorts {
			return nil, false
		}
		s.Ports, i, news = append(s.Ports, Port{Number: r.To.Port(), Protocol: r.Protocol}), len(s.Ports), true
	}
	return &s.Ports[i], news
}

// said takes up what was said over a connection.
func (s *sighted) said(r witness.Reach) (news bool) {
	if p, _ := s.port(r); p != nil && r.Spoken != "" && p.Spoken != r.Spoken {
		p.Spoken, news = r.Spoken, true
	}
	if r.Hidden {
		s.Hidden++
		news = news || s.Hidden == 1
	}
	return counted(&s.Servers, &s.OtherServers, r.Server) || news
}

func (l *Ledger) sighted(id ID) *sighted {
	w := l.witness()
	s := w.domains[id]
	if s == nil {
		s = &sighted{}
		w.domains[id] = s
	}
	return s
}

// saw notes that what is known of a domain from a witness changed.
func (l *Ledger) saw(id ID, news bool) {
	l.show(id)
	l.tell(Sight{Domain: id, IsDomain: true}, news)
}

// turned notes that a way round changed, which the screen looks up by itself.
func (l *Ledger) turned(way int, news bool) {
	l.witness().edition++
	l.tell(Sight{Way: way + 1}, news)
	notify(l.wake)
}

// AnyWitnessed reports whether a witness told anything.
func (r Reader) AnyWitnessed() bool { return r.l.witnessed != nil }

// Witnessed returns what a witness saw of a domain. Its slices belong to the
// ledger.
func (r Reader) Witnessed(id ID) Seen {
	if w := r.l.witnessed; w != nil && w.domains[id] != nil {
		return w.domains[id].Seen
	}
	return Seen{}
}

// Process returns a process, as it was when it was first seen; false for 0.
func (r Reader) Process(id ProcessID) (witness.Process, bool) {
	w := r.l.witnessed
	if w == nil || id == 0 || int(id) > len(w.processes) {
		return witness.Process{}, false
	}
	return w.processes[id-1], true
}

// Programs returns the programs of actors, each once: paths, or the kernel's
// names where there is none.
func (r Reader) Programs(actors []Actor) (names []string) {
	for _, a := range actors {
		if p, ok := r.Process(a.Process); ok {
			names = append(names, cmp.Or(p.Exe, p.Comm))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// By returns the programs that asked for a normalised name, none where they
// are not known.
func (r Reader) By(name string) []string {
	id, ok := r.Lookup(name)
	if !ok {
		return nil
	}
	asked := slices.DeleteFunc(slices.Clone(r.Witnessed(id).Actors), func(a Actor) bool { return a.Queries == 0 })
	return r.Programs(asked)
}

// addWitnessed adds to what was seen of a domain what a witness saw.
func (l *Ledger) addWitnessed(to *rule.Seen, d *Domain) {
	r := Reader{l}
	id, ok := r.Lookup(d.Name)
	if !ok || l.witnessed == nil {
		return
	}
	s := r.Witnessed(id)
	to.Programs = r.Programs(s.Actors)
	for _, p := range s.Ports {
		to.Ports = append(to.Ports, rule.Port{Number: p.Number, Protocol: p.Protocol})
	}
	for _, n := range s.Servers {
		to.Servers = append(to.Servers, n.Name)
	}
	to.Watched = r.Watch().wholeSince(d.First(), Packets) && s.OtherPorts == 0
	to.Unused = r.OnlyResolved(id)
}

// Bypasses returns the ways round the bridge's DNS that were taken, those of a
// kind together, and how many of them there was no room for. edition changes
// whenever they do, or the [Watch] does: the screen compares it when it is
// woken.
func (r Reader) Bypasses() (ways []Bypass, beyond uint64, edition uint64) {
	w := r.l.witnessed
	if w == nil {
		return nil, 0, 0
	}
	for _, b := range w.ways {
		ways = append(ways, b.Bypass)
	}
	slices.SortStableFunc(ways, func(a, b Bypass) int {
		if c := cmp.Or(cmp.Compare(a.Kind, b.Kind), b.Last.Compare(a.Last)); c != 0 {
			return c // as nearly always: a place is text that has to be made
		}
		return strings.Compare(a.Place(), b.Place())
	})
	return ways, w.watch.Beyond, w.edition
}

// Bypass returns the way round of which is says so, false for none. Its slices
// belong to the ledger.
func (r Reader) Bypass(is func(Bypass) bool) (Bypass, bool) {
	if w := r.l.witnessed; w != nil {
		for _, b := range w.ways {
			if is(b.Bypass) {
				return b.Bypass, true
			}
		}
	}
	return Bypass{}, false
}

// BypassEdition is the edition of [Reader.Bypasses], for who only wants to know
// whether to look.
func (r Reader) BypassEdition() uint64 {
	if r.l.witnessed == nil {
		return 0
	}
	return r.l.witnessed.edition
}

// OnlyResolved reports whether a domain got an address and nothing was seen to
// connect to it, while everything would have been: packets were watched for as
// long as the domain is known, and nothing was lost.
func (r Reader) OnlyResolved(id ID) bool {
	if r.l.witnessed == nil || r.Witnessed(id).Connections() > 0 {
		return false
	}
	of := r.l.at(id) // without a copy: the screen asks of each row
	return of.addressesN > 0 && of.queries > 0 && r.l.witnessed.watch.wholeSince(time.Unix(0, of.first), Packets)
}
