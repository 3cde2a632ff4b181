package fence

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// label is a mark of a fence's own on connections. Unlike the connection's mark
// it is shared with nobody, and a connection from before the fence can't have it.
type label [16]byte

// How many of a label's bits are set: labels are put one over another, those of
// other fences, too, which must not make one that is a third's. On minorBits
// nothing but what is told depends; ownBits tell a fence's connections from those
// of others.
const (
	labelBits = 8
	minorBits = 4
	ownBits   = 12
)

// ofOurs is in every label, so that anybody can tell which connections have one
// (.ci/left).
var ofOurs = label{1: 0x24, 4: 0x81, 9: 0x42, 14: 0x18}

// labels are what a fence puts on connections: own is on each of them, all is
// what there may be on any.
type labels struct{ own, all label }

// newLabels returns labels with so many bits of their own each, besides those that
// each of them has.
func newLabels(bits ...int) (l labels, each []label) {
	var free []int
	for _, bit := range rand.Perm(len(label{}) * 8) {
		if ofOurs[bit/8]&(1<<(bit%8)) == 0 {
			free = append(free, bit)
		}
	}
	more := func(to label, n int) label {
		for _, bit := range free[:n] {
			to[bit/8] |= 1 << (bit % 8)
		}
		free = free[n:]
		return to
	}
	l.own = more(ofOurs, ownBits)
	for _, n := range bits {
		one := more(l.own, n)
		each = append(each, one)
		for i := range one {
			l.all[i] |= one[i]
		}
	}
	return l, each
}

// labelsPrefix begins the name of a chain that no rule jumps to: it says which
// labels the table's rules put, so that whoever takes the table away can take them
// off, too.
const labelsPrefix = "labels-"

func (l labels) chainName() string {
	return labelsPrefix + hex.EncodeToString(append(l.own[:], l.all[:]...))
}

// readLabels reads the name of a chain.
func readLabels(chain string) (l labels, ok bool) {
	text, ok := strings.CutPrefix(chain, labelsPrefix)
	b, err := hex.DecodeString(text)
	if !ok || err != nil || len(b) != 2*len(label{}) {
		return l, false
	}
	return labels{label(b), label(b[len(label{}):])}, true
}

// labelsOf returns the labels that the tables of a name put, "" for any.
func labelsOf(c *nftables.Conn, name string) (all []labels, err error) {
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyINet)
	for _, chain := range chains {
		if l, ok := readLabels(chain.Name); ok && (name == "" || chain.Table.Name == name) {
			all = append(all, l)
		}
	}
	return all, err
}

// off takes the labels off all connections that have them. These go on, and keep
// what bits others have put there, another fence's among them.
func (l labels) off() error {
	others, err := labelsOf(new(nftables.Conn), "")
	if err != nil {
		return fmt.Errorf("take labels off connections in the kernel's table: list other fences' labels: %w", err)
	}
	for range interruptions {
		found, err := l.offOnce(others)
		if err == nil && found == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return fmt.Errorf("take labels off connections in the kernel's table: %w", err)
		}
	}
	return errors.New("take labels off connections in the kernel's table: it changed whenever it was read")
}

// offOnce reports how many connections had the labels.
func (l labels) offOnce(others []labels) (found int, err error) {
	all, interrupted := request(unix.AF_UNSPEC, nl.IPCTNL_MSG_CT_GET, unix.NLM_F_DUMP).Execute(unix.NETLINK_NETFILTER, 0)
	if interrupted != nil && !errors.Is(interrupted, netlink.ErrDumpInterrupted) {
		return 0, interrupted
	}
	for _, message := range all {
		about, err := nl.ParseRouteAttr(message[min(nl.SizeofNfgenmsg, len(message)):])
		if err != nil {
			return found, err
		}
		mask := l.all
		change, ours := request(message[0], nl.IPCTNL_MSG_CT_NEW, unix.NLM_F_ACK), false
		for _, a := range about {
			switch a.Attr.Type & nl.NLA_TYPE_MASK {
			case nl.CTA_TUPLE_ORIG, nl.CTA_ZONE: // which connection it is
				change.AddData(nl.NewRtAttr(int(a.Attr.Type), a.Value))
			case nl.CTA_LABELS:
				ours = l.own.within(a.Value)
				for _, other := range others {
					if other.own != l.own && other.own.within(a.Value) {
						for i, b := range other.all { // go with that fence
							mask[i] &^= b
						}
					}
				}
			}
		}
		if !ours {
			continue
		}
		found++
		change.AddData(nl.NewRtAttr(nl.CTA_LABELS, make([]byte, len(l.all))))
		change.AddData(nl.NewRtAttr(nl.CTA_LABELS_MASK, mask[:]))
		if _, err := change.Execute(unix.NETLINK_NETFILTER, 0); err != nil && !errors.Is(err, syscall.ENOENT) { // it has ended
			return found, err
		}
	}
	return found, interrupted
}

// within reports whether what a connection is labelled with has all of the label.
func (l label) within(has []byte) bool {
	for i, b := range l {
		if b != 0 && (i >= len(has) || has[i]&b != b) {
			return false
		}
	}
	return true
}

// request is one about the connections of a family.
func request(family uint8, operation, flags int) *nl.NetlinkRequest {
	r := nl.NewNetlinkRequest(netlink.ConntrackTable<<8|operation, flags)
	r.AddData(&nl.Nfgenmsg{NfgenFamily: family, Version: nl.NFNETLINK_V0})
	return r
}
