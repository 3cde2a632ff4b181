package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The ring is shared with the kernel, which fills a block, and hands it over
// when it is full or retire is over: one wake-up for all packets in it. What
// comes in meanwhile has room in the others.
const (
	blockSize = 1 << 18
	blocks    = 32
	retire    = 100 * time.Millisecond
	// glance is how soon the kernel's counters are read after something came,
	// and how often it is looked whether an interface that is down is there
	// still: the kernel tells of one that goes down, but not of one that goes
	// away after that.
	glance = 250 * time.Millisecond
)

// ring is a packet socket that receives by a ring: packet(7), TPACKET_V3.
type ring struct {
	file *os.File // the socket, which the runtime waits for
	raw  syscall.RawConn
	mem  []byte
	at   int         // the block that is handed over next
	down time.Time   // when the interface was seen to be, if nothing came since
	stop atomic.Bool // next is to wait no more,
	last bool        // but for what came before that
}

func openRing(index int) (*ring, error) {
	// Without a protocol nothing arrives before the filter is there.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	r := &ring{file: os.NewFile(uintptr(fd), "packet ring")}
	if err := r.setUp(fd, index); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *ring) setUp(fd, index int) error {
	if err := attach(fd, filter()); err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("ask for the ring's version: %w", err)
	}
	// The kernel wants frames to fit, though version 3 doesn't use them.
	request := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: blocks, Frame_size: blockSize, Frame_nr: blocks,
		Retire_blk_tov: uint32(retire.Milliseconds()),
	}
	err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request)
	if err != nil {
		return fmt.Errorf("make a ring of %d bytes: %w", blockSize*blocks, err)
	}
	if r.mem, err = unix.Mmap(fd, 0, blockSize*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map the ring: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything(), Ifindex: index}); err != nil {
		return fmt.Errorf("bind to it: %w", err)
	}
	r.raw, err = r.file.SyscallConn()
	return err
}

// everything is ETH_P_ALL in network byte order.
func everything() uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
}

func attach(fd int, program []bpf.RawInstruction) error {
	f := make([]unix.SockFilter, len(program))
	for i, in := range program {
		f[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
}

// wake has next wait no more.
func (r *ring) wake() {
	r.stop.Store(true)
	_ = r.file.SetReadDeadline(time.Unix(1, 0))
}

// next waits for a block and hands its packets to f: when each came, whether it
// is for the instance, and the frame, as far as it was captured. It returns
// false without one: when a time has come, which the zero time never does, and
// now and then while the interface is down.
func (r *ring) next(until time.Time, f func(at time.Time, toInstance bool, frame []byte)) (bool, error) {
	if !r.ready() {
		if soon := time.Now().Add(glance); !r.down.IsZero() && (until.IsZero() || soon.Before(until)) {
			until = soon
		}
		if err := r.file.SetReadDeadline(until); err != nil {
			return false, err
		}
		err := r.raw.Read(func(fd uintptr) bool { return r.ready() || r.failed(int(fd)) || r.stop.Load() && !r.last })
		switch {
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return false, err
		case r.ready():
		case !r.down.IsZero() && r.gone():
			return false, ErrGone
		default:
			return false, nil
		}
	}
	r.read(f)
	return true, nil
}

// rest hands over what came before it is called and isn't in a full block yet.
func (r *ring) rest(f func(at time.Time, toInstance bool, frame []byte)) {
	r.last = true
	limit := time.Now().Add(2 * retire)
	for n := 0; n < blocks && (r.ready() || r.packets() > 0 && time.Now().Before(limit)); n++ {
		if _, err := r.next(limit, f); err != nil {
			return
		}
	}
}

// read hands over the packets of the next block, and gives it back.
func (r *ring) read(f func(at time.Time, toInstance bool, frame []byte)) {
	b := r.block()
	h := (*unix.TpacketHdrV1)(unsafe.Pointer(&b[blockHeader]))
	at, came := h.Offset_to_first_pkt, time.Time{}
	for range h.Num_pkts {
		p := (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[at]))
		from := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&b[at+unix.SizeofTpacket3Hdr]))
		frame := b[at+uint32(p.Mac):][:p.Snaplen]
		came = time.Unix(int64(p.Sec), int64(p.Nsec))
		f(came, from.Pkttype == unix.PACKET_OUTGOING, frame)
		at += p.Next_offset
	}
	if came.After(r.down) {
		r.down = time.Time{} // it is up, or is told of anew
	}
	atomic.StoreUint32(&h.Block_status, unix.TP_STATUS_KERNEL)
	r.at = (r.at + 1) % blocks
}

// blockHeader is where the part of a block's description that says what is in
// it begins, behind two numbers.
const blockHeader = 8

func (r *ring) block() []byte { return r.mem[r.at*blockSize:][:blockSize] }

func (r *ring) ready() bool {
	h := (*unix.TpacketHdrV1)(unsafe.Pointer(&r.block()[blockHeader]))
	return atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER != 0
}

// packets is how many there are in the next block so far.
func (r *ring) packets() uint32 {
	h := (*unix.TpacketHdrV1)(unsafe.Pointer(&r.block()[blockHeader]))
	return atomic.LoadUint32(&h.Num_pkts)
}

// failed reports whether the interface went down since it was last called.
func (r *ring) failed(fd int) bool {
	if n, err := option[int32](fd, unix.SOL_SOCKET, unix.SO_ERROR); n == 0 || err != nil {
		return false
	}
	r.down = time.Now()
	return true
}

// option reads one of the socket's. It doesn't tell Go's runtime of its system
// call, which never waits: of each that it knows of a thread of its own wakes,
// and looks on for a while.
func option[T any](fd, level, name int) (value T, err error) {
	size := uint32(unsafe.Sizeof(value))
	_, _, failed := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&value)), uintptr(unsafe.Pointer(&size)), 0)
	if failed != 0 {
		err = failed
	}
	return value, err
}

// gone reports whether the interface is.
func (r *ring) gone() (gone bool) {
	_ = r.control(func(fd int) error {
		a, err := unix.Getsockname(fd)
		link, ok := a.(*unix.SockaddrLinklayer)
		gone = err == nil && ok && link.Ifindex < 0
		return err
	})
	return gone
}

// drops returns how many packets had no room since it was last called.
func (r *ring) drops() (n uint64) {
	_ = r.control(func(fd int) error {
		stats, err := option[unix.TpacketStatsV3](fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err == nil {
			n = uint64(stats.Drops)
		}
		return err
	})
	return n
}

func (r *ring) control(f func(fd int) error) (err error) {
	failed := r.raw.Control(func(fd uintptr) { err = f(int(fd)) })
	return errors.Join(failed, err)
}

func (r *ring) close() error {
	var err error
	if r.mem != nil {
		err = unix.Munmap(r.mem)
		r.mem = nil
	}
	return errors.Join(err, r.file.Close())
}
