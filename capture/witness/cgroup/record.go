package cgroup

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
)

var order = binary.NativeEndian

// key tells processes apart, and one program in a process from the next.
type key struct{ host, start, exec uint64 }

func readKey(b []byte) key {
	return key{order.Uint64(b), order.Uint64(b[keyStart:]), order.Uint64(b[keyExec:])}
}

// task is a process as the kernel told of it.
type task struct {
	key
	image  image
	number int // in the instance; 0 for one that isn't there
	comm   string
}

// image is a program that was begun: its file, by the kernel's address, and which
// program it was of that process. Those that fork from that have the same.
type image struct{ file, nth uint64 }

// did is a process in the moment when it used a socket, or began a program.
type did struct {
	task
	uid     uint32
	path    string   // "" if it couldn't be read
	args    []string // nil if they couldn't be read
	cut     bool     // there are more
	parents []task   // the nearest first
}

func readProcess(b []byte) did {
	d := did{
		task: readTask(b, processKey, processFile, processNumber, processComm),
		uid:  order.Uint32(b[processUID:]),
	}
	args := order.Uint64(b[processArgs:])
	d.cut = args > mostArgs
	d.args = words(b[processArgv:][:min(args, mostArgs)])
	names := words(b[processNames:][:min(order.Uint64(b[processPath:]), mostPath+mostName)])
	slices.Reverse(names)
	for _, name := range names {
		d.path += "/" + name
	}
	for i := range order.Uint32(b[processDepth:]) {
		p := b[processAbove+i*parentSize:]
		d.parents = append(d.parents, readTask(p, 0, parentFile, parentNumber, parentComm))
	}
	return d
}

func readTask(b []byte, at, file, number, comm int) task {
	k := readKey(b[at:])
	return task{k, image{order.Uint64(b[file:]), k.exec}, int(order.Uint32(b[number:])), text(b[comm:][:commSize])}
}

// text is what stands before a zero.
func text(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return string(before)
}

// words splits a command line as the kernel keeps it.
func words(b []byte) []string {
	if b = bytes.TrimRight(b, "\x00"); len(b) == 0 {
		return nil
	}
	var all []string
	for word := range bytes.SplitSeq(b, []byte{0}) {
		all = append(all, string(word))
	}
	return all
}

// packetSeen is a packet that was told of.
type packetSeen struct {
	kind     uint32
	protocol string
	at       int64 // by CLOCK_MONOTONIC, in nanoseconds
	by       key   // zero where it isn't known
	from, to netip.AddrPort
	sequence uint32
	length   int // of the whole payload
	payload  []byte
	local    bool // it doesn't leave the instance
}

// readPacket keeps b as the payload.
func readPacket(b []byte) packetSeen {
	p := packetSeen{
		kind: order.Uint32(b), at: int64(order.Uint64(b[packetTime:])), by: readKey(b[packetKey:]),
		from: netip.AddrPortFrom(address(b[packetSource:]), binary.BigEndian.Uint16(b[packetPorts:])),
		to:   netip.AddrPortFrom(address(b[packetTarget:]), binary.BigEndian.Uint16(b[packetPorts+2:])),

		sequence: binary.BigEndian.Uint32(b[packetSequence:]),
		length:   int(order.Uint32(b[packetLength:])),
		local:    order.Uint32(b[packetLocal:]) == loopback,
		protocol: "udp",
	}
	if order.Uint32(b[packetProtocol:]) == protocolTCP {
		p.protocol = "tcp"
	}
	p.payload = b[packetPayload:][:min(p.length, mostPayload)]
	return p
}

func address(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)).Unmap() }
