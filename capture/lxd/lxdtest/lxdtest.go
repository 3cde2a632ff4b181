// Package lxdtest has fixtures on a real LXD for tests. It finds LXD as the
// program does, fails the test where there is none, and removes what it made.
package lxdtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
)

// Image is the alias of the image that instances are made from.
const Image = "lxd-allowlist-busybox"

// Raw returns the raw.dnsmasq that [Bridge] gives its networks: odd on purpose,
// so that byte for byte means something. It asks nobody outside: the names
// below example.test and other.test are looked up in an upstream of the test's
// own, and there are no others.
func Raw(t testing.TB) string {
	t.Helper()
	port, err := upstream()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("# kept by the tests:  two  spaces,\ta tab, ümlaut\n"+
		"no-resolv\n\n"+
		"  server=/example.test/127.0.0.1#%[1]d   # of the test\n"+
		"server = /other.test/127.0.0.1#%[1]d\n"+
		"log-queries\n\n", port)
}

// Filter has a bridge ask the tests' upstream for what that denies, too.
func Filter(t testing.TB, bridge string) {
	t.Helper()
	port, err := upstream()
	if err != nil {
		t.Fatal(err)
	}
	n := Network(t, bridge)
	for _, domain := range Filtered {
		n.Config["raw.dnsmasq"] += fmt.Sprintf("server=/%s/127.0.0.1#%d\n", domain, port)
	}
	if err := Client(t).UpdateNetwork(bridge, n, ""); err != nil {
		t.Fatal(err)
	}
}

// Description is that of [Bridge]'s networks.
const Description = "of a test;  \"quoted\" – keep it"

// patience bounds what is waited for in LXD on a machine under load.
const patience = time.Minute

// Client connects to LXD with its own client, to look behind the program.
func Client(t testing.TB) client.InstanceServer {
	t.Helper()
	c, err := client.ConnectLXDUnix("", nil)
	need(t, err)
	return c
}

// need fails a test for an LXD that can't be reached. A short run asks for
// those tests alone that need none, and leaves this one out.
func need(t testing.TB, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs an LXD: make test")
	}
	if err != nil {
		t.Fatalf("these tests need a running LXD that LXD_DIR leads to: %v", err)
	}
}

// Server connects to LXD as the program does.
func Server(t testing.TB) *lxd.Server {
	t.Helper()
	s, err := lxd.Connect(t.Context(), "")
	need(t, err)
	t.Cleanup(s.Close)
	return s
}

// Bridge makes a managed bridge with [Raw], [Description] and a user key that
// is none of ours, and returns its name.
func Bridge(t testing.TB) string {
	t.Helper()
	c := Client(t)
	name := "lat" + strings.ToLower(rand.Text()[:8]) // an interface's name has at most 15 bytes
	network := api.NetworksPost{Name: name, Type: "bridge", NetworkPut: api.NetworkPut{
		Description: Description,
		Config: map[string]string{
			"ipv4.nat": "false", "ipv6.nat": "false",
			"raw.dnsmasq":    Raw(t),
			"user.of-others": "  stays  ",
		},
	}}
	var err error
	for range 3 { // the addresses may be taken
		network.Config["ipv4.address"], network.Config["ipv6.address"] = subnet()
		if err = c.CreateNetwork(network); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("create bridge %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := c.DeleteNetwork(name); err != nil && !api.StatusErrorCheck(err, 404) {
			t.Errorf("remove bridge %s: %v", name, err)
		}
	})
	return name
}

// Network returns a bridge as its owner sees it.
func Network(t testing.TB, name string) api.NetworkPut {
	t.Helper()
	n, _, err := Client(t).GetNetwork(name)
	if err != nil {
		t.Fatalf("look up bridge %s: %v", name, err)
	}
	return n.Writable()
}

// Unchanged fails the test if a bridge isn't what [Network] told before.
func Unchanged(t testing.TB, name string, before api.NetworkPut) {
	t.Helper()
	if after := Network(t, name); !reflect.DeepEqual(after, before) {
		t.Errorf("bridge %s is %+v, was %+v", name, after, before)
	}
}

// subnet returns a bridge's addresses, at random: LXD's "auto" finds none on a
// machine whose routes cover what it looks through. The range is the one for
// benchmarks (RFC 2544), of which the tests' internets have the other half.
func subnet() (v4, v6 string) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("198.19.%d.%d/28", b[1], b[7]&^15|1),
		fmt.Sprintf("fd%02x:%02x%02x:%02x%02x::1/64", b[2], b[3], b[4], b[5], b[6])
}

// Instance makes an instance on the bridge, starts it and returns its name
// when it has an address.
func Instance(t testing.TB, bridge string) string {
	t.Helper()
	name := InstanceOf(t, Image, bridge)
	if _, err := address(t.Context(), Client(t), name); err != nil {
		t.Fatalf("start instance %s: %v", name, err)
	}
	return name
}

// InstanceOf makes an instance of an image on the bridge, starts it and returns
// its name.
func InstanceOf(t testing.TB, image, bridge string) string {
	t.Helper()
	c := Client(t)
	name := "lat-" + strings.ToLower(rand.Text()[:8])
	op, err := c.CreateInstance(api.InstancesPost{
		Name: name, Type: api.InstanceTypeContainer, Start: true,
		Source: api.InstanceSource{Type: api.SourceTypeImage, Alias: image},
		InstancePut: api.InstancePut{Devices: map[string]map[string]string{
			"eth0": {"type": "nic", "name": "eth0", "network": bridge},
		}},
	})
	if err == nil {
		err = op.Wait()
	}
	if err != nil {
		t.Fatalf("create instance %s from image %s: %v", name, image, err)
	}
	t.Cleanup(func() { remove(t, name) })
	start(t, c, name)
	return name
}

// start starts an instance where the server didn't do so when it made it.
func start(t testing.TB, c client.InstanceServer, name string) {
	t.Helper()
	if !c.HasExtension("instance_create_start") {
		Start(t, name)
	}
}

// Start starts an instance.
func Start(t testing.TB, name string) {
	t.Helper()
	change(t, name, api.InstanceStatePut{Action: "start", Timeout: -1})
}

// Stop stops an instance by force.
func Stop(t testing.TB, name string) {
	t.Helper()
	change(t, name, api.InstanceStatePut{Action: "stop", Force: true, Timeout: -1})
}

func change(t testing.TB, name string, to api.InstanceStatePut) {
	t.Helper()
	op, err := Client(t).UpdateInstanceState(name, to, "")
	if err == nil {
		err = op.Wait()
	}
	if err != nil {
		t.Fatalf("%s instance %s: %v", to.Action, name, err)
	}
}

// Address returns an instance's IPv4 address.
func Address(t testing.TB, name string) string {
	t.Helper()
	a, err := address(t.Context(), Client(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// address waits for the instance to get an address.
func address(ctx context.Context, c client.InstanceServer, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		state, _, err := c.GetInstanceState(name)
		if err != nil {
			return "", fmt.Errorf("look up the state of %s: %w", name, err)
		}
		for _, a := range state.Network["eth0"].Addresses {
			if a.Family == "inet" && a.Scope == "global" {
				return a.Address, nil
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", errors.New("instance " + name + " got no address")
		}
	}
}

// remove uses a context of its own: a test's has ended by the time of its
// clean-up.
func remove(t testing.TB, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := lxd.Connect(ctx, "")
	if err == nil {
		defer s.Close()
		err = s.Remove(ctx, name)
	}
	if err != nil {
		t.Errorf("remove instance %s: %v", name, err)
	}
}

// Run runs a command in an instance and returns its exit code.
func Run(t testing.TB, name string, command ...string) (code int) {
	t.Helper()
	code, err := Server(t).Run(t.Context(), name, lxd.Command{Args: command})
	if err != nil {
		t.Fatalf("run %v in %s: %v", command, name, err)
	}
	return code
}
