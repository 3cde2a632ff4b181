package parse

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadListed(t *testing.T) {
	for line, want := range map[string]string{
		"a.example":                           "a.example",
		"A.Example.\r":                        "a.example",
		"  a.example\t":                       "a.example",
		"a.example # why":                     "a.example",
		"a.example // why":                    "a.example",
		".a.example":                          "a.example below",
		"*.a.example":                         "a.example below star",
		"localhost":                           "localhost",
		"0.0.0.0 a.example":                   "a.example",
		"127.0.0.1\ta.example b.example # c":  "a.example b.example",
		"fe80::1%lo0 localhost":               "localhost",
		"_http._tcp.a.example":                "_http._tcp.a.example",
		"\uFEFFa.example":                     "a.example",
		"":                                    "blank",
		" \t":                                 "blank",
		"# a.example":                         "blank",
		"\uFEFF# a.example":                   "blank",
		"; a.example":                         "blank",
		"! a.example":                         "blank",
		"// a.example":                        "blank",
		"a.example b.example":                 "no",
		"192.0.2.1":                           "no",
		"0.0.0.0 a..example":                  "no",
		"0.0.0.0 192.0.2.1":                   "no",
		"http://a.example/":                   "no",
		"a.example:443":                       "no",
		"bücher.example":                      "no",
		"*":                                   "no",
		"*.":                                  "no",
		".":                                   "no",
		"a.*.example":                         "no",
		"||a.example^":                        "no",
		"Jan  8 21:51:56 dnsmasq[1]: started": "no",
		"query[A] a.example from 192.0.2.5":   "no",
		strings.Repeat("a", 64) + ".example":  "no",
	} {
		l, blank, ok := ReadListed([]byte(line))
		got := strings.Join(l.Names, " ")
		if l.Below {
			got += " below"
		}
		if l.Star {
			got += " star"
		}
		if blank {
			got = "blank"
		}
		if !ok {
			got = "no"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

func TestIsList(t *testing.T) {
	for text, want := range map[string]bool{
		"a.example\nb.example\n":                   true,
		"a.example":                                true,
		"# names\n\na.example\n":                   true,
		"a.example\nb.example\nhttp://c.example\n": true,
		"127.0.0.1 localhost\n::1 localhost\n0.0.0.0 a.example\n": true,
		".a.example\n*.b.example\n":                               true,
		"":                                                        false,
		"# nothing\n":                                             false,
		"127.0.0.1 localhost\n":                                   false,
		"one\nword\na\nline\n":                                    false,
		"query[A] a.example from 192.0.2.5\n":                     false,
		string(testdata(t, "session.log")):                        false,
		string(testdata(t, "session.names")):                      true,
		"{\"name\":\"a.example\"}\n":                              false,
		"a.example\nJan  8 21:51:56 dnsmasq[1]: started\nthree words here\n": false,
	} {
		if got := IsList([]byte(text)); got != want {
			t.Errorf("%.60q is a list: %t, want %t", text, got, want)
		}
	}
}

// FuzzListed holds a line of a list to names that a list can hold, or to none, and
// what is written of them to be read as the same.
func FuzzListed(f *testing.F) {
	for _, line := range []string{"*.a.example # why", ".A.Example.", "0.0.0.0 a.example  b.example", "fe80::1%lo0 localhost", "// x", "a.example;b", "\ufeff! x", "a b", "bücher.example"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, blank, ok := ReadListed(line)
		if !bytes.Contains(line, []byte("\n")) && IsList(line) && (blank || !ok) {
			t.Errorf("%q is a list, and %+v", line, l)
		}
		if ascii, err := ASCII(string(line)); err == nil {
			if readable := Readable(ascii); readable != "" {
				if back, err := ASCII(readable); err != nil || back != ascii {
					t.Errorf("%q is %q, which reads %q, which is %q, %v", line, ascii, readable, back, err)
				}
			}
		}
		if !ok {
			if blank || len(l.Names) > 1 {
				t.Errorf("%q is %+v", line, l)
			}
			return
		}
		if blank == (len(l.Names) > 0) {
			t.Errorf("%q is %+v, blank %v", line, l, blank)
		}
		for _, name := range l.Names {
			if !Clean([]byte(name)) {
				t.Errorf("%q has the name %q", line, name)
			}
			if l.Below {
				name = map[bool]string{true: "*.", false: "."}[l.Star] + name
			}
			again, _, ok := ReadListed([]byte(name))
			if !ok || len(again.Names) != 1 || again.Below != l.Below || again.Star != l.Star || !strings.HasSuffix(name, again.Names[0]) {
				t.Errorf("%q is %+v, and its %q is %+v", line, l, name, again)
			}
		}
	})
}
