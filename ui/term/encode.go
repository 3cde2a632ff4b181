package term

import (
	"strconv"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// encodeKey returns what xterm sends for a key; nothing for keys that it
// doesn't know. app is the application cursor mode.
func encodeKey(k tea.Key, app bool) []byte {
	ctrl, alt := k.Mod.Contains(tea.ModCtrl), k.Mod.Contains(tea.ModAlt)
	if k.Text != "" && ctrl == alt {
		// Also with both: that is how AltGr arrives from some keyboards.
		return []byte(k.Text)
	}
	if seq := encodeSpecial(k, app); seq != nil {
		return seq
	}
	b := encodeChar(k, ctrl)
	if alt && len(b) > 0 {
		b = append([]byte{esc}, b...)
	}
	return b
}

// modCode is the sum of the modifiers in sequences: shift 1, alt 2, ctrl 4.
func modCode(mod tea.KeyMod) int {
	code := 0
	if mod.Contains(tea.ModShift) {
		code |= 1
	}
	if mod.Contains(tea.ModAlt) {
		code |= 2
	}
	if mod.Contains(tea.ModCtrl) {
		code |= 4
	}
	return code
}

// letterKeys end in a letter: ESC [ H, with modifiers ESC [ 1 ; 5 H.
var letterKeys = map[rune]byte{
	tea.KeyUp: 'A', tea.KeyDown: 'B', tea.KeyRight: 'C', tea.KeyLeft: 'D',
	tea.KeyHome: 'H', tea.KeyEnd: 'F', tea.KeyBegin: 'E',
	tea.KeyF1: 'P', tea.KeyF2: 'Q', tea.KeyF3: 'R', tea.KeyF4: 'S',
}

// numberKeys have a number: ESC [ 3 ~, with modifiers ESC [ 3 ; 5 ~.
var numberKeys = map[rune]int{
	tea.KeyFind: 1, tea.KeyInsert: 2, tea.KeyDelete: 3, tea.KeySelect: 4,
	tea.KeyPgUp: 5, tea.KeyPgDown: 6,
	tea.KeyF5: 15, tea.KeyF6: 17, tea.KeyF7: 18, tea.KeyF8: 19,
	tea.KeyF9: 20, tea.KeyF10: 21, tea.KeyF11: 23, tea.KeyF12: 24,
}

// keypad maps the keys of the number pad to the ones they double.
var keypad = map[rune]rune{
	tea.KeyKpUp: tea.KeyUp, tea.KeyKpDown: tea.KeyDown, tea.KeyKpLeft: tea.KeyLeft,
	tea.KeyKpRight: tea.KeyRight, tea.KeyKpPgUp: tea.KeyPgUp, tea.KeyKpPgDown: tea.KeyPgDown,
	tea.KeyKpHome: tea.KeyHome, tea.KeyKpEnd: tea.KeyEnd, tea.KeyKpInsert: tea.KeyInsert,
	tea.KeyKpDelete: tea.KeyDelete, tea.KeyKpBegin: tea.KeyBegin, tea.KeyKpEnter: tea.KeyEnter,
	tea.KeyKp0: '0', tea.KeyKp1: '1', tea.KeyKp2: '2', tea.KeyKp3: '3', tea.KeyKp4: '4',
	tea.KeyKp5: '5', tea.KeyKp6: '6', tea.KeyKp7: '7', tea.KeyKp8: '8', tea.KeyKp9: '9',
	tea.KeyKpPlus: '+', tea.KeyKpMinus: '-', tea.KeyKpMultiply: '*', tea.KeyKpDivide: '/',
	tea.KeyKpDecimal: '.', tea.KeyKpComma: ',', tea.KeyKpSep: ',', tea.KeyKpEqual: '=',
}

// encodeSpecial returns the sequence of a key that has one, else nil.
func encodeSpecial(k tea.Key, app bool) []byte {
	code, mods := k.Code, modCode(k.Mod)
	if same, ok := keypad[code]; ok {
		code = same
	}
	if code >= tea.KeyF13 && code <= tea.KeyF24 {
		// xterm has them above shift.
		code, mods = code-tea.KeyF13+tea.KeyF1, mods|1
	}
	if code == tea.KeyTab && mods&1 != 0 {
		return []byte("\x1b[Z")
	}
	b := []byte{esc, '['}
	if letter, ok := letterKeys[code]; ok {
		switch {
		case mods > 0:
			b = append(b, "1;"...)
			b = strconv.AppendInt(b, int64(mods+1), 10)
		case app || letter >= 'P':
			b[1] = 'O'
		}
		return append(b, letter)
	}
	if number, ok := numberKeys[code]; ok {
		b = strconv.AppendInt(b, int64(number), 10)
		if mods > 0 {
			b = append(b, ';')
			b = strconv.AppendInt(b, int64(mods+1), 10)
		}
		return append(b, '~')
	}
	return nil
}

// encodeChar returns what a key with a character sends, without alt.
func encodeChar(k tea.Key, ctrl bool) []byte {
	code := k.Code
	if same, ok := keypad[code]; ok {
		code = same
	}
	switch {
	case code == tea.KeyBackspace && ctrl:
		return []byte{'\b'}
	case code == tea.KeyBackspace || code == tea.KeyEnter || code == tea.KeyTab || code == tea.KeyEscape:
		return []byte{byte(code)}
	case ctrl:
		return encodeCtrl(k, code)
	case k.Text != "":
		return []byte(k.Text)
	case code < ' ' || code > unicode.MaxRune:
		return nil
	case k.Mod.Contains(tea.ModShift) && k.ShiftedCode != 0:
		code = k.ShiftedCode
	case k.Mod.Contains(tea.ModShift):
		code = unicode.ToUpper(code)
	}
	return []byte(string(code))
}

// ctrlDigits are the control characters that xterm has on the digits from 2 on.
const ctrlDigits = "\x00\x1b\x1c\x1d\x1e\x1f\x7f"

// encodeCtrl returns the control character of a key.
func encodeCtrl(k tea.Key, code rune) []byte {
	if code > unicode.MaxASCII && k.BaseCode > 0 {
		code = k.BaseCode // another alphabet: the key that is C on a Latin keyboard
	}
	if !unicode.IsLetter(code) && k.Mod.Contains(tea.ModShift) && k.ShiftedCode > 0 {
		code = k.ShiftedCode
	}
	switch {
	case code >= '@' && code <= '_' || code >= 'a' && code <= 'z':
		return []byte{byte(code) & 0x1f}
	case code == ' ':
		return []byte{0}
	case code == '/':
		return []byte{0x1f}
	case code == '?':
		return []byte{del}
	case code >= '2' && code <= '8':
		return []byte{ctrlDigits[code-'2']}
	case code < ' ' || code > unicode.MaxRune:
		return nil
	}
	return []byte(string(code))
}
