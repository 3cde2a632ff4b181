// Package keys is what keys do and how that is told: the rows that a table of
// actions is made of, and the keys that the user gave them. Dispatch, footers,
// the help and the config file all read the same rows, so that what is shown
// and what is done can't differ.
package keys

import "lxd-allowlist/ui/look"

// Row is an action as the keyboard, the help and the config file know it.
type Row struct {
	Name string // in the config: "page-up"
	// Keys are its keys by default, as [tea.KeyPressMsg] names them. Without
	// any, the row has keys and help of the row of its name elsewhere: up,
	// accept and their like are there for all; see shared.
	Keys []string
	// Show is how many of the keys are shown; 0 for one.
	Show int
	Help string // what it does
	// Section is its heading in the help; "" where the help leaves it out.
	Section string
	// Hint is what it does in a footer; "" where the footer leaves it out.
	Hint string
	// Beside names a row whose key a footer shows in front of this one's, for
	// two that go there and back.
	Beside string
	// After names a row whose key is pressed before one of this row's: it has
	// none by itself here, and a footer shows both.
	After string
}

// Context is a place where keys are pressed. The contexts' rows, in the order
// in which a footer shows them, are live together: no two may have one key.
type Context struct {
	Name string // behind "in": "the table"
	// Typing says that what is no row's key is typed as text. Keys that are
	// text don't count there, but those of the rows in Text; a row that has no
	// others has its default ones.
	Typing bool
	Text   []string
	Rows   []Row
}

// shared are the keys that mean the same in many contexts, which then say what
// they do there.
var shared = []Row{
	{Name: "up", Keys: []string{"up", "k"}, Show: 2, Help: "up"},
	{Name: "down", Keys: []string{"down", "j"}, Show: 2, Help: "down"},
	{Name: "page-up", Keys: []string{"pgup", "ctrl+b"}, Help: "page up"},
	{Name: "page-down", Keys: []string{"pgdown", "ctrl+f"}, Help: "page down"},
	{Name: "top", Keys: []string{"g", "home"}, Help: "first row"},
	{Name: "bottom", Keys: []string{"G", "end"}, Help: "last row"},
	{Name: "accept", Keys: []string{"enter"}, Help: "accept"},
	{Name: "cancel", Keys: []string{"esc"}, Help: "cancel"},
	{Name: "yes", Keys: []string{"y"}, Help: "yes"},
	{Name: "no", Keys: []string{"n"}, Help: "no"},
	{Name: "reload", Keys: []string{"r"}, Help: "again"},
	{Name: "help", Keys: []string{"?", "f1"}, Help: "help"},
	{Name: "quit", Keys: []string{"q", "ctrl+c"}, Help: "quit"},
	{Name: Leave, Keys: []string{DefaultLeave}, Help: "leave the shell"},
}

// Leave is the name of the row of the chord that leaves the shell. Its keys are
// chords, or there would be no way out.
const Leave = "leave"

// DefaultLeave is that chord where the user has no other.
const DefaultLeave = "ctrl+]"

// Action is a row with what it does to a T and what comes of that.
type Action[T, R any] struct {
	Row
	// Has says why there is nothing that the action could ever be about, ""
	// if there is: it is offered nowhere then. Nil for there is.
	Has func(T) string
	// Can says why it can't be done now, "" if it can: it is not offered in a
	// footer then. Nil for it can.
	Can func(T) string
	// Says is what it does to what there is now, for a footer, in place of the
	// row's hint: "" where the footer leaves it out. Nil for the hint.
	Says func(T) string
	Do   func(T) R
	// Nth is Do where it matters which of the row's keys it was, from 0.
	Nth func(T, int) R
}

// Table is the actions of one context.
type Table[T, R any] struct {
	Context string
	Typing  bool
	Text    []string // see [Context]
	Actions []Action[T, R]
}

// Rows returns the table's context.
func (t *Table[T, R]) Rows() Context {
	c := Context{Name: t.Context, Typing: t.Typing, Text: t.Text}
	for _, a := range t.Actions {
		c.Rows = append(c.Rows, a.Row)
	}
	return c
}

// Outcome is what came of a key.
type Outcome[R any] struct {
	Bound bool   // the key has an action here
	Why   string // why that can't be done; "" if it was done
	Of    R      // what came of it
}

// Press does what a key does in the table's context.
func (t *Table[T, R]) Press(m *Map, key string, to T) Outcome[R] {
	at, nth, ok := m.find(t.Context, key)
	if !ok {
		return Outcome[R]{}
	}
	return t.Actions[at].press(to, nth)
}

// Run does the action of a name.
func (t *Table[T, R]) Run(name string, to T) Outcome[R] {
	for _, a := range t.Actions {
		if a.Name == name {
			return a.press(to, 0)
		}
	}
	return Outcome[R]{}
}

// Live is a table's actions as they stand for one T.
type Live[R any] interface {
	// Press does what a key does.
	Press(key string) Outcome[R]
	// Run does the action of a name, as a click on its hint does.
	Run(name string) Outcome[R]
	// Hints returns what a footer shows: what can be done now.
	Hints() []look.Hint
}

type live[T, R any] struct {
	t  *Table[T, R]
	m  *Map
	to T
}

// On returns the table's actions for one T.
func (t *Table[T, R]) On(m *Map, to T) Live[R] { return live[T, R]{t, m, to} }

func (l live[T, R]) Press(key string) Outcome[R] { return l.t.Press(l.m, key, l.to) }
func (l live[T, R]) Run(name string) Outcome[R]  { return l.t.Run(name, l.to) }
func (l live[T, R]) Hints() []look.Hint          { return l.t.Hints(l.m, l.to) }

func (a *Action[T, R]) press(to T, nth int) Outcome[R] {
	why := a.missing(to)
	if why == "" && a.Can != nil {
		why = a.Can(to)
	}
	o := Outcome[R]{Bound: true, Why: why}
	switch {
	case why != "":
	case a.Nth != nil:
		o.Of = a.Nth(to, nth)
	default:
		o.Of = a.Do(to)
	}
	return o
}

func (a *Action[T, R]) missing(to T) string {
	if a.Has == nil {
		return ""
	}
	return a.Has(to)
}
