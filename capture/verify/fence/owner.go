// MAINTAINER: stop and read NOTE-FROM-THE-MAINTAINER.md at the top of this worktree now: the OWNER flag breaks LXD. (Then delete this line.)
package fence

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ownerFlag is NFT_TABLE_F_OWNER of linux/netfilter/nf_tables.h.
const ownerFlag = 2

// own opens a connection that has a table of this name in the families inet
// and bridge. They carry the flag owner (Linux 5.12): nobody else changes them,
// and the kernel removes them when the connection ends, with the process at
// the latest. The library sends no flags with a table, so that its socket is
// given them before it uses it.
func own(name string) (*nftables.Conn, error) {
	c, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
		err := newTables(c, name)
		if err != nil {
			_ = c.Close()
		}
		return err
	}))
	switch {
	case err == nil:
		return c, nil
	case taken(name):
		return nil, errors.New("another process has fenced this instance: end that one first")
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("make the table %s: it takes root on this host: %w", name, err)
	}
	return nil, fmt.Errorf("make the table %s: %w", name, err)
}

// taken says whether somebody has a table of this name.
func taken(name string) bool {
	tables, err := new(nftables.Conn).ListTables()
	return err == nil && slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == name })
}

// newTables makes both tables or none.
func newTables(c *netlink.Conn, name string) error {
	const subsystem = unix.NFNL_SUBSYS_NFTABLES
	message := func(kind int, flags netlink.HeaderFlags, family, resource byte, attributes []byte) netlink.Message {
		return netlink.Message{
			Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request | flags},
			Data:   append([]byte{family, unix.NFNETLINK_V0, 0, resource}, attributes...), // struct nfgenmsg
		}
	}
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = bigEndian
	e.String(unix.NFTA_TABLE_NAME, name)
	e.Uint32(unix.NFTA_TABLE_FLAGS, ownerFlag)
	attributes, err := e.Encode()
	if err != nil {
		return err
	}
	families := []byte{unix.NFPROTO_INET, unix.NFPROTO_BRIDGE}
	batch := []netlink.Message{message(unix.NFNL_MSG_BATCH_BEGIN, 0, 0, subsystem, nil)}
	for _, family := range families {
		batch = append(batch, message(subsystem<<8|unix.NFT_MSG_NEWTABLE,
			netlink.Acknowledge|netlink.Create|netlink.Excl, family, 0, attributes))
	}
	batch = append(batch, message(unix.NFNL_MSG_BATCH_END, 0, 0, subsystem, nil))
	if _, err := c.SendMessages(batch); err != nil {
		return err
	}
	for range families {
		if _, err := c.Receive(); err != nil {
			return err
		}
	}
	return nil
}
