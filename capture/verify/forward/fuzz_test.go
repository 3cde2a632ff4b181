package forward

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/witness/packet"
	"lxd-allowlist/parse"
)

// FuzzQueries holds what is forwarded to be one clean question and nothing
// else, whatever came in, and what is answered to be an answer to it.
func FuzzQueries(f *testing.F) {
	for _, test := range notForwarded {
		f.Add(test.packet)
	}
	f.Add(plain)
	f.Add(query("wWw.AllowEd.example", dnsmessage.TypeHTTPS, options(1232, 0, 10, 0, 1, 7)...))
	f.Fuzz(func(t *testing.T, packet []byte) {
		var framed bytes.Buffer
		if len(packet) <= math.MaxUint16 && writeTCP(&framed, packet) == nil {
			if got, err := readTCP(&framed); err != nil || !bytes.Equal(got, packet) {
				t.Fatalf("by TCP %x is %x, %v", packet, got, err)
			}
		}
		if b, err := readTCP(bytes.NewReader(packet)); err == nil && len(b) > len(packet)-2 {
			t.Fatalf("of %x are read %x", packet, b)
		}
		before := bytes.Clone(packet)
		r, reply, done := read(packet)
		if !bytes.Equal(packet, before) {
			t.Fatal("the packet was changed")
		}
		switch {
		case !done:
			checkForwarded(t, r, packet)
			reply = r.answer(nxDomain)
		case r.told.Why == "":
			t.Error("it isn't said why it is refused")
		case reply == nil:
			if len(packet) >= headerSize && packet[2]&0x80 == 0 {
				t.Error("a query isn't answered")
			}
			return
		}
		var m dnsmessage.Message
		err := m.Unpack(reply)
		if !done && err != nil {
			t.Errorf("the answer %x: %v", reply, err)
		}
		if !bytes.Equal(reply[:2], packet[:2]) || reply[2]&0x80 == 0 || reply[2]>>3&0xf != packet[2]>>3&0xf || len(reply) > leastSize {
			t.Errorf("%x is answered by %x", packet, reply)
		}
	})
}

// checkForwarded reads a forwarded query as another program does.
func checkForwarded(t *testing.T, r *request, packet []byte) {
	b := r.query(7)
	var p dnsmessage.Parser
	h, err := p.Start(b)
	q, errQuestion := p.Question()
	if err != nil || errQuestion != nil || h.ID != 7 || h.Response || h.OpCode != 0 || h.RCode != 0 {
		t.Fatalf("%x is forwarded as %x", packet, b)
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if name != r.told.Name || !parse.Clean([]byte(name)) || q.Class != dnsmessage.ClassINET || isMeta(uint16(q.Type)) || parse.TypeName(uint16(q.Type)) != r.told.Type {
		t.Errorf("%x: the question is %v, told %+v", packet, q.GoString(), r.told)
	}
	if binary.BigEndian.Uint16(b[4:]) != 1 || binary.BigEndian.Uint32(b[6:]) != 0 {
		t.Errorf("%x is forwarded with records: %x", packet, b)
	}
	if rest := b[headerSize+len(r.question):]; len(rest) != 11*int(b[11]) || len(rest) > 0 && (rest[2] != 41 || rest[9] != 0 || rest[10] != 0) {
		t.Errorf("%x is forwarded with %x behind the question", packet, rest)
	}
	again, _, done := read(b)
	if done || again.told.Name != r.told.Name || again.edns != r.edns || again.size != r.size || again.do != r.do || !bytes.Equal(again.query(7), b) {
		t.Errorf("%x is forwarded as %x, which is forwarded as %x", packet, b, again.query(7))
	}
}

// FuzzAnswers holds what a client gets to have its id and question, in a size
// that it takes, and no address in it that wasn't read.
func FuzzAnswers(f *testing.F) {
	q := &asked{packet: plain}
	good := hints("\xc0\x00\x02\x09", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09")
	for _, body := range []dnsmessage.ResourceBody{v4, v6, mapped, &good, &dnsmessage.HTTPSResource{SVCBResource: good}, &dnsmessage.CNAMEResource{CNAME: target}} {
		f.Add(q.with(body))
	}
	f.Add(q.with())
	f.Add([]byte{0x12, 0x34, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, message []byte) {
		r, _, _ := read(plain)
		if !r.isAnswered(message, 0x1234) {
			return
		}
		a, err := packet.ReadAnswer(message)
		if err != nil {
			return
		}
		r.id = 0x4321
		got := r.fit(r.handOn(message))
		if len(got) > leastSize || got[0] != 0x43 || got[1] != 0x21 || got[2]&0x80 == 0 {
			t.Errorf("%x is handed on as %x", message, got)
		}
		if got[5] == 1 && !bytes.Equal(got[headerSize:len(plain)], plain[headerSize:]) {
			t.Errorf("%x is handed on with another question: %x", message, got)
		}
		var p dnsmessage.Parser
		p.Start(got)
		p.SkipAllQuestions()
		records, err := p.AllAnswers()
		if err != nil {
			return // some records, such as MX, are taken apart by this alone
		}
		addresses := 0
		for _, record := range records {
			switch record.Body.(type) {
			case *dnsmessage.AResource, *dnsmessage.AAAAResource:
				addresses++
			}
		}
		if addresses > len(a.Addresses) {
			t.Errorf("%x has %d addresses, and %v were read", message, addresses, a.Addresses)
		}
	})
}
