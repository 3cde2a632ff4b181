package live_test

import (
	"slices"
	"testing"

	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// What is refused beside a capture that is watched has its process, though it
// leads to no row: on the screen, and in the report.
func TestRefusedPacketsHaveTheirProcess(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	s := start(t, live.Config{Instance: instance, Watches: live.Watches()})
	e, err := s.Enforce(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	lxdtest.Run(t, instance, "nc", "-w", "3", "198.51.100.7", "8080")
	const want = "198.51.100.7:8080/tcp"
	for by := []string(nil); !slices.Equal(by, []string{"/bin/busybox"}); {
		for _, p := range e.Packets.States() {
			if p.String() == want {
				by = p.By
			}
		}
		select { // what a process did comes by a way of its own
		case <-s.Ledger.Wake():
		case <-e.Wake():
		case <-t.Context().Done():
			t.Fatalf("%s is by %q", want, by)
		}
	}
	r := s.Report(e)
	if len(r.Packets) != 1 || !slices.Equal(r.Packets[0].By, []string{"/bin/busybox"}) {
		t.Errorf("refused: %+v", r.Packets)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
