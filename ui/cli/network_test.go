package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// A list that is too long for a command line goes into a network's raw.dnsmasq,
// beside what that has, by the command that its format names; the bridge's
// dnsmasq then answers its names and no others.
func TestLongListIntoNetwork(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	own := ownRaw(t)
	f, err := export.Lookup("lxd-raw-dnsmasq")
	if err != nil {
		t.Fatal(err)
	}
	rules := make([]rule.Rule, 5000)
	for i := range rules {
		rules[i].Name = fmt.Sprintf("h%d.a-rather-long-label-of-a-name.example.test", i)
	}
	c, _ := rule.Compile(rule.List{Rules: rules})
	list, err := export.Render(f, c, export.Options{})
	const longestArgument = 128 << 10
	if err != nil || len(list) <= longestArgument {
		t.Fatalf("%d bytes, %v", len(list), err)
	}
	raw := own + string(list)
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	command, _, _ := strings.Cut(f.Load, ";")
	command = strings.NewReplacer("NETWORK", bridge, "FILE", path).Replace(command)
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v, %s", command, err, out)
	}
	n := lxdtest.Network(t, bridge)
	if got := n.Config["raw.dnsmasq"]; strings.TrimSpace(got) != strings.TrimSpace(raw) {
		t.Errorf("raw.dnsmasq has %d bytes, and the file %d", len(got), len(raw))
	}
	gateway, _, err := net.ParseCIDR(n.Config["ipv4.address"])
	if err != nil {
		t.Fatal(err)
	}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort(gateway.String(), "53"))
	}}
	for name, passes := range map[string]bool{rules[0].Name: true, rules[4999].Name: true, "h5000.a-rather-long-label-of-a-name.example.test": false, "x." + rules[0].Name: false, "example.test": false} {
		_, err := resolver.LookupHost(t.Context(), name+".")
		var refused *net.DNSError
		if passes && err != nil || !passes && !(errors.As(err, &refused) && refused.IsNotFound) {
			t.Errorf("%s: %v, want it to pass: %t", name, err, passes)
		}
	}
}
