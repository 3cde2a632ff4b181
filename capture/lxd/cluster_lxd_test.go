package lxd_test

import (
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
)

// members returns what each member's dnsmasq was told.
func members(c *lxdtest.Cluster, bridge string) (told []string) {
	for _, d := range c.Members {
		told = append(told, strings.TrimSpace(d.Config(bridge)))
	}
	return told
}

// A member of a cluster that goes down while the lease is taken has the change
// refused, and another member keep it: that is said, and once the member is back
// all of them have what they had.
func TestClusterWithAMemberDown(t *testing.T) {
	c := lxdtest.NewCluster(t)
	bridge := c.Bridge(t)
	before := network(t, bridge)
	s := lxdtest.Server(t)
	third := c.Members[2]

	l := lease(t, s, bridge)
	for n, told := range members(c, bridge) {
		if !strings.Contains(told, "log-queries=extra") {
			t.Errorf("member %d was told %q", n+1, told)
		}
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}

	done := make(chan error, 1)
	go func() {
		_, err := s.Lease(t.Context(), bridge)
		done <- err
	}()
	for network(t, bridge).Config["user.lxd-allowlist.lock"] == "" {
		time.Sleep(time.Millisecond) // until the lock is there, which stands alone for 100 ms
	}
	third.Kill()
	err := <-done
	if err == nil || !strings.Contains(err.Error(), "bridge "+bridge+" is not as it was: ") || !strings.Contains(err.Error(), "start the cluster's member that is down") {
		t.Errorf("with a member down the lease said %v", err)
	}
	want := strings.TrimSpace(lxdtest.Raw(t))
	if told := members(c, bridge); told[0] == want && told[1] == want {
		t.Errorf("all members have the original, so that this test shows nothing")
	}
	third.Start()
	restored, err := s.Restore(t.Context(), bridge, true) // the holder is this process, which lives
	if err != nil || len(restored) != 1 || restored[0] != (lxd.Restored{Network: bridge}) {
		t.Errorf("restored %v, %v", restored, err)
	}
	sameNetwork(t, before, network(t, bridge))
	for n, told := range members(c, bridge) {
		if told != want {
			t.Errorf("member %d was told %q, want %q", n+1, told, want)
		}
	}
}
