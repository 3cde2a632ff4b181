package table

import "lxd-allowlist/capture"

// known is what is remembered of a domain.
type known struct {
	key   sortKey
	group *group // while it is shown, and they stand in groups
	shown bool
	// blocked says that it stands above all others, see firstRefused.
	blocked bool
	tally   tallied
	// registrable is how long its registrable domain is; 0 for not known yet.
	registrable uint8
}

// memory is what is known of domains, by their IDs. It lies in blocks: a list
// of a million would be copied as a whole when one more comes.
type memory struct {
	blocks []*[memoryBlock]known
	n      int
}

const memoryBlock = 4096

// grow makes room for n domains.
func (m *memory) grow(n int) {
	for len(m.blocks)*memoryBlock < n {
		m.blocks = append(m.blocks, new([memoryBlock]known))
	}
	m.n = max(m.n, n)
}

func (m *memory) of(id capture.ID) *known { return &m.blocks[id/memoryBlock][id%memoryBlock] }
