package cgroup

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/hosttest"
	"lxd-allowlist/capture/witness"
)

// part says which part the process plays in the instance.
const part = "LXD_ALLOWLIST_CGROUP_PART"

func TestMain(m *testing.M) {
	if play, ok := parts[os.Getenv(part)]; ok {
		play(os.Args[1:])
		return
	}
	hosttest.Enter()
	os.Exit(m.Run())
}

const patience = 20 * time.Second

// The two ends of the wire between host and instance.
var (
	host4, host6 = netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("fd77::1")
	mine4, mine6 = netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("fd77::2")
)

// ground is what LXC makes of a container as far as this package looks: a
// cgroup, and a first process in namespaces of its own.
type ground struct {
	t     testing.TB
	group string
	pid   int
	in    *json.Encoder
	out   *bufio.Scanner
	heard *heard
}

func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs root and cgroup v2: make test")
	}
	if !hosttest.Inside() {
		t.Fatal("these tests need root: sudo make test")
	}
}

func newGround(t testing.TB) *ground {
	t.Helper()
	need(t)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	g := &ground{t: t, heard: &heard{more: make(chan struct{}, 1)}}
	// By the process .ci/test finds what a test leaves that is ended.
	if g.group, err = os.MkdirTemp(mountOf(string(mounts)), fmt.Sprintf("lxc.payload.test-%d-", os.Getpid())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Rmdir(g.group); err != nil {
			t.Error("remove the cgroup:", err)
		}
	})
	group, err := os.Open(g.group)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), part+"=init")
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER, UseCgroupFD: true, CgroupFD: int(group.Fd()), Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{HostID: 0, ContainerID: 0, Size: 1}, {HostID: 100000, ContainerID: 1, Size: 65535}},
		GidMappings: []syscall.SysProcIDMap{{HostID: 0, ContainerID: 0, Size: 1}, {HostID: 100000, ContainerID: 1, Size: 65535}},
	}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // the child dies with the thread
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // and with it all that it began
		_ = c.Wait()
		runtime.UnlockOSThread()
	})
	g.pid, g.in, g.out = c.Process.Pid, json.NewEncoder(in), bufio.NewScanner(out)

	if old, err := netlink.LinkByName("wire"); err == nil { // of an instance that was stopped
		_ = netlink.LinkDel(old)
	}
	wire := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wire"}, PeerName: "eth0", PeerNamespace: netlink.NsPid(g.pid)}
	if err := netlink.LinkAdd(wire); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(wire) })
	plug(t, "wire", host4, host6)
	g.read() // it is plugged in, too
	return g
}

func plug(t testing.TB, name string, addresses ...netip.Addr) {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	for _, a := range addresses {
		if err == nil {
			bits := 24
			if a.Is6() {
				bits = 64
			}
			err = netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, a.BitLen())}, Flags: unix.IFA_F_NODAD})
		}
	}
	if err != nil {
		if t == nil {
			panic(err)
		}
		t.Fatal(err)
	}
}

// read returns the line that the instance says next.
func (g *ground) read() string {
	g.t.Helper()
	if !g.out.Scan() {
		g.t.Fatal("the instance ended: ", g.out.Err())
	}
	return g.out.Text()
}

// run runs commands in the instance, one after the other, and returns what they
// wrote.
func (g *ground) run(commands ...[]string) string {
	g.t.Helper()
	if err := g.in.Encode(commands); err != nil {
		g.t.Fatal(err)
	}
	var said string
	if err := json.Unmarshal([]byte(g.read()), &said); err != nil {
		g.t.Fatal(err)
	}
	return said
}

// play is the command that plays a part.
func play(name string, args ...string) []string {
	return append([]string{"env", part + "=" + name, os.Args[0]}, args...)
}

// watch watches the instance until the test's end.
func (g *ground) watch() *Watch {
	g.t.Helper()
	w, err := Start(g.t.Context(), func(context.Context) (int, error) { return g.pid, nil }, await, g.heard)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(w.Close)
	return w
}

// await tries a hundred times a second.
func await(ctx context.Context, try func() bool) {
	for again := time.NewTicker(10 * time.Millisecond); !try(); {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// heard is what a sink was told.
type heard struct {
	mu          sync.Mutex
	queries     []witness.Query
	connections []witness.Connection
	lost        uint64
	why         []string
	more        chan struct{}
}

func (h *heard) Query(q witness.Query) { h.add(func() { h.queries = append(h.queries, q) }) }
func (h *heard) Connection(c witness.Connection) {
	h.add(func() { h.connections = append(h.connections, c) })
}
func (h *heard) Answer(witness.Answer) {}
func (h *heard) Hello(witness.Hello)   {}
func (h *heard) Lost(n uint64, why string) {
	h.add(func() { h.lost, h.why = h.lost+n, append(h.why, why) })
}

func (h *heard) add(add func()) {
	h.mu.Lock()
	add()
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// until waits for what the sink is told.
func (h *heard) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		h.mu.Lock()
		done := ok()
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-h.more:
		case <-late:
			h.mu.Lock()
			defer h.mu.Unlock()
			t.Fatalf("waited for %s; told were %d queries, %d connections, lost %d %q", what, len(h.queries), len(h.connections), h.lost, h.why)
		}
	}
}

func (h *heard) query(name string) (found witness.Query) {
	i := slices.IndexFunc(h.queries, func(q witness.Query) bool { return q.Name == name })
	if i >= 0 {
		found = h.queries[i]
	}
	return found
}

// answering answers DNS queries on the host's side, until the test's end.
func answering(t testing.TB, port int) {
	t.Helper()
	for _, at := range []netip.Addr{host4, host6} {
		at := netip.AddrPortFrom(at, uint16(port))
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { u.Close(); l.Close() })
		go serveUDP(u)
		go serveTCP(l)
	}
}

func serveUDP(u *net.UDPConn) {
	b := make([]byte, 4096)
	for {
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		_, _ = u.WriteToUDPAddrPort(reply(b[:n]), from)
	}
}

func serveTCP(l *net.TCPListener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for {
				head := make([]byte, 2)
				if _, err := io.ReadFull(c, head); err != nil {
					return
				}
				b := make([]byte, int(head[0])<<8|int(head[1]))
				if _, err := io.ReadFull(c, b); err != nil {
					return
				}
				a := reply(b)
				_, _ = c.Write(append([]byte{byte(len(a) >> 8), byte(len(a))}, a...))
			}
		}()
	}
}

// reply answers that there is nothing.
func reply(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	m.Response, m.Additionals = true, nil
	b, _ := m.Pack()
	return b
}

func message(name string, id uint16) []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(name + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
	}}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func framed(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }

// parts are what processes of the instance do.
var parts = map[string]func([]string){"init": playInit}

// playInit runs what it is told to.
func playInit([]string) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // else each process under it takes a second to end
	plug(nil, "lo")
	for range 1000 { // until the host has given it
		if _, err := netlink.LinkByName("eth0"); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	plug(nil, "eth0", mine4, mine6)
	for _, a := range []netip.Addr{host4, host6} {
		if err := netlink.RouteAdd(&netlink.Route{Gw: a.AsSlice()}); err != nil {
			panic(err)
		}
	}
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode("plugged in")
	in := json.NewDecoder(os.Stdin)
	for {
		var commands [][]string
		if in.Decode(&commands) != nil {
			return
		}
		var all []byte
		for _, c := range commands {
			said, err := exec.Command(c[0], c[1:]...).CombinedOutput()
			all = append(all, said...)
			if err != nil {
				all = fmt.Appendf(all, "%v: %v\n", filepath.Base(c[0]), err)
			}
		}
		_ = out.Encode(string(all))
	}
}
