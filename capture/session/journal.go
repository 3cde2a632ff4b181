package session

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash"
	"lxd-allowlist/export/rule"
)

const (
	// lateBy bounds how old the counts on disk may be, and how long what was
	// written waits to be synced. Decisions don't wait for it, nor are names
	// and answers written only then.
	lateBy = 5 * time.Second
	// recordsAtOnce bounds how many records are copied while the ledger is
	// held.
	recordsAtOnce = 256
	// infoEvery is after how many bytes the journal tells once more what the
	// session is about.
	infoEvery = 64 << 10
)

// file is what a journal wants of an [os.File].
type file interface {
	io.WriteCloser
	// Sync returns when what was written is on disk.
	Sync() error
}

// kept is a journal's file as long as it has a name.
type kept struct{ *os.File }

// Sync is an error, too, where the file was removed: what is on disk then is
// gone with this process.
func (k kept) Sync() error {
	if err := k.File.Sync(); err != nil {
		return err
	}
	st, err := k.Stat()
	if err == nil && st.Sys().(*syscall.Stat_t).Nlink == 0 {
		return fmt.Errorf("%s was removed", k.Name())
	}
	return err
}

// nowhere stands for the file of a journal that has failed before it began.
type nowhere struct{}

func (nowhere) Write([]byte) (int, error) { return 0, fs.ErrClosed }
func (nowhere) Sync() error               { return fs.ErrClosed }
func (nowhere) Close() error              { return nil }

// journal is a ledger's [capture.Sink]: it appends what happens to a file, by
// a goroutine of its own, so that nobody who decides ever waits for a disk.
// Only once a decision is synced is the ledger told so, see
// [capture.Ledger.Kept].
type journal struct {
	ledger *capture.Ledger

	// These belong to the ledger's lock.
	dirty   []capture.ID           // records with news that is unsaved, each once
	counted []capture.ID           // those with a higher count alone
	states  []unsaved              // by ID
	sights  []capture.Sight        // with unsaved changes, each once, in their order
	pending map[capture.Sight]bool // those in sights
	said    []entry                // decisions, steps and owners, in their order
	decided bool                   // said has a decision or a step
	step    uint32                 // the last one in said
	urgent  bool                   // there is news
	err     error
	counts  capture.Counts // as last written

	// These belong to run.
	file      file
	lateBy    time.Duration
	number    uint64 // of the next line
	info      capture.Info
	sinceInfo int    // bytes since info was written
	unsynced  bool   // something was written
	appended  bool   // something was written since the journal was opened
	torn      bool   // the line before is: a newline has to end it first
	buf       []byte // scratch

	records [recordsAtOnce]capture.Record // scratch

	now   chan struct{} // something is urgent
	later chan struct{} // something isn't
	ended chan struct{}
	wg    sync.WaitGroup
}

// unsaved is what of a record is unsaved.
type unsaved uint8

const (
	hasNothing unsaved = iota
	hasCount           // a higher one alone: it is in counted
	hasNews            // it is in dirty
)

var _ capture.Sink = (*journal)(nil)

// Changed implements [capture.Sink], as the following do. A popular name whose
// count alone goes up isn't written with each name that is new.
func (j *journal) Changed(id capture.ID, news bool) {
	for int(id) >= len(j.states) {
		j.states = append(j.states, hasNothing)
	}
	switch is := j.states[id]; {
	case is == hasNews:
	case news:
		j.states[id] = hasNews
		j.dirty = append(j.dirty, id)
	case is == hasNothing:
		j.states[id] = hasCount
		j.counted = append(j.counted, id)
	}
	j.urgent = j.urgent || news
}

func (j *journal) Decided(c capture.Change) {
	j.decided, j.step = true, c.Number
	j.say(changeEntries(c)...)
}

func (j *journal) Stepped(s capture.Step) {
	j.decided, j.step = true, s.Number
	j.say(stepEntry(s))
}

func (j *journal) Owned(c capture.Client) { j.say(entry{Owner: &c}) }

func (j *journal) Informed(i capture.Info) { j.say(entry{Format: format, Info: &i}) }

func (j *journal) Missed(g capture.Gap) { j.say(entry{Gap: &g}) }

func (j *journal) Exported(w capture.Written) { j.say(entry{Exported: &w}) }

func (j *journal) Entered(c capture.Command) { j.say(entry{Entered: &c}) }

func (j *journal) Verified(v rule.Verified) { j.say(entry{Verified: &v}) }

func (j *journal) Witnessed(s capture.Sight, news bool) {
	if !j.pending[s] {
		if j.pending == nil {
			j.pending = make(map[capture.Sight]bool)
		}
		j.pending[s] = true
		j.sights = append(j.sights, s)
	}
	j.urgent = j.urgent || news
}

func (j *journal) say(told ...entry) {
	if j.err == nil {
		j.said, j.urgent = append(j.said, told...), true
	}
}

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

// newJournal returns what appends to a file what happens to a ledger. number is
// that of its next line.
func newJournal(l *capture.Ledger, f file, number uint64) *journal {
	j := &journal{
		ledger: l, file: f, lateBy: lateBy, number: number, sinceInfo: infoEvery,
		now: make(chan struct{}, 1), later: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	l.Read(func(r capture.Reader) { j.counts, j.info = r.Counts(), r.Info() })
	return j
}

// start keeps what happens from now on.
func (j *journal) start() *journal {
	j.ledger.Keep(j)
	whole := false
	j.wg.Go(crash.Guarded("the journal", func() {
		j.run()
		whole = true
	}, func() {
		if !whole {
			j.fail(crash.ErrUnknown)
		}
	}))
	return j
}

// run writes until the journal is finished. It sleeps while nothing happens:
// the timer runs only behind a change.
func (j *journal) run() {
	var late <-chan time.Time
	for {
		select {
		case <-j.now:
			if j.flush(false) && late == nil {
				late = time.After(j.lateBy)
			}
		case <-j.later:
			if late == nil {
				late = time.After(j.lateBy)
			}
		case <-late:
			late = nil
			j.flush(true)
		case <-j.ended:
			j.flush(true)
			return
		}
	}
}

// flush writes all that is unsaved. Decisions come first: they don't wait for
// the records of a large log. The ledger is held only while the next few
// records are copied, never while the disk works. What was written is synced
// behind a decision, and at the end if all is to be, as records are that have a
// higher count alone. It reports whether anything is left for that.
func (j *journal) flush(all bool) (left bool) {
	for {
		b := j.next(all)
		if b.failed {
			return false
		}
		err := j.write(b)
		if err == nil && j.unsynced && (b.decided || all && !b.rest) {
			err = j.file.Sync()
			j.unsynced = err != nil
		}
		if err != nil {
			j.fail(err)
			return false
		}
		if b.decided {
			j.ledger.Kept(b.step)
		}
		if !b.rest {
			return j.unsynced || b.left
		}
	}
}

// batch is what is written in one go.
type batch struct {
	said    []entry
	records []capture.Record
	sights  []capture.Sighting
	counts  *capture.Counts
	step    uint32
	decided bool // said has a decision
	rest    bool // there is more
	left    bool // and what isn't written with it
	failed  bool // nothing is to be written any more
}

// next takes what is written next, of all that is unsaved, or but for counts.
func (j *journal) next(all bool) (b batch) {
	j.ledger.Read(func(r capture.Reader) {
		b.failed = j.err != nil
		b.said, b.step, b.decided = j.said, j.step, j.decided
		j.said, j.decided = nil, false
		if all && len(j.dirty) == 0 {
			j.dirty, j.counted = j.counted, j.dirty[:0]
		}
		n := min(len(j.dirty), recordsAtOnce)
		for _, id := range j.dirty[:n] {
			if j.states[id] == hasNothing { // as it has had news since it was counted
				continue
			}
			j.states[id] = hasNothing
			r.FillRecord(&j.records[len(b.records)], id)
			b.records = j.records[:len(b.records)+1]
		}
		if b.left = len(j.counted) > 0; n < len(j.dirty) || all && b.left {
			j.dirty, b.rest = j.dirty[n:], true
			return
		}
		j.dirty = j.dirty[:0]
		n = min(len(j.sights), recordsAtOnce) // once their domains are there
		for _, s := range j.sights[:n] {
			delete(j.pending, s)
			b.sights = append(b.sights, r.Sighting(s))
		}
		if n < len(j.sights) {
			j.sights, b.rest = j.sights[n:], true
			return
		}
		j.sights, j.urgent = j.sights[:0], false
		if c := r.Counts(); c != j.counts {
			j.counts = c
			b.counts = &c
		}
	})
	return b
}

func (j *journal) write(b batch) error {
	if len(b.said) == 0 && len(b.records) == 0 && len(b.sights) == 0 && b.counts == nil {
		return nil // not what the session is about either: who only looks at one writes nothing
	}
	j.begin()
	if j.sinceInfo >= infoEvery {
		j.sinceInfo = 0
		j.put(entry{Format: format, Info: &j.info})
	}
	for _, e := range b.said {
		j.put(e)
	}
	for i := range b.records {
		j.put(entry{Domain: &b.records[i]})
	}
	for i := range b.sights {
		j.put(entry{Witness: &b.sights[i]})
	}
	if b.counts != nil {
		j.put(entry{Counts: b.counts})
	}
	j.unsynced, j.appended = true, true
	j.sinceInfo += len(j.buf)
	_, err := j.file.Write(j.buf)
	return err
}

// begin begins what is written in one go. What was being written when the
// machine died stays, as damage.
func (j *journal) begin() {
	if j.buf = j.buf[:0]; j.torn {
		j.buf, j.torn = append(j.buf, '\n'), false
	}
}

func (j *journal) put(e entry) {
	j.buf = appendLine(j.buf, j.number, e)
	j.number++
}

// fail ends the writing. What can't be kept any more is not collected.
func (j *journal) fail(err error) {
	j.ledger.Read(func(capture.Reader) {
		j.err = fmt.Errorf("write the session's journal: %w; what follows is kept in memory only, so export before you quit", err)
		j.said = nil
	})
	j.ledger.Faulted()
}

// finish writes what is unsaved and ends the journal, one to which nothing was
// appended as it is: a session that was killed stays that.
func (j *journal) finish() error {
	j.ledger.Keep(nil)
	close(j.ended)
	j.wg.Wait()
	if j.err == nil && j.appended {
		now := time.Now().Round(0)
		j.begin()
		j.put(entry{Closed: &now})
		_, err := j.file.Write(j.buf)
		if err == nil {
			err = j.file.Sync()
		}
		if err != nil {
			j.fail(err)
		}
	}
	if err := j.file.Close(); j.err == nil && err != nil {
		return fmt.Errorf("close the session's journal: %w", err)
	}
	return j.err
}
