package wire

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/packet"
)

// counted counts events.
type counted struct{ queries, answers, connections, hellos, lost atomic.Uint64 }

func (c *counted) Query(witness.Query)           { c.queries.Add(1) }
func (c *counted) Answer(witness.Answer)         { c.answers.Add(1) }
func (c *counted) Connection(witness.Connection) { c.connections.Add(1) }
func (c *counted) Hello(witness.Hello)           { c.hellos.Add(1) }
func (c *counted) Lost(n uint64, _ string)       { c.lost.Add(n) }

// sends has a process of its own send: rounds, and how many a second, 0 for as
// fast as it goes. A round is a query, its answer, and a connection's SYN and
// hello. The instance's namespace is file 3.
const sends = "LXD_ALLOWLIST_WIRE_SEND"

const roundPackets = 4

func sendAndExit(what string) {
	var rounds, rate int
	_, err := fmt.Sscanf(what, "%d %d", &rounds, &rate)
	if err == nil {
		err = sendRounds(rounds, rate)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func sendRounds(rounds, rate int) error {
	runtime.LockOSThread()
	var mac []byte // the host's
	by := func(name string) (*raw, error) {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return nil, err
		}
		if name == hostEnd {
			mac = l.Attrs().HardwareAddr
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		return &raw{fd: fd, at: &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Halen: 6}}, err
	}
	host, err := by(hostEnd)
	if err != nil {
		return err
	}
	if err := netns.Set(3); err != nil {
		return err
	}
	instance, err := by("eth0")
	if err != nil {
		return err
	}
	hello := shortHello("www.example.test")
	query, answer := datagram(40000, 53, dnsQuery("www.example.test.")), datagramIn(53, 40000, dnsAnswer("www.example.test.", []string{"edge.example.test."}, "192.0.2.1", 60))
	syn, data := segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, hello)
	for _, b := range [][]byte{query, syn, data} {
		copy(b, mac)
	}
	began := time.Now()
	for i := range rounds {
		port := be16(1 + i%65535)
		copy(syn[34:], port)
		copy(data[34:], port)
		for _, s := range []struct {
			by    *raw
			frame []byte
		}{{instance, query}, {host, answer}, {instance, syn}, {instance, data}} {
			if err := s.by.send(s.frame); err != nil {
				return err
			}
		}
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate)))) // this is the rate
		}
	}
	return nil
}

// shortHello is a ClientHello of a common size, 517 bytes, that fits one segment.
func shortHello(name string) []byte {
	extension := func(kind int, data []byte) []byte { return slices.Concat(be16(kind), be16(len(data)), data) }
	server := slices.Concat(be16(3+len(name)), []byte{0}, be16(len(name)), []byte(name))
	all := extension(0, server)
	const padding, size = 21, 517
	all = append(all, extension(padding, make([]byte, size-5-4-2-32-1-4-2-2-len(all)-4))...)
	body := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0}, []byte{0, 2, 0x13, 1}, []byte{1, 0}, be16(len(all)), all)
	message := slices.Concat([]byte{packet.ClientHello, 0}, be16(len(body)), body)
	return slices.Concat([]byte{packet.RecordHandshake, 3, 1}, be16(len(message)), message)
}

// send begins to send rounds, and returns what waits for the end.
func (g *ground) send(rounds, rate int) func() error {
	g.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), sends+"="+strconv.Itoa(rounds)+" "+strconv.Itoa(rate))
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(dup(g.t, int(g.instance))), "instance")}
	g.check(cmd.Start())
	return func() error {
		defer cmd.ExtraFiles[0].Close()
		return cmd.Wait()
	}
}

func dup(t testing.TB, fd int) int {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// cpu is what the process has taken of the processors.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure sends rounds from another process, until all of them are seen or
// counted, and reports what this one took of a processor. What the kernel does
// while the sender's packets pass is the sender's.
func measure(b *testing.B, g *ground, rounds, rate int, seen func() (packets uint64)) {
	before, began := cpu(b), time.Now()
	wait := g.send(rounds, rate)
	g.check(wait())
	for limit := time.Now().Add(patience); seen() < uint64(rounds) && time.Now().Before(limit); {
		time.Sleep(retire)
	}
	took, passed := cpu(b)-before, time.Since(began)
	b.ReportMetric(float64(took.Nanoseconds())/float64(roundPackets*rounds), "cpu-ns/packet")
	if rate > 0 {
		b.ReportMetric(100*took.Seconds()/passed.Seconds(), "%core")
	}
}

// BenchmarkRing is the way of this package: at full speed, and at 1,000 queries
// and 1,000 connections a second.
func BenchmarkRing(b *testing.B) {
	for _, rate := range []int{0, 1000} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			g := newGround(b)
			w, err := Open(hostEnd)
			g.check(err)
			s := &counted{}
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- w.Watch(ctx, s) }()
			rounds := max(b.N, 1000)
			measure(b, g, rounds, rate, func() uint64 { return s.hellos.Load() + s.lost.Load() })
			stop()
			g.check(<-done)
			g.check(w.Close())
			b.ReportMetric(float64(s.lost.Load())/float64(rounds), "lost/round")
			if n := s.queries.Load() + s.answers.Load() + s.connections.Load() + s.hellos.Load() + s.lost.Load(); n < uint64(rounds*roundPackets) {
				b.Errorf("%d events of %d rounds", n, rounds)
			}
		})
	}
}

// BenchmarkRead is the same with a system call for each packet.
func BenchmarkRead(b *testing.B) {
	g := newGround(b)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	g.check(err)
	defer unix.Close(fd)
	g.check(attach(fd, filter()))
	g.check(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, blockSize*blocks))
	g.check(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: glance.Microseconds()}))
	g.check(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything(), Ifindex: g.link.Attrs().Index}))
	s, r := &counted{}, newReader()
	r.sink = s
	var stopped atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for frame := make([]byte, 1<<16); !stopped.Load(); {
			n, from, err := unix.Recvfrom(fd, frame, 0)
			if err == nil {
				link, _ := from.(*unix.SockaddrLinklayer)
				r.frame(time.Now(), link.Pkttype == unix.PACKET_OUTGOING, frame[:n])
			}
		}
	}()
	measure(b, g, max(b.N, 1000), 0, func() uint64 { return s.hellos.Load() })
	stopped.Store(true)
	<-done
}

// BenchmarkHello is what reading a beginning takes, without the kernel.
func BenchmarkHello(b *testing.B) {
	hello, quic := sample(b, "hello.hex"), sample(b, "rfc9001.hex")
	for name, frames := range map[string][][]byte{
		"tls":  {segment(1, 443, 9, packet.SYN, nil), segment(1, 443, 10, packet.ACK, hello)},
		"quic": {datagram(1, 443, quic)},
		"dns":  {datagram(1, 53, dnsQuery("www.example.test."))},
	} {
		b.Run(name, func(b *testing.B) {
			r, s := newReader(), &counted{}
			r.sink = s
			for i := range b.N {
				for _, f := range frames {
					f = slices.Clone(f)
					copy(f[34:], be16(i))
					f[29] = byte(i >> 16)
					r.frame(time.Unix(0, 0), false, f)
				}
			}
		})
	}
}
