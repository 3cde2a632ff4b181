package capture

// batchLines is how many lines are looked at before the first of them is
// taken. With many names each lookup misses the cache several times over; a
// batch's misses go on at once instead of one behind the other.
const batchLines = 64

// manyRecords is how many records a core's nearest cache has room for, beside
// their names and slots. Tests have it otherwise.
var manyRecords = 1 << 8

// warmUp reads what a batch will need into the cache: the slots, then the
// records, then what these have elsewhere. Within a loop no read waits for
// another one.
func (f *facts) warmUp(b *block, batch []line) {
	var sum uint64
	for i := range batch {
		if m := &batch[i]; m.nameLen > 0 && !m.again {
			sum += uint64(f.ids.first(m.hash).hash)
		}
	}
	var ids [batchLines]ID
	n := 0
	for i := range batch {
		if m := &batch[i]; m.nameLen > 0 && !m.again {
			if m.likely = f.ids.likely(m.hash); m.likely != 0 {
				ids[n] = m.likely - 1
				n++
			}
		}
	}
	for _, id := range ids[:n] {
		sum += uint64(f.at(id).queries)
	}
	for _, id := range ids[:n] {
		r := f.at(id)
		sum += uint64(f.nameOf(r)[0])
		if r.clientsN > 0 {
			sum += uint64(f.clientsOf.get(r.clients, min(int(r.clientsN), listClients))[0])
		}
		if 0 < r.addressesN && r.addressesN < maxAddresses {
			sum += uint64(f.addressesOf.get(r.addresses, int(r.addressesN))[0])
		}
	}
	b.warm = sum
}
