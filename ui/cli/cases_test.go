package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/witness"
)

// wayOut is a way out of an instance that a program of its own takes.
type wayOut struct {
	program string
	host    int    // of the address,
	each    bool   // or of the first, for each time has another one
	name    bool   // it asks for one
	network string // "tcp4"
	port    int
	spoken  string // "" for what isn't known
	around  bool   // it goes round the bridge's DNS,
	kind    witness.Kind
}

var waysOut = []wayOut{
	{program: "tcp4", name: true, host: 60, each: true, network: "tcp4", port: 9999},
	{program: "tcp6", name: true, host: 60, each: true, network: "tcp6", port: 9999},
	// One address, of all these names.
	{program: "tls4", name: true, host: 20, network: "tcp4", port: 443, spoken: "tls"},
	{program: "tls6", name: true, host: 20, network: "tcp6", port: 443, spoken: "tls"},
	{program: "quic4", name: true, host: 20, network: "udp4", port: 443, spoken: "quic"},
	{program: "quic6", name: true, host: 20, network: "udp6", port: 443, spoken: "quic"},
	{program: "http4", name: true, host: 20, network: "tcp4", port: 80, spoken: "http"},
	{program: "http6", name: true, host: 20, network: "tcp6", port: 80, spoken: "http"},
	{program: "dot", name: true, host: 21, network: "tcp4", port: 853, spoken: "tls", around: true, kind: witness.DoT},
	{program: "doh", host: 22, network: "tcp4", port: 443, spoken: "tls", around: true, kind: witness.DoH},
	{program: "ech", name: true, host: 110, each: true, network: "tcp4", port: 443, spoken: "tls", around: true, kind: witness.Hidden},
	{program: "ech-quic", name: true, host: 152, each: true, network: "udp4", port: 443, spoken: "quic", around: true, kind: witness.Hidden},
	{program: "bare4", host: 200, network: "tcp4", port: 9999, around: true, kind: witness.Bare},
	{program: "bare6", host: 200, network: "tcp6", port: 9999, around: true, kind: witness.Bare},
	{program: "own", host: 53, network: "udp4", port: 53, around: true, kind: witness.Resolver},
	{program: "own-tcp", host: 53, network: "tcp4", port: 53, around: true, kind: witness.Resolver},
}

// to is where it leads the nth time.
func (o wayOut) to(n int) netip.AddrPort {
	host := o.host
	if o.each {
		host += n
	}
	a := netip.AddrFrom4([4]byte{198, 18, 113, byte(host)})
	if strings.HasSuffix(o.network, "6") {
		a = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0x01, 0x13, 15: byte(host)})
	}
	return netip.AddrPortFrom(a, uint16(o.port))
}

// leads reports whether it leads there one of those times.
func (o wayOut) leads(to netip.AddrPort, times int) bool {
	for n := range times {
		if o.to(n) == to {
			return true
		}
	}
	return false
}

// domain is what it asks for the nth time.
func (o wayOut) domain(n int) string {
	if o.kind == witness.Resolver {
		return fmt.Sprintf("%s-%d.example.test", o.program, n)
	}
	return fmt.Sprintf("host%d.%s-%d.example.test", o.to(n).Addr().As16()[15], o.program, n)
}

// command is the command line of the nth time.
func (o wayOut) command(n int, resolver string) string {
	name, to := o.domain(n), o.to(n).String()
	switch {
	case o.kind == witness.Resolver:
		resolver, to = to, "-"
	case !o.name:
		name = "-"
	}
	return strings.Join([]string{"/app/" + o.program, resolver, o.network, name, to}, " ")
}

// says is what it says there.
func (o wayOut) says(t *testing.T, n int) []byte {
	name := o.domain(n)
	switch {
	case o.kind == witness.DoH && o.around:
		name = "dns.google"
	case o.spoken == "http":
		return fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", name)
	case o.spoken == "":
		return []byte("hello")
	}
	conf := &tls.Config{ServerName: name, CurvePreferences: []tls.CurveID{tls.X25519}, NextProtos: []string{"h3"}}
	if o.kind == witness.Hidden {
		conf.EncryptedClientHelloConfigList = echConfigs(t)
	}
	if o.spoken == "quic" {
		return quicInitial(t, conf)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() { _ = tls.Client(theirs, conf).Handshake() }()
	b := make([]byte, 1<<14)
	read, err := ours.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:read]
}

// echFront is the server that a hello with an ECH names.
const echFront = "public.example.test"

// fronts are the server names that are seen in place of the domain.
func (o wayOut) fronts() []capture.Named {
	if o.kind != witness.Hidden {
		return nil
	}
	return []capture.Named{{Name: echFront, Count: 1}}
}

// echConfigs are the keys of a server of that name.
func echConfigs(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../capture/witness/packet/testdata/ech.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quicInitial is what a client of QUIC sends first.
func quicInitial(t *testing.T, conf *tls.Config) []byte {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = quic.DialAddr(ctx, c.LocalAddr().String(), conf, nil)
	}()
	b := make([]byte, 2048)
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	n, _, err := c.ReadFrom(b)
	stop()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// pushApps puts a program for each way out into an instance.
func pushApps(t *testing.T, instance string) {
	t.Helper()
	lxdtest.PushProgram(t, instance, "/app.bin", "testdata/app.go")
	script := "mkdir /app"
	for _, o := range waysOut {
		script += " && ln /app.bin /app/" + o.program
	}
	if code := lxdtest.Run(t, instance, "sh", "-c", script); code != 0 {
		t.Fatal("the programs can't be linked")
	}
}

// Of a thousand queries and connections, most of them at the same time and in
// every way out of an instance, each is in the session with the very process
// that it was, and in an export with its program and port: from the packet by
// all that sees it, the joiner, the ledger and the journal. Of a neighbour on
// the bridge, which does the like meanwhile, there is nothing.
func TestEveryWayOut(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	newInternet(t, 53, 80, 443, 853, 9999)
	instance, neighbour := lxdtest.Instance(t, bridge), lxdtest.Instance(t, bridge)
	const busy = "(while :; do nslookup neighbour.example.test; echo | nc -w 1 198.18.113.201 9999; sleep 0.1; done) >/dev/null 2>&1 &"
	if code := lxdtest.Run(t, neighbour, "sh", "-c", busy); code != 0 {
		t.Fatalf("the neighbour isn't busy: %d", code)
	}
	pushApps(t, instance)
	address, _, _ := strings.Cut(lxdtest.Network(t, bridge).Config["ipv4.address"], "/")
	resolver := net.JoinHostPort(address, "53")
	const times = 42
	var script strings.Builder
	for n := range times {
		for _, o := range waysOut {
			fmt.Fprintf(&script, "echo %s | %s &\n", hex.EncodeToString(o.says(t, n)), o.command(n, resolver))
		}
		script.WriteString("wait\n")
	}
	lxdtest.Push(t, instance, "/cases.sh", strings.NewReader(script.String()))
	ready := fmt.Sprintf("i=0; until echo 00 | /app.bin - tcp6 - %s; do i=$((i+1)); [ $i -lt 300 ]; sleep 0.1; done", waysOut[1].to(0))
	if _, err := lxdtest.Server(t).Run(t.Context(), instance, lxd.Command{Args: []string{"sh", "-ec", ready}}); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	program := func(args ...string) (stdout, stderr string) {
		c := start(t, args...)
		c.Env = append(c.Env, "XDG_STATE_HOME="+state)
		stdout, stderr, code := run(t, c)
		if code != 0 || strings.Contains("\n"+stderr, "\n/app/") {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
		return stdout, stderr
	}
	list, said := program("record", "--settle", "300ms", instance, "--", "sh", "/cases.sh")
	if !strings.Contains(list, waysOut[0].domain(0)+"\n") || !strings.Contains(said, "hidden server name (ECH) 198.18.113.110:443/tcp ("+echFront+") ×1") {
		t.Errorf("the list is %s, and it said %s", list, said)
	}
	t.Setenv("XDG_STATE_HOME", state)
	sessions, err := session.List()
	if err != nil || len(sessions) != 1 {
		t.Fatalf("there are %d sessions, %v", len(sessions), err)
	}
	l, err := session.Load(sessions[0].Name())
	if err != nil {
		t.Fatal(err)
	}
	all, right := 0, 0
	is := func(ok bool, what string, got ...any) {
		if all++; ok {
			right++
		} else {
			t.Logf("%s: %+v", what, got)
		}
	}
	l.Read(func(r capture.Reader) {
		for _, o := range waysOut {
			for n := range times {
				if o.name {
					domain := o.domain(n)
					id, _ := r.Lookup(domain)
					seen := r.Witnessed(id)
					right, wrong := o.did(r, seen.Actors, o.command(n, resolver))
					is(right.Queries == 1, domain+" was asked for", seen)
					port := capture.Port{Number: uint16(o.port), Protocol: o.network[:3], Spoken: o.spoken, Count: 1}
					is(right.Connections == 1 && slices.Equal(seen.Ports, []capture.Port{port}) && slices.Equal(seen.Servers, o.fronts()) && int(seen.Hidden) == len(o.fronts()), domain+" was connected to", seen)
					if wrong {
						t.Errorf("%s is another's, too: %+v", domain, seen)
					}
				}
			}
			for n := 0; o.around && n < times; n++ {
				way, _ := r.Bypass(func(b capture.Bypass) bool { return b.Kind == o.kind && b.To == o.to(n) && b.Protocol == o.network[:3] })
				first, most := n, times // of those that go there
				if o.each {
					first, most = 0, 1
				}
				is(first < int(way.Count), "it went round the bridge's DNS", o, way)
				programs := r.Programs(way.Actors)
				if int(way.Count) > most || len(programs) > 1 || len(programs) == 1 && programs[0] != "/app/"+o.program || o.kind == witness.Hidden && !slices.Equal(way.Names, o.fronts()) {
					t.Errorf("%s: %v went there %d times: %+v", o.program, programs, way.Count, way)
				}
			}
		}
		theirs, heard := r.Lookup("neighbour.example.test")
		if seen := r.Witnessed(theirs); !heard || len(seen.Actors)+len(seen.Ports) > 0 {
			t.Errorf("of the neighbour's name, which dnsmasq logged (%v), is told %+v", heard, seen)
		}
		ways, _, _ := r.Bypasses()
		for _, way := range ways {
			if way.Kind != witness.Foreign && !slices.ContainsFunc(waysOut, func(o wayOut) bool { return o.around && o.kind == way.Kind && o.leads(way.To, times) }) {
				t.Errorf("nobody went there: %+v by %v", way, r.Programs(way.Actors))
			}
		}
		if w := r.Watch(); !w.Whole() {
			t.Errorf("it was watched %q", w)
		}
	})
	t.Logf("%d of %d are right", right, all)
	if all < 1000 || right*1000 < all*995 {
		t.Errorf("%d of %d are right", right, all)
	}
	list, _ = program("export", "--format", "json", sessions[0].Name())
	exported(t, list, times)
}

// did returns what a command did of what is told of processes, and whether
// anybody else did anything.
func (o wayOut) did(r capture.Reader, actors []capture.Actor, command string) (did capture.Actor, others bool) {
	for _, a := range actors {
		if p, _ := r.Process(a.Process); p.Exe == "/app/"+o.program && p.Command == command && strings.Join(p.Args, " ") == command {
			did = a
		} else {
			others = true
		}
	}
	return did, others
}

// exported checks that a list has the program and the port of each name.
func exported(t *testing.T, list string, times int) {
	t.Helper()
	var d struct {
		Rules []struct {
			Name string
			Seen struct{ Programs, Ports, Servers []string }
		}
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(list))).Decode(&d); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, r := range d.Rules {
		seen[r.Name] = fmt.Sprint(r.Seen.Programs, r.Seen.Ports, r.Seen.Servers)
	}
	missing := 0
	for _, o := range waysOut {
		for n := range times {
			want := fmt.Sprintf("[/app/%s] [%d/%s] []", o.program, o.port, o.network[:3])
			for _, f := range o.fronts() {
				want = strings.Replace(want, "[]", "["+f.Name+"]", 1)
			}
			switch got := seen[o.domain(n)]; {
			case !o.name || got == want:
			case strings.Contains(want, strings.Trim(got, "[] ")): // it has less
				missing++
			default:
				t.Errorf("%s is exported with %s, want %s", o.domain(n), got, want)
			}
		}
	}
	if missing > times*len(waysOut)/200 {
		t.Errorf("%d names are exported with less than was seen", missing)
	}
}
