package forward

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/witness/packet"
)

// edited returns a packet with bytes changed from a place on.
func edited(packet []byte, at int, to ...byte) []byte {
	packet = bytes.Clone(packet)
	copy(packet[at:], to)
	return packet
}

var (
	plain   = query("allowed.example", dnsmessage.TypeA)
	longest = strings.Repeat(strings.Repeat("a", 62)+".", 4)
)

// withType is the query for a type.
func withType(t dnsmessage.Type) []byte { return query("allowed.example", t) }

// withClass is the query with a class.
func withClass(class byte) []byte { return edited(plain, len(plain)-1, class) }

// notForwarded are packets that must not reach upstream though the list allows
// all there is.
var notForwarded = []struct {
	what    string
	packet  []byte
	outcome string
	why     string
	name    string // that is told
}{
	{"nothing", []byte{}, "", "shorter than a header", ""},
	{"half a header", plain[:11], "", "shorter than a header", ""},
	{"an answer", edited(plain, 2, 0x81), "", "an answer instead of a query", "allowed.example"},
	{"no question", edited(plain[:12], 5, 0), "FORMERR", "0 questions", ""},
	{"two questions", edited(append(bytes.Clone(plain), query("evil.example", dnsmessage.TypeA)[12:]...), 5, 2), "FORMERR", "2 questions", "allowed.example"},
	{"256 questions", edited(plain, 4, 1, 0), "FORMERR", "256 questions", "allowed.example"},
	{"opcode IQUERY", edited(plain, 2, 1<<3), "NOTIMP", "opcode 1", "allowed.example"},
	{"opcode STATUS", edited(plain, 2, 2<<3), "NOTIMP", "opcode 2", "allowed.example"},
	{"opcode NOTIFY", edited(plain, 2, 4<<3), "NOTIMP", "opcode 4", "allowed.example"},
	{"opcode UPDATE", edited(plain, 2, 5<<3), "NOTIMP", "opcode 5", "allowed.example"},
	{"opcode DSO without a question", edited(plain[:12], 2, 6<<3, 0, 0, 0), "NOTIMP", "opcode 6", ""},
	{"class CH", withClass(3), "REFUSED", "class CH", "allowed.example"},
	{"class HS", withClass(4), "REFUSED", "class HS", "allowed.example"},
	{"class NONE", withClass(254), "REFUSED", "class NONE", "allowed.example"},
	{"class ANY", withClass(255), "REFUSED", "class ANY", "allowed.example"},
	{"class 0", withClass(0), "REFUSED", "class 0", "allowed.example"},
	{"class IN with the bit of mDNS", edited(plain, len(plain)-2, 0x80), "REFUSED", "class 32769", "allowed.example"},
	{"AXFR", withType(dnsmessage.TypeAXFR), "REFUSED", "query for AXFR", "allowed.example"},
	{"IXFR", withType(251), "REFUSED", "query for IXFR", "allowed.example"},
	{"ANY", withType(dnsmessage.TypeALL), "REFUSED", "query for ANY", "allowed.example"},
	{"TKEY", withType(249), "REFUSED", "query for TKEY", "allowed.example"},
	{"NXNAME", withType(128), "REFUSED", "query for type=128", "allowed.example"},
	{"OPT", withType(dnsmessage.TypeOPT), "REFUSED", "query for OPT", "allowed.example"},
	{"type 0", withType(0), "REFUSED", "query for type=0", "allowed.example"},
	{"a question that is cut", plain[:len(plain)-1], "FORMERR", "malformed question", ""},
	{"a name without an end", plain[:20], "FORMERR", "malformed question", ""},
	{"a name that points to itself", append(bytes.Clone(plain[:12]), 0xc0, 12, 0, 1, 0, 1), "FORMERR", "malformed question", ""},
	{"a name that points on", append(bytes.Clone(plain[:12]), 1, 'a', 0xc0, 18, 0, 1, 0, 1, 0), "FORMERR", "malformed question", ""},
	{"a label of 64 bytes", query(strings.Repeat("a", 64)+".example", 1), "FORMERR", "malformed question", ""},
	{"a name of 256 bytes", query(longest+"ab", 1), "FORMERR", "malformed question", ""},
	{"the root", query("", dnsmessage.TypeNS), "NXDOMAIN", "a name that no list can hold", "."},
	{"a space", query("a b.allowed.example", 1), "NXDOMAIN", "a name that no list can hold", `a\032b.allowed.example`},
	{"NUL", query("a.exampl\x01.", 1), "NXDOMAIN", "a name that no list can hold", `a.exampl\001`},
	{"a dot in a label", query(`.allowed\.example`, 1), "NXDOMAIN", "a name that no list can hold", `allowed\046example`},
	{"a label that is a dot", query(`\..example`, 1), "NXDOMAIN", "a name that no list can hold", `\046.example`},
	{"UTF-8", query("bücher.example", 1), "NXDOMAIN", "a name that no list can hold", `b\195\188cher.example`},
	{"an address", query("192.0.2.7", 1), "NXDOMAIN", "a name that no list can hold", "192.0.2.7"},
	{"a hexadecimal address", query("0xC0000207", 1), "NXDOMAIN", "a name that no list can hold", "0xc0000207"},
	{"EDNS version 1", query("allowed.example", 1, 0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0), "BADVERS", "EDNS version 1", "allowed.example"},
	{"EDNS twice", edited(query("allowed.example", 1, append(options(512), options(512)...)...), 11, 2), "FORMERR", "malformed: EDNS twice or with a name", "allowed.example"},
	{"EDNS with a name", query("allowed.example", 1, append([]byte{1, 'a'}, options(512)...)...), "FORMERR", "malformed: EDNS twice or with a name", "allowed.example"},
	{"EDNS that is cut", query("allowed.example", 1, options(512)[:10]...), "FORMERR", "malformed: ", "allowed.example"},
	{"a record that isn't there", edited(plain, 7, 1), "FORMERR", "malformed: ", "allowed.example"},
}

func TestNotForwarded(t *testing.T) {
	s := serve(t, address)
	f, told := run(t, Config{Upstream: s.addr, Allow: func(string, uint16) bool { return true }})
	last := query("last.example", dnsmessage.TypeA)
	for _, network := range []string{"udp", "tcp"} {
		for _, test := range notForwarded {
			t.Run(network+" "+test.what, func(t *testing.T) {
				before := len(s.all())
				conn := connect(t, f, network, "127.0.0.1")
				if test.outcome != "" {
					checkRefusal(t, test.packet, exchange(t, conn, test.packet), test.outcome)
				} else if network == "tcp" {
					if err := writeTCP(conn, test.packet); err != nil {
						t.Fatal(err)
					}
					if _, err := readTCP(conn); !errors.Is(err, io.EOF) {
						t.Errorf("it wasn't hung up on: %v", err)
					}
				} else {
					if _, err := conn.Write(test.packet); err != nil {
						t.Fatal(err)
					}
				}
				q := told.next(t)
				if q.Outcome != test.outcome || !strings.HasPrefix(q.Why, test.why) || q.Why == "" || q.Name != test.name || q.Allowed || len(q.Addresses) > 0 {
					t.Errorf("told %+v", q)
				}
				if network == "udp" { // an answer to that can only come first
					if m := parsed(t, exchange(t, conn, last)); m.Questions[0].Name.String() != "last.example." {
						t.Errorf("it was answered with %v", m.GoString())
					}
					told.next(t)
					before++
				}
				if all := s.all(); len(all) != before {
					t.Errorf("upstream was asked %x", all[before].packet)
				}
			})
		}
	}
}

func checkRefusal(t *testing.T, packet, answer []byte, outcome string) {
	t.Helper()
	var p dnsmessage.Parser
	h, err := p.Start(answer)
	if err != nil {
		t.Fatalf("%x: %v", answer, err)
	}
	if !h.Response || h.ID != 0x1234 || h.OpCode != dnsmessage.OpCode(packet[2]>>3&0xf) || h.Authoritative {
		t.Errorf("the header is %v", h.GoString())
	}
	var rcode = uint16(h.RCode)
	end := 12
	if answer[5] == 1 { // the question is as it came
		end = questionEnd(answer)
		if !bytes.Equal(answer[12:end], packet[12:end]) {
			t.Errorf("the question %x came back as %x", packet[12:], answer[12:end])
		}
	}
	switch rest := answer[end:]; {
	case answer[11] == 1 && len(rest) == 11 && rest[2] == 41:
		rcode |= uint16(rest[5]) << 4
	case answer[11] != 0 || len(rest) != 0:
		t.Errorf("there is more in it: %x", rest)
	}
	if got := rcodeNames[rcode]; got != outcome || !bytes.Equal(answer[6:11], make([]byte, 5)) {
		t.Errorf("the answer is %s, %x; want %s", got, answer, outcome)
	}
}

// A refusal has EDNS if and only if the query has.
func TestRefusalHasOptions(t *testing.T) {
	f, _ := run(t, Config{Upstream: serve(t, address).addr})
	conn := connect(t, f, "udp", "127.0.0.1")
	for _, test := range []struct {
		options []byte
		want    []byte
	}{
		{nil, nil},
		{options(1232, 0, 10, 0, 1, 7), []byte{0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0}},
		{[]byte{0, 0, 41, 0, 1, 0, 0, 0, 0, 0, 0}, []byte{0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0}},
	} {
		packet := query("evil.example", dnsmessage.TypeA, test.options...)
		answer := exchange(t, conn, packet)
		checkRefusal(t, packet, answer, "NXDOMAIN")
		if end := len(packet) - len(test.options); !bytes.Equal(answer[end:], test.want) {
			t.Errorf("%x is answered by %x, want %x", test.options, answer[end:], test.want)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	whole := Config{Interface: "lo", Upstream: serve(t, address).addr, Allow: allowed}
	for _, test := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Interface = "" }, "no interface"},
		{func(c *Config) { c.Interface = "none0" }, "none0"},
		{func(c *Config) { c.Allow = nil }, "no list"},
		{func(c *Config) { *c = Config{Interface: "lo", Allow: allowed} }, "no upstream"},
		{func(c *Config) { c.Source = netip.MustParseAddr("192.0.2.1") }, "192.0.2.1"},
	} {
		c := whole
		test.change(&c)
		f, err := Listen(c)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %v, want one line with %q", err, test.want)
		}
	}
}

func questionEnd(message []byte) int {
	_, end := packet.FirstQuestion(message)
	return end
}
