package lxd

import (
	"fmt"
	"testing"
)

// A configuration that was never read is told of by its keys, and what isn't
// ours by these alone.
func TestToldOfUnreadKeys(t *testing.T) {
	told := newTeller(nil, defaultProject, new(tellings)).changes("config", "web", map[string]string{"environment.TOKEN": "s3cr3t", lockKey: "1", rawKey: "x"})
	if got, want := fmt.Sprint(told), "[lxc config set web 'environment.TOKEN=…' raw.dnsmasq=x user.lxd-allowlist.lock=1]"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}
