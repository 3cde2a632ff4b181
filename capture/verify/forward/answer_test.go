package forward

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// What upstream is sent is the question and what the client wants to be told,
// and not a byte more.
func TestForwardedAnew(t *testing.T) {
	s := serve(t, address)
	f, _ := run(t, Config{Upstream: s.addr})
	name := "wWw.AllowEd.example"
	record := slices.Concat(wire("secret.evil.example"), []byte{0, 16, 0, 1, 0, 0, 0, 0, 0, 7}, []byte("\x06secret"))
	cookie := []byte{0, 10, 0, 8, 's', 'e', 'c', 'r', 'e', 't', 's', '!'}
	long := longest[:253-len(".allowed.example")] + ".allowed.example"
	for _, test := range []struct {
		what     string
		from, to []byte
	}{
		{"upper and lower case", query(name, dnsmessage.TypeA), query(name, dnsmessage.TypeA)},
		{"no recursion", edited(query(name, 1), 2, 0), edited(query(name, 1), 2, 0)},
		{"AD and CD", edited(query(name, 1), 3, 0x30), edited(query(name, 1), 3, 0x30)},
		{"all other flags", edited(query(name, 1), 2, 0x07, 0xcf), edited(query(name, 1), 2, 1, 0)},
		{"a type without a name", query(name, 65280), query(name, 65280)},
		{"the longest name", query(long, 1), query(long, 1)},
		{"EDNS", query(name, 1, options(1232)...), query(name, 1, options(1232)...)},
		{"flags and options of EDNS", query(name, 1, slices.Concat([]byte{0, 0, 41, 4, 208, 7, 0, 0x7f, 0xff, 0, 12}, cookie)...), query(name, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0)},
		{"a large size", query(name, 1, options(65535, cookie...)...), query(name, 1, options(mostSize)...)},
		{"a small size", query(name, 1, options(0)...), query(name, 1, options(leastSize)...)},
		{"a record behind it", query(name, 1, record...), query(name, 1)},
		{"records everywhere", edited(query(name, 1, slices.Concat(record, record, record, options(1232))...), 6, 0, 1, 0, 1, 0, 2), query(name, 1, options(1232)...)},
		{"bytes behind it", append(query(name, 1), "secret"...), query(name, 1)},
	} {
		for _, network := range []string{"udp", "tcp"} {
			before := len(s.all())
			m := parsed(t, exchange(t, connect(t, f, network, "127.0.0.1"), test.from))
			if m.RCode != dnsmessage.RCodeSuccess {
				t.Errorf("%s by %s: it was answered with %v", test.what, network, m.RCode)
			}
			all := s.all()[before:]
			if len(all) != 1 || !bytes.Equal(all[0].packet[2:], test.to[2:]) {
				t.Errorf("%s by %s: upstream was sent\n%q, want\n%q", test.what, network, all[0].packet, test.to)
			}
		}
	}
	ids := make(map[uint16]bool)
	for _, q := range s.all() {
		ids[binary.BigEndian.Uint16(q.packet)] = true
	}
	if len(ids) < 20 {
		t.Errorf("the ids of 26 queries are %v", ids)
	}
}

var (
	v4     = &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}
	v6     = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::7").As16()}
	mapped = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("::ffff:192.0.2.8").As16()}
	target = dnsmessage.MustNewName("target.evil.example.")
)

func hints(v4 string, v6 string) dnsmessage.SVCBResource {
	return dnsmessage.SVCBResource{Priority: 1, Target: dnsmessage.MustNewName("."), Params: []dnsmessage.SVCParam{
		{Key: dnsmessage.SVCParamALPN, Value: []byte("\x02h2")},
		{Key: dnsmessage.SVCParamIPv4Hint, Value: []byte(v4)},
		{Key: dnsmessage.SVCParamECH, Value: []byte("ech")},
		{Key: dnsmessage.SVCParamIPv6Hint, Value: []byte(v6)},
	}}
}

// resource is a record of an answer.
func resource(name string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

func TestAdmit(t *testing.T) {
	https := &dnsmessage.HTTPSResource{SVCBResource: hints("\xc0\x00\x02\x09\xc0\x00\x02\x0a", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09")}
	svcb := hints("\xc0\x00\x02\x0b", "")
	for _, test := range []struct {
		what      string
		answers   []dnsmessage.Resource
		elsewhere []dnsmessage.Resource
		want      string
		ttl       time.Duration
	}{
		{"A", []dnsmessage.Resource{resource("allowed.example.", 60, v4)}, nil, "[192.0.2.7]", time.Minute},
		{"AAAA", []dnsmessage.Resource{resource("allowed.example.", 60, v6)}, nil, "[2001:db8::7]", time.Minute},
		{"an IPv4 address in AAAA", []dnsmessage.Resource{resource("allowed.example.", 60, mapped)}, nil, "[192.0.2.8]", time.Minute},
		{"the longest time", []dnsmessage.Resource{resource("allowed.example.", 60, v4), resource("allowed.example.", 61, v4), resource("allowed.example.", 0, v4)}, nil, "[192.0.2.7 192.0.2.7 192.0.2.7]", 61 * time.Second},
		{"CNAME", []dnsmessage.Resource{resource("allowed.example.", 600, &dnsmessage.CNAMEResource{CNAME: target}), resource("target.evil.example.", 5, v4)}, nil, "[192.0.2.7]", 5 * time.Second},
		{"HTTPS", []dnsmessage.Resource{resource("allowed.example.", 60, https)}, nil, "[192.0.2.9 192.0.2.10 2001:db8::9]", time.Minute},
		{"SVCB", []dnsmessage.Resource{resource("allowed.example.", 60, &svcb)}, nil, "[192.0.2.11]", time.Minute},
		{"other places", []dnsmessage.Resource{resource("allowed.example.", 60, &dnsmessage.TXTResource{TXT: []string{"192.0.2.7"}})}, []dnsmessage.Resource{resource("evil.example.", 60, v4)}, "", 0},
		{"nothing", nil, nil, "", 0},
	} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(network+" "+test.what, func(t *testing.T) {
				s := serve(t, func(q *asked) []byte {
					m := q.message()
					m.Answers, m.Additionals = test.answers, test.elsewhere
					return pack(m)
				})
				admitted := ""
				f, told := run(t, Config{Upstream: s.addr, Admit: func(name string, addresses []netip.Addr, ttl time.Duration) error {
					admitted = fmt.Sprint(addresses)
					if ttl != test.ttl || name != "allowed.example" {
						t.Errorf("%s admitted for %v, want %v", name, ttl, test.ttl)
					}
					return nil
				}})
				m := parsed(t, exchange(t, connect(t, f, network, "127.0.0.1"), plain))
				if len(m.Answers) != len(test.answers) || len(m.Additionals) != len(test.elsewhere) {
					t.Errorf("the answer is %v", m.GoString())
				}
				if q := told.next(t); admitted != test.want || fmt.Sprint(q.Addresses) != "["+strings.Trim(test.want, "[]")+"]" || q.Outcome != "NOERROR" {
					t.Errorf("admitted %s, told %+v", admitted, q)
				}
			})
		}
	}
}

// An answer is held back until its addresses are admitted; others are not held
// up by that.
func TestAdmitComesFirst(t *testing.T) {
	called, release := make(chan bool), make(chan bool)
	f, _ := run(t, Config{Upstream: serve(t, address).addr, Admit: func(string, []netip.Addr, time.Duration) error {
		called <- true
		<-release
		return nil
	}})
	conn := connect(t, f, "udp", "127.0.0.1")
	if _, err := conn.Write(plain); err != nil {
		t.Fatal(err)
	}
	<-called
	if m := parsed(t, exchange(t, conn, query("evil.example", dnsmessage.TypeA))); m.RCode != dnsmessage.RCodeNameError {
		t.Errorf("the answer that came first is %v", m.GoString())
	}
	close(release)
	answer := make([]byte, mostSize)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	if m := parsed(t, answer[:n]); len(m.Answers) != 1 {
		t.Errorf("the answer is %v", m.GoString())
	}
}

func TestAdmitFails(t *testing.T) {
	f, told := run(t, Config{Upstream: serve(t, address).addr, Admit: func(string, []netip.Addr, time.Duration) error { return errors.New("no room") }})
	for _, network := range []string{"udp", "tcp"} {
		answer := exchange(t, connect(t, f, network, "127.0.0.1"), plain)
		checkRefusal(t, plain, answer, "SERVFAIL")
		if q := told.next(t); !q.Allowed || q.Why != "its addresses can't be admitted: no room" || q.Outcome != "SERVFAIL" || q.Addresses != nil {
			t.Errorf("told %+v", q)
		}
	}
}

// Answers that hide something are none.
func TestMalformedAnswers(t *testing.T) {
	good := hints("\xc0\x00\x02\x09", "")
	short := hints("\xc0\x00\x02\x09\xc0", "")
	one := func(body dnsmessage.ResourceBody) []byte {
		return (&asked{packet: plain}).with(body)
	}
	for what, answer := range map[string][]byte{
		"half an address":            one(v4)[:len(one(v4))-2],
		"an answer that isn't there": edited(one(v4), 7, 2),
		"half a hint":                one(&dnsmessage.HTTPSResource{SVCBResource: short}),
		"half of half a hint":        one(&short),
		"a hint that is cut":         one(&good)[:len(one(&good))-1],
	} {
		s := serve(t, func(q *asked) []byte { return edited(answer, 0, q.packet[:2]...) })
		f, told := run(t, Config{Upstream: s.addr, Admit: func(_ string, a []netip.Addr, _ time.Duration) error {
			t.Errorf("%s: admitted %v", what, a)
			return nil
		}})
		checkRefusal(t, plain, exchange(t, connect(t, f, "udp", "127.0.0.1"), plain), "SERVFAIL")
		if q := told.next(t); !strings.HasPrefix(q.Why, "upstream's answer is malformed: ") {
			t.Errorf("%s: told %+v", what, q)
		}
	}
}
