package cgroup

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/wire"
)

func init() { parts["use"], parts["internet"] = playUse, playInternet }

// The names of the benchmark, each with an address of its own.
const servers = 2000

func serverName(i int) string { return fmt.Sprintf("n%04d.example.test", i%servers) }

func serverAddress(i int) netip.Addr {
	i %= servers
	return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
}

// playInternet is the bridge's resolver, and all servers: it is a process of the
// host's side. It tells when it is there.
func playInternet([]string) {
	u, err := net.ListenPacket("udp", netip.AddrPortFrom(host4, 53).String())
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", ":443")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			go func() {
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	fmt.Println("there")
	b := make([]byte, 512)
	for {
		n, from, err := u.ReadFrom(b)
		if err != nil {
			panic(err)
		}
		var m dnsmessage.Message
		if m.Unpack(b[:n]) != nil {
			continue
		}
		q := m.Questions[0]
		i, _ := strconv.Atoi(q.Name.String()[1:5])
		m.Response = true
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: &dnsmessage.AResource{A: serverAddress(i).As4()}}}
		reply, _ := m.Pack()
		_, _ = u.WriteTo(reply, from)
	}
}

// playUse does what an application does, a thousand times a second: a query, its
// answer, a connection to there, a ClientHello.
func playUse(args []string) {
	n, _ := strconv.Atoi(args[0])
	hello := clientHello(serverName(0))
	begun := time.Now()
	const side = 8 // by side, so that one that waits for the processor doesn't hold up all
	var all sync.WaitGroup
	for first := range side {
		all.Go(func() {
			for i := first; i < n; i += side {
				time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Millisecond))) // this is the rate
				if err := use(i, hello); err != nil {
					fmt.Println(err)
				}
			}
		})
	}
	all.Wait()
}

func use(i int, hello []byte) error {
	c, err := net.Dial("udp", netip.AddrPortFrom(host4, 53).String())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(message(serverName(i), uint16(i))); err == nil {
		_, err = c.Read(make([]byte, 512))
	}
	if err != nil {
		return err
	}
	s, err := net.Dial("tcp", netip.AddrPortFrom(serverAddress(i), 443).String())
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Write(bytes.Replace(hello, []byte(serverName(0)), []byte(serverName(i)), 1))
	return err
}

// clientHello is what crypto/tls begins with: two segments.
func clientHello(server string) []byte {
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(theirs, &tls.Config{ServerName: server}).Handshake()
	}()
	defer ours.Close()
	b := make([]byte, 1<<14)
	n, _ := ours.Read(b)
	return b[:n]
}

// What the whole witness costs this process, from the two watches to the ledger,
// at 1,000 queries and 1,000 connections a second: the budget is 2 % of a core,
// and nothing lost that isn't counted. What the kernel does while the instance
// sends is the instance's time. If others have the processors, rate/s is less
// than 1,000, and %core is what the same work would be at that.
func BenchmarkTogether(b *testing.B) {
	for _, c := range []struct {
		name string
		on   capture.Sources
	}{{"packets", capture.Packets}, {"processes", capture.Processes}, {"both", capture.Packets | capture.Processes}} {
		b.Run(c.name, func(b *testing.B) { together(b, c.on, max(b.N, 5000)) })
	}
}

func together(b *testing.B, on capture.Sources, rounds int) {
	g := newGround(b)
	internet(b)
	l, end := witnessing(b, g, on)
	before, _ := processorTime()
	begun := time.Now()
	if said := g.run(play("use", strconv.Itoa(rounds))); said != "" {
		b.Fatal(said)
	}
	passed := time.Since(begun)
	end()
	used, _ := processorTime()
	used -= before

	queries, connections, lost := counted(l)
	each := time.Duration(rounds) * time.Millisecond
	b.ReportMetric(100*used.Seconds()/each.Seconds(), "%core")
	b.ReportMetric(float64(used.Microseconds())/float64(rounds), "cpu-us/round")
	b.ReportMetric(float64(rounds)/passed.Seconds(), "rate/s")
	b.ReportMetric(float64(lost), "lost")
	wanted := rounds
	if !on.Has(capture.Processes) {
		wanted = 0 // the log has them
	}
	if missed := wanted - queries + rounds - connections; missed > lost {
		b.Errorf("of %d queries and %d connections %d and %d are in the ledger, and %d are counted as lost", wanted, rounds, queries, connections, lost)
	}
}

// witnessing watches an instance up to the ledger, until the end: as a capture
// ends, with all that is held told.
func witnessing(t testing.TB, g *ground, on capture.Sources) (l *capture.Ledger, end func()) {
	l = capture.NewLedger(capture.Info{Instance: "test"})
	l.SetOwners(map[string]string{mine4.String(): "test"})
	l.BeginWatch(on, time.Now(), "", time.Time{})
	for i := range servers { // the log, which is there without a witness, too
		const log = "Nov 28 12:00:00 dnsmasq[1]: query[A] %[1]s from %[2]s\nNov 28 12:00:00 dnsmasq[1]: reply %[1]s is %[3]s\n"
		l.Feed(fmt.Appendf(nil, log, serverName(i), mine4, serverAddress(i)), time.Now(), true)
	}
	j := witness.NewJoiner(l.Book(), func(a netip.Addr) bool { return a == host4 })
	ctx, stop := context.WithCancel(t.Context())
	var watches sync.WaitGroup
	if on.Has(capture.Packets) {
		w, err := wire.Open("wire")
		check(t, err)
		j.On(witness.Wire, true)
		watches.Go(func() {
			if err := w.Watch(ctx, j.From(witness.Wire)); err != nil {
				t.Error(err)
			}
			_ = w.Close()
		})
	}
	if on.Has(capture.Processes) {
		w, err := Start(ctx, func(context.Context) (int, error) { return g.pid, nil }, await, j.From(witness.Who))
		check(t, err)
		j.On(witness.Who, true)
		watches.Go(func() { <-ctx.Done(); w.Close() })
	}
	joining, stopJoiner := context.WithCancel(t.Context())
	var joiner sync.WaitGroup
	joiner.Go(func() { j.Run(joining) })
	end = func() {
		stop()
		watches.Wait()
		stopJoiner()
		joiner.Wait()
	}
	t.Cleanup(end)
	return l, end
}

// counted returns what a ledger has of queries and connections, and how many it
// says are lost.
func counted(l *capture.Ledger) (queries, connections, lost int) {
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			seen := r.Witnessed(capture.ID(id))
			connections += int(seen.Connections())
			for _, a := range seen.Actors {
				queries += int(a.Queries)
			}
		}
		w := r.Watch()
		for _, counts := range []map[string]uint64{w.Lost, w.LostWho} {
			for _, n := range counts {
				lost += int(n)
			}
		}
		lost += int(w.Beyond)
	})
	return queries, connections, lost
}

// internet runs what is outside, until the end.
func internet(b *testing.B) {
	b.Helper()
	plug(b, "lo")
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Type: syscall.RTN_LOCAL, Scope: netlink.SCOPE_HOST, Table: 255, Dst: &net.IPNet{IP: net.IPv4(198, 18, 0, 0).To4(), Mask: net.CIDRMask(16, 32)}})
	}
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), part+"=internet")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if _, err := out.Read(make([]byte, 8)); err != nil {
		b.Fatal("the servers aren't there: ", err)
	}
}
