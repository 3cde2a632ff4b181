package cli

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/lxd/lxdtest"
)

// An instance that is restarted meanwhile is held all the same, whether its
// end on the host has another name then or the same.
func TestVerifyAcrossARestart(t *testing.T) {
	for _, host := range []string{"", "lat-fixed"} {
		t.Run("host_name "+host, func(t *testing.T) { verifyAcrossARestart(t, host, false) })
	}
	t.Run("another address", func(t *testing.T) { verifyAcrossARestart(t, "", true) })
}

// setNIC stops an instance, sets a key of its network device and starts it.
func setNIC(t *testing.T, instance, key, value string) {
	t.Helper()
	c := lxdtest.Client(t)
	lxdtest.Stop(t, instance)
	i, tag, err := c.GetInstance(instance)
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range i.ExpandedDevices {
		if d["type"] == "nic" {
			i.Devices[name] = maps.Clone(d)
			i.Devices[name][key] = value
		}
	}
	op, err := c.UpdateInstance(instance, i.Writable(), tag)
	if err == nil {
		err = op.Wait()
	}
	if err == nil {
		err = lxdtest.Server(t).Start(t.Context(), instance)
	}
	if err != nil {
		t.Fatal(err)
	}
	lxdtest.Address(t, instance)
}

// readdress stops an instance and starts it with another address.
func readdress(t *testing.T, instance, bridge string) {
	t.Helper()
	was := lxdtest.Address(t, instance)
	p, err := netip.ParsePrefix(lxdtest.Network(t, bridge).Config["ipv4.address"])
	if err != nil {
		t.Fatal(err)
	}
	other := p.Addr().Next()
	if other.String() == was {
		other = other.Next()
	}
	setNIC(t, instance, "ipv4.address", other.String())
	if now := lxdtest.Address(t, instance); now != other.String() {
		t.Fatalf("it has %s, and was to have %s in place of %s", now, other, was)
	}
}

func verifyAcrossARestart(t *testing.T, host string, readdressed bool) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	if host != "" {
		setNIC(t, instance, "host_name", host)
	}
	c := start(t, "verify", "--strict", "--report", "report.md", instance, list(t, "a.example.test"))
	told := inForce(t, c)
	if readdressed {
		readdress(t, instance, bridge)
	} else {
		lxdtest.Stop(t, instance)
		if err := lxdtest.Server(t).Start(t.Context(), instance); err != nil {
			t.Fatal(err)
		}
		lxdtest.Address(t, instance)
	}
	if code := lxdtest.Run(t, instance, "nslookup", "b.example.test"); code == 0 {
		t.Error("a name that isn't allowed was looked up")
	}
	if code := lxdtest.Run(t, instance, "nslookup", "a.example.test"); code != 0 {
		t.Errorf("the look-up of an allowed name ended with %d", code)
	}
	_ = c.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	_ = c.Wait()
	text, err := os.ReadFile(filepath.Join(c.Dir, "report.md"))
	if err != nil || !strings.Contains(string(text), "the list stayed in force.") || strings.Contains(string(text), "not proven") {
		t.Errorf("%v: %s", err, text)
	}
	nothingLeft(t, instance)
}

// foreign is a MAC address that is nobody's.
var foreign = net.HardwareAddr{0x00, 0x16, 0x3e, 0xff, 0xff, 0x01}

// spoof has an instance begin its next start with frames of a MAC address that
// isn't its own, as fast as it can, and go on as ever then. LXD takes its addresses
// for link-local ones, so that the tests don't for its own.
const spoof = `cat >/sbin/spoof <<'EOF'
own=$(cat /sys/class/net/eth0/address)
ip link set eth0 address %s
ip link set eth0 up
ip addr add 169.254.7.254/16 dev eth0
for n in $(seq 1 150); do ping -c 1 -W 1 169.254.7.$n >/dev/null 2>&1 & done
wait
ip addr flush dev eth0
ip link set eth0 down
ip link set eth0 address $own
rm /sbin/spoof
EOF
sed -i '3i [ ! -e /sbin/spoof ] || . /sbin/spoof' /sbin/init`

// framesOn counts what passes an interface and is meant.
func framesOn(t *testing.T, name string, meant func(frame []byte) bool) *atomic.Int64 {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	const all = uint16(unix.ETH_P_ALL)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(all<<8|all>>8))
	if err != nil {
		t.Fatal(err)
	}
	frames := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { frames.Close() })
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8, Ifindex: i.Index}); err != nil {
		t.Fatal(err)
	}
	n := new(atomic.Int64)
	go func() {
		b := make([]byte, 128)
		for {
			got, err := frames.Read(b)
			if err != nil {
				return
			}
			if got >= 14 && meant(b[:got]) {
				n.Add(1)
			}
		}
	}()
	return n
}

// Between its start and the moment at which its new end on the host is known
// nothing gets out of an instance that sends by another MAC address from its
// first breath.
func TestNothingGetsOutAtARestart(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	frames := framesOn(t, bridge, func(frame []byte) bool { return bytes.Equal(frame[6:12], foreign) })
	restart := func() {
		t.Helper()
		if code := lxdtest.Run(t, instance, "sh", "-c", fmt.Sprintf(spoof, foreign)); code != 0 {
			t.Fatalf("the instance can't be made to spoof: %d", code)
		}
		lxdtest.Stop(t, instance)
		if err := lxdtest.Server(t).Start(t.Context(), instance); err != nil {
			t.Fatal(err)
		}
		lxdtest.Address(t, instance)
	}
	restart()
	if frames.Load() == 0 {
		t.Fatal("without a list in force nothing gets out either")
	}
	c := start(t, "verify", "--strict", "--report", "report.md", instance, list(t, "a.example.test"))
	told := inForce(t, c)
	before := frames.Load()
	restart()
	if n := frames.Load() - before; n != 0 {
		t.Errorf("%d frames got out, of %d without a list in force", n, before)
	}
	_ = c.Process.Signal(syscall.SIGINT)
	for told.Scan() {
	}
	_ = c.Wait()
	text, err := os.ReadFile(filepath.Join(c.Dir, "report.md"))
	if err != nil || !strings.Contains(string(text), "the list stayed in force") || !strings.Contains(string(text), "frame 0x0806") {
		t.Errorf("%v: %s", err, text)
	}
	t.Logf("%d frames get out without a list in force, %d with", before, frames.Load()-before)
	nothingLeft(t, instance)
}
