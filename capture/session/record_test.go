package session

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// full is a record with everything in it that there can be.
func full(t testing.TB) capture.Record {
	at := time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)
	r := capture.Record{
		Name: "a.example", Queries: 1<<32 - 1, First: at, Last: at.In(time.FixedZone("", 3600)),
		Types: map[string]uint32{"A": 3, "TYPE65": 1 << 20}, Denied: 4, Unlisted: true, Outcomes: 1<<16 - 1, Origins: 1<<8 - 1,
		Blocker:   "gravity: NXDOMAIN",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::1%eth0")},
		Chain:     []string{"b.example", "c.example"}, Clients: []string{"10.0.0.5", "2001:db8::5"},
	}
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("a record has %s, which no test fills", v.Type().Field(i).Name)
		}
	}
	return r
}

// What is written is written and read without encoding/json, with all that a record may
// have: it would be read by that, too, but slowly.
func TestRecordIsFast(t *testing.T) {
	r := full(t)
	for _, r := range []capture.Record{r, {Name: "b.example"}, {Name: "c.example", First: r.First, Last: r.Last, Types: map[string]uint32{"AAAA": 0}, Clients: r.Clients[:1]}} {
		text, err := json.Marshal(entry{Domain: &r})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := new(domains).read(string(text)); !ok {
			t.Errorf("not read: %s", text)
		}
		if wrote, ok := appendDomain(nil, &r); !ok || string(wrote) != string(text) {
			t.Errorf("%s is written %s, %t", text, wrote, ok)
		}
	}
}

// A record with anything that encoding/json writes otherwise is left to that, and
// types are in its order.
func TestRecordIsLeftToJSON(t *testing.T) {
	for _, odd := range []string{"<", ">", "&", `"`, `\`, "\x7f", "\n", "é"} {
		for _, r := range []capture.Record{
			{Name: odd}, {Types: map[string]uint32{odd: 1}}, {Blocker: odd}, {Chain: []string{"a", odd}}, {Clients: []string{odd}},
			{Addresses: []netip.Addr{netip.MustParseAddr("fe80::1%" + odd)}},
		} {
			if text, ok := appendDomain(nil, &r); ok {
				t.Errorf("written: %s", text)
			}
		}
	}
	if text, ok := appendDomain(nil, &capture.Record{First: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}); ok {
		t.Errorf("written: %s", text)
	}
	r := capture.Record{Types: map[string]uint32{"TXT": 6, "SRV": 5, "MX": 4, "HTTPS": 3, "AAAA": 2, "A": 1}}
	text, err := json.Marshal(entry{Domain: &r})
	if wrote, ok := appendDomain(nil, &r); err != nil || !ok || string(wrote) != string(text) {
		t.Errorf("%s is written %s, %t", text, wrote, ok)
	}
}

// FuzzRecord holds what reads and writes records to encoding/json: the same of
// each line that it reads, whatever was read before, and each line that is written
// is one of those, and the same, unless a string needs an escape.
func FuzzRecord(f *testing.F) {
	all, err := json.Marshal(entry{Domain: new(full(f))})
	if err != nil {
		f.Fatal(err)
	}
	const times = `"first":"2026-11-24T12:00:00.5+01:00","last":"2026-11-24T12:00:00Z"`
	for _, seed := range []string{
		string(all), string(all) + " ", string(all) + "}", strings.Replace(string(all), "192.0.2.7", "192.0.02.7", 1),
		`{"domain":{"name":"a.example",` + times + `}}`,
		`{"domain":{"name":"a\\u002eexample",` + times + `}}`, `{"domain":{"name":"é.example",` + times + `}}`,
		`{"domain":{"name":"a.example","queries":01,` + times + `}}`, `{"domain":{"name":"a.example","queries":4294967296,` + times + `}}`,
		`{"domain":{"name":"a.example","queries":,` + times + `}}`, `{"domain":{"name":"a.example","queries":1e3,` + times + `}}`,
		`{"domain":{"name":"a.example",` + times + `,"origins":256}}`, `{"domain":{"name":"a.example",` + times + `,"outcomes":65536}}`,
		`{"domain":{"name":"a.example",` + times + `,"types":{"A":1,"A":2}}}`, `{"domain":{"name":"a.example",` + times + `,"types":{}}}`,
		`{"domain":{"name":"a.example",` + times + `,"types":{"A":1,}}}`, `{"domain":{"name":"a.example",` + times + `,"chain":["b.example",]}}`,
		`{"domain":{"name":"a.example",` + times + `,"chain":["b.example" "c.example"]}}`, `{"domain":{"name":"a.example",` + times + `,"clients":[]}}`,
		`{"domain":{"name":"a.example",` + times + `,"addresses":[""]}}`, `{"domain":{"name":"a.example",` + times + `,"unlisted":false}}`,
		`{"domain":{"name":"a.example",` + times + `,"unlisted":true},"closed":"2026-11-24T12:00:00Z"}`,
		`{"domain":{"name":"a.example","first":"2026-11-24T12:00:00,5Z","last":"2026-11-24T1:00:00Z"}}`,
		`{"domain":{"name":"a.example",` + times + `,"name":"b.example"}}`, `{"counts":{}}`, "",
	} {
		f.Add(seed)
	}
	var used domains
	used.read(string(all))
	f.Fuzz(func(t *testing.T, line string) {
		var want entry
		err := json.Unmarshal([]byte(line), &want)
		got, ok := (&domains{keep: true}).read(line)
		if ok && (err != nil || !reflect.DeepEqual(entry{Domain: got}, want)) {
			t.Fatalf("%q is %+v; encoding/json has %+v, %v", line, got, want.Domain, err)
		}
		used.used = 0
		if again, too := used.read(line); too != ok || ok && marshal(t, again) != marshal(t, got) {
			t.Fatalf("%q is %+v, %t behind another; %+v by itself", line, again, too, got)
		}
		if err != nil || want.Domain == nil || slices.Contains(want.Domain.Addresses, netip.Addr{}) {
			return
		}
		text, err := json.Marshal(entry{Domain: want.Domain})
		if err != nil { // a year with five digits
			return
		}
		escaped := strings.ContainsFunc(string(text), func(r rune) bool { return r == '\\' || r > '~' })
		if _, ok := new(domains).read(string(text)); ok == escaped {
			t.Fatalf("%s: read is %t", text, ok)
		}
		if wrote, ok := appendDomain(nil, want.Domain); ok == escaped || ok && string(wrote) != string(text) {
			t.Fatalf("%s: written, %t, is %s", text, ok, wrote)
		}
	})
}

func marshal(t *testing.T, r *capture.Record) string {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
