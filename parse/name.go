package parse

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Class says what a normalised name can be.
type Class uint8

const (
	// Host is a name that a list can hold.
	Host Class = iota
	// Reverse is a name under in-addr.arpa or ip6.arpa.
	Reverse
	// Unprintable is dnsmasq's word for a name with bytes that it doesn't
	// print. A client can ask for that word too.
	Unprintable
	// Unfit is any other name that isn't clean, see [Clean].
	Unfit
)

// unprintable is what dnsmasq prints for a name that holds control
// characters, bytes beyond ASCII or a dot within a label.
const unprintable = "<name unprintable>"

// AppendName appends the normalised form of a name as logged: lower-cased
// ASCII without the trailing dot, bytes that aren't printable ASCII, spaces
// and backslashes as \DDD. So what it appends can be shown anywhere, and two
// names have the same form only if DNS holds them equal. The exception is
// "<name unprintable>", which stays as it is. The root is ".".
func AppendName(dst, logged []byte) []byte {
	if n := len(logged); n > 1 && logged[n-1] == '.' {
		logged = logged[:n-1]
	}
	if isNormal(logged) || string(logged) == unprintable {
		return append(dst, logged...)
	}
	for _, c := range logged {
		switch nameChange[c] {
		case 0:
			dst = append(dst, c)
		case lower:
			dst = append(dst, c|0x20)
		default:
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		}
	}
	return dst
}

// isNormal reports whether AppendName changes nothing of a name, as far as
// eight bytes looked at in one go tell.
func isNormal(name []byte) bool {
	if len(name) < 8 {
		for _, c := range name {
			if nameChange[c] != 0 {
				return false
			}
		}
		return true
	}
	changes := changed(binary.LittleEndian.Uint64(name[len(name)-8:]))
	for ; len(name) > 8; name = name[8:] {
		changes |= changed(binary.LittleEndian.Uint64(name))
	}
	return changes == 0
}

// changed returns the highest bits of the bytes that nameChange may change: of
// those and of @, [, ] and ^. Behind the first of them it may be wrong.
func changed(word uint64) uint64 {
	control := word - '!'*eachByte // or beyond ASCII
	capital := (word + (0x80-'@')*eachByte) ^ (word + (0x80-'_')*eachByte)
	return (word | (word + eachByte) | control | capital) & highBits
}

const (
	lower  = 1
	escape = 2
)

// nameChange is what AppendName does to a byte.
var nameChange = func() (t [256]byte) {
	for c := range t {
		switch {
		case 'A' <= c && c <= 'Z':
			t[c] = lower
		case c < '!' || c > '~' || c == '\\':
			t[c] = escape
		}
	}
	return t
}()

// Classify returns what a normalised name can be.
func Classify(name []byte) Class {
	switch {
	case string(name) == unprintable:
		return Unprintable
	case !Clean(name):
		return Unfit
	case isUnder(name, "in-addr.arpa"), isUnder(name, "ip6.arpa"):
		return Reverse
	}
	return Host
}

func isUnder(name []byte, domain string) bool {
	at := len(name) - len(domain)
	return at >= 0 && (at == 0 || name[at-1] == '.') && string(name[at:]) == domain // the dot says no to most
}

// The longest name and label that DNS has.
const (
	maxName  = 253
	maxLabel = 63
)

// Clean reports whether a normalised name is one that a list can hold: at most
// 253 bytes, labels of 1 to 63 of a-z, 0-9, "_" and "-", the last no number,
// so that none is an IPv4 address. inet_aton takes 0x7f000001 and 10.0.0.0xfe
// for one, and so do proxies.
func Clean(name []byte) bool {
	if len(name) > maxName {
		return false
	}
	label, digits := 0, 0
	for _, c := range name {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label, digits = 0, 0
			continue
		case isDigit(c):
			digits++
		case 'a' <= c && c <= 'z', c == '-', c == '_':
		default:
			return false
		}
		if label++; label > maxLabel {
			return false
		}
	}
	return label > digits && !isHex(name[len(name)-label:])
}

// EndsInNumber reports whether the last label is a number, as inet_aton reads
// them: the name is taken for an address then, whatever stands before it.
func EndsInNumber(name string) bool {
	label := []byte(name[strings.LastIndexByte(name, '.')+1:])
	return len(label) > 0 && (isHex(label) || len(bytes.Trim(label, "0123456789")) == 0)
}

// isHex reports whether a label is 0x and hexadecimal digits, if any.
func isHex(label []byte) bool {
	if !hasPrefix(label, "0x") {
		return false
	}
	for _, c := range label[2:] {
		if !hexByte[c] {
			return false
		}
	}
	return true
}
