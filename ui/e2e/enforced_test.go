package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// TestInternet has a list in force on an instance that reaches a local internet,
// while another one on its bridge asks and connects as fast as it can, which
// never goes wrong.
func TestInternet(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	in := newInternet(t)
	n := lxdtest.Network(t, bridge)
	n.Config["raw.dnsmasq"] = fmt.Sprintf("no-resolv\nserver=%s\n", numbered(4, resolverHost))
	if err := lxdtest.Client(t).UpdateNetwork(bridge, n, ""); err != nil {
		t.Fatal(err)
	}
	before := lxdtest.Network(t, bridge)
	instance, other := lxdtest.Instance(t, bridge), lxdtest.Instance(t, bridge)
	install(t, instance)
	install(t, other)
	var servers []string
	for _, key := range []string{"ipv4.address", "ipv6.address"} {
		server, _, _ := strings.Cut(n.Config[key], "/")
		servers = append(servers, server)
	}

	stdin, stop := io.Pipe()
	var asked bytes.Buffer
	ended := make(chan int, 1)
	server := lxdtest.Server(t)
	go func() {
		code, err := server.Run(t.Context(), other, lxd.Command{Args: append([]string{application, "ask", "host77.example.test"}, servers...), Stdin: stdin, Stdout: &asked})
		if err != nil {
			code = -1
		}
		ended <- code
	}()
	t.Run("an application", func(t *testing.T) { needsSeven(t, in, instance) })
	t.Run("nothing gets out", func(t *testing.T) { nothingGetsOut(t, in, instance, servers) })
	stop.Close()
	const each = 600 // so many hold a connection of each kind
	right := 0
	if code := <-ended; code != 0 {
		t.Errorf("the other instance ended with %d: %s", code, &asked)
	} else if _, err := fmt.Sscanf(asked.String(), "%d right", &right); err != nil || right < each {
		t.Errorf("the other instance had %s", &asked)
	}
	t.Logf("the other instance: %s", &asked)
	t.Run("one try", func(t *testing.T) { oneTry(t, in, instance) })
	lxdtest.Unchanged(t, bridge, before)
	if left, err := exec.Command("../../.ci/left", instance, other).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, left)
	}
}

// verified runs verify strictly with a list and the application, and returns
// its report.
func verified(t *testing.T, want int, instance string, names []string, words ...string) (r verify.Report) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "allow.txt"), []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append([]string{"verify", "--strict", "--report", "report.json", instance, "allow.txt", "--", application}, words...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if said, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != want {
		t.Errorf("verify ended with %d, want %d; it said\n%s", c.ProcessState.ExitCode(), want, said)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.ExitCode == nil {
		t.Fatalf("the application didn't run to its end: %+v", r)
	}
	if !r.Proven() {
		t.Errorf("not proven: %+v", r.Proofs)
	}
	return r
}

// An application that needs seven of forty names, each by another way: with one
// of them missing it fails there, and the report has just that; with all it works.
func needsSeven(t *testing.T, in *internet, instance string) {
	ways := []string{"http/4/host11", "https/4/host14", "quic/4/host19", "http/6/host23", "https/6/host31", "quic/6/host38", fmt.Sprint("https/4/host", aliased)}
	const missing = "host31.example.test"
	served := make(map[string]int)
	need := []string{"need", "20s", "txt/4/host11.example.test"} // by TCP, for the answer by UDP is cut
	for _, way := range ways {
		need = append(need, way+".example.test")
		var family, n int
		kind, at, _ := strings.Cut(way, "/")
		_, _ = fmt.Sscanf(at, "%d/host%d", &family, &n)
		served[kind+" "+numbered(family, n).String()] = 1
	}
	var names []string
	for n := 10; n < 50; n++ {
		names = append(names, fmt.Sprintf("host%d.example.test", n))
	}
	in.takenAt(t)

	r := verified(t, 1, instance, slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == missing }), need...)
	if *r.ExitCode != 3 || r.Verdict != verify.Blocked || !slices.Equal(r.Unexpected(), []string{missing}) || len(r.Blocked) != 1 || r.Blocked[0].Times < 2 || !slices.Equal(r.Blocked[0].Types, []string{"AAAA"}) {
		t.Errorf("one name is missing: %+v", r)
	}
	if got := in.takenAt(t); len(got) != 4 {
		t.Errorf("one name is missing, and it had %v", got)
	}
	r = verified(t, 0, instance, names, need...)
	used := make(map[string]int)
	for _, s := range r.Rules {
		used[s.State]++
	}
	if *r.ExitCode != 0 || r.Verdict != verify.Works || used["used"] != len(ways) || used["unused"] != len(names)-len(ways) || len(r.Blocked)+len(r.Packets)+len(r.Servers) != 0 {
		t.Errorf("with all names: %+v", r)
	}
	if got := in.takenAt(t); !maps.Equal(got, served) {
		t.Errorf("with all names it had %v, want %v", got, served)
	}
}

// takenAt is [internet.taken] without what the other instance had.
func (in *internet) takenAt(t *testing.T) map[string]int {
	t.Helper()
	served := in.taken()
	maps.DeleteFunc(served, func(what string, _ int) bool {
		_, at, _ := strings.Cut(what, " ")
		return at == numbered(4, 77).String() || at == numbered(6, 77).String()
	})
	return served
}

// Of each way out, by IPv4 and IPv6, that works without a list, none does with
// one that packets are held to, as counted where they would leave the host; and
// the report tells of each.
func nothingGetsOut(t *testing.T, in *internet, instance string, servers []string) {
	const times = 12
	ways := make(map[exit]attempt)
	for n, a := range attempts {
		for _, family := range []int{4, 6} {
			ways[exit{family, n}] = a
			if a.bridged {
				ways[exit{family, ofBridge + n}] = a
			}
		}
	}
	in.soFar()
	free := make(map[exit]int)
	for try := 0; try < 5 && len(free) < len(ways); try++ { // on a machine under load its time may be over before it sends
		if code := lxdtest.Run(t, instance, append([]string{application, "leave", "1"}, servers...)...); code != 0 {
			t.Errorf("without a list in force it ends with %d", code)
		}
		in.awaitClosed()
		maps.Copy(free, in.soFar())
	}
	in.takenAt(t)
	for of, a := range ways {
		if free[of] == 0 {
			t.Errorf("%s, %+v: doesn't get out without a list in force either", a.name, of)
		}
	}
	r := verified(t, 1, instance, []string{allowedName}, append([]string{"leave", fmt.Sprint(times)}, servers...)...)
	for of, n := range in.soFar() {
		t.Errorf("%s, %+v: %d packets got out, the last one %x", ways[of].name, of, n, in.last[of])
	}
	allowed := map[string]int{"http " + numbered(4, 71).String(): 1, "quic " + numbered(6, 71).String(): 1}
	if served := in.takenAt(t); !maps.Equal(served, allowed) {
		t.Errorf("the servers were reached as %v, want %v", served, allowed)
	}
	refused := 0
	for _, b := range r.Blocked {
		refused += b.Times
	}
	for _, p := range r.Packets {
		refused += p.Times
	}
	if *r.ExitCode != 0 || r.Verdict != verify.Blocked || refused < 1000 {
		t.Errorf("exit code %d, %q, %d were refused", *r.ExitCode, r.Verdict, refused)
	}
	for of, a := range ways {
		told, at := cmp.Or(a.told, tag(of)), numbered(of.family, firstExit+of.n).String()
		byName := slices.ContainsFunc(r.Blocked, func(b verify.NameResult) bool { return strings.Contains(b.Name, told) })
		byAddress := of.n < ofBridge && slices.ContainsFunc(r.Packets, func(p verify.PacketResult) bool {
			return strings.Contains(p.To, at) && (a.name != "QUIC" || len(p.Servers) > 0 && strings.Contains(p.Servers[0], told))
		})
		if byName == byAddress && told != cleaned {
			t.Errorf("%s, %+v: told of by name: %t, by address: %t", a.name, of, byName, byAddress)
		}
	}
	t.Logf("%d attempts by %d ways, of which %d get out without a list in force: %d were refused, with the notes %q", times*len(ways), len(ways), len(free), refused, r.Notes)
}

// A name that is let through for one try is had in that try, and what it began
// goes on, by each protocol, until the name is dropped; neither the name nor its
// address is reached by another.
func oneTry(t *testing.T, in *internet, instance string) {
	const name = "host80.example.test"
	s := open(t, 120, 40, instance)
	s.sees("~$")
	s.types("nslookup " + allowedName + " >/dev/null")
	s.row("new", allowedName)
	s.keys("C-]", "V", "Down", "Enter")
	s.sees("▣ enforcing 1 rule · 0 blocked")
	s.keys("Tab")
	s.types("clear; " + application + " download " + name)
	s.row("▣", name, "blocked")
	s.keys("C-]")
	s.row("▌▣", name)
	s.keys("l")
	s.sees("Let it through")
	s.keys("Enter")
	s.row(name, "let through")
	s.keys("Tab")
	s.types("clear; " + application + " download " + name)
	s.sees("3 of 3 begun")
	s.row("▣", name, "blocked") // the time of a try is over
	for _, way := range []string{"http/4/" + name, "http/4/" + numbered(4, 80).String(), "quic/4/" + numbered(4, 80).String(), "https/6/" + numbered(6, 80).String()} {
		if code := lxdtest.Run(t, instance, application, "need", "2s", way); code != 3 {
			t.Errorf("another try, %s, ends with %d", way, code)
		}
	}
	for _, kind := range kinds {
		in.more[kind] <- struct{}{}
	}
	s.sees("3 of 3 goes on")
	for _, kind := range []string{"http", "quic"} {
		close(in.more[kind])
	}
	s.sees("2 of 3 whole")
	s.keys("C-]")
	s.row("▌▣", name)
	s.keys("d")
	s.row(name, "expected")
	in.more["https"] <- struct{}{}
	s.sees("not all of it")
	s.keys("V")
	s.sees("✓ works with this list", "– "+name)
	s.keys("q")
	s.until("the report to close", func(screen string) bool { return !strings.Contains(screen, "─ Report ─") })
	s.quits()
}
