package term

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Key sends a key press. It brings the view back to the bottom.
func (s *Screen) Key(k tea.KeyPressMsg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq := encodeKey(k.Key(), s.m.modes[modeCursorKeys]); len(seq) > 0 {
		s.bottom()
		s.m.typed(k)
		s.in.offer(seq, inputLimit)
	}
}

// Paste sends text, bracketed if the program asked for that. It brings the
// view back to the bottom. Where all of the text can't be queued, nothing is
// sent and false returned: half of a command is worse than none.
func (s *Screen) Paste(text string) bool {
	s.mu.Lock()
	bracketed := s.m.modes[modePaste]
	s.bottom()
	s.mu.Unlock()
	return s.in.offer(encodePaste(text, bracketed), inputLimit)
}

// encodePaste makes text as if it were typed. The end of a bracketed paste
// must not stand in it, or the rest would be taken for typing; it is looked
// for until none is left, because removing one can make another.
func encodePaste(text string, bracketed bool) []byte {
	for strings.Contains(text, pasteEnd) {
		text = strings.ReplaceAll(text, pasteEnd, "")
	}
	text = strings.ReplaceAll(text, "\r\n", "\r")
	text = strings.ReplaceAll(text, "\n", "\r")
	if bracketed {
		text = pasteStart + text + pasteEnd
	}
	return []byte(text)
}

const (
	pasteStart = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// Focus tells the program that the pane has got or lost the focus, if it asked
// for that.
func (s *Screen) Focus(focused bool) {
	switch wanted := s.last.glance.Load().focus; {
	case wanted && focused:
		s.in.offer([]byte("\x1b[I"), inputLimit)
	case wanted:
		s.in.offer([]byte("\x1b[O"), inputLimit)
	}
}
