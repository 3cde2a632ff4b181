package fence

import (
	"net/netip"
	"time"

	"github.com/google/nftables"
)

// tables are what is changed in them later: the addresses that are admitted and
// those that are no more, the host's end of the instance, and the chain of the
// places that are kept.
type tables struct {
	ipv4, ipv6, gone4, gone6, hosts *nftables.Set
	kept                            *nftables.Chain // at level Strict
}

// replug puts the host's end in place of what the set has; "" for none.
func (t tables) replug(c *nftables.Conn, host string) error {
	c.FlushSet(t.hosts)
	if host != "" {
		if err := c.SetAddElements(t.hosts, plugs(host)); err != nil {
			return err
		}
	}
	return c.Flush()
}

func plugs(host string) []nftables.SetElement {
	return []nftables.SetElement{{Key: ifname(host)}}
}

// atOnce is how many addresses go into one message, which has at most 64 kB.
const atOnce = 512

// admit has addresses, atOnce of them at most, in their set for a time: such as
// aren't there, or were put there before and may be there still. back are those
// of them that were dismissed.
func (t tables) admit(c *nftables.Conn, addresses, back []netip.Addr, renewed bool, lives time.Duration) error {
	for _, set := range []*nftables.Set{t.ipv4, t.ipv6} {
		of := elements(addresses, set)
		for i := range of {
			of[i].Timeout = lives
		}
		if err := put(c, set, of, renewed); err != nil {
			return err
		}
	}
	for _, set := range []*nftables.Set{t.gone4, t.gone6} {
		if of := elements(back, set); len(of) > 0 {
			if err := c.SetDeleteElements(set, of); err != nil {
				return err
			}
		}
	}
	return c.Flush()
}

// dismiss has addresses, atOnce of them at most, count as dismissed that don't.
func (t tables) dismiss(c *nftables.Conn, addresses []netip.Addr) error {
	for _, set := range []*nftables.Set{t.gone4, t.gone6} {
		if of := elements(addresses, set); len(of) > 0 {
			if err := c.SetAddElements(set, of); err != nil {
				return err
			}
		}
	}
	return c.Flush()
}

// retire has addresses, atOnce of them at most, be admitted no more. Their time
// may be over meanwhile, and nothing ends that isn't there: hence they are added
// before that.
func (t tables) retire(c *nftables.Conn, addresses []netip.Addr) error {
	for _, set := range []*nftables.Set{t.ipv4, t.ipv6} {
		of := elements(addresses, set)
		if len(of) == 0 {
			continue
		}
		if err := c.SetAddElements(set, of); err != nil {
			return err
		}
		if err := c.SetDeleteElements(set, of); err != nil {
			return err
		}
	}
	return c.Flush()
}

// elements returns the addresses of a set's family as it has them.
func elements(addresses []netip.Addr, set *nftables.Set) (all []nftables.SetElement) {
	for _, a := range addresses {
		if a.Is4() == (set.KeyType == nftables.TypeIPAddr) {
			all = append(all, nftables.SetElement{Key: a.AsSlice()})
		}
	}
	return all
}

// put: kernels before 6.12 don't renew an element's time; they take its end and
// its new beginning in one step. Nothing ends that isn't there: hence it is
// added before that, too.
func put(c *nftables.Conn, set *nftables.Set, elements []nftables.SetElement, renewed bool) error {
	if len(elements) == 0 {
		return nil
	}
	if renewed {
		if err := c.SetAddElements(set, elements); err != nil {
			return err
		}
		if err := c.SetDeleteElements(set, elements); err != nil {
			return err
		}
	}
	return c.SetAddElements(set, elements)
}
