package term

import (
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// Entered is a line that was entered.
type Entered struct {
	At   time.Time
	Line string
}

// typing is what is known of the line that is being typed. What a line is, is
// told by the screen alone, when the program answers Enter with a line feed:
// then all of its echo is there, with what a shell's history put in. What had
// no echo, as a password has none, is on no line.
type typing struct {
	begun   bool
	prompt  string // what stood in front of the cursor when typing began
	last    string // the last prompt of which something came
	pressed time.Time
	entered []Entered
}

// longestLine is how many rows back a line may begin, and enteredMost how many
// lines may wait to be asked for.
const (
	longestLine = 20
	enteredMost = 100
)

// Entered returns the lines that were entered since it was asked last.
func (s *Screen) Entered() []Entered {
	if !s.last.glance.Load().entered {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.m.typing.entered
	s.m.typing.entered = nil
	s.look()
	return all
}

// typed follows a key that is sent.
func (m *machine) typed(k tea.KeyPressMsg) {
	t := &m.typing
	if m.emu.IsAltScreen() { // a program of its own, which has no lines
		t.begun, t.pressed = false, time.Time{}
		return
	}
	if !t.begun {
		t.begun = true
		at := m.cursor()
		t.prompt = plain(m.rowAt(at.Y), 0, at.X)
		if t.last != "" && strings.HasPrefix(t.prompt, t.last) { // and a line that an earlier key recalled
			t.prompt = t.last
		}
	}
	if k.Code == tea.KeyEnter {
		t.pressed = time.Now()
	}
}

// lineFeed takes the line that was entered, if Enter was pressed before: the
// cursor is still on its last row.
func (m *machine) lineFeed() {
	t := &m.typing
	pressed := t.pressed
	t.begun, t.pressed = false, time.Time{}
	if m.emu.IsAltScreen() {
		return
	}
	line, ok := m.enteredLine()
	switch blank := strings.TrimLeftFunc(line, unicode.IsSpace); {
	case !ok || blank == "" || blank != line: // one with a blank in front is kept from histories, too
	case strings.Trim(line, "*•") == "": // a password's echo
	case len(t.entered) < enteredMost:
		t.last = t.prompt
		t.entered = append(t.entered, Entered{pressed, line})
	}
}

// enteredLine returns what stands behind the prompt, over the rows that it
// takes; false where the prompt isn't there any more.
func (m *machine) enteredLine() (string, bool) {
	t := &m.typing
	end := m.cursor().Y
	text := ""
	for y := end; y >= max(0, end-longestLine); y-- {
		row := plain(m.rowAt(y), 0, m.w)
		text = row + text
		if rest, ok := strings.CutPrefix(text, t.prompt); ok && (t.prompt != "" || y == end) {
			if t.prompt == "" && t.last != "" { // typing began before the shell was ready
				if rest, ok = strings.CutPrefix(text, t.last); !ok {
					rest = text
				}
			}
			return strings.TrimRight(rest, " "), true
		}
	}
	return "", false
}
