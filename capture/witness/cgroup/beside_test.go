package cgroup

import (
	"context"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture"
)

// BenchmarkBeside is what a connection costs, with the query before it, by three
// ways to see it: the witness, up to the ledger, which knows its process, name
// and server; the kernel's own events of connections, which know its addresses
// alone; a system call for each packet, which is to be read yet. The last two
// look at nothing of what they get. The load is that of [BenchmarkTogether], on
// a host of its own, whose kernel counts connections only where it is to.
func BenchmarkBeside(b *testing.B) {
	for _, way := range []struct {
		name  string
		least int // that is told of a query and its connection
		see   func(testing.TB, *ground) (end func() (told, lost uint64))
	}{
		{"witness", 2, func(t testing.TB, g *ground) func() (told, lost uint64) {
			l, end := witnessing(t, g, capture.Packets|capture.Processes)
			return func() (uint64, uint64) {
				end()
				queries, connections, lost := counted(l)
				return uint64(queries + connections), uint64(lost)
			}
		}},
		{"conntrack", 1, conntrack}, // a query by a port that was used before is none that is new to it
		{"packets", 2, packetByPacket},
	} {
		b.Run(way.name, func(b *testing.B) {
			rounds := max(b.N, 5000)
			g := newGround(b)
			internet(b)
			end := way.see(b, g)
			before, _ := processorTime()
			if said := g.run(play("use", strconv.Itoa(rounds))); said != "" {
				b.Fatal(said)
			}
			told, lost := end()
			used, _ := processorTime()
			b.ReportMetric(float64((used-before).Microseconds())/float64(rounds), "cpu-us/connection")
			b.ReportMetric(float64(told)/float64(rounds), "told/connection")
			b.ReportMetric(float64(lost), "lost")
			if told+lost < uint64(rounds*way.least) {
				b.Errorf("of %d queries and %d connections %d are told, and %d are counted as lost", rounds, rounds, told, lost)
			}
		})
	}
}

// conntrack sees the kernel's events of new connections.
func conntrack(t testing.TB, _ *ground) func() (told, lost uint64) {
	c := &nftables.Conn{}
	table := c.AddTable(&nftables.Table{Name: "track", Family: nftables.TableFamilyINet})
	chain := c.AddChain(&nftables.Chain{Name: "in", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityFilter})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}})
	check(t, c.Flush())
	t.Cleanup(func() {
		c.DelTable(table)
		check(t, c.Flush())
	})
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	check(t, err)
	const groupNew = 1 // NFNLGRP_CONNTRACK_NEW
	check(t, unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (groupNew - 1)}))
	return reading(t, fd)
}

// packetByPacket sees all that passes the host's end of the wire.
func packetByPacket(t testing.TB, _ *ground) func() (told, lost uint64) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	link, err := netlink.LinkByName("wire")
	check(t, err)
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	check(t, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Attrs().Index}))
	end := reading(t, fd)
	return func() (told, lost uint64) {
		stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		check(t, err)
		told, _ = end()
		return told, uint64(stats.Drops)
	}
}

// reading reads a socket, by a system call for each thing that it tells, until
// the end: that is once nothing came for a while. lost counts how often the
// kernel says that it had no room.
func reading(t testing.TB, fd int) (end func() (told, lost uint64)) {
	const room, quiet = 64 << 20, 100 * time.Millisecond
	check(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room))
	check(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: quiet.Microseconds()}))
	ctx, stop := context.WithCancel(t.Context())
	var told, lost atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 1<<16); ; {
			switch _, _, err := unix.Recvfrom(fd, b, 0); {
			case err == nil:
				told.Add(1)
			case err == unix.ENOBUFS:
				lost.Add(1)
			case err == unix.EAGAIN && ctx.Err() != nil:
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
		_ = unix.Close(fd)
	})
	return func() (uint64, uint64) {
		stop()
		<-done
		return told.Load(), lost.Load()
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
