package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/parse"
)

// HeaderSize is that of a DNS message: RFC 1035, section 4.1.1.
const HeaderSize = 12

// Question is what a DNS message asks.
type Question struct {
	Name        string // as parse normalises it
	Type, Class uint16
}

// FirstQuestion returns the first question of a message with questions and
// where it ends; 0 if that has no form. A name in it that points elsewhere has
// none: there is nothing before it to point to.
func FirstQuestion(message []byte) (q Question, end int) {
	if len(message) < HeaderSize {
		return Question{}, 0
	}
	name := nameEnd(message[HeaderSize:])
	end = HeaderSize + name + 4
	if name == 0 || len(message) < end {
		return Question{}, 0
	}
	return Question{
		Name: nameOf(message[HeaderSize : end-4]), Type: binary.BigEndian.Uint16(message[end-4:]), Class: binary.BigEndian.Uint16(message[end-2:]),
	}, end
}

// maxName is the longest name, in the form that messages have it in.
const maxName = 255

// nameEnd is where the name ends that b begins with, 0 if it has no end, is too
// long or points elsewhere.
func nameEnd(b []byte) int {
	for i := 0; i < len(b) && i < maxName; i += 1 + int(b[i]) {
		switch {
		case b[i] == 0:
			return i + 1
		case b[i] > 63:
			return 0
		}
	}
	return 0
}

// nameOf returns a message's name as package parse normalises it. A dot within
// a label is \046, for DNS holds it apart from one between labels.
func nameOf(labels []byte) string {
	if len(labels) == 1 {
		return "."
	}
	var room [maxName]byte
	name := room[:0]
	for at := 0; labels[at] != 0; at += 1 + int(labels[at]) {
		if at > 0 {
			name = append(name, '.')
		}
		label := labels[at+1 : at+1+int(labels[at])]
		for {
			before, after, dot := bytes.Cut(label, []byte("."))
			name = parse.AppendName(name, before)
			if !dot {
				break
			}
			name, label = append(name, `\046`...), after
		}
	}
	return string(name)
}

// ReadQuery returns the questions of a DNS query, which has one in all but
// curious cases. Those before one that breaks its form are returned with
// ErrForm; ErrOther is for what is no query.
func ReadQuery(message []byte) ([]Question, error) {
	const (
		response = 0x80
		opcode   = 0x78
	)
	if len(message) < HeaderSize || message[2]&(response|opcode) != 0 {
		return nil, ErrOther
	}
	count := binary.BigEndian.Uint16(message[4:])
	first, end := FirstQuestion(message)
	if count == 0 || end == 0 {
		return nil, ErrOther
	}
	all := []Question{first}
	if count == 1 {
		return all, nil
	}
	var p dnsmessage.Parser
	if _, err := p.Start(message); err != nil {
		return all, ErrForm
	}
	if err := p.SkipQuestion(); err != nil {
		return all, ErrForm
	}
	for {
		q, err := p.Question()
		if err == dnsmessage.ErrSectionDone {
			return all, nil
		}
		if err != nil {
			return all, ErrForm
		}
		all = append(all, Question{Name: normal([]byte(q.Name.String())), Type: uint16(q.Type), Class: uint16(q.Class)})
	}
}

// Answer is what the answer section of a DNS message says.
type Answer struct {
	Code           uint16   // that it is answered with, such as 3 for NXDOMAIN
	Chain          []string // CNAME records' targets, in order, as parse normalises them
	Addresses      []netip.Addr
	Least, Longest time.Duration // that any of the addresses may be remembered
}

// IsResponse reports whether a message is one to a query with one question.
func IsResponse(message []byte) bool {
	return len(message) >= HeaderSize && message[2]&0xf8 == 0x80 && binary.BigEndian.Uint16(message[4:]) == 1
}

// ReadAnswer reads the answer section; what is elsewhere is no answer to the
// question. Whose the addresses are doesn't matter: the name that was asked for
// decides, whatever CNAME records lead to. What comes before an error is
// returned with it.
func ReadAnswer(message []byte) (a Answer, err error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil {
		return a, err
	}
	a.Code = uint16(h.RCode)
	if err := p.SkipAllQuestions(); err != nil {
		return a, err
	}
	for {
		h, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		before := len(a.Addresses)
		if err := a.readRecord(&p, h); err != nil {
			return a, err
		}
		if len(a.Addresses) > before {
			ttl := time.Duration(h.TTL) * time.Second
			a.Longest = max(a.Longest, ttl)
			if before == 0 || ttl < a.Least {
				a.Least = ttl
			}
		}
	}
}

func (a *Answer) readRecord(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) error {
	switch h.Type {
	case dnsmessage.TypeA:
		r, err := p.AResource()
		if err == nil {
			a.add(r.A[:])
		}
		return err
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		if err == nil {
			a.add(r.AAAA[:])
		}
		return err
	case dnsmessage.TypeCNAME:
		if r, err := p.CNAMEResource(); err == nil {
			a.Chain = append(a.Chain, normal([]byte(r.CNAME.String())))
			return nil
		}
	case dnsmessage.TypeSVCB:
		r, err := p.SVCBResource()
		return errors.Join(err, a.addHints(&r))
	case dnsmessage.TypeHTTPS:
		r, err := p.HTTPSResource()
		return errors.Join(err, a.addHints(&r.SVCBResource))
	}
	return p.SkipAnswer()
}

// addHints adds the addresses that RFC 9460, section 7.3 has clients connect to
// without asking for them.
func (a *Answer) addHints(r *dnsmessage.SVCBResource) error {
	for _, hint := range []struct {
		key  dnsmessage.SVCParamKey
		size int
	}{{dnsmessage.SVCParamIPv4Hint, 4}, {dnsmessage.SVCParamIPv6Hint, 16}} {
		value, _ := r.GetParam(hint.key)
		if len(value)%hint.size != 0 {
			return errors.New("an address hint of the wrong size")
		}
		for ; len(value) > 0; value = value[hint.size:] {
			a.add(value[:hint.size])
		}
	}
	return nil
}

// add adds an address. A client that is given an IPv4 address as an IPv6 one
// connects by IPv4.
func (a *Answer) add(b []byte) {
	addr, _ := netip.AddrFromSlice(b)
	a.Addresses = append(a.Addresses, addr.Unmap())
}
