package session

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"lxd-allowlist/capture"
)

// format stands in the first line of a journal. A reader refuses a higher one.
// Format 2 has marks that leave the reasons which are written.
const format = 2

// entry is one line of the journal, JSON; exactly one of its fields is set
// (Format goes with Info). A Domain line holds the whole record as it was
// then, so the last one of a name is the one that counts, and a line that is
// lost costs nothing that the next one doesn't bring.
type entry struct {
	Format int             `json:"format,omitempty"`
	Info   *capture.Info   `json:"info,omitempty"`
	Domain *capture.Record `json:"domain,omitempty"`
	Mark   *mark           `json:"mark,omitempty"`
	Step   string          `json:"step,omitempty"` // "undo" or "redo"
	Owner  *capture.Client `json:"owner,omitempty"`
	Counts *capture.Counts `json:"counts,omitempty"`
}

const undo, redo = "undo", "redo"

// mark is a [capture.Change].
type mark struct {
	Decision string    `json:"decision"` // "keep", "drop", or "new" for a mark that was taken away
	Reason   string    `json:"reason,omitempty"`
	Keeps    bool      `json:"keeps-reasons,omitempty"`
	Names    []string  `json:"names,omitempty"`
	Group    string    `json:"group,omitempty"` // a name and all below it, instead of Names
	Suffix   bool      `json:"suffix,omitempty"`
	At       time.Time `json:"at"`
}

// countsEvery bounds how old the counts on disk may be. Names, answers and
// decisions don't wait for it, which its test sees by another value.
var countsEvery = 5 * time.Second

// encodeAtOnce bounds how many records are encoded while the ledger is held.
const encodeAtOnce = 256

// syncFile asks the kernel to have the journal on disk; a variable, for
// nothing but a power cut shows that it was left out.
var syncFile = (*os.File).Sync

// journal is a ledger's [capture.Sink]: it appends what happens to a file. Its
// fields from dirty to counts belong to the ledger's lock.
type journal struct {
	ledger *capture.Ledger
	file   *os.File

	dirty   []capture.ID // records with unsaved changes, each once
	unsaved []bool       // by ID: it is in dirty
	lines   []byte       // decisions and owners, encoded, to be written after dirty
	urgent  bool         // one of them has news
	decided bool         // lines holds a decision, which is synced
	err     error
	counts  capture.Counts // as last written

	now    chan struct{} // something is urgent
	later  chan struct{} // something isn't
	finish chan struct{}
	wg     sync.WaitGroup
}

var _ capture.Sink = (*journal)(nil)

// Changed implements [capture.Sink], as the following do.
func (j *journal) Changed(id capture.ID, news bool) {
	for int(id) >= len(j.unsaved) {
		j.unsaved = append(j.unsaved, false)
	}
	if !j.unsaved[id] {
		j.unsaved[id] = true
		j.dirty = append(j.dirty, id)
	}
	j.urgent = j.urgent || news
}

func (j *journal) Decided(c capture.Change) {
	j.decided = true
	j.append(entry{Mark: &mark{
		Decision: c.To.Decision.String(), Reason: c.To.Reason, Keeps: c.KeepReasons,
		Names: c.Names, Group: c.Group, Suffix: c.To.Suffix, At: c.At,
	}})
}

func (j *journal) Undone() {
	j.decided = true
	j.append(entry{Step: undo})
}

func (j *journal) Redone() {
	j.decided = true
	j.append(entry{Step: redo})
}

func (j *journal) Owned(c capture.Client) { j.append(entry{Owner: &c}) }

// Told starts a write, at once where something is urgent.
func (j *journal) Told() {
	c := j.later
	if j.urgent {
		c = j.now
	}
	select {
	case c <- struct{}{}:
	default:
	}
}

func (j *journal) Fault() error { return j.err }

func (j *journal) append(e entry) {
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

// startJournal appends what happens to a ledger to the file from now on.
func startJournal(l *capture.Ledger, f *os.File) *journal {
	j := &journal{ledger: l, file: f, now: make(chan struct{}, 1), later: make(chan struct{}, 1), finish: make(chan struct{})}
	l.Read(func(r capture.Reader) { j.counts = r.Counts() })
	l.Keep(j)
	j.wg.Go(j.run)
	return j
}

// run writes until the journal is finished. It sleeps while nothing happens:
// the timer runs only behind a change that isn't urgent.
func (j *journal) run() {
	var late <-chan time.Time
	for {
		select {
		case <-j.later:
			if late == nil {
				late = time.After(countsEvery)
			}
			continue
		case <-late:
		case <-j.now:
		case <-j.finish:
			j.flush()
			return
		}
		late = nil
		j.flush()
	}
}

// flush writes all that is unsaved. The ledger is held only while the next
// few records are encoded, never while the disk works.
func (j *journal) flush() {
	var buf []byte
	for {
		var rest, decided, failed bool
		j.ledger.Read(func(r capture.Reader) {
			buf, rest = j.encode(r, buf[:0])
			failed = j.err != nil
			if !rest {
				decided, j.decided = j.decided, false
			}
		})
		if len(buf) == 0 || failed {
			return
		}
		_, err := j.file.Write(buf)
		if err == nil && decided {
			err = syncFile(j.file)
		}
		if err != nil {
			j.ledger.Read(func(capture.Reader) {
				j.err = fmt.Errorf("write the session's journal: %w; what follows is kept in memory only, so export before you quit", err)
			})
			return
		}
		if !rest {
			return
		}
	}
}

// encode takes the next few records, or the last ones and all else.
func (j *journal) encode(r capture.Reader, buf []byte) (_ []byte, rest bool) {
	n := min(len(j.dirty), encodeAtOnce)
	for _, id := range j.dirty[:n] {
		j.unsaved[id] = false
		record := r.Record(id)
		buf = appendEntry(buf, entry{Domain: &record})
	}
	if n < len(j.dirty) {
		j.dirty = j.dirty[n:]
		return buf, true
	}
	j.dirty, j.urgent = j.dirty[:0], false
	buf = append(buf, j.lines...)
	j.lines = j.lines[:0]
	if c := r.Counts(); c != j.counts {
		j.counts = c
		buf = appendEntry(buf, entry{Counts: &c})
	}
	return buf, false
}

// close writes what is unsaved and ends the journal.
func (j *journal) close() error {
	j.ledger.Keep(nil)
	close(j.finish)
	j.wg.Wait()
	if err := j.file.Close(); j.err == nil && err != nil {
		return fmt.Errorf("close the session's journal: %w", err)
	}
	return j.err
}

// replay makes a ledger of a journal and returns the length of its whole
// lines. A last line without its newline was never finished and is left out.
func replay(r io.Reader) (l *capture.Ledger, whole int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	owners := make(map[string]string)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && l != nil {
			l.SetOwners(owners)
			return l, whole, nil
		}
		if err == io.EOF {
			err = errors.New("line 1 of its journal is missing")
		}
		if err != nil {
			return nil, whole, err
		}
		var e entry
		err = json.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &e)
		switch {
		case err != nil:
		case l == nil:
			l, err = begin(e)
		case e.Owner != nil:
			owners[e.Owner.Address] = e.Owner.Owner
		default:
			again(l, e)
		}
		if err != nil {
			return nil, whole, fmt.Errorf("line %d of its journal: %w", n, err)
		}
		whole += int64(len(line))
	}
}

// begin makes a ledger of a journal's first line.
func begin(e entry) (*capture.Ledger, error) {
	switch {
	case e.Info == nil:
		return nil, errors.New("it doesn't say what the session is about")
	case e.Format > format:
		return nil, fmt.Errorf("it is of format %d and this program knows %d: use the program's newer version", e.Format, format)
	}
	return capture.NewLedger(*e.Info), nil
}

// again has what an entry tells happen again.
func again(l *capture.Ledger, e entry) {
	switch {
	case e.Domain != nil:
		l.Restore(*e.Domain)
	case e.Mark != nil:
		m := e.Mark
		l.Redecide(capture.Change{
			To:          capture.Mark{Decision: capture.ParseDecision(m.Decision), Reason: m.Reason, Suffix: m.Suffix},
			KeepReasons: m.Keeps, Names: m.Names, Group: m.Group, At: m.At,
		})
	case e.Step == undo:
		l.Undo()
	case e.Step == redo:
		l.Redo()
	case e.Counts != nil:
		l.Recount(*e.Counts)
	}
}
