package cli

import (
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/witness/witnesstest"
)

// What is refused is said with the program whose it was, as it happens and in
// the report: of names, and of packets to a bare address.
func TestVerifySaysWho(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	command := "cp /bin/busybox /bin/busybox2 && nslookup b.example.test; /bin/busybox2 nslookup c.example.test; /bin/busybox2 nc -w 3 198.51.100.7 8080; nc -w 3 198.51.100.8 8080; true"
	c := start(t, "verify", "--strict", "--report", "report.json", instance, list(t, "a.example.test"), "--", "sh", "-c", command)
	_, stderr, code := run(t, c)
	for _, want := range []string{
		" b.example.test by /bin/busybox\n", " c.example.test by /bin/busybox2\n",
		"refused: a packet to 198.51.100.7:8080/tcp by /bin/busybox2\n", "refused: a packet to 198.51.100.8:8080/tcp by /bin/busybox\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it doesn't say %q", want)
		}
	}
	if code != 1 || t.Failed() {
		t.Errorf("exit code %d; it said\n%s", code, stderr)
	}
	r := reportOf(t, c)
	by := make(map[string]string)
	for _, n := range r.Blocked {
		by[n.Name] = strings.Join(n.By, " ")
	}
	for _, p := range r.Packets {
		by[p.To] = strings.Join(p.By, " ")
	}
	for what, want := range map[string]string{
		"b.example.test": "/bin/busybox", "c.example.test": "/bin/busybox2",
		"198.51.100.7:8080/tcp": "/bin/busybox2", "198.51.100.8:8080/tcp": "/bin/busybox",
	} {
		if by[what] != want {
			t.Errorf("%s is by %q, want %q: %v", what, by[what], want, by)
		}
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "no server name") }) {
		t.Errorf("the notes say nothing of server names: %q", r.Notes)
	}
	if text := string(r.Markdown()); !strings.Contains(text, "| by /bin/busybox2 |") {
		t.Errorf("the report doesn't say who:\n%s", text)
	}
	nothingLeft(t, instance)
}

// Who wants nothing watched is told what isn't known for it.
func TestVerifyUnwatched(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	c := start(t, "verify", "--no-witness", "--expect", "b.example.test", "--report", "report.json", instance, list(t, "a.example.test"), "--", "sh", "-c", "nslookup b.example.test; echo running; cat")
	said := running(t, c, func() {
		if h := witnesstest.HeldBy(t, c.Process.Pid); len(h.Links)+len(h.Programs)+len(h.Maps)+len(h.Packets) != 0 {
			t.Errorf("it has %+v", h)
		}
	})
	if !strings.Contains(said, "not watched: which process asks for what is blocked: it is off\n") || !strings.Contains(said, "b.example.test\n") {
		t.Errorf("it said\n%s", said)
	}
	r := reportOf(t, c)
	if len(r.Blocked) != 1 || r.Blocked[0].By != nil || !slices.Contains(r.Notes, "Which processes asked for what was blocked is not known: it is off.") {
		t.Errorf("blocked %+v, notes %q", r.Blocked, r.Notes)
	}
}
