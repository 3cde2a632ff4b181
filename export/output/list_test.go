package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"lxd-allowlist/export"
)

// FuzzReadList holds whatever is given as a list to be refused in one printable
// line, or to be names that a list can hold.
func FuzzReadList(f *testing.F) {
	for _, format := range export.Formats() {
		data, err := os.ReadFile(filepath.Join("../testdata", format.Name+"."+format.Extension))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 1024)])
	}
	for _, text := range []string{
		"127.0.0.1 localhost\n0.0.0.0 a.example b.example # why\n", "*.a.example\n.b.example ; x\n! c\n// d\n192.0.2.7:443\nsa<0-99>.example.com\n",
		"\ufeffbücher.example\r\nA.Example.\r\n", "Jan  8 21:51:56 dnsmasq[1]: query[A] a.example from 10.0.0.2\n", "one\ntwo\n", "# c\n\n", "\x1f\x8b\x08", "\x1b[31m evil\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2048 { // more of the same, and slow
			return
		}
		list, err := readList("list", strings.NewReader(string(data)))
		said := list.Doubts
		if err != nil {
			said = append(said, err.Error())
		}
		for _, text := range said {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q is said as %q", data, text)
			}
		}
		if err != nil && len(list.Rules) > 0 || err == nil && (len(list.Rules) == 0 || !clean(list.Rules)) {
			t.Errorf("%q is read as %v, %v", data, list.Rules, err)
		}
	})
}
