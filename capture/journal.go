package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// journalFormat stands in the first line. A reader refuses a higher one.
const journalFormat = 1

// entry is one line of the journal, JSON; exactly one of its fields is set
// (Format goes with Info). A Domain line holds the whole record as it was
// then, so the last one of a name is the one that counts, and a line that is
// lost costs nothing that the next one doesn't bring.
type entry struct {
	Format int          `json:"format,omitempty"`
	Info   *Info        `json:"info,omitempty"`
	Domain *savedDomain `json:"domain,omitempty"`
	Mark   *savedMark   `json:"mark,omitempty"`
	Step   string       `json:"step,omitempty"` // "undo" or "redo"
	Owner  *Client      `json:"owner,omitempty"`
	Counts *Counts      `json:"counts,omitempty"`
}

type savedDomain struct {
	Name      string            `json:"name"`
	Queries   uint32            `json:"queries,omitempty"`
	First     time.Time         `json:"first"`
	Last      time.Time         `json:"last"`
	Types     map[string]uint32 `json:"types,omitempty"`
	Outcomes  Outcomes          `json:"outcomes,omitempty"`
	Addresses []netip.Addr      `json:"addresses,omitempty"`
	Chain     []string          `json:"chain,omitempty"`
	Clients   []string          `json:"clients,omitempty"`
}

type savedMark struct {
	Decision string    `json:"decision"` // "keep", "drop", or "new" for a mark that was taken away
	Reason   string    `json:"reason,omitempty"`
	Names    []string  `json:"names,omitempty"`
	Group    string    `json:"group,omitempty"` // a name and all below it, instead of Names
	Suffix   bool      `json:"suffix,omitempty"`
	At       time.Time `json:"at"`
}

// saving says how soon a record's change has to be on disk.
type saving uint8

const (
	saved     saving = iota
	saveLater        // a count went up
	saveNow          // something that was not known before
)

// countsEvery bounds how old the counts on disk may be. Names, answers and
// decisions don't wait for it.
const countsEvery = 5 * time.Second

// encodeAtOnce bounds how many records are encoded while the ledger is held.
const encodeAtOnce = 256

// journal appends what happens to a file. Its fields but file belong to the
// ledger's lock; a nil journal takes everything and keeps nothing.
type journal struct {
	file   *os.File
	dirty  []ID   // records with unsaved changes, each once
	urgent bool   // one of them is saveNow
	lines  []byte // decisions and owners, encoded, to be written after dirty
	err    error
	counts Counts // as last written

	wake   chan struct{}
	finish chan struct{}
	wg     sync.WaitGroup
}

func (j *journal) append(e entry) {
	if j == nil {
		return
	}
	j.lines = appendEntry(j.lines, e)
	j.urgent = true
}

func appendEntry(to []byte, e entry) []byte {
	line, err := json.Marshal(e)
	if err != nil { // every field is a plain value
		panic(err)
	}
	return append(append(to, line...), '\n')
}

func (j *journal) mark(l *Ledger, c change) {
	if j == nil {
		return
	}
	m := &savedMark{Decision: c.to.Decision.String(), Reason: c.to.Reason, Suffix: c.to.Suffix, Group: c.group, At: time.Now().Round(0)}
	for _, id := range c.ids {
		m.Names = append(m.Names, l.domains[id].Name)
	}
	j.append(entry{Mark: m})
}

func (j *journal) step(s string)  { j.append(entry{Step: s}) }
func (j *journal) owner(c Client) { j.append(entry{Owner: &c}) }

func (j *journal) fault() error {
	if j == nil {
		return nil
	}
	return j.err
}

// poke starts a write where something is urgent.
func (j *journal) poke() {
	if j.urgent {
		notify(j.wake)
	}
}

func (l *Ledger) startJournal(f *os.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j := &journal{file: f, wake: make(chan struct{}, 1), finish: make(chan struct{}), counts: l.counts}
	l.journal = j
	j.wg.Go(func() { l.keepJournal(j) })
}

// keepJournal writes until the journal is finished. It sleeps while there is
// nothing to write: the timer runs only behind a change.
func (l *Ledger) keepJournal(j *journal) {
	late := time.NewTimer(countsEvery)
	defer late.Stop()
	for {
		select {
		case <-j.wake:
		case <-late.C:
		case <-j.finish:
			l.flush(j)
			return
		}
		l.flush(j)
		late.Reset(countsEvery)
	}
}

// flush writes all that is unsaved. The ledger is held only while the next
// few records are encoded, never while the disk works.
func (l *Ledger) flush(j *journal) {
	var buf []byte
	for {
		var rest bool
		l.mu.Lock()
		buf, rest = l.encode(j, buf[:0])
		sync := !rest && bytes.Contains(buf, []byte(`{"mark"`)) || bytes.Contains(buf, []byte(`{"step"`))
		failed := j.err != nil
		l.mu.Unlock()
		if len(buf) == 0 || failed {
			return
		}
		_, err := j.file.Write(buf)
		if err == nil && sync {
			err = j.file.Sync()
		}
		if err != nil {
			l.mu.Lock()
			j.err = fmt.Errorf("write the session's journal: %w; what follows is kept in memory only, so export before you quit", err)
			l.mu.Unlock()
			return
		}
		if !rest {
			return
		}
	}
}

func (l *Ledger) encode(j *journal, buf []byte) (_ []byte, rest bool) {
	n := min(len(j.dirty), encodeAtOnce)
	for _, id := range j.dirty[:n] {
		l.domains[id].unsaved = saved
		buf = appendEntry(buf, entry{Domain: l.save(&l.domains[id])})
	}
	if n < len(j.dirty) {
		j.dirty = j.dirty[n:]
		return buf, true
	}
	j.dirty, j.urgent = j.dirty[:0], false
	buf = append(buf, j.lines...)
	j.lines = j.lines[:0]
	if j.counts != l.counts {
		j.counts = l.counts
		buf = appendEntry(buf, entry{Counts: &j.counts})
	}
	return buf, false
}

func (l *Ledger) save(d *Domain) *savedDomain {
	s := &savedDomain{
		Name: d.Name, Queries: d.Queries, First: d.First(), Last: d.Last(),
		Outcomes: d.Outcomes, Addresses: d.Addresses, Chain: Reader{l}.Chain(d),
	}
	if len(d.Types) > 0 {
		s.Types = make(map[string]uint32, len(d.Types))
		for _, t := range d.Types {
			s.Types[t.Type] = t.Count
		}
	}
	for _, n := range d.clients {
		s.Clients = append(s.Clients, l.clients[n].Address)
	}
	return s
}

// Close writes what is unsaved and ends the journal. The ledger can still be
// read and exported.
func (l *Ledger) Close() error {
	l.mu.Lock()
	j := l.journal
	l.journal = nil
	l.mu.Unlock()
	if j == nil {
		return nil
	}
	close(j.finish)
	j.wg.Wait()
	if err := j.file.Close(); j.err == nil && err != nil {
		return fmt.Errorf("close the session's journal: %w", err)
	}
	return j.err
}

// replay reads one line of a journal into l. A mark of a name that is not
// known makes a record for it: no decision is lost with a line that is.
func (l *Ledger) replay(line []byte) error {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	switch {
	case e.Info != nil:
		if e.Format > journalFormat {
			return fmt.Errorf("it is of format %d and this program knows %d: use the program's newer version", e.Format, journalFormat)
		}
		l.info = *e.Info
	case e.Domain != nil:
		l.restore(e.Domain)
	case e.Mark != nil:
		l.remark(e.Mark)
	case e.Step == "undo":
		l.undo()
	case e.Step == "redo":
		l.redo()
	case e.Owner != nil:
		l.clients[l.client(e.Owner.Address)].Owner = e.Owner.Owner
	case e.Counts != nil:
		l.counts = *e.Counts
	}
	return nil
}

func (l *Ledger) client(address string) uint16 {
	if n, ok := l.clientN[address]; ok {
		return n
	}
	return l.addClient(Client{Address: address})
}

func (l *Ledger) restore(s *savedDomain) {
	id, _ := l.lookup([]byte(s.Name), s.First.UnixNano())
	var chain []ID
	for _, target := range s.Chain {
		t, _ := l.lookup([]byte(target), s.First.UnixNano())
		chain = append(chain, t)
	}
	d := &l.domains[id]
	d.Queries, d.Outcomes, d.Addresses, d.Chain = s.Queries, s.Outcomes, s.Addresses, chain
	d.first, d.last = s.First.UnixNano(), s.Last.UnixNano()
	d.Types = d.Types[:0]
	for _, t := range slices.Sorted(maps.Keys(s.Types)) {
		d.Types = append(d.Types, TypeCount{l.intern([]byte(t)), s.Types[t]})
	}
	d.clients = d.clients[:0]
	for _, address := range s.Clients {
		d.clients = append(d.clients, l.client(address))
	}
	if d.Queries > 0 && s.First.After(l.lastNew) {
		l.lastNew = s.First
	}
	l.touch(id, saved)
}

func (l *Ledger) remark(m *savedMark) {
	c := change{to: Mark{decisionOf(m.Decision), m.Reason, m.Suffix}, group: m.Group}
	if m.Group != "" {
		c.was = []Mark{l.groups[m.Group]}
	}
	for _, name := range m.Names {
		id, _ := l.lookup([]byte(name), m.At.UnixNano())
		c.ids = append(c.ids, id)
		c.was = append(c.was, l.domains[id].Mark)
	}
	l.apply(c)
}

func decisionOf(word string) Decision {
	for _, d := range []Decision{Keep, Drop} {
		if d.String() == word {
			return d
		}
	}
	return New
}
