package ui

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/crash"
)

const (
	// frame is the least time between two writes to the terminal, as long as
	// anything happens. It is Bubble Tea's shortest.
	frame = time.Second / 120
	// calm is for how long nothing must have happened before the ticking ends.
	calm = 6 * frame
	// soon is when what answers a person is written: as soon as it is drawn, and
	// not with the next frame.
	soon = time.Millisecond
	// answers is for how long what the shell prints may be an answer to a key.
	answers = 250 * time.Millisecond
	// still is the time between two looks at a screen that nothing changes.
	still = time.Hour
)

// frames paces Bubble Tea's writing to the terminal, which looks for a change
// at every tick of a clock: what has just missed one waits for the next. A fast
// clock shows things sooner, but wakes the machine while nothing happens: a
// bare one of 45 ticks a second took 1.1 % of a core where it was measured. So
// its clock is fast while there are messages, and stands still without.
type frames struct {
	find  func() *time.Ticker // [clockOf]; nil where nothing is to be paced
	mu    sync.Mutex
	clock *time.Ticker
	last  time.Time   // when something happened
	rest  *time.Timer // looks whether all is calm; nil while the clock stands
	asked time.Time   // when a person did something
	hurry bool        // what comes next answers that
	fast  bool        // the clock ticks for such an answer
}

// clockOf returns the clock that a program writes to the terminal by; nil
// before it runs, or where this Bubble Tea has another, which then goes on at
// its own rate. Bubble Tea has no way to set it while it runs.
func clockOf(p *tea.Program) *time.Ticker {
	field, ok := reflect.TypeFor[tea.Program]().FieldByName("ticker")
	if !ok || field.Type != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return *(**time.Ticker)(unsafe.Add(unsafe.Pointer(p), field.Offset))
}

// note tells what message the next frame is for: a person who presses a key
// waits for what it does, and for its echo; one who has just started the program,
// or has given it other cells, for all of it.
func (f *frames) note(msg tea.Msg) {
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg, tea.WindowSizeMsg:
		f.asked, f.hurry = time.Now(), true
	case screenMsg:
		f.hurry = f.hurry || time.Since(f.asked) < answers
	}
}

// stir tells that there is something to show. It is called by the event loop,
// whose own the clock is, too.
func (f *frames) stir() {
	if f.find == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = time.Now()
	hurry := f.hurry
	f.hurry = false
	if f.rest == nil {
		if f.clock = f.find(); f.clock == nil {
			return
		}
		f.clock.Reset(frame)
		f.rest = time.AfterFunc(calm, crash.Guarded("the pace of frames", f.settle))
	}
	if hurry {
		if !f.fast {
			f.clock.Reset(soon)
		}
		f.fast = true
		f.rest.Reset(frame) // a tick that nobody has got yet is lost then
	}
}

// settle has the clock tick by frames again after an answer, and stops it if
// nothing has happened for long enough.
func (f *frames) settle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fast {
		f.fast = false
		f.clock.Reset(frame)
		f.rest.Reset(calm)
		return
	}
	if wait := calm - time.Since(f.last); wait > 0 {
		f.rest.Reset(wait)
		return
	}
	f.clock.Reset(still)
	f.rest = nil
}
