package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"lxd-allowlist/capture"
)

// Into whatever parts a journal falls, its lines are those that it has, in their
// order, and what keeps records has each of them to the end.
func TestPartsAreTheJournal(t *testing.T) {
	was := partSize
	t.Cleanup(func() { partSize = was })
	var journal []byte
	for n := range uint64(300) {
		switch {
		case n == 100: // longer than what is read at once
			journal = appendLine(journal, n, entry{Mark: &mark{Names: []string{strings.Repeat("a", 3<<16)}}})
		case n%50 == 7:
			journal = append(journal, "\n00000000 7 {}\n"...)
		default:
			journal = appendLine(journal, n, entry{Domain: &capture.Record{Name: fmt.Sprintf("n%d.example", n), Queries: uint32(n)}})
		}
	}
	for _, journal := range [][]byte{journal, bytes.TrimSuffix(journal, []byte("\n")), nil} {
		var want []line
		for text := range bytes.Lines(journal) {
			l := parsed(bytes.TrimSuffix(text, []byte("\n")))
			l.torn = !bytes.HasSuffix(text, []byte("\n"))
			want = append(want, l)
		}
		for _, partSize = range []int{1, 100, 1 << 12, was} {
			var got []line
			err := eachPart(iotest.HalfReader(bytes.NewReader(journal)), true, func(lines []line) error {
				for _, l := range lines {
					l.text = bytes.Clone(l.text)
					got = append(got, l)
				}
				return nil
			})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("parts of %d bytes: %d lines, want %d, or others; %v", partSize, len(got), len(want), err)
			}
			n := 0
			err = eachPart(bytes.NewReader(journal), false, func(lines []line) error {
				for _, l := range lines {
					if r := want[n].entry.Domain; r != nil && (l.entry.Domain.Name != r.Name || l.entry.Domain.Queries != r.Queries) {
						t.Errorf("parts of %d bytes: line %d is about %v", partSize, n, l.entry.Domain)
					}
					n++
				}
				return nil
			})
			if err != nil || n != len(want) {
				t.Errorf("parts of %d bytes: %d lines that aren't kept, want %d; %v", partSize, n, len(want), err)
			}
		}
	}
}

// What can't be read on is told behind the last whole line, and nothing is read on
// for who has seen enough.
func TestPartsEndByAnError(t *testing.T) {
	broken, enough := errors.New("broken"), errors.New("enough")
	journal := appendLine(appendLine(nil, 1, entry{Step: "undo"}), 2, entry{Step: "redo"})
	in := io.MultiReader(bytes.NewReader(journal), strings.NewReader("the beginning of"), iotest.ErrReader(broken))
	var steps []string
	take := func(lines []line) error {
		for _, l := range lines {
			steps = append(steps, l.entry.Step)
		}
		return nil
	}
	if err := eachPart(in, false, take); err != broken || !slices.Equal(steps, []string{"undo", "redo"}) {
		t.Errorf("%v behind %q", err, steps)
	}
	endless := io.MultiReader(bytes.NewReader(bytes.Repeat(journal, 1<<15)), iotest.ErrReader(broken))
	if err := eachPart(endless, false, func([]line) error { return enough }); err != enough {
		t.Errorf("%v, want that it is enough", err)
	}
}
