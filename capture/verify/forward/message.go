package forward

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture/witness/packet"
	"lxd-allowlist/parse"
)

// The header of a message: RFC 1035, section 4.1.1.
const (
	headerSize = packet.HeaderSize

	response           = 1 << 15
	opcodes            = 0xf << 11
	truncated          = 1 << 9
	recursionDesired   = 1 << 8
	recursionAvailable = 1 << 7
	authenticData      = 1 << 5
	checkingDisabled   = 1 << 4
	rcodes             = 0xf
)

// Response codes. badVersion has more bits than the header has room for.
const (
	formErr    = 1
	servFail   = 2
	nxDomain   = 3
	notImp     = 4
	refused    = 5
	badVersion = 16
)

var rcodeNames = map[uint16]string{
	0: "NOERROR", formErr: "FORMERR", servFail: "SERVFAIL", nxDomain: "NXDOMAIN", notImp: "NOTIMP", refused: "REFUSED",
	6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE", badVersion: "BADVERS",
}

func outcome(rcode uint16) string {
	if name, ok := rcodeNames[rcode]; ok {
		return name
	}
	return fmt.Sprintf("RCODE%d", rcode)
}

// The sizes of answers by UDP: the one that every client takes, and the most
// that is handed on, whatever a client says to take.
const (
	leastSize = 512
	mostSize  = 4096
)

// request is a query as it came in.
type request struct {
	told     Query
	id       uint16
	flags    uint16
	question []byte // name, type and class as they came; nil if there isn't exactly one
	qtype    uint16
	edns     bool
	do       bool   // the client wants DNSSEC's records
	size     uint16 // of the largest answer by UDP that the client takes

	// Of a query by UDP: who asked, and the control message that came with it, by
	// which the answer leaves from the address that was asked.
	from    net.Addr
	control []byte
}

// read takes a packet apart. What isn't to be forwarded, whatever the list
// says, is returned with its answer, or with none if nothing is to be sent.
// The request keeps nothing of the packet.
func read(packet []byte) (r *request, reply []byte, done bool) {
	r = &request{size: leastSize}
	if len(packet) < headerSize {
		r.told.Why = "shorter than a header"
		return r, nil, true
	}
	r.id = binary.BigEndian.Uint16(packet)
	r.flags = binary.BigEndian.Uint16(packet[2:])
	questions := binary.BigEndian.Uint16(packet[4:])
	question, class := r.readQuestion(packet, questions)
	if r.flags&response != 0 {
		r.told.Why = "an answer instead of a query"
		return r, nil, true
	}
	refuse := func(rcode uint16, why string) (*request, []byte, bool) {
		r.told.Why = why
		return r, r.answer(rcode), true
	}
	switch opcode := r.flags & opcodes >> 11; {
	case opcode != 0:
		return refuse(notImp, fmt.Sprintf("opcode %d", opcode))
	case questions != 1:
		return refuse(formErr, fmt.Sprintf("%d questions", questions))
	case question == nil:
		return refuse(formErr, "malformed question")
	}
	r.question = bytes.Clone(question)
	version, err := r.readOptions(packet)
	switch {
	case err != nil:
		return refuse(formErr, fmt.Sprintf("malformed: %v", err))
	case version != 0:
		return refuse(badVersion, fmt.Sprintf("EDNS version %d", version))
	case class != classIN:
		return refuse(refused, "class "+className(class))
	case isMeta(r.qtype):
		return refuse(refused, "query for "+r.told.Type)
	case !parse.Clean([]byte(r.told.Name)):
		return refuse(nxDomain, "a name that no list can hold")
	}
	return r, nil, false
}

// readQuestion returns the first question, nil if there is none or it has no
// form, and its class.
func (r *request) readQuestion(message []byte, questions uint16) (question []byte, class uint16) {
	if questions == 0 {
		return nil, 0
	}
	q, end := packet.FirstQuestion(message)
	if end == 0 {
		return nil, 0
	}
	r.qtype = q.Type
	r.told.Name, r.told.Type = q.Name, parse.TypeName(q.Type)
	return message[headerSize:end], q.Class
}

const classIN = 1

func className(class uint16) string {
	switch class {
	case 3:
		return "CH"
	case 4:
		return "HS"
	case 254:
		return "NONE"
	case 255:
		return "ANY"
	}
	return fmt.Sprint(class)
}

// isMeta reports whether a type is no kind of data, but a word of the protocol
// such as AXFR or ANY: RFC 6895, section 3.1.
func isMeta(t uint16) bool {
	return t == 0 || t == uint16(dnsmessage.TypeOPT) || 128 <= t && t <= 255
}

// readOptions reads EDNS (RFC 6891) and returns its version. Other records
// have no business in a query.
func (r *request) readOptions(packet []byte) (version byte, err error) {
	var p dnsmessage.Parser
	if _, err := p.Start(packet); err != nil {
		return 0, err
	}
	if err := errors.Join(p.SkipAllQuestions(), p.SkipAllAnswers(), p.SkipAllAuthorities()); err != nil {
		return 0, err
	}
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return version, nil
		}
		if err != nil {
			return 0, err
		}
		if h.Type == dnsmessage.TypeOPT {
			if r.edns || h.Name.String() != "." {
				return 0, errors.New("EDNS twice or with a name")
			}
			r.edns, r.do, version = true, h.DNSSECAllowed(), byte(h.TTL>>16)
			r.size = min(max(uint16(h.Class), leastSize), mostSize)
		}
		if err := p.SkipAdditional(); err != nil {
			return 0, err
		}
	}
}

// message returns a message without records: the question, if there is one, and
// EDNS without options, if the client has it.
func (r *request) message(id, flags, rcode uint16) []byte {
	b := make([]byte, headerSize, headerSize+len(r.question)+16)
	binary.BigEndian.PutUint16(b, id)
	binary.BigEndian.PutUint16(b[2:], flags|rcode&rcodes)
	if r.question != nil {
		b[5] = 1
		b = append(b, r.question...)
	}
	if r.edns {
		b[11] = 1
		b = append(b, 0, 0, byte(dnsmessage.TypeOPT), byte(r.size>>8), byte(r.size), byte(rcode>>4), 0, 0, 0, 0, 0)
		if r.do {
			b[len(b)-4] = 0x80
		}
	}
	return b
}

// query returns what upstream is asked: the question as the client wrote it,
// with upper and lower case, and what it wants to be told.
func (r *request) query(id uint16) []byte {
	return r.message(id, r.flags&(recursionDesired|authenticData|checkingDisabled), 0)
}

// answer returns an answer without records. An NXDOMAIN without a SOA record
// isn't kept by the resolvers in instances (RFC 2308, section 5), so that a
// name can be allowed a moment later.
func (r *request) answer(rcode uint16) []byte {
	r.told.Outcome = outcome(rcode)
	return r.message(r.id, response|recursionAvailable|r.flags&(opcodes|recursionDesired|checkingDisabled), rcode)
}

// fail is the answer if upstream has none.
func (r *request) fail(why string) []byte {
	r.told.Why = why
	return r.answer(servFail)
}

// isAnswered reports whether a packet of upstream's answers the request that
// was sent with an id. A server that couldn't read the question may leave it
// out.
func (r *request) isAnswered(packet []byte, id uint16) bool {
	if len(packet) < headerSize || binary.BigEndian.Uint16(packet) != id {
		return false
	}
	flags := binary.BigEndian.Uint16(packet[2:])
	if flags&response == 0 || flags&opcodes != 0 {
		return false
	}
	switch binary.BigEndian.Uint16(packet[4:]) {
	case 0:
		return flags&rcodes != 0
	case 1:
		rest := packet[headerSize:]
		n := len(r.question)
		// Not EqualFold, which holds more letters equal than DNS does.
		return len(rest) >= n && bytes.Equal(rest[n-4:n], r.question[n-4:]) && sameName(rest[:n-4], r.question[:n-4])
	}
	return false
}

func sameName(a, b []byte) bool {
	for i := range a {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// handOn makes upstream's answer one for the client: its id, and its question
// with the case that it has there.
func (r *request) handOn(packet []byte) []byte {
	binary.BigEndian.PutUint16(packet, r.id)
	if packet[5] == 1 {
		copy(packet[headerSize:], r.question)
	}
	return packet
}

// fit returns an answer by UDP as it is, if the client takes one as large, or
// cut down to what says that there is more by TCP.
func (r *request) fit(packet []byte) []byte {
	if len(packet) <= int(r.size) {
		return packet
	}
	flags := binary.BigEndian.Uint16(packet[2:])
	return r.message(r.id, flags|truncated, flags&rcodes)
}
