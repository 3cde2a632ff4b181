package capture

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// noClient is how many clients there is room for.
const noClient = 1<<16 - 1

// recentBits has room for a network's clients: a thousand of them mostly have a
// place of their own.
const recentBits = 12

// clientIPv4 returns the place of a client; ok is false if there is no room
// for one more.
func (f *facts) clientIPv4(address uint32) (client uint16, ok bool) {
	recent := &f.recent[address*0x9e3779b1>>(32-recentBits)]
	if recent.next != 0 && recent.address == address {
		return recent.next - 1, true
	}
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], address)
	var text [len("255.255.255.255")]byte
	if client, ok = f.clientAt(netip.AddrFrom4(four).AppendTo(text[:0])); ok {
		recent.address, recent.next = address, client+1
	}
	return client, ok
}

// clientAt is clientIPv4 for an address as it is logged.
func (f *facts) clientAt(address []byte) (client uint16, ok bool) {
	if client, ok = f.clientN[string(address)]; ok {
		return client, true
	}
	if len(f.clients) == noClient {
		return 0, false
	}
	f.unnamed = true
	return f.newClient(Client{Address: string(address)}), true
}

func (f *facts) newClient(c Client) uint16 {
	n := uint16(len(f.clients))
	f.clients = append(f.clients, c)
	f.clientN[c.Address] = n
	return n
}

// listClients is how many clients of a name are kept as a list. Of more, those
// among the ledger's first bitClients, mostly all, are bits in as much room.
const (
	listClients = longest
	bitClients  = listClients * 16
)

// addClient notes that a client asked.
func (f *facts) addClient(r *record, client uint16) (fresh bool) {
	if r.clientsN == maxClients {
		return false
	}
	if r.state&bitmap == 0 {
		list := f.clientsOf.get(r.clients, int(r.clientsN))
		if slices.Contains(list, client) {
			return false
		}
		if len(list) < listClients {
			r.clients = f.clientsOf.add(r.clients, len(list), client)
			r.clientsN++
			return true
		}
		all := slices.Clone(list)
		clear(list)
		r.state |= bitmap
		r.clientsN = 0
		for _, n := range all {
			f.addClient(r, n)
		}
	}
	if client < bitClients {
		word, bit := &f.clientsOf.get(r.clients, listClients)[client/16], uint16(1)<<(client%16)
		if *word&bit != 0 {
			return false
		}
		*word |= bit
	} else {
		m := f.beside(r)
		if slices.Contains(m.clients, client) {
			return false
		}
		m.clients = append(m.clients, client)
	}
	r.clientsN++
	return true
}

// clientsIn returns the clients that asked for a name, in the order in which
// they did, of very many in that of the ledger's. It is valid until more is
// added.
func (f *facts) clientsIn(r *record) []uint16 {
	if r.state&bitmap == 0 {
		return f.clientsOf.get(r.clients, int(r.clientsN))
	}
	var all []uint16
	for i, left := range f.clientsOf.get(r.clients, listClients) {
		for ; left != 0; left &= left - 1 {
			all = append(all, uint16(i*16+bits.TrailingZeros16(left)))
		}
	}
	if r.more != 0 {
		all = append(all, f.more[r.more].clients...)
	}
	return all
}
