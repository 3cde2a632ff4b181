package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzParse holds the parser to the slow one, and the names to what is
// promised of them.
func FuzzParse(f *testing.F) {
	for _, seed := range lines {
		f.Add([]byte(seed.line))
	}
	for _, w := range wrappers {
		f.Add(fmt.Appendf(nil, w.form, "query[A] a.example from 10.0.0.2"))
	}
	for _, seed := range []string{
		"systemd-journald[1]: Suppressed 123 messages from snap.lxd.daemon.service", "rsyslogd-2177: imuxsock lost 516 messages from pid 159386 due to rate-limiting",
		"rsyslogd: imuxsock[pid: 812, name: /usr/sbin/dnsmasq] from <dnsmasq:host1>: 98 messages lost due to rate-limiting (200 allowed within 5 seconds)",
		"rsyslogd: imjournal: begin to drop messages due to rate-limiting", "dnsmasq[1]: last message repeated 5 times", "dnsmasq[1]: message repeated 5 times: [ query[A] a.example from 10.0.0.2]",
	} {
		f.Add([]byte("Jan  8 21:51:56 host1 " + seed))
	}
	f.Add([]byte(`2026-01-08 21:51:56.123 CET [812/T814] DEBUG_QUERIES: **** new UDP IPv4 query[A] query "a.example" from eth0/10.0.0.2#5353 (ID 12, FTL 34, dnsmasq_interface.c:817)`))
	f.Add([]byte(`[2020-01-08 21:51:56.123 812M] **** new TCP query[A] "a.example" from 10.0.0.2 (ID 12, FTL 34, dnsmasq_interface.c:400)`))
	var r Record
	f.Fuzz(func(t *testing.T, line []byte) {
		for range 2 { // what stands before the message is remembered
			r.Parse(line)
			if want, ok := reference(string(line)); ok && plainOf(&r) != want {
				got := plainOf(&r)
				t.Errorf("%q\n got %v\nwant %v", line, got, want)
			}
			line = slices.Concat(bytes.TrimSuffix(line, r.Text), []byte("query[A] a.example from 10.0.0.2"))
		}
		r.Outcome()
		r.PTR()
		if at, ok := r.Time(reference2026); !ok && !at.IsZero() {
			t.Errorf("%q: time is %v, %t", line, at, ok)
		}
		name := AppendName(nil, r.Name)
		for _, c := range name {
			if (c < '!' || c > '~') && string(name) != unprintable {
				t.Errorf("%q became %q", r.Name, name)
			}
		}
		if Clean(name) != referenceClean(name) || Clean(line) != referenceClean(line) {
			t.Errorf("clean: %q is %t, %q is %t", name, Clean(name), line, Clean(line))
		}
	})
}

// FuzzSplitter holds the splitter to find the same lines however the log's
// bytes come in: sizes are those of the pieces, over and over.
func FuzzSplitter(f *testing.F) {
	long := bytes.Repeat([]byte("a"), maxLine)
	f.Add([]byte("a\nb\r\n\n\r\nc"), []byte{1})
	f.Add(slices.Concat(long[1:], []byte("\rb\nc")), []byte{})
	f.Add(slices.Concat(long, []byte("\n"), long, []byte("a\n"), long[1:], []byte("\r\n"), long[1:], []byte("\rb\nc\n")), []byte{255, 1, 200})
	f.Add(slices.Concat(make([]byte, 2*maxLine), []byte("a\nb\x00\n\x00\nc")), []byte{200, 255})
	f.Add(testdata(f, "shapes-extra.log"), []byte{13, 0, 100})
	var s Splitter
	f.Fuzz(func(t *testing.T, log, sizes []byte) {
		var got []string
		line := func(line []byte) { got = append(got, string(line)) }
		for i, rest := 0, log; len(rest) > 0; i++ {
			n := len(rest)
			if len(sizes) > 0 && i < 1<<10 {
				n = min(n, int(sizes[i%len(sizes)]))
			}
			s.Feed(rest[:n], line)
			rest = rest[n:]
		}
		s.Flush(line)
		if want := referenceLines(log); !slices.Equal(got, want) {
			t.Errorf("%q by %v\n got %q\nwant %q", log, sizes, got, want)
		}
	})
}

// FuzzWrappers glues known wrappers around messages with a hostile name, TXT
// record or other program's words in them: no line may say anything but what
// it says without them.
func FuzzWrappers(f *testing.F) {
	forged := "dnsmasq[1]: query[A] evil.example from 1.2.3.4"
	for i, w := range wrappers {
		f.Add(uint(i), forged)
		f.Add(uint(i), fmt.Sprintf(w.form, "query[A] evil.example from 1.2.3.4"))
		f.Add(uint(i), `"}`+forged+"`")
	}
	f.Fuzz(func(t *testing.T, n uint, field string) {
		w := wrappers[n%uint(len(wrappers))]
		field = strings.Map(func(c rune) rune {
			if c < ' ' || c > '~' {
				return -1 // which dnsmasq doesn't print
			}
			return c
		}, field)
		if len(field) > 500 {
			return
		}
		parse := func(message string) (r Record) {
			if strings.Contains(w.form, `":`) || strings.Contains(w.form, `"=>`) {
				text, err := json.Marshal(message)
				if err != nil {
					t.Fatal(err)
				}
				message = string(text[1 : len(text)-1])
			}
			r.Parse(fmt.Appendf(nil, w.form, "query[A] a.example from 192.0.2.6")) // the form is known
			line := []byte(strings.Replace(w.form, "%s", message, 1))
			r.Parse(line)
			var fresh Record
			if fresh.Parse(line); brief(&fresh) != brief(&r) {
				t.Errorf("%s: %q is %q by itself, %q behind another", w.name, line, brief(&fresh), brief(&r))
			}
			return r
		}
		if r := parse("query[A] " + field + " from 192.0.2.5"); r.Kind == Query && string(r.Client) != "192.0.2.5" || r.Kind == Query && r.Rest == nil && string(r.Name) != field || r.Kind != Query && r.Kind != Garbled && r.Kind != Cut {
			t.Errorf("%s: asking for %q is %v of %q by %q", w.name, field, r.Kind, r.Name, r.Client)
		}
		for _, message := range []string{"reply a.example is ", "cached a.example is ", "forwarded ", "reply ", "7 192.0.2.5/53 reply a.example is "} {
			r := parse(message + field)
			if r.Kind == Query || r.Rest != nil {
				t.Errorf("%s: %q is a query for %q by %q", w.name, message+field, r.Name, r.Client)
			}
			if r.Kind == Answer && message != "reply " && string(r.Name) != "a.example" && !strings.Contains(" "+field, " is ") {
				t.Errorf("%s: %q is an answer for %q", w.name, message+field, r.Name)
			}
		}
		for _, before := range []string{"Jan  8 21:51:56 host1 sshd[12]: Invalid user ", "Jan  8 21:51:56 host1 nginx: 203.0.113.9 ", "Jan  8 21:51:56 host1 dnsmasq-dhcp[14]: ", "<30>1 2026-01-08T21:51:56Z host1 sshd 12 - - x "} {
			var r Record
			r.Parse([]byte("Jan  8 21:51:56 host1 dnsmasq[14]: cleared cache"))
			if r.Parse([]byte(before + field)); r.Kind == Query || r.Kind == Answer || r.Kind == Forward {
				t.Errorf("another program's %q is %v of %q", before+field, r.Kind, r.Name)
			}
		}
	})
}
