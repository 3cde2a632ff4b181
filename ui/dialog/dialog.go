// Package dialog is what stands over the panes and takes all keys while it
// does. A dialog holds what it shows and what was typed into it; what is to be
// done about a key it returns, and somebody else does it.
package dialog

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/export"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Dialog is a box over the panes.
type Dialog interface {
	// Keys returns what can be done now, for keys and for the footer.
	Keys() Live
	// Type takes a key that none of them has, or what was pasted, and returns
	// what is to be done, nil for nothing.
	Type(tea.Msg) Result
	// View returns the box's lines.
	View(Screen) []string
}

// Live is what can be done in a dialog.
type Live = keys.Live[Result]

// Press gives a dialog a key and returns what is to be done, nil for nothing.
func Press(d Dialog, msg tea.KeyPressMsg) Result {
	o := d.Keys().Press(msg.String())
	if !o.Bound {
		return d.Type(msg)
	}
	return done(o)
}

// Run does the action of a name, as a click on its hint does.
func Run(d Dialog, name string) Result { return done(d.Keys().Run(name)) }

// done is what came of an action, or why it can't be done.
func done(o keys.Outcome[Result]) Result {
	if o.Why != "" {
		return Say{o.Why}
	}
	return o.Of
}

// Screen is what a dialog is drawn for.
type Screen struct {
	*look.Styles
	W, H int // cells
	Now  time.Time
}

// Result is what a dialog wants done.
type Result interface{ result() }

// Results.
type (
	// Close closes the dialog.
	Close struct{}
	// Quit ends the program.
	Quit struct{}
	// Say tells the user something.
	Say struct{ Text string }
	// Act does an action of the table by its name; the dialog stays.
	Act struct{ Name string }
	// Next shows the domain below, or above for a Step below 0.
	Next struct{ Step int }
	// Answer is what was typed into a prompt; see [Prompt.Fail].
	Answer struct {
		To   any // what it was opened with
		Text string
	}
	// Chosen is what was chosen in a [Choice], which is closed then.
	Chosen struct {
		To any // what it was opened with
		At int // of the options
	}
	// Weigh looks up what was seen of a name, of names above it, of which the
	// last is above all others, and beside it, for [Ladder.Weighed].
	Weigh struct {
		Name  string
		Above []string
	}
	// Widen keeps a name and all below it as one suffix rule, or takes that
	// back; see [Ladder.Fail].
	Widen struct {
		Name         string // a pattern's text, too
		Pattern      string // its regexp; "" for a name
		Back, Always bool   // Always: in the user's rules file
		Reason       string // "" for the one that there is
		Warning      string // what it opens, "" for nothing known
	}
	// Picked is what was picked of a [Palette], which is closed then.
	Picked struct{ To any }
	// WriteReport writes the report that is shown.
	WriteReport struct {
		Path     string
		How      Writing
		Markdown bool // and not JSON
	}
	// Copy puts a text into the clipboard; What names it.
	Copy struct{ Text, What string }
	// OfCommand shows the names that came up after a command.
	OfCommand struct{ Line string }
	// Make makes a file for [Export.Made].
	Make struct {
		Format export.Format
		Path   string        // where it is to go
		Gen    int           // to be handed back
		Rest   time.Duration // to wait before
	}
	// Write writes the file that is shown.
	Write struct {
		File    export.File
		Path    string
		Default bool // nobody typed the path
		How     Writing
		Quit    bool // after it was written
	}
)

func (Close) result()  {}
func (Quit) result()   {}
func (Say) result()    {}
func (Act) result()    {}
func (Next) result()   {}
func (Answer) result() {}
func (Make) result()   {}
func (Picked) result() {}
func (Weigh) result()  {}
func (Widen) result()  {}
func (Write) result()  {}

func (Chosen) result()      {}
func (Copy) result()        {}
func (OfCommand) result()   {}
func (WriteReport) result() {}

// Contexts are where the dialogs take keys.
func Contexts() []keys.Context {
	return []keys.Context{
		detailsKeys.Rows(), ladderKeys.Rows(), ladderReasonKeys.Rows(), exportKeys.Rows(), quitKeys.Rows(), existsKeys.Rows(), searchKeys.Rows(), namingKeys.Rows(), nameKeys.Rows(),
		paletteKeys.Rows(), idlePaletteKeys.Rows(), promptKeys.Rows(), messagesKeys.Rows(),
		choiceKeys.Rows(), choiceTextKeys.Rows(), reportKeys.Rows(), reportExistsKeys.Rows(), toldKeys.Rows(), courseKeys.Rows(),
	}
}

// scroll is which of its lines a dialog shows.
type scroll struct {
	top  int
	more bool // below what is seen
}

// bound bounds the first line that is seen, and returns the one behind the last.
// The title says how many are below.
func (v *scroll) bound(title string, lines, room int) (titled string, end int) {
	v.top = max(0, min(v.top, lines-room))
	end = min(lines, v.top+room)
	if v.more = end < lines; v.more {
		title += fmt.Sprintf("  ↓ %d more", lines-end)
	}
	return title, end
}

// scrolled returns the lines in view, below their title.
func (v *scroll) scrolled(title string, lines []string, room int) (string, []string) {
	title, end := v.bound(title, len(lines), room)
	return title, lines[v.top:end]
}

// scrolls says in a footer that there are lines that aren't seen, goesOn that there
// are some below.
func (v *scroll) scrolls() string {
	if v.more || v.top > 0 {
		return "more"
	}
	return ""
}

func (v *scroll) goesOn() string {
	if v.more {
		return "more"
	}
	return ""
}

// choosing says in a footer that there are several to choose from.
func choosing(n int) string {
	if n < 2 {
		return ""
	}
	return "choose"
}
