package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// A disk that is full below dnsmasq's log ends the logging: the canary finds
// out, and once there is room Repair has dnsmasq log again. The gap stands in
// the ledger.
func TestLogOnAFullDisk(t *testing.T) {
	d := lxdtest.NewDaemon(t)
	logs := filepath.Join(d.Dir(), "logs")
	if err := syscall.Mount("tmpfs", logs, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(logs, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	before := lxdtest.Network(t, bridge)
	s := start(t, live.Config{Instance: instance})
	ask(t, s, "a.example.test")

	filler := filepath.Join(logs, "filler")
	f, err := os.Create(filler)
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close()
	// What is left of the log's last page is used up, by one command, for LXD may
	// take seconds to begin one.
	lxdtest.Run(t, instance, "sh", "-c", "for n in $(seq 60); do nslookup lost.example.test; done")
	said(t, s, "queries are not logged: ")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Repair(t.Context()); err != nil || s.Logging().Problem != "" {
		t.Errorf("repaired: %v, %+v", err, s.Logging())
	}
	ask(t, s, "b.example.test")
	s.Ledger.Read(func(r capture.Reader) {
		if _, ok := r.Lookup("b.example.test"); !ok || len(r.Gaps()) != 1 {
			t.Errorf("after the repair: asked %v, gaps %v", ok, r.Gaps())
		}
	})
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	lxdtest.Unchanged(t, bridge, before)
}
