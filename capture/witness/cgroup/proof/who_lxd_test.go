// Package proof tries the watch of a container's cgroup on real instances.
package proof

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/cgroup"
)

const patience = time.Minute

// heard is what a sink was told.
type heard struct {
	mu          sync.Mutex
	queries     map[string][]witness.Query
	connections map[string][]witness.Connection // by where they came from, which may come again
	lost        uint64
	more        chan struct{}
}

func (h *heard) Query(q witness.Query) {
	h.add(func() { h.queries[q.Name] = append(h.queries[q.Name], q) })
}
func (h *heard) Connection(c witness.Connection) {
	k := from(c.Protocol, c.From.String())
	h.add(func() { h.connections[k] = append(h.connections[k], c) })
}
func (h *heard) Answer(witness.Answer)     {}
func (h *heard) Hello(witness.Hello)       {}
func (h *heard) Lost(n uint64, why string) { h.add(func() { h.lost += n }) }

func from(protocol, address string) string { return protocol + " " + address }

func (h *heard) add(add func()) {
	h.mu.Lock()
	add()
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// until waits for what the sink is told; false if it isn't.
func (h *heard) until(ok func() bool) bool {
	late := time.After(patience)
	for {
		h.mu.Lock()
		done := ok()
		h.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-h.more:
		case <-late:
			return false
		}
	}
}

// watch watches an instance until the test's end.
func watch(t *testing.T, instance string) *heard {
	t.Helper()
	h := &heard{queries: make(map[string][]witness.Query), connections: make(map[string][]witness.Connection), more: make(chan struct{}, 1)}
	s := lxdtest.Server(t)
	w, err := cgroup.Start(t.Context(), func(ctx context.Context) (int, error) { return s.InitPID(ctx, instance) }, await, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return h
}

// await tries a few times a second.
func await(ctx context.Context, try func() bool) {
	for again := time.NewTicker(100 * time.Millisecond); !try(); {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// run runs a script in an instance and returns what it printed.
func run(t *testing.T, instance, script string) string {
	t.Helper()
	var out strings.Builder
	code, err := lxdtest.Server(t).Run(t.Context(), instance, lxd.Command{Args: []string{"sh", "-c", "exec 2>&1; " + script}, Stdout: &out})
	if code != 0 || err != nil {
		t.Fatalf("the script ended with %d, %v: %s", code, err, &out)
	}
	return out.String()
}

// listening takes what comes to an address and throws it away.
func listening(t *testing.T, at string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(at, "0"))
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); u.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

// tally counts what was attributed to whom.
type tally struct{ right, unknown, wrong, missing int }

func (n *tally) count(t *testing.T, what string, p *witness.Process, ok bool) {
	switch {
	case p == nil:
		n.unknown++
	case ok:
		n.right++
	default:
		n.wrong++
		t.Errorf("%s is told of %+v", what, p)
	}
}

// Of more than a thousand queries and connections of known processes, most
// of them at the same time, none is another's, and nothing is told of another
// instance on the bridge that does the same.
func TestAttribution(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance, neighbour := lxdtest.Instance(t, bridge), lxdtest.Instance(t, bridge)
	lxdtest.PushProgram(t, instance, "/client", "testdata/client.go")
	config := lxdtest.Network(t, bridge).Config
	var at [2]string
	for i, family := range []string{"ipv4.address", "ipv6.address"} {
		at[i] = netip.MustParsePrefix(config[family]).Addr().String()
	}
	resolver4, resolver6 := net.JoinHostPort(at[0], "53"), net.JoinHostPort(at[1], "53")
	server4, server6 := listening(t, at[0]), listening(t, at[1])
	run(t, instance, "/client ready "+server6)
	h := watch(t, instance)
	const busy = `(while :; do nslookup neighbour.example.test; nc -w 1 %s </dev/null; echo >>/done; done) >/dev/null 2>&1 &`
	run(t, neighbour, fmt.Sprintf(busy, strings.Replace(server4, ":", " ", 1)))
	said := run(t, instance, fmt.Sprintf(`
		for i in $(seq 30); do
			for j in 1 2 3 4; do /client %s %s %s %s & done
			/client flash %[1]s & /client flash %[1]s &
			for j in 1 2; do nslookup shell-$i-$j.example.test >/dev/null & echo shell $! shell-$i-$j.example.test; done
			wait
		done
		nslookup last.example.test >/dev/null`, resolver4, resolver6, server4, server6))
	if !h.until(func() bool { return len(h.queries["last.example.test"]) > 0 }) {
		t.Fatal("the last query wasn't told")
	}
	done := len(run(t, neighbour, "cat /done"))
	h.mu.Lock()
	defer h.mu.Unlock()
	theirs := lxdtest.Address(t, neighbour) + ":"
	others := 0
	for from := range h.connections {
		if strings.Contains(from, " "+theirs) {
			others++
		}
	}
	if n := len(h.queries["neighbour.example.test"]); n+others > 0 || done < 10 {
		t.Errorf("of another instance, which did it %d times, %d queries and %d connections are told of", done, n, others)
	}
	var queries, connections tally
	for line := range strings.Lines(said) {
		f := strings.Fields(line)
		is := func(p *witness.Process, comm, exe string) bool {
			return p != nil && fmt.Sprint(p.PID) == f[1] && p.Comm == comm && p.Exe == exe && len(p.Args) > 1 && p.User == "root" && slices.Contains(p.Parents, "sh") && strings.HasPrefix(p.Command, strings.Join(p.Args, " "))
		}
		switch f[0] {
		case "query":
			if len(h.queries[f[2]]) != 1 {
				queries.missing++
				continue
			}
			q := h.queries[f[2]][0]
			queries.count(t, line, q.Process, is(q.Process, "client", "/client"))
		case "shell": // A and AAAA, and whatever else it asks
			if len(h.queries[f[2]]) < 2 {
				queries.missing++
			}
			for _, q := range h.queries[f[2]] {
				queries.count(t, line, q.Process, is(q.Process, "nslookup", "/bin/busybox"))
			}
		case "udp", "tcp":
			all := h.connections[from(f[0], f[2])]
			if len(all) == 0 {
				connections.missing++
				continue
			}
			mine := max(0, slices.IndexFunc(all, func(c witness.Connection) bool { return c.Process != nil && fmt.Sprint(c.Process.PID) == f[1] }))
			connections.count(t, line, all[mine].Process, is(all[mine].Process, "client", "/client") && all[mine].To.String() == f[3])
		default:
			t.Error(line)
		}
	}
	all := queries.right + queries.unknown + queries.wrong + queries.missing + connections.right + connections.unknown + connections.wrong + connections.missing
	right := queries.right + connections.right
	t.Logf("queries %+v, connections %+v: %d of %d right, %d lost", queries, connections, right, all, h.lost)
	if all < 1000 || right*1000 < all*995 || h.lost > 0 {
		t.Errorf("%d of %d are right, %d lost", right, all, h.lost)
	}
}

// An instance that is restarted is watched on.
func TestRestartedInstance(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	h := watch(t, instance)
	asked := func(name string) bool {
		run(t, instance, "nslookup "+name+" >/dev/null || true")
		return h.until(func() bool { return len(h.queries[name]) > 0 && h.queries[name][0].Process != nil })
	}
	if !asked("before.example.test") {
		t.Fatal("not told before the restart")
	}
	lxdtest.Stop(t, instance)
	lxdtest.Start(t, instance)
	lxdtest.Address(t, instance)
	if !h.until(func() bool { return h.lost == 1 }) {
		t.Fatal("not watched after the restart")
	}
	if !asked("after.example.test") {
		t.Error("not told after the restart")
	}
}
