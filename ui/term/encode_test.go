package term

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

const (
	shift = tea.ModShift
	alt   = tea.ModAlt
	ctrl  = tea.ModCtrl
)

func TestEncodeKey(t *testing.T) {
	tests := []struct {
		key  tea.Key
		want string
	}{
		// Text.
		{tea.Key{Code: 'a', Text: "a"}, "a"},
		{tea.Key{Code: 'a', ShiftedCode: 'A', Text: "A", Mod: shift}, "A"},
		{tea.Key{Code: 'ä', Text: "ä"}, "ä"},
		{tea.Key{Code: tea.KeyExtended, Text: "日本"}, "日本"},
		{tea.Key{Code: 'q', Text: "@", Mod: ctrl | alt}, "@"}, // AltGr
		{tea.Key{Code: 'a', Text: "A", Mod: tea.ModCapsLock}, "A"},
		{tea.Key{Code: tea.KeySpace, Text: " "}, " "},
		{tea.Key{Code: 'a', Mod: shift}, "A"},
		// Alt puts ESC in front.
		{tea.Key{Code: 'a', Mod: alt}, "\x1ba"},
		{tea.Key{Code: 'a', Text: "a", Mod: alt}, "\x1ba"},
		{tea.Key{Code: 'a', Mod: alt | shift}, "\x1bA"},
		{tea.Key{Code: '1', ShiftedCode: '!', Mod: alt | shift}, "\x1b!"},
		{tea.Key{Code: 'ä', Mod: alt}, "\x1bä"},
		{tea.Key{Code: tea.KeySpace, Mod: alt}, "\x1b "},
		{tea.Key{Code: tea.KeyEnter, Mod: alt}, "\x1b\r"},
		{tea.Key{Code: tea.KeyBackspace, Mod: alt}, "\x1b\x7f"},
		{tea.Key{Code: 'c', Mod: alt | ctrl}, "\x1b\x03"},
		// Ctrl.
		{tea.Key{Code: 'a', Mod: ctrl}, "\x01"},
		{tea.Key{Code: 'z', Mod: ctrl}, "\x1a"},
		{tea.Key{Code: 'c', Mod: ctrl | shift}, "\x03"},
		{tea.Key{Code: tea.KeySpace, Mod: ctrl}, "\x00"},
		{tea.Key{Code: '@', Mod: ctrl}, "\x00"},
		{tea.Key{Code: '2', Mod: ctrl}, "\x00"},
		{tea.Key{Code: '[', Mod: ctrl}, "\x1b"},
		{tea.Key{Code: '\\', Mod: ctrl}, "\x1c"},
		{tea.Key{Code: ']', Mod: ctrl}, "\x1d"},
		{tea.Key{Code: '5', Mod: ctrl}, "\x1d"},
		{tea.Key{Code: '^', Mod: ctrl}, "\x1e"},
		{tea.Key{Code: '_', Mod: ctrl}, "\x1f"},
		{tea.Key{Code: '-', ShiftedCode: '_', Mod: ctrl | shift}, "\x1f"},
		{tea.Key{Code: '/', Mod: ctrl}, "\x1f"},
		{tea.Key{Code: '8', Mod: ctrl}, "\x7f"},
		{tea.Key{Code: '?', Mod: ctrl}, "\x7f"},
		{tea.Key{Code: '9', Mod: ctrl}, "9"},
		{tea.Key{Code: 'с', BaseCode: 'c', Mod: ctrl}, "\x03"}, // Cyrillic
		// Keys with a control character.
		{tea.Key{Code: tea.KeyEnter}, "\r"},
		{tea.Key{Code: tea.KeyKpEnter}, "\r"},
		{tea.Key{Code: tea.KeyTab}, "\t"},
		{tea.Key{Code: tea.KeyTab, Mod: shift}, "\x1b[Z"},
		{tea.Key{Code: tea.KeyEscape}, "\x1b"},
		{tea.Key{Code: tea.KeyEscape, Mod: alt}, "\x1b\x1b"},
		{tea.Key{Code: tea.KeyBackspace}, "\x7f"},
		{tea.Key{Code: tea.KeyBackspace, Mod: ctrl}, "\b"},
		{tea.Key{Code: tea.KeyBackspace, Mod: shift}, "\x7f"},
		// Keys with a sequence.
		{tea.Key{Code: tea.KeyUp}, "\x1b[A"},
		{tea.Key{Code: tea.KeyLeft, Mod: ctrl}, "\x1b[1;5D"},
		{tea.Key{Code: tea.KeyRight, Mod: shift}, "\x1b[1;2C"},
		{tea.Key{Code: tea.KeyDown, Mod: alt}, "\x1b[1;3B"},
		{tea.Key{Code: tea.KeyDown, Mod: ctrl | alt | shift}, "\x1b[1;8B"},
		{tea.Key{Code: tea.KeyUp, Mod: tea.ModNumLock}, "\x1b[A"},
		{tea.Key{Code: tea.KeyHome}, "\x1b[H"},
		{tea.Key{Code: tea.KeyEnd}, "\x1b[F"},
		{tea.Key{Code: tea.KeyEnd, Mod: shift}, "\x1b[1;2F"},
		{tea.Key{Code: tea.KeyKpHome}, "\x1b[H"},
		{tea.Key{Code: tea.KeyInsert}, "\x1b[2~"},
		{tea.Key{Code: tea.KeyDelete}, "\x1b[3~"},
		{tea.Key{Code: tea.KeyDelete, Mod: ctrl}, "\x1b[3;5~"},
		{tea.Key{Code: tea.KeyPgUp}, "\x1b[5~"},
		{tea.Key{Code: tea.KeyPgDown, Mod: alt}, "\x1b[6;3~"},
		{tea.Key{Code: tea.KeyF1}, "\x1bOP"},
		{tea.Key{Code: tea.KeyF4, Mod: ctrl}, "\x1b[1;5S"},
		{tea.Key{Code: tea.KeyF5}, "\x1b[15~"},
		{tea.Key{Code: tea.KeyF6}, "\x1b[17~"},
		{tea.Key{Code: tea.KeyF10}, "\x1b[21~"},
		{tea.Key{Code: tea.KeyF11}, "\x1b[23~"},
		{tea.Key{Code: tea.KeyF12, Mod: shift}, "\x1b[24;2~"},
		{tea.Key{Code: tea.KeyF13}, "\x1b[1;2P"},
		{tea.Key{Code: tea.KeyF24}, "\x1b[24;2~"},
		// Keys that a terminal doesn't send.
		{tea.Key{Code: tea.KeyLeftShift, Mod: shift}, ""},
		{tea.Key{Code: tea.KeyLeftCtrl, Mod: ctrl}, ""},
		{tea.Key{Code: tea.KeyCapsLock}, ""},
		{tea.Key{Code: tea.KeyF25}, ""},
		{tea.Key{Code: tea.KeyMediaPlay, Mod: alt}, ""},
	}
	for _, tt := range tests {
		if got := string(encodeKey(tt.key, false)); got != tt.want {
			t.Errorf("%s sends %q, want %q", tt.key.Keystroke(), got, tt.want)
		}
	}
	for letter := 'a'; letter <= 'z'; letter++ {
		if got := string(encodeKey(tea.Key{Code: letter, Mod: ctrl}, false)); got != string(letter-'a'+1) {
			t.Errorf("ctrl+%c sends %q", letter, got)
		}
	}
}

func TestApplicationCursorKeys(t *testing.T) {
	s := show(t, 10, 3, "\x1b[?1h")
	for _, key := range []tea.Key{
		{Code: tea.KeyUp}, {Code: tea.KeyEnd}, {Code: tea.KeyUp, Mod: ctrl}, {Code: tea.KeyDelete}, {Code: tea.KeyF1},
	} {
		s.Key(tea.KeyPressMsg(key))
	}
	write(t, s, "\x1b[?1l")
	s.Key(tea.KeyPressMsg{Code: tea.KeyUp})
	if got, want := sent(s), "\x1bOA\x1bOF\x1b[1;5A\x1b[3~\x1bOP\x1b[A"; got != want {
		t.Errorf("sent is %q, want %q", got, want)
	}
}

func TestPaste(t *testing.T) {
	tests := []struct{ output, text, want string }{
		{"", "a\nb\r\nc\td", "a\rb\rc\td"},
		{"\x1b[?2004h", "a\nb", "\x1b[200~a\rb\x1b[201~"},
		{"\x1b[?2004h", "a\x1b[201~rm\n", "\x1b[200~arm\r\x1b[201~"},
		{"\x1b[?2004h", "a\x1b[20\x1b[201~1~rm", "\x1b[200~arm\x1b[201~"},
		{"\x1b[?2004h\x1b[?2004l", "a", "a"},
	}
	for _, tt := range tests {
		s := show(t, 10, 3, tt.output)
		if !s.Paste(tt.text) {
			t.Errorf("%q was not taken", tt.text)
		}
		if got := sent(s); got != tt.want {
			t.Errorf("%q is pasted as %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestPasteThatDoesNotFit(t *testing.T) {
	s := show(t, 10, 3, "")
	s.Key(tea.KeyPressMsg{Code: 'x', Text: "x"})
	if s.Paste(string(make([]byte, inputLimit))) {
		t.Error("it was taken")
	}
	if got := sent(s); got != "x" {
		t.Errorf("%d bytes are queued", len(got))
	}
}

func TestFocus(t *testing.T) {
	s := show(t, 10, 3, "")
	s.Focus(true)
	write(t, s, "\x1b[?1004h")
	s.Focus(true)
	s.Focus(false)
	if got, want := sent(s), "\x1b[I\x1b[O"; got != want {
		t.Errorf("sent is %q, want %q", got, want)
	}
}

func TestMouse(t *testing.T) {
	left := tea.Mouse{Button: tea.MouseLeft}
	tests := []struct {
		name, modes string
		msg         tea.MouseMsg
		x, y        int
		want        string
	}{
		{"not asked for", "", tea.MouseClickMsg(left), 1, 2, ""},
		{"click", "\x1b[?1000h", tea.MouseClickMsg(left), 1, 2, "\x1b[M \"#"},
		{"click as SGR", "\x1b[?1000;1006h", tea.MouseClickMsg(left), 1, 2, "\x1b[<0;2;3M"},
		{"right as SGR", "\x1b[?1000;1006h", tea.MouseClickMsg{Button: tea.MouseRight}, 0, 0, "\x1b[<2;1;1M"},
		{"ctrl", "\x1b[?1000;1006h", tea.MouseClickMsg{Button: tea.MouseLeft, Mod: ctrl | shift}, 0, 0, "\x1b[<20;1;1M"},
		{"release", "\x1b[?1000h", tea.MouseReleaseMsg{Button: tea.MouseRight}, 1, 2, "\x1b[M#\"#"},
		{"release as SGR", "\x1b[?1000;1006h", tea.MouseReleaseMsg(left), 1, 2, "\x1b[<0;2;3m"},
		{"wheel", "\x1b[?1000;1006h", tea.MouseWheelMsg{Button: tea.MouseWheelDown}, 1, 2, "\x1b[<65;2;3M"},
		{"back", "\x1b[?1000;1006h", tea.MouseClickMsg{Button: tea.MouseBackward}, 1, 2, "\x1b[<128;2;3M"},
		{"motion in click mode", "\x1b[?1000;1006h", tea.MouseMotionMsg(left), 1, 2, ""},
		{"drag", "\x1b[?1002;1006h", tea.MouseMotionMsg(left), 1, 2, "\x1b[<32;2;3M"},
		{"motion in drag mode", "\x1b[?1002;1006h", tea.MouseMotionMsg{}, 1, 2, ""},
		{"motion", "\x1b[?1003;1006h", tea.MouseMotionMsg{}, 1, 2, "\x1b[<35;2;3M"},
		{"the last mode holds", "\x1b[?1003;1000;1006h", tea.MouseMotionMsg{}, 1, 2, ""},
		{"switched off", "\x1b[?1000;1006h\x1b[?1000l", tea.MouseClickMsg(left), 1, 2, ""},
		{"X10", "\x1b[?9h", tea.MouseClickMsg{Button: tea.MouseLeft, Mod: ctrl}, 1, 2, "\x1b[M \"#"},
		{"X10 release", "\x1b[?9h", tea.MouseReleaseMsg(left), 1, 2, ""},
		{"X10 wheel", "\x1b[?9h", tea.MouseWheelMsg{Button: tea.MouseWheelUp}, 1, 2, ""},
		{"outside", "\x1b[?1003;1006h", tea.MouseClickMsg(left), 300, 2, ""},
		{"release outside", "\x1b[?1003;1006h", tea.MouseReleaseMsg(left), 300, -1, "\x1b[<0;250;1m"},
		{"too far for a byte", "\x1b[?1000h", tea.MouseClickMsg(left), 240, 2, "\x1b[M \x00#"},
	}
	for _, tt := range tests {
		s := show(t, 250, 5, tt.modes)
		ok := s.Mouse(tt.msg, tt.x, tt.y)
		if got := sent(s); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: sent is %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}
