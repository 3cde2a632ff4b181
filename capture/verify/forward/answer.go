package forward

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// answer is what an answer of upstream's says.
type answer struct {
	rcode     uint16
	addresses []netip.Addr
	ttl       time.Duration // the longest that any of the addresses may be remembered
}

// readAnswer reads the answer section; what is elsewhere is no answer to the
// question. Whose the addresses are doesn't matter: the name that was asked for
// decides, whatever CNAME records lead to.
func readAnswer(packet []byte) (a answer, err error) {
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil {
		return a, err
	}
	a.rcode = uint16(h.RCode)
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
		before := len(a.addresses)
		if err := a.readRecord(&p, h); err != nil {
			return a, err
		}
		if len(a.addresses) > before {
			a.ttl = max(a.ttl, time.Duration(h.TTL)*time.Second)
		}
	}
}

func (a *answer) readRecord(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) error {
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
func (a *answer) addHints(r *dnsmessage.SVCBResource) error {
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
func (a *answer) add(b []byte) {
	addr, _ := netip.AddrFromSlice(b)
	a.addresses = append(a.addresses, addr.Unmap())
}
