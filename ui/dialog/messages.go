package dialog

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// messageLife is how long a message is current at least, and messagePace how
// fast one is read.
const (
	messageLife = 6 * time.Second
	messagePace = time.Second / 15 // a byte
)

// Log is all that was said to the user.
type Log []Message

// Message is one sentence.
type Message struct {
	Text string
	At   time.Time
	read bool
}

// Say adds a sentence.
func (l *Log) Say(text string) { *l = append(*l, Message{Text: text, At: time.Now()}) }

// Read has the first n sentences not be current any more.
func (l Log) Read(n int) {
	for i := range l[:min(n, len(l))] {
		l[i].read = true
	}
}

// Current returns the last sentence while it is current, then "".
func (l Log) Current(now time.Time) string {
	if n := len(l); n > 0 && !l[n-1].read && now.Sub(l[n-1].At) < max(messageLife, time.Duration(len(l[n-1].Text))*messagePace) {
		return l[n-1].Text
	}
	return ""
}

// Messages lists what was said, the last first, below what holds all the time.
type Messages struct {
	keys     *keys.Map
	standing []string
	log      *Log
	scroll
}

// NewMessages shows what stands, such as doubts in the list, and a log, as it
// grows.
func NewMessages(k *keys.Map, standing []string, l *Log) *Messages {
	return &Messages{keys: k, standing: standing, log: l}
}

var messagesKeys = keys.Table[*Messages, Result]{Context: "the messages", Actions: []keys.Action[*Messages, Result]{
	{Row: keys.Row{Name: "up"}, Says: (*Messages).newer, Do: func(d *Messages) Result { d.top--; return nil }},
	{Row: keys.Row{Name: "down"}, Says: (*Messages).older, Do: func(d *Messages) Result { d.top++; return nil }},
	{Row: keys.Row{Name: "messages"}, Do: closes[*Messages]},
	{Row: keys.Row{Name: "accept"}, Do: closes[*Messages]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Messages]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Messages]},
}}

func (d *Messages) newer() string {
	if d.top > 0 {
		return "newer"
	}
	return ""
}

func (d *Messages) older() string {
	if d.more {
		return "older"
	}
	return ""
}

// Keys implements [Dialog].
func (d *Messages) Keys() Live { return messagesKeys.On(d.keys, d) }

// Type implements [Dialog].
func (d *Messages) Type(tea.Msg) Result { return nil }

// View implements [Dialog].
func (d *Messages) View(s Screen) []string {
	inner := min(s.W-4, 100)
	var lines []string
	for _, text := range d.standing {
		for n, line := range look.Wrap(s.Warn, text, inner-10) {
			mark := new(look.Line).Add(s.Warn, map[bool]string{true: "!"}[n == 0]).Cut(9)
			lines = append(lines, mark+line)
		}
	}
	for i := len(*d.log) - 1; i >= 0; i-- {
		said := (*d.log)[i]
		for n, text := range look.Wrap(s.Text, said.Text, inner-10) {
			at := ""
			if n == 0 {
				at = said.At.Format("15:04:05")
			}
			lines = append(lines, new(look.Line).Add(s.Muted, at).Pad(9).Cut(9)+text)
		}
	}
	if len(lines) == 0 {
		lines = []string{s.Muted.Render("nothing was said yet")}
	}
	title, lines := d.scrolled("Messages", lines, max(3, s.H-4))
	return look.Box(s.Styles, title, lines, inner)
}
