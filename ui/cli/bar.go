package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"lxd-allowlist/capture/verify/minimize"
	"lxd-allowlist/ui/look"
)

// bar shows how far minimize is: in one line that stands where there is a
// terminal, else in a line for each trial.
type bar struct {
	to         *os.File
	onTerminal bool
	done, left int
	made       int           // trials by this process
	took       time.Duration // that these took
	last       string        // what became of the last one
}

const (
	barWidth = 24 // cells
	wipe     = "\r" + ansi.EraseLineRight
)

func newBar(to *os.File) *bar { return &bar{to: to, onTerminal: term.IsTerminal(int(to.Fd()))} }

// progress takes how many trials were made and about how many are to come.
func (b *bar) progress(done, left int) {
	b.done, b.left = done, left
	if b.onTerminal {
		b.draw()
	}
}

// tried takes a trial that was made.
func (b *bar) tried(rules, all int, o minimize.Outcome, took time.Duration) {
	b.made, b.took = b.made+1, b.took+took
	b.last = fmt.Sprintf("%d of %s: %s in %s", rules, look.Plural(all, "rule"), map[bool]string{true: "works", false: "fails"}[o.Worked], seconds(o.Took))
	if !b.onTerminal {
		say(fmt.Sprintf("trial %d: %s", b.done+1, b.last+b.toCome(b.left-1)))
	}
}

// toCome says how much is left.
func (b *bar) toCome(left int) string {
	if left <= 0 {
		return ""
	}
	text := fmt.Sprintf("; about %d more", left)
	if b.made > 0 {
		text += ", " + look.Age(time.Duration(left)*b.took/time.Duration(b.made))
	}
	return text
}

// text is the line.
func (b *bar) text() string {
	full := 0
	if all := b.done + b.left; all > 0 {
		full = b.done * barWidth / all
	}
	text := fmt.Sprintf("%s%s %s%s", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), look.Plural(b.done, "trial"), b.toCome(b.left))
	if b.last != "" {
		text += "; " + b.last
	}
	return text
}

func (b *bar) draw() {
	text := b.text()
	if w, _, err := term.GetSize(int(b.to.Fd())); err == nil && w > 1 { // a line that wraps can't be wiped
		text = ansi.Truncate(text, w-1, "…")
	}
	fmt.Fprint(b.to, wipe+text)
}

// say says something without breaking the bar.
func (b *bar) say(text string) {
	b.end()
	say(text)
}

// end leaves the line to what comes next.
func (b *bar) end() {
	if b.onTerminal {
		fmt.Fprint(b.to, wipe)
	}
}
