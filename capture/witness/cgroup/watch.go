// Package cgroup tells which process of a container asked for a name or
// connected: the kernel says so, by programs on the container's cgroup.
package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/packet"
	"lxd-allowlist/parse"
)

// Watch tells of one container's queries and connections, and by which process
// they are. Nothing that it does outlives this process.
//
// A query that went through a resolver within the instance is told once, with
// the process that asked the resolver: as the resolver asked on for it, or, if
// that knew the answer, as it was asked, to the resolver. The latter is seen
// only where the resolver is asked by DNS; one that is asked by a socket of its
// own (nscd, systemd-resolved by nss-resolve) is itself who asked. A connection
// is told with its first packet, and has the port that it comes from. Those to
// port 53 are queries, and told as connections only where they are none. What
// stays within the instance isn't told.
type Watch struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// InitPID returns the number that a running instance's first process has on
// this host.
type InitPID func(context.Context) (int, error)

// Await calls try until it is true or ctx ends, whenever an instance that was
// stopped may be back.
type Await func(ctx context.Context, try func() bool)

// Start watches an instance until the watch is closed, and again whenever it
// was restarted, for which it waits by await. The error says why nothing can be seen: it takes root, cgroup
// v2, and Linux 5.8 or later that describes its types (BTF).
func Start(ctx context.Context, initPID InitPID, await Await, sink witness.Sink) (*Watch, error) {
	pid, err := initPID(ctx)
	if err != nil {
		return nil, err
	}
	l, err := begin(pid, sink, ringBytes)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &Watch{cancel: cancel}
	w.wg.Go(crash.Guarded("the watch over processes", func() {
		for l != nil {
			l.run(ctx)
			l = again(ctx, initPID, await, sink)
		}
	}))
	return w, nil
}

// Close takes everything away from the instance, and tells nothing any more.
func (w *Watch) Close() {
	w.cancel()
	w.wg.Wait()
}

// again waits for the instance to be back; nil at the end.
func again(ctx context.Context, initPID InitPID, await Await, sink witness.Sink) (l *life) {
	if ctx.Err() != nil {
		return nil
	}
	said := false
	await(ctx, func() bool {
		pid, err := initPID(ctx)
		if err != nil {
			return false // it is stopped still
		}
		if l, err = begin(pid, sink, ringBytes); err == nil {
			sink.Lost(1, "which processes there were while the instance was starting again")
			return true
		}
		if !errors.Is(err, unix.ESRCH) && !said { // it may be stopping again
			sink.Lost(1, err.Error())
			said = true
		}
		return false
	})
	return l
}

// life is the watch of an instance until it stops.
type life struct {
	hooks *hooks
	ring  *ring
	init  *os.File // the first process, as a descriptor
	sink  witness.Sink

	processes *processes
	stubs     *stubs
	streams   streams
	strange   recent[ends, bool] // what was sent to port 53 and is no query
	clock     clock
	zero      time.Time // of the kernel's clock
	lost      uint64    // how much of it was told
	counted   time.Time // when
}

// begin watches the instance with that first process.
func begin(pid int, sink witness.Sink, ringBytes uint32) (_ *life, err error) {
	if err := suits(); err != nil {
		return nil, err
	}
	init, err := openProcess(pid)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			init.Close()
		}
	}()
	path, depth, err := place(pid)
	if err != nil {
		return nil, err
	}
	offsets, err := findOffsets(depth)
	if err != nil {
		return nil, err
	}
	h, err := attach(path, offsets, ringBytes)
	if err != nil {
		return nil, err
	}
	r, err := openRing(h.ring.FD(), int(ringBytes))
	if err != nil {
		h.close()
		return nil, fmt.Errorf("processes can't be told: read what the kernel tells: %w", err)
	}
	l := &life{hooks: h, ring: r, init: init, sink: sink, clock: newClock(), processes: newProcesses(pid), stubs: newStubs()}
	l.streams.size, l.strange.size = mostStreams, mostStreams
	l.admit(offsets.noPath, "the kernel doesn't tell the paths of programs")
	l.admit(h.noExec, "the kernel doesn't tell of programs as they begin")
	return l, nil
}

// admit says what is read in /proc in place of being told, and may be gone.
func (l *life) admit(why error, what string) {
	if why != nil {
		l.sink.Lost(1, fmt.Sprintf("%s, and some of those that end at once aren't known: %v", what, why))
	}
}

// openProcess returns a descriptor that is readable once a process has ended.
func openProcess(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("find the instance's first process, %d: %w", pid, err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// run tells what comes until the instance stops or ctx ends. Nothing is
// attached any more then.
func (l *life) run(ctx context.Context) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	wg.Go(crash.Guarded("the instance's end", l.awaitEnd, cancel))
	wg.Go(crash.Guarded("the end of the watch over an instance", func() { <-ctx.Done() }, l.ring.end, func() { l.init.Close() }))
	for busy := false; ; {
		var on bool
		if busy, on = l.turn(busy); !on {
			break
		}
	}
	l.read(false)
	l.count()
	cancel()
	wg.Wait()
	l.hooks.close()
	l.ring.close()
}

// countEvery is how often the kernel is asked how much it had no room for, which
// there is for what comes while nothing is read.
const countEvery = time.Second

// turn takes what comes until the next [witness.Beat], of a reader that is busy,
// or waits for something to come. Who is new is read at once. It returns whether something came, so that there may be
// more, and false once the ring was ended.
func (l *life) turn(busy bool) (came, on bool) {
	n := 0
	if !busy {
		on = l.ring.await(time.Time{}, func() bool {
			n += l.read(false)
			return n > 0
		})
		return true, on
	}
	on = l.ring.await(witness.Beat(time.Now()), func() bool {
		n += l.read(true)
		return false
	})
	n += l.read(true)
	if n == 0 || time.Since(l.counted) >= countEvery {
		l.count()
	}
	return n > 0, on
}

// awaitEnd waits until the instance's first process has ended, or isn't of
// interest any more.
func (l *life) awaitEnd() {
	c, err := l.init.SyscallConn()
	if err != nil {
		return // it was closed
	}
	_ = c.Read(func(fd uintptr) (ended bool) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// count tells of what there was no room for since it was told last.
func (l *life) count() {
	var lost uint64
	if err := l.hooks.lost.Lookup(uint32(0), &lost); err == nil && lost > l.lost {
		l.sink.Lost(lost-l.lost, "the kernel had no room to tell what a process did")
		l.lost = lost
	}
	l.counted = time.Now()
}

// read takes what there is and returns how much; see [ring.read].
func (l *life) read(awake bool) int {
	l.zero = l.clock.zero()
	return l.ring.read(awake, l.take)
}

// clock is the kernel's, CLOCK_MONOTONIC, which Go's own goes by, too.
type clock struct {
	at    time.Time
	since time.Duration
}

func newClock() clock {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // it has no reason to fail
	return clock{time.Now(), time.Duration(t.Nano())}
}

// zero returns when it was zero, by the time of day as it is now. It makes no
// system call: each wakes a thread of Go's runtime, which then looks on for a
// while.
func (c clock) zero() time.Time { return time.Now().Add(-c.since - time.Since(c.at)) }

// take takes a record of the ring.
func (l *life) take(b []byte) {
	switch order.Uint32(b) {
	case kindProcess:
		l.processes.learn(b)
		return
	case kindExec:
		l.processes.begins(b)
		return
	}
	p := readPacket(b)
	at := l.zero.Add(time.Duration(p.at))
	switch {
	case p.kind == kindFlow:
		if p.to.Port() != dnsPort {
			l.connection(p, at)
		}
	case p.protocol == "udp":
		l.message(p, p.payload, at)
	default:
		messages, whole := l.streams.add(p)
		for _, m := range messages {
			l.message(p, m, at)
		}
		if !whole {
			l.sink.Lost(1, "more than fits into a segment was sent by TCP to port 53")
		}
	}
}

const dnsPort = 53

func (l *life) connection(p packetSeen, at time.Time) {
	l.sink.Connection(witness.Connection{At: at, From: p.from, To: p.to, Protocol: p.protocol, Process: l.processes.of(p.by)})
}

// message takes what was sent to or from port 53.
func (l *life) message(p packetSeen, message []byte, at time.Time) {
	if p.kind == kindAnswer {
		l.processes.answers(l.processes.of(p.by))
		if q, end := packet.FirstQuestion(message); end != 0 && packet.IsResponse(message) {
			if q, known := l.stubs.answered(question{q.Name, parse.TypeName(q.Type)}, p.to, at); known {
				l.sink.Query(q)
			}
		}
		return
	}
	questions, err := packet.ReadQuery(message)
	if err != nil && !p.local {
		if _, told := l.strange.get(ends{p.from, p.to}); !told {
			l.strange.put(ends{p.from, p.to}, true)
			l.connection(p, at)
		}
	}
	for _, asked := range questions {
		q := witness.Query{At: at, Name: asked.Name, Type: parse.TypeName(asked.Type), From: p.from, Server: p.to, Protocol: p.protocol, Process: l.processes.of(p.by)}
		q.Process = l.stubs.behalf(q, l.processes.serves)
		if p.local {
			l.stubs.ask(q)
		} else {
			l.sink.Query(q)
		}
	}
}
