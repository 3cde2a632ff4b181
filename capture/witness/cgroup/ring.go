package cgroup

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is the reader's end of a BPF ring buffer (Linux's
// Documentation/bpf/ringbuf.rst). The kernel gives notice of a record that is
// told of at once, and of one that comes when all before it were given back.
// So it is silent for as long as the last one that was read is kept.
type ring struct {
	file  *os.File // the map, which the runtime waits for
	raw   syscall.RawConn
	taken []byte  // the page with how far its room was given back
	told  []byte  // the page with how far it is written, and the records, which are there twice in a row
	at    uintptr // how far it was read
}

// What a record's length has beside it: linux/bpf.h.
const (
	ringBusy    = 1 << 31 // it isn't whole yet
	ringDiscard = 1 << 30
	ringHeader  = 8
)

// openRing maps a ring of so many bytes.
func openRing(fd, size int) (_ *ring, err error) {
	r := &ring{}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("keep the ring open: %w", err)
	}
	if err = unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("have the ring waited for: %w", err)
	}
	r.file = os.NewFile(uintptr(fd), "ring")
	page := os.Getpagesize()
	if r.taken, err = unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map the ring: %w", err)
	}
	if r.told, err = unix.Mmap(fd, int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map the ring: %w", err)
	}
	if err = r.file.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("have the ring waited for: %w", err)
	}
	r.raw, err = r.file.SyscallConn()
	return r, err
}

// end has await return, now and from now on.
func (r *ring) end() { _ = r.file.Close() }

// close gives the memory back, too.
func (r *ring) close() {
	if r.file != nil {
		r.end()
	}
	for _, m := range [][]byte{r.taken, r.told} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	r.taken, r.told = nil, nil
}

// await calls look, and again at each notice of the kernel's, until look has
// seen enough or a time has come; the zero time never does. It returns false
// once the ring was ended.
func (r *ring) await(until time.Time, look func() (enough bool)) bool {
	err := r.file.SetReadDeadline(until)
	if err == nil {
		err = r.raw.Read(func(uintptr) bool { return look() })
	}
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// read hands over the records that there are and are whole, each good until it
// returns, and returns how many those were. Awake, it leaves the last one where
// it is, so that the kernel gives no notice of those that can wait. Otherwise
// nothing is left, and the kernel gives notice of the first that comes.
func (r *ring) read(awake bool, take func(record []byte)) (n int) {
	page := os.Getpagesize()
	records := r.told[page:]
	mask := uintptr(len(records)/2 - 1)
	free, written := (*uintptr)(unsafe.Pointer(&r.taken[0])), (*uintptr)(unsafe.Pointer(&r.told[0]))
	if !awake { // before it is looked how far it is written: one of both sides sees the other
		atomic.StoreUintptr(free, r.at)
	}
	for end := atomic.LoadUintptr(written); r.at != end; {
		b := records[r.at&mask:]
		length := atomic.LoadUint32((*uint32)(unsafe.Pointer(&b[0])))
		if length&ringBusy != 0 {
			break // whoever writes it gives notice, or it can wait
		}
		atomic.StoreUintptr(free, r.at) // what was before it
		size := uintptr(length &^ ringDiscard)
		if length&ringDiscard == 0 {
			take(b[ringHeader:][:size])
			n++
		}
		r.at += (ringHeader + size + 7) &^ 7
		if !awake {
			atomic.StoreUintptr(free, r.at)
		}
	}
	return n
}
