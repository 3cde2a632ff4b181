package lxdtest

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Cluster is an LXD of several members, each in a network namespace of its own,
// which a test may kill and start.
type Cluster struct {
	Members []*Daemon
	dir     string
	netns   []string
}

// NewCluster starts a cluster of three. Until the test's end its first member is
// the one that everything here, and the program, connects to. It is for
// networks alone: it has no storage.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	Client(t)                           // LXD is installed, and the run isn't a short one
	dir, err := os.MkdirTemp("", "lxc") // short: a socket's path has at most 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{dir: dir}
	t.Setenv("LXD_DIR", filepath.Join(dir, "1", "lxd"))
	t.Cleanup(c.remove)
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	name := filepath.Base(dir) // by which .ci/test finds what a test leaves that is ended
	c.netns = append(c.netns, name)
	ip("netns", "add", name)
	ip("-n", name, "link", "add", "lan", "type", "bridge")
	ip("-n", name, "link", "set", "lan", "up")
	for n := 1; n <= 3; n++ {
		d := &Daemon{t: t, dir: filepath.Join(dir, fmt.Sprint(n)), netns: fmt.Sprint(name, n)}
		if err := os.MkdirAll(d.Dir(), 0o711); err != nil {
			t.Fatal(err)
		}
		c.netns = append(c.netns, d.netns)
		port := fmt.Sprint("port", n)
		ip("netns", "add", d.netns)
		ip("-n", name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", d.netns)
		ip("-n", name, "link", "set", port, "master", "lan", "up")
		ip("-n", d.netns, "link", "set", "lo", "up")
		ip("-n", d.netns, "address", "add", memberAddress(n)+"/24", "dev", "eth0")
		ip("-n", d.netns, "link", "set", "eth0", "up")
		d.Start()
		c.Members = append(c.Members, d)
		c.join(n)
	}
	return c
}

func memberAddress(n int) string { return fmt.Sprint("10.97.0.", n) }

// join makes a member found the cluster, or join it.
func (c *Cluster) join(n int) {
	first, d := c.Members[0], c.Members[n-1]
	d.t.Helper()
	preseed := fmt.Sprintf("config:\n  core.https_address: %s:8443\ncluster:\n  server_name: m1\n  enabled: true\n", memberAddress(1))
	if n > 1 {
		out, err := first.command("lxc", "cluster", "add", "--quiet", fmt.Sprint("m", n)).Output()
		if err != nil {
			d.t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		preseed = fmt.Sprintf("cluster:\n  enabled: true\n  server_address: %s:8443\n  cluster_token: %s\n", memberAddress(n), lines[len(lines)-1])
	}
	init := d.command("lxd", "init", "--preseed")
	init.Stdin = strings.NewReader(preseed)
	if out, err := init.CombinedOutput(); err != nil {
		d.t.Fatalf("lxd init: %v: %s", err, out)
	}
}

// Bridge makes a bridge with [Raw] on all members.
func (c *Cluster) Bridge(t testing.TB) string {
	t.Helper()
	name := "lat" + strings.ToLower(rand.Text()[:8])
	first := c.Members[0]
	for n := range c.Members {
		first.run("lxc", "network", "create", "--quiet", name, "--target", fmt.Sprint("m", n+1))
	}
	v4, _ := subnet()
	first.run("lxc", "network", "create", "--quiet", name, "ipv4.address="+v4, "ipv4.nat=false", "ipv6.address=none", "raw.dnsmasq="+Raw(t))
	return name
}

// remove ends the members and what runs for them, and removes all of it: their
// bridges go with the namespaces.
func (c *Cluster) remove() {
	for _, d := range c.Members {
		d.Kill()
	}
	for _, pid := range processes(c.dir + "/") {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	for _, name := range c.netns {
		_ = exec.Command("ip", "netns", "delete", name).Run() // it may not have been made
	}
	_ = os.RemoveAll(c.dir)
}
