package live_test

import (
	"slices"
	"testing"
	"time"

	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// What is refused beside a capture that is watched has its process, though it
// leads to no row: on the screen, and in the report.
func TestRefusedPacketsHaveTheirProcess(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	s := start(t, live.Config{Instance: instance, Watches: live.Watches()})
	e, err := s.Enforce(t.Context(), verify.Strict)
	if err != nil {
		t.Fatal(err)
	}
	lxdtest.Run(t, instance, "nc", "-w", "3", "198.51.100.7", "8080")
	const want = "198.51.100.7:8080/tcp"
	late := time.After(time.Minute)
	known := func(by []string) bool { return slices.Equal(by, []string{"/bin/busybox"}) }
	for by := []string(nil); !known(by); {
		for _, p := range e.Packets.States() {
			if p.String() == want {
				by = p.By
			}
		}
		select { // what a process did comes by a way of its own
		case <-s.Ledger.Wake():
		case <-e.Wake():
		case <-late:
			t.Fatalf("%s is by %q", want, by)
		}
	}
	r := s.Report(e)
	if len(r.Packets) != 1 || !known(r.Packets[0].By) {
		t.Errorf("refused: %+v", r.Packets)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
