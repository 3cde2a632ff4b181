package session

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"regexp"
	"strconv"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
)

// A journal is lines of text. The first one is an entry in JSON that says the
// format and what the session is about. All others are
//
//	CHECKSUM NUMBER ENTRY
//
// NUMBER counts them from 1, over all times that the session was gone on with,
// so that what is missing is known by its number. CHECKSUM is the CRC-32C of
// what follows it in the line, in eight hexadecimal digits. In format 1 all
// lines are bare entries; what is appended to such a journal is not.

// format is the journal's. A reader refuses a higher one. It passes over an
// entry of a kind that it doesn't know, so that a kind without which the others
// are as true as before, such as a trial or what a witness saw, makes no new
// format.
const format = 2

// entry is what one line tells; exactly one of its fields is set (Format goes
// with Info). A Domain line holds the whole record as it was then, so the last
// one of a name is the one that counts, and a line that is lost costs nothing
// that the next one doesn't bring. Info is told again and again, so that no
// single place of the journal holds all of it.
type entry struct {
	Format   int               `json:"format,omitempty"`
	Info     *capture.Info     `json:"info,omitempty"`
	Domain   *capture.Record   `json:"domain,omitempty"`
	Mark     *mark             `json:"mark,omitempty"`
	Address  *mark             `json:"address,omitempty"` // of addresses: its names are endpoints
	Undo     *step             `json:"undo,omitempty"`
	Redo     *step             `json:"redo,omitempty"`
	Step     string            `json:"step,omitempty"` // of format 1: "undo" or "redo"
	Owner    *capture.Client   `json:"owner,omitempty"`
	Counts   *capture.Counts   `json:"counts,omitempty"`
	Gap      *capture.Gap      `json:"gap,omitempty"`
	Exported *capture.Written  `json:"exported,omitempty"`
	Trial    *capture.Trial    `json:"trial,omitempty"`
	Verified *rule.Verified    `json:"verified,omitempty"`
	Witness  *capture.Sighting `json:"witness,omitempty"`
	Entered  *capture.Command  `json:"entered,omitempty"`
	Closed   *time.Time        `json:"closed,omitempty"` // the program ended as it should
}

// mark is a [capture.Change], or some of the names of a large one.
type mark struct {
	Number   uint32    `json:"n,omitempty"`
	After    uint32    `json:"after,omitempty"`
	Decision string    `json:"decision"` // "keep", "drop", or "new" for a mark that was taken away
	Reason   string    `json:"reason,omitempty"`
	Keeps    bool      `json:"keeps-reasons,omitempty"`
	Names    []string  `json:"names,omitempty"`
	Group    string    `json:"group,omitempty"` // a name and all below it, instead of Names
	Suffix   bool      `json:"suffix,omitempty"`
	At       time.Time `json:"at"`
}

// step is a [capture.Step].
type step struct {
	Number uint32 `json:"n"`
	Of     uint32 `json:"of"`
}

// namesAtOnce bounds the names of a line, and so what is lost with one.
const namesAtOnce = 1000

// changeEntries returns what tells of a change.
func changeEntries(c capture.Change) (all []entry) {
	names := c.Names
	for _, at := range c.Addresses {
		names = append(names, at.String())
	}
	for {
		n := min(len(names), namesAtOnce)
		m := &mark{
			Number: c.Number, After: c.After, Decision: c.To.Decision.String(), Reason: c.To.Reason, Keeps: c.KeepReasons,
			Names: names[:n], Group: c.Group, Suffix: c.To.Suffix, At: c.At,
		}
		if len(c.Addresses) > 0 {
			all = append(all, entry{Address: m})
		} else {
			all = append(all, entry{Mark: m})
		}
		if names = names[n:]; len(names) == 0 {
			return all
		}
	}
}

// change returns the change that a mark tells of, without what it is about but
// for a group.
func (m *mark) change() capture.Change {
	return capture.Change{
		Number: m.Number, After: m.After,
		To:          capture.Mark{Decision: capture.ParseDecision(m.Decision), Reason: m.Reason, Suffix: m.Suffix},
		KeepReasons: m.Keeps, Group: m.Group, At: m.At,
	}
}

func stepEntry(s capture.Step) entry {
	told := &step{s.Number, s.Of}
	if s.Redo {
		return entry{Redo: told}
	}
	return entry{Undo: told}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendBare appends an entry as the first line has it.
func appendBare(to []byte, e entry) []byte {
	text, err := json.Marshal(e)
	if err != nil { // every field is a plain value
		panic(err)
	}
	return append(append(to, text...), '\n')
}

// appendLine appends an entry as the line with that number.
func appendLine(to []byte, number uint64, e entry) []byte {
	begin := len(to)
	to = append(to, "00000000 "...)
	to = strconv.AppendUint(to, number, 10)
	to = append(to, ' ')
	if domain, ok := appendDomain(to, e.Domain); ok {
		to = append(domain, '\n')
	} else {
		to = appendBare(to, e)
	}
	sum := checksum(to[begin+9 : len(to)-1])
	copy(to[begin:], sum[:])
	return to
}

// checksum returns the checksum of a line's text as the line has it.
func checksum(text []byte) (sum [8]byte) {
	n := crc32.Checksum(text, castagnoli)
	for i := range sum {
		sum[i] = "0123456789abcdef"[n>>(28-4*i)&15]
	}
	return sum
}

// parseLine reads a line with a checksum, without its newline; ok is false for
// one that is not as it was written. A record is made of parts of kept, which is
// the same.
func (d *domains) parseLine(line []byte, kept string) (number uint64, _ entry, ok bool) {
	if len(line) < 9 || line[8] != ' ' || [8]byte(line) != checksum(line[9:]) {
		return 0, entry{}, false
	}
	digits, text, _ := bytes.Cut(line[9:], []byte(" "))
	number, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, entry{}, false
	}
	if r, ok := d.read(kept[len(kept)-len(text):]); ok {
		return number, entry{Domain: r}, true
	}
	var other entry // on the heap
	ok = json.Unmarshal(text, &other) == nil
	return number, other, ok
}

// parseBare reads a line without a checksum.
func parseBare(line []byte) (e entry, ok bool) {
	return e, len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &e) == nil
}

// lineStart is how a line begins, up to the beginning of its entry. No entry
// has such a text within: a quotation mark in a string is escaped.
var lineStart = regexp.MustCompile(`[0-9a-f]{8} [0-9]+ \{"`)

// valueLen returns the length of the JSON value that text begins with, 0 where
// it begins with none.
func valueLen(text []byte) int {
	in := json.NewDecoder(bytes.NewReader(text))
	var value json.RawMessage
	if in.Decode(&value) != nil {
		return 0
	}
	return int(in.InputOffset())
}
