package session

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// patience bounds a wait for what comes within milliseconds.
const patience = 10 * time.Second

// disk is a journal's file that tells what is done to it. A sync waits for a
// value of do.
type disk struct {
	held   strings.Builder
	wrote  chan string   // all that it holds, after the last write
	asked  chan struct{} // a sync began
	synced chan string   // the same after each sync
	do     chan error
}

func newDisk() *disk {
	return &disk{wrote: make(chan string, 1), asked: make(chan struct{}, 64), synced: make(chan string, 64), do: make(chan error)}
}

func (d *disk) Write(p []byte) (int, error) {
	d.held.Write(p)
	select {
	case <-d.wrote: // it is history
	default:
	}
	d.wrote <- d.held.String()
	return len(p), nil
}

func (d *disk) Sync() error {
	d.asked <- struct{}{}
	err := <-d.do
	d.synced <- d.held.String()
	return err
}

func (d *disk) Close() error { return nil }

// begin has a ledger kept on a disk; what doesn't press waits for late.
func begin(late time.Duration) (*capture.Ledger, *journal, *disk) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	d := newDisk()
	j := newJournal(l, d, 1)
	j.lateBy = late
	return l, j.start(), d
}

const query = "query[A] a.example from 10.0.0.5\n"

func saved(l *capture.Ledger) (is bool) {
	l.Read(func(r capture.Reader) { is = r.Saved(r.Domain(0)) })
	return is
}

func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal(what)
	}
	return v
}

// awaitSaved waits until the ledger says that the first domain is saved, and
// sees that it hands that record over to the screen then.
func awaitSaved(t *testing.T, l *capture.Ledger) {
	t.Helper()
	for done := false; !done; {
		await(t, l.Wake(), "nobody is told that the decision is saved")
		l.Refresh(func(r capture.Reader, changed []capture.ID) {
			done = r.Saved(r.Domain(0)) && len(changed) > 0
		})
	}
}

// A decision goes to the disk at once and is synced there; nobody waits for
// that, and only then it is said to be saved.
func TestDecisionIsOnDisk(t *testing.T) {
	l, j, d := begin(time.Hour)
	l.Feed([]byte(query), time.Now(), false)
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { l.Decide(capture.Drop, 0) }, `{"mark":{"n":1,"decision":"drop","keeps-reasons":true,"names":["a.example"]`},
		{func() { l.Undo() }, `{"undo":{"n":2,"of":1}}`},
		{func() { l.Redo() }, `{"redo":{"n":3,"of":1}}`},
		{func() { l.DecideGroup(capture.Keep, "example") }, `{"mark":{"n":4,"after":1,"decision":"keep","group":"example"`},
		{func() { l.Undo() }, `{"undo":{"n":5,"of":4}}`},
	} {
		step.do()
		await(t, d.asked, step.want+" is not synced")
		l.Refresh(func(r capture.Reader, _ []capture.ID) {
			if r.Saved(r.Domain(0)) {
				t.Errorf("%s is said to be saved before it is synced", step.want)
			}
		})
		d.do <- nil
		if held := await(t, d.synced, step.want+" is not synced"); !strings.Contains(held, step.want) {
			t.Errorf("synced is %s, want %s in it", held, step.want)
		}
		awaitSaved(t, l)
	}
	// Two at once: the first one's sync says nothing of the second.
	l.Decide(capture.Keep, 0)
	d.do <- nil
	await(t, d.synced, "the first one is not synced")
	l.Decide(capture.Drop, 0)
	if saved(l) {
		t.Error("a decision is said to be saved with the one before it")
	}
	d.do <- nil
	await(t, d.synced, "the second one is not synced")
	awaitSaved(t, l)

	l.Feed([]byte(query), time.Now(), false)
	if len(d.synced) != 0 {
		t.Error("a count was synced as if it were a decision")
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
}

// What can't be kept is not said to be saved, then nor later.
func TestDiskFails(t *testing.T) {
	l, j, d := begin(time.Hour)
	l.Feed([]byte(query), time.Now(), false)
	full := errors.New("no space left")
	l.Decide(capture.Drop, 0)
	d.do <- full
	await(t, d.synced, "the decision is not synced")
	l.Decide(capture.Keep, 0)
	if saved(l) {
		t.Error("a decision is said to be saved that never was")
	}
	if err := j.finish(); !errors.Is(err, full) {
		t.Errorf("finish = %v, want %v", err, full)
	}
}

// Names and answers are written at once; they are synced within a while,
// though nobody decides.
func TestNamesAreWrittenAtOnce(t *testing.T) {
	const want = `{"domain":{"name":"a.example"`
	l, j, d := begin(time.Hour)
	l.Feed([]byte(query), time.Now(), false)
	if held := await(t, d.wrote, "the name is not written"); !strings.Contains(held, want) {
		t.Errorf("written is %s", held)
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
	l, j, d = begin(time.Millisecond)
	l.Feed([]byte(query), time.Now(), false)
	d.do <- nil
	if held := await(t, d.synced, "the name is not synced"); !strings.Contains(held, want) {
		t.Errorf("synced is %s", held)
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
}

// A name whose count alone goes up isn't written with each one that is new, but
// within a while, and at the end; though a decision has all else synced meanwhile.
func TestCountsWait(t *testing.T) {
	const more = query + "query[A] b.example from 10.0.0.5\n"
	counted := func(held string) []string {
		return regexp.MustCompile(`"a\.example","queries":\d+`).FindAllString(held, -1)
	}
	once := []string{`"a.example","queries":1`}
	twice := []string{once[0], `"a.example","queries":2`}

	l, j, d := begin(time.Hour)
	l.Feed([]byte(query), time.Now(), false)
	await(t, d.wrote, "the name is not written")
	l.Feed([]byte(more), time.Now(), false)
	if held := await(t, d.wrote, "the new name is not written"); !slices.Equal(counted(held), once) || !strings.Contains(held, "b.example") {
		t.Errorf("written is %s", held)
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
	if held := d.held.String(); !slices.Equal(counted(held), twice) {
		t.Errorf("in the end there is %s", held)
	}

	l = capture.NewLedger(capture.Info{Instance: "dnstest"})
	d = newDisk()
	j = newJournal(l, d, 1)
	j.lateBy = time.Millisecond
	l.Keep(j)
	l.Feed([]byte(query), time.Now(), false)
	j.flush(false)
	l.Feed([]byte(more), time.Now(), false)
	l.Decide(capture.Drop, 1)
	j.start()
	d.do <- nil
	if held := await(t, d.synced, "the decision is not synced"); !slices.Equal(counted(held), once) {
		t.Errorf("synced with the decision is %s", held)
	}
	d.do <- nil
	if held := await(t, d.synced, "the count is not synced"); !slices.Equal(counted(held), twice) {
		t.Errorf("synced in the end is %s", held)
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
}

// The last flush leaves nothing, be there a count or news or both.
func TestAllIsFlushed(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	d := newDisk()
	j := newJournal(l, d, 1)
	l.Keep(j)
	l.Feed([]byte(query), time.Now(), false)
	j.flush(false)
	l.Feed([]byte(query+"query[A] b.example from 10.0.0.5\n"), time.Now(), false)
	close(d.do)
	j.flush(true)
	for _, want := range []string{`"a.example","queries":2`, `"b.example","queries":1`} {
		if held := d.held.String(); !strings.Contains(held, want) {
			t.Errorf("%s is not in\n%s", want, held)
		}
	}
}

// A decision doesn't wait for the records of a large log.
func TestDecisionsComeFirst(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "dnstest"})
	d := newDisk()
	j := newJournal(l, d, 1)
	l.Keep(j)
	for i := range 4 * recordsAtOnce {
		l.Feed(fmt.Appendf(nil, "query[A] n%d.example from 10.0.0.5\n", i), time.Now(), false)
	}
	l.Decide(capture.Drop, 0)
	j.start()
	d.do <- nil
	held := await(t, d.synced, "the decision is not synced")
	if records := strings.Count(held, `{"domain"`); records > recordsAtOnce || !strings.Contains(held, `{"mark"`) {
		t.Errorf("the decision is synced behind %d records", records)
	}
	close(d.do)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
}

// What the session is about is told often enough for any one page of the
// journal to be lost. A large decision is several lines.
func TestNoPageHoldsAll(t *testing.T) {
	l, j, d := begin(time.Hour)
	close(d.do)
	ids := make([]capture.ID, 3*namesAtOnce/2)
	for i := range ids {
		ids[i] = capture.ID(i)
		l.Feed(fmt.Appendf(nil, "query[A] n%d.example from 10.0.0.5\n", i), time.Now(), false)
	}
	for !strings.Contains(await(t, d.wrote, "the names are not written"), `"n1499.example"`) {
	}
	l.Decide(capture.Drop, ids...)
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
	journal := d.held.String()
	page := strings.Repeat("\x00", 4096)
	for _, damaged := range []string{journal, page + journal[4096:]} {
		p := newReplay("nobody")
		if err := p.read(strings.NewReader(damaged), false); err != nil {
			t.Fatal(err)
		}
		p.ledger.Read(func(r capture.Reader) {
			dropped := 0
			for id := range r.Len() {
				if r.Domain(capture.ID(id)).Mark.Decision == capture.Drop {
					dropped++
				}
			}
			if r.Info().Instance != "dnstest" || dropped != len(ids) {
				t.Errorf("of instance %q %d domains are dropped, want %d", r.Info().Instance, dropped, len(ids))
			}
		})
		if what := p.ledger.Undo(); what != fmt.Sprintf("drop %d domains", len(ids)) || p.ledger.Undo() != "" {
			t.Errorf("one undo took back %q", what)
		}
	}
}

// A newer program's journal may mean what this one can't know, whichever of
// the places that say so is left of it. A flipped bit of the first line, which
// has no checksum, says nothing.
func TestNewerFormat(t *testing.T) {
	info := &capture.Info{Session: "s"}
	for _, c := range []struct {
		first, second int // 0 for a damaged line, below for none
		says          string
	}{
		{format, -1, ""}, {1, format, ""}, {format, format, ""}, {format + 1, format, ""},
		{format + 1, -1, "newer format, 3"}, {format + 1, format + 1, "newer format, 3"},
		{format, format + 1, "newer format, 3"}, {0, format + 1, "newer format, 3"},
	} {
		journal := []byte("\x00\x00\n")
		if c.first > 0 {
			journal = appendBare(nil, entry{Format: c.first, Info: info})
		}
		if c.second > 0 {
			journal = appendLine(journal, 1, entry{Format: c.second, Info: info})
		}
		err := newReplay("s").read(bytes.NewReader(journal), false)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The first line has no number, and is counted all the same where it is
// damaged together with others.
func TestFirstLineIsCounted(t *testing.T) {
	var journal []byte
	for n := uint64(1); n < 4; n++ {
		journal = appendLine(journal, n, entry{Counts: &capture.Counts{Lines: n}})
	}
	rest := journal[bytes.LastIndexByte(journal[:len(journal)-1], '\n')+1:]
	for text, want := range map[string]uint64{string(journal): 1, "\x00\x00\x00\n" + string(rest): 3} {
		p := newReplay("s")
		if err := p.read(strings.NewReader(text), false); err != nil || p.lost != want {
			t.Errorf("%q: %d lost, %v, want %d", text, p.lost, err, want)
		}
	}
}
