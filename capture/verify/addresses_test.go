package verify

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

// fakeGate is a gate that says what it lets through.
type fakeGate struct {
	open    map[netip.Addr]bool
	retired []string // since it was looked at
	// noRetire has it refuse to retire.
	noRetire bool
	err      error
}

func (g *fakeGate) Admit(addresses []netip.Addr, _ time.Duration) error {
	for _, a := range addresses {
		g.open[a.Unmap()] = true
	}
	return g.err
}

func (g *fakeGate) Dismiss(addresses []netip.Addr) error {
	if g.err != nil {
		return g.err
	}
	for _, a := range addresses {
		delete(g.open, a)
	}
	return nil
}

func (g *fakeGate) Retire(addresses []netip.Addr) error {
	if g.noRetire {
		return errors.New("no room")
	}
	for _, a := range addresses {
		g.retired = append(g.retired, a.String())
	}
	return g.Dismiss(addresses)
}

// is fails the test unless the gate lets just these through.
func (g *fakeGate) is(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for a := range g.open {
		got = append(got, a.String())
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("let through are %v, want %v", got, want)
	}
}

func addrs(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func gated(rules ...rule.Rule) (*Policy, *Addresses, *fakeGate) {
	p, g := New(rules, nothingLocal), &fakeGate{open: make(map[netip.Addr]bool)}
	return p, NewAddresses(p, g), g
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An address leaves with the last name that passes, whether it was answered or
// known before, and however long ago; one that is on its way then comes too late.
func TestAddressesFollowTheList(t *testing.T) {
	p, a, g := gated(append(exact("a.example", "b.example"), below("wide.example"))...)
	must(t, a.Seed(map[string][]netip.Addr{
		"a.example": addrs("192.0.2.1"), "x.wide.example": addrs("192.0.2.1", "192.0.2.2"), "dropped.example": addrs("192.0.2.3", "192.0.2.2"),
	}, time.Hour, at(0)))
	g.is(t, "192.0.2.1", "192.0.2.2")
	must(t, a.Admit("b.example", addrs("::ffff:192.0.2.1", "2001:db8::1"), 0, at(0)))
	set := func(second int, rules ...rule.Rule) {
		t.Helper()
		p.Set(rules, at(second))
		must(t, a.Follow(at(second)))
	}
	set(100_000, append(exact("b.example"), below("wide.example"))...)
	g.is(t, "192.0.2.1", "192.0.2.2", "2001:db8::1")
	set(100_001, exact("b.example")...)
	g.is(t, "192.0.2.1", "2001:db8::1")
	if err := a.Admit("a.example", addrs("192.0.2.9"), 0, at(100_001)); err == nil || !strings.Contains(err.Error(), "a.example was taken off") {
		t.Errorf("a name that was dropped meanwhile: %v", err)
	}
	set(100_002)
	g.is(t)
	set(100_003, exact("a.example")...)
	g.is(t) // it is asked for again
	must(t, a.Admit("a.example", addrs("192.0.2.1"), 0, at(100_003)))
	g.is(t, "192.0.2.1")
}

// The end of a grant, of either kind, takes the addresses away, and to look
// at them begins no try.
func TestAddressesOfGrants(t *testing.T) {
	p, a, g := gated()
	ended := 0
	p.Ending = func() { ended++ }
	p.Grant("minutes.example", time.Minute, at(0))
	p.GrantOnce("once.example", at(0))
	p.Grant("run.example", 0, at(0))
	next := func(second int, over bool, want time.Time) {
		t.Helper()
		if is, next := p.EndGrants(at(second)); is != over || !next.Equal(want) {
			t.Errorf("some are over: %t, the next end %v", is, next)
		}
	}
	next(0, false, at(60))
	for i, name := range []string{"minutes.example", "once.example", "run.example"} {
		must(t, a.Admit(name, addrs(fmt.Sprint("192.0.2.", i)), 0, at(1)))
	}
	if ended != 1 || !p.Allows("once.example", at(20)) || !p.Allows("once.example", at(21)) || ended != 2 {
		t.Errorf("a try: told of %d ends", ended)
	}
	next(21, false, at(30))
	if !p.Allows("run.example", at(2)) {
		t.Error("what is let through to the end is refused")
	}
	must(t, a.Follow(at(29)))
	g.is(t, "192.0.2.0", "192.0.2.1", "192.0.2.2")
	must(t, a.Follow(at(30)))
	g.is(t, "192.0.2.0", "192.0.2.2")
	must(t, a.Follow(at(60)))
	g.is(t, "192.0.2.2")
	next(60, true, time.Time{})
	next(60, false, time.Time{})
	if grants := slices.Sorted(slices.Values(p.Grants(at(60)))); !slices.Equal(grants, []string{"once.example", "run.example"}) {
		t.Errorf("grants %v", grants)
	}
	if !p.Revoke("run.example", at(61)) || p.Revoke("run.example", at(61)) || p.Passes("run.example", at(61)) {
		t.Error("a grant that was revoked lasts")
	}
	must(t, a.Follow(at(61)))
	g.is(t)
}

// What a try opened goes on when it is over, until somebody refuses its name;
// what another name may have opened at the same address doesn't, nor what the
// name opened while it was on the list.
func TestAddressesOfATry(t *testing.T) {
	p, a, g := gated(exact("other.example")...)
	begin := func(name, address string, second int) {
		t.Helper()
		p.GrantOnce(name, at(second))
		if !p.Allows(name, at(second)) {
			t.Fatalf("%s can't be tried", name)
		}
		must(t, a.Admit(name, addrs(address), 0, at(second)))
	}
	follow := func(second int, retired ...string) {
		t.Helper()
		p.EndGrants(at(second))
		g.retired = nil
		must(t, a.Follow(at(second)))
		if slices.Sort(g.retired); !slices.Equal(g.retired, retired) {
			t.Errorf("after %d s retired are %v, want %v", second, g.retired, retired)
		}
	}
	begin("long.example", "192.0.2.1", 0)
	begin("shared.example", "192.0.2.2", 0)
	must(t, a.Admit("other.example", addrs("192.0.2.2"), 0, at(0)))
	follow(9)
	p.Set(nil, at(9))
	follow(10, "192.0.2.1")
	g.is(t)
	follow(11) // once
	says := func(want bool) {
		t.Helper()
		r := NewReport(Over{Policy: p, Packets: &Packets{}, Addresses: a, Strict: true, Begun: at(0), Ended: at(12)}, about())
		if strings.Contains(fmt.Sprint(r.Notes), "was not ended with it: long.example.") != want {
			t.Errorf("notes: %s", r.Notes)
		}
	}
	says(true)
	begin("long.example", "192.0.2.1", 11) // another try
	says(false)
	follow(21, "192.0.2.1")
	says(true)

	g.open[addrs("192.0.2.1")[0]] = true // what goes on
	if !p.Revoke("long.example", at(22)) {
		t.Error("nothing goes on")
	}
	follow(22)
	g.is(t)

	begin("late.example", "192.0.2.3", 30)
	p.Set(exact("late.example"), at(31))
	p.Set(nil, at(40))
	follow(40)
	g.is(t)

	// What can't be retired is closed.
	begin("long.example", "192.0.2.4", 50)
	g.noRetire = true
	follow(60)
	g.is(t)
}

// What a gate refuses is tried again.
func TestAddressesOfAGateThatFails(t *testing.T) {
	p, a, g := gated(exact("a.example")...)
	must(t, a.Admit("a.example", addrs("192.0.2.1"), 0, at(0)))
	g.err = errors.New("no room")
	if err := a.Admit("a.example", addrs("192.0.2.2"), 0, at(0)); !errors.Is(err, g.err) {
		t.Errorf("admitted: %v", err)
	}
	p.Set(nil, at(1))
	if err := a.Follow(at(1)); !errors.Is(err, g.err) {
		t.Errorf("dismissed: %v", err)
	}
	g.err = nil
	must(t, a.Follow(at(2)))
	g.is(t)
}

// A packet to an address that only dropped names had is expected; one that an
// allowed name has, too, is said to be within reach.
func TestReportOfAddresses(t *testing.T) {
	p, a, _ := gated(exact("allowed.example")...)
	must(t, a.Seed(map[string][]netip.Addr{
		"telemetry.example": addrs("192.0.2.1", "192.0.2.2", "192.0.2.3"), "allowed.example": addrs("192.0.2.2"), "new.example": addrs("192.0.2.3", "192.0.2.4"),
	}, time.Hour, at(0)))
	packets := &Packets{}
	for i := range 5 {
		packets.Add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 443), "tcp", at(1))
	}
	r := NewReport(Over{Policy: p, Packets: packets, Addresses: a, Strict: true, Begun: at(0), Ended: at(2)}, about())
	if got := fmt.Sprint(r.Unexpected()); got != "[192.0.2.2:443/tcp 192.0.2.3:443/tcp 192.0.2.4:443/tcp 192.0.2.5:443/tcp]" {
		t.Errorf("unexpected are %s", got)
	}
	if x := r.Packets[0]; !x.Expected || !slices.Equal(x.Names, []string{"telemetry.example"}) || x.Reason != "telemetry" {
		t.Errorf("%+v", x)
	}
	if text := string(r.Markdown()); !strings.Contains(text, "expected: an address of telemetry.example alone; telemetry |") {
		t.Errorf("it says %s", text)
	}
	if notes := fmt.Sprint(r.Notes); !strings.Contains(notes, "192.0.2.2 of telemetry.example is allowed.example's") || strings.Contains(notes, "192.0.2.3") {
		t.Errorf("notes: %s", notes)
	}
}

// What a session knows of names that don't pass leaves room for what will be
// answered to those that do.
func TestSeedsLeaveRoom(t *testing.T) {
	_, a, g := gated(exact("a.example")...)
	seeds := map[string][]netip.Addr{"a.example": addrs("192.0.2.1")}
	for i := range maxHeld + 1 {
		seeds[fmt.Sprintf("n%d.dropped.example", i)] = []netip.Addr{netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
	}
	must(t, a.Seed(seeds, time.Hour, at(0)))
	must(t, a.Admit("a.example", addrs("192.0.2.2"), 0, at(1)))
	g.is(t, "192.0.2.1", "192.0.2.2")
}

// An instance may ask for any number of names below one that is allowed, which
// have any addresses.
func TestAddressesAreBounded(t *testing.T) {
	p, a, g := gated(append(exact("b.example"), below("wide.example"))...)
	must(t, a.Admit("b.example", addrs("192.0.2.1"), 0, at(0)))
	for i := range 1000 {
		must(t, a.Admit(fmt.Sprintf("n%d.wide.example", i), addrs("192.0.2.1"), 0, at(1+i)))
	}
	if n := len(a.of[addrs("192.0.2.1")[0]].names); n != maxHolders || a.names != maxHolders {
		t.Errorf("%d names of an address, %d in all", n, a.names)
	}
	p.Set(exact("b.example"), at(1001))
	must(t, a.Follow(at(1001)))
	g.is(t) // b.example has it once more as it is asked for
	r := NewReport(Over{Policy: p, Packets: &Packets{}, Addresses: a, Strict: true, Begun: at(0), Ended: at(1002)}, about())
	if notes := fmt.Sprint(r.Notes); !strings.Contains(notes, "1 address was closed that more than 16 names had") {
		t.Errorf("notes: %s", notes)
	}
	if names, _ := a.expected(addrs("192.0.2.1")[0], func(string) (string, bool) { return "", true }); names != nil {
		t.Errorf("an address that had other names, too, is only that of %v", names)
	}
	room := maxHeld - a.names
	for i := range room {
		at4 := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		must(t, a.Admit("b.example", []netip.Addr{at4}, 0, at(1100)))
	}
	if err := a.Admit("b.example", addrs("198.51.100.1"), 0, at(1101)); err == nil || !strings.Contains(err.Error(), "262144 names") {
		t.Errorf("one more: %v", err)
	}
	must(t, a.Admit("b.example", addrs("10.0.0.0"), time.Hour, at(1101)))
	late := at(1102).Add(holdsAfter)
	must(t, a.Admit("b.example", addrs("198.51.100.1"), 0, late))
	if a.names != 2 { // and the one that was renewed
		t.Errorf("%d are left when their time is over", a.names)
	}
}
