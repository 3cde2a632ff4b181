package cgroup

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// told makes the records of a ring out of bytes: each a kind, flags, three bytes
// of where it begins in its stream and of its length, and what an instance decides
// about: a packet's payload, or a process's name, arguments and path.
func told(b []byte) (all [][]byte) {
	const head = 5
	for len(b) >= head && len(all) < 64 {
		kind, flags, at, size := uint32(b[0]%5)+1, b[1], binary.BigEndian.Uint16(b[2:]), min(int(b[4])*2, len(b)-head)
		text := b[head : head+size]
		b = b[head+size:]
		if kind == kindProcess || kind == kindExec {
			r := make([]byte, processSize)
			order.PutUint64(r[processKey:], 1<<40+uint64(flags%4)) // no process has that number
			copy(r[processComm:][:commSize], text)
			copy(r[processArgv:][:mostArgs], text)
			copy(r[processNames:][:mostPath+mostName], text)
			order.PutUint64(r[processArgs:], uint64(at))
			order.PutUint64(r[processPath:], uint64(size)+1)
			order.PutUint32(r[processDepth:], uint32(flags)%(mostParents+1))
			order.PutUint32(r, kind)
			all = append(all, r)
			continue
		}
		r := make([]byte, packetSize)
		order.PutUint32(r, kind)
		order.PutUint64(r[packetKey:], 1<<40+uint64(flags%4))
		order.PutUint32(r[packetProtocol:], map[bool]uint32{true: protocolTCP, false: protocolUDP}[flags&4 != 0])
		order.PutUint32(r[packetLocal:], map[bool]uint32{true: loopback}[flags&8 != 0])
		binary.BigEndian.PutUint16(r[packetPorts:], uint16(flags>>4&1))
		binary.BigEndian.PutUint16(r[packetPorts+2:], dnsPort+uint16(flags>>5&1))
		binary.BigEndian.PutUint32(r[packetSequence:], uint32(at)<<1-5)
		copy(r[packetPayload:][:mostPayload], text)
		order.PutUint32(r[packetLength:], uint32(size)+uint32(flags>>6)*100)
		all = append(all, r)
	}
	return all
}

// FuzzRecords holds what is told of records, whose contents are an instance's, to
// names that can be shown, and to no more than there is in them.
func FuzzRecords(f *testing.F) {
	entry := func(kind, flags byte, at uint16, payload []byte) []byte {
		return slices.Concat([]byte{kind - 1, flags, byte(at >> 8), byte(at), byte((len(payload) + 1) / 2)}, payload, make([]byte, len(payload)%2))
	}
	query := message("one.test", 1)
	answer := slices.Clone(query)
	answer[2] |= 0x80
	f.Add(entry(kindQuery, 0, 0, query))
	f.Add(slices.Concat(entry(kindQuery, 4, 0, framed(query)[:10]), entry(kindQuery, 4, 5, framed(query)[10:])))
	f.Add(slices.Concat(entry(kindQuery, 4, 5, framed(query)), entry(kindQuery, 4+64, 0, framed(query)[:10])))
	f.Add(slices.Concat(entry(kindProcess, 1, 4, []byte("sh\x00-c\x00x")), entry(kindQuery, 8+1, 0, query), entry(kindQuery, 2, 0, query), entry(kindAnswer, 8+2, 0, answer)))
	f.Add(slices.Concat(entry(kindExec, 1, 600, []byte("bash\x00-l")), entry(kindProcess, 1, 0, nil), entry(kindFlow, 32+1, 0, nil), entry(kindQuery, 0, 0, []byte("SSH-2.0"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &heard{more: make(chan struct{}, 1)}
		l := &life{sink: h, processes: &processes{}, stubs: newStubs(), zero: time.Unix(0, 0)}
		l.streams.size, l.strange.size = mostStreams, mostStreams
		p := l.processes
		p.told.size, p.begun.size, p.args.size, p.server.size = mostProcesses, mostProcesses, mostProcesses, mostProcesses
		p.users.read = time.Now().Add(time.Hour) // nothing to be read
		packets, sizes := 0, 0
		for _, r := range told(b) {
			kept := slices.Clone(r)
			l.take(r)
			if !slices.Equal(r, kept) {
				t.Fatal("a record was changed")
			}
			packets, sizes = packets+1, sizes+len(r)
		}
		const leastQuery = 5 // a root name, a type, a class
		if n := len(h.queries); n > packets+sizes/leastQuery || len(h.connections)+len(h.why) > 2*packets {
			t.Errorf("%d queries, %d connections, %d losses of %d records", n, len(h.connections), len(h.why), packets)
		}
		for _, q := range h.queries {
			if strings.ContainsFunc(q.Name+q.Type, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Errorf("%q %q is asked for", q.Name, q.Type)
			}
		}
	})
}

// FuzzPlaces holds what is read of files in /proc and of an instance's passwd to
// what can be there.
func FuzzPlaces(f *testing.F) {
	f.Add("39 30 0:35 / /sys/fs/cgroup/a\\040b rw,nosuid shared:10 - cgroup2 cgroup2 rw\n")
	f.Add("4:cpu:/lxc.payload.web\n0::/lxc.payload.web-1/init.scope\n0::/lxc.payload/web/x\n")
	f.Add("Name:\tinit\nNSpid:\t4711\t1\n")
	f.Add("root:x:0:0:root:/root:/bin/sh\n:x:1:\nu:x:4294967296:\nroot2:x:0:\nno\n")
	f.Fuzz(func(t *testing.T, text string) {
		if mount := mountOf(text); mount != "" && !strings.Contains(text, " - cgroup2 ") {
			t.Errorf("%q is mounted at %q", text, mount)
		}
		if group := groupOf(text); group != "" && (!strings.Contains(group, payload) || slices.Contains(strings.Split(group, "/"), "..")) {
			t.Errorf("%q has the group %q", text, group)
		}
		if depthOf(text) < 0 {
			t.Errorf("%q is %d deep", text, depthOf(text))
		}
		names, _ := passwd(strings.NewReader(text))
		for uid, name := range names {
			if name == "" || strings.ContainsAny(name, ":\n") || !strings.Contains(text, name+":") {
				t.Errorf("%d is %q in %q", uid, name, text)
			}
		}
	})
}
