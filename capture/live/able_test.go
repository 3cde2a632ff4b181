package live

import (
	"context"
	"errors"
	"os"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdfake"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/witness"
)

// server is an LXD with one instance.
type server struct {
	remote bool
	kind   string
	err    error
}

func (s server) Local() bool { return !s.remote }
func (s server) Instance(context.Context, string) (lxd.Instance, error) {
	return lxd.Instance{Kind: s.kind}, s.err
}

// What can be seen depends on where LXD is, who asks, and what the instance is.
func TestAble(t *testing.T) {
	const root, other = 0, 1000
	both := capture.Packets | capture.Processes
	for _, test := range []struct {
		what   string
		server server
		user   int
		want   capture.Sources
		why    string
	}{
		{"a container", server{kind: "container"}, root, both, ""},
		{"a virtual machine", server{kind: "virtual-machine"}, root, capture.Packets, "it is a virtual machine, whose processes can't be seen: packets alone are"},
		{"a remote", server{remote: true, kind: "container"}, root, 0, "LXD is on another machine, and it takes the host itself"},
		{"a member of the group lxd", server{kind: "container"}, other, 0, "it takes root on LXD's host: start the program with sudo"},
		{"none", server{err: errors.New("find instance c1: not found")}, root, 0, "find instance c1: not found"},
	} {
		if sources, why := able(t.Context(), test.server, "c1", test.user); sources != test.want || why != test.why {
			t.Errorf("%s: %v, %q; want %v, %q", test.what, sources, why, test.want, test.why)
		}
	}
}

// Of a virtual machine packets alone are watched, and nobody without root
// watches anything: that is said once, and is in the ledger.
func TestWhatCannotBeSeenIsSaidOnce(t *testing.T) {
	guest := guest()
	guest.Type = "virtual-machine"
	fake := lxdfake.New(network())
	fake.All = append(fake.All, guest)
	c := begun(t, fake)
	c.kept = &session.Session{}
	want, off := able(t.Context(), c.server, "c1", os.Geteuid())
	say := "watched in part: " + off
	if want == 0 { // without root
		say = "not watched: which process asks, and what it connects to: " + off
	}
	var begun capture.Sources
	watches := make(map[witness.Source]Watch)
	for _, source := range []witness.Source{witness.Wire, witness.Who} {
		watches[source] = func(run context.Context, _ Place, _ witness.Sink, _ func(string)) (<-chan struct{}, error) {
			begun |= 1 << source
			return run.Done(), nil
		}
	}
	run, stop := context.WithCancel(t.Context())
	c.beginWitness(t.Context(), run, watches)
	stop()
	c.endWitness()
	if begun != want {
		t.Errorf("%v were begun, want %v", begun, want)
	}
	if len(c.notices) != 1 {
		t.Fatalf("it said %d things", len(c.notices))
	}
	if said := <-c.notices; said != say {
		t.Errorf("it said %q, want %q", said, say)
	}
	c.Ledger.Read(func(r capture.Reader) {
		if w := r.Watch(); w.Ever != want || w.Why != off {
			t.Errorf("the ledger has %q: %+v", w, w)
		}
	})
	callers := WatchCallers(t.Context(), c.server, "c1", "br", watches)
	defer callers.Close()
	if begun.Has(capture.Processes) || callers.Off() == "" {
		t.Errorf("whose a refusal is would be watched: %q", callers.Off())
	}
}
