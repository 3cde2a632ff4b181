package live_test

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/export/rule"
)

// look waits until a look at the ledger finds what is wanted.
func look(t *testing.T, s *live.Capture, what string, found func(capture.Reader) bool) {
	t.Helper()
	for {
		ok := false
		s.Ledger.Read(func(r capture.Reader) { ok = found(r) })
		if ok {
			return
		}
		select {
		case <-s.Ledger.Wake():
		case <-t.Context().Done():
			t.Fatalf("never came: %s", what)
		}
	}
}

// domain returns what is known of a name.
func domain(r capture.Reader, name string) (d capture.Domain) {
	if id, ok := r.Lookup(name); ok {
		d = *r.Domain(id)
	}
	return d
}

func id(s *live.Capture, name string) (id capture.ID) {
	s.Ledger.Read(func(r capture.Reader) { id, _ = r.Lookup(name) })
	return id
}

// A list in force follows what is decided: what was learnt passes, what is new
// is refused until it is kept, and what is dropped is refused at once.
func TestEnforcedListFollowsDecisions(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance, Program: "test"})
	ask(t, s, "known.example.test", "dropped.example.test")
	if _, err := s.Ledger.Decide(capture.Drop, id(s, "dropped.example.test")); err != nil {
		t.Fatal(err)
	}
	e, err := s.Enforce(t.Context(), verify.Strict)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Prove(t.Context()) {
		t.Fatalf("not proven: %+v", s.Report(e).Proofs)
	}
	// An address is let through from when it is kept on.
	host, _, _ := strings.Cut(before.Config["ipv4.address"], "/")
	server, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() { // nc ends when the connection does
		for c, err := server.Accept(); err == nil; c, err = server.Accept() {
			c.Close()
		}
	}()
	kept := rule.EndpointOf(netip.MustParseAddrPort(server.Addr().String()), "tcp")
	if _, err := s.Ledger.DecideAddress(capture.Keep, kept); err != nil {
		t.Fatal(err)
	}
	for _, inForce := e.Policy.Rule(kept.String()); !inForce; _, inForce = e.Policy.Rule(kept.String()) {
		select {
		case <-e.Wake():
		case <-t.Context().Done():
			t.Fatal("the kept address never counted")
		}
	}
	port := strconv.Itoa(int(kept.Port.Number))
	if code := lxdtest.Run(t, instance, "sh", "-c", "nc -w 3 "+host+" "+port+" </dev/null"); code != 0 {
		t.Errorf("a connection to the kept address ended with %d", code)
	}
	if _, err := s.Ledger.DecideAddress(capture.New, kept); err != nil {
		t.Fatal(err)
	}
	try := func(name string, want bool) {
		t.Helper()
		if passed := lxdtest.Run(t, instance, "nslookup", name) == 0; passed != want {
			t.Errorf("%s was let through: %v, want %v", name, passed, want)
		}
	}
	try("known.example.test", true)
	try("dropped.example.test", false)
	try("new.example.test", false)
	look(t, s, "the refused name", func(r capture.Reader) bool {
		d := domain(r, "new.example.test")
		return d.Denied > 0 && d.Result() == capture.NotAllowed && r.Verdict(&d).Decision == capture.New
	})
	if c := e.Policy.Counts(); c.Names != 2 || c.Rules != 1 || c.Used != 1 {
		t.Errorf("%+v", c)
	}
	// The queries that were let through are the instance's, though the program
	// asked in its place.
	look(t, s, "who asked", func(r capture.Reader) bool {
		d := domain(r, "known.example.test")
		owners := r.Owners(&d)
		return d.Queries >= 4 && len(owners) == 1 && owners[0] == instance
	})
	decided := func(name string, d capture.Decision, want bool) {
		t.Helper()
		if _, err := s.Ledger.Decide(d, id(s, name)); err != nil {
			t.Fatal(err)
		}
		for e.Policy.Allows(name, time.Now()) != want {
			select {
			case <-e.Wake():
			case <-t.Context().Done():
				t.Fatalf("%s: the decision never counted", name)
			}
		}
		try(name, want)
	}
	decided("new.example.test", capture.Keep, true)
	decided("known.example.test", capture.Drop, false)
	r := s.Report(e)
	if i := slices.IndexFunc(r.Rules, func(of verify.RuleResult) bool { return of.Rule == kept.String() }); i < 0 || r.Rules[i].State != "taken away" || r.Rules[i].Connections != 1 {
		t.Errorf("rules: %+v", r.Rules)
	}
	if r.Verdict != "something was blocked" || len(r.Unexpected()) != 1 || r.Unexpected()[0] != "new.example.test" || r.List.Begun == "" {
		t.Errorf("%q, unexpected %v, list %+v", r.Verdict, r.Unexpected(), r.List)
	}
	if err := s.Relax(t.Context()); err != nil {
		t.Fatal(err)
	}
	try("dropped.example.test", true)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	lxdtest.Unchanged(t, bridge, before)
}

// A capture that ends while a list is being put in force leaves nothing of it.
func TestStopWhileAListIsPutInForce(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	server := lxdtest.Server(t)
	put := make(chan error, 1)
	go func() {
		_, err := s.Enforce(t.Context(), verify.Strict)
		put <- err
	}()
	for {
		left, err := server.LeftEnforced(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(left, func(e lxd.Enforced) bool { return e.Instance == instance }) {
			break // the note is there, and the rest is to come
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	err := <-put
	left, failed := server.LeftEnforced(t.Context(), true)
	if failed != nil || slices.ContainsFunc(left, func(e lxd.Enforced) bool { return e.Instance == instance }) {
		t.Errorf("putting it in force ended with %v, and there is still %v, %v", err, left, failed)
	}
	if _, err := s.Enforce(t.Context(), verify.Strict); err == nil {
		t.Error("a list is put in force after the end")
	}
	lxdtest.Unchanged(t, bridge, before)
}
