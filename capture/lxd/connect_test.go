package lxd

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSplitTarget(t *testing.T) {
	for target, want := range map[string][2]string{
		"": {"", ""}, "c1": {"", "c1"}, "r:c1": {"r", "c1"}, "r:": {"r", ""}, ":c1": {"", "c1"}, "r:a:b": {"r", "a:b"},
	} {
		if remote, name := SplitTarget(target); remote != want[0] || name != want[1] {
			t.Errorf("SplitTarget(%q) = %q, %q", target, remote, name)
		}
	}
}

// alone has Connect find nothing but what the test gives it.
func alone(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for _, name := range []string{"LXD_CONF", "LXD_GLOBAL_CONF", "LXD_DIR", "LXD_SOCKET", "LXC_REMOTE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	return home
}

func configure(t *testing.T, dir, content string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestConnectWithoutLXD(t *testing.T) {
	home := alone(t)
	t.Setenv("LXD_DIR", home)
	for range 2 {
		_, err := Connect(t.Context(), "")
		if !errors.Is(err, ErrNoLXD) || !strings.Contains(err.Error(), home) || !strings.Contains(err.Error(), "snap install lxd") {
			t.Errorf("without a daemon it said %v", err)
		}
		// The next time there is a socket that a dead daemon left.
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(home, "unix.socket")})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		_ = l.Close()
		_ = os.Rename(filepath.Join(home, "unix.socket"), filepath.Join(home, "left.socket"))
		t.Setenv("LXD_SOCKET", filepath.Join(home, "left.socket"))
	}
}

func TestConnectToRemotes(t *testing.T) {
	for _, test := range []struct{ what, remote, default_, says string }{
		{"unknown", "nowhere", "", `no remote "nowhere"`},
		{"images", "images", "", "images only"},
		{"the snap's configuration", "snapped", "", "/snapped.socket"},
		{"the default", "", "", "/local.socket"},
		{"another default", "", "snapped", "/snapped.socket"},
	} {
		t.Run(test.what, func(t *testing.T) {
			home := alone(t)
			t.Setenv("LXD_SOCKET", home+"/local.socket")
			t.Setenv("LXC_REMOTE", test.default_)
			configure(t, filepath.Join(home, "snap/lxd/common/config"), "remotes:\n  snapped:\n    addr: unix://"+home+"/snapped.socket\n")
			if _, err := Connect(t.Context(), test.remote); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("it said %v", err)
			}
		})
	}
}

func TestBrokenConfigurationIsNamed(t *testing.T) {
	home := alone(t)
	configure(t, filepath.Join(home, ".config/lxc"), "\t{")
	if _, err := Connect(t.Context(), ""); err == nil || !strings.Contains(err.Error(), ".config/lxc") {
		t.Errorf("it said %v", err)
	}
}

func TestDnsmasqLog(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if got, want := dnsmasqLog("br", []string{first, second}), filepath.Join(first, "dnsmasq.br.log"); got != want {
		t.Errorf("where there is none it is %s", got)
	}
	log := filepath.Join(second, "dnsmasq.br.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := dnsmasqLog("br", []string{first, second}); got != log {
		t.Errorf("it is %s", got)
	}
	t.Setenv("LXD_DIR", "/set")
	if dirs := logDirs("/a/unix.socket"); dirs[0] != "/set/logs" || dirs[1] != "/a/logs" {
		t.Errorf("the log directories are %v", dirs)
	}
}

func TestRemoveLogRemovesOurOwnAlone(t *testing.T) {
	theirs := filepath.Join(t.TempDir(), "theirs.log")
	if err := os.WriteFile(theirs, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{theirs, ownLogs + "/.." + "/../.." + theirs, "", "relative"} {
		if err := removeLog(path); err != nil {
			t.Errorf("removeLog(%q): %v", path, err)
		}
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
}

func TestFraction(t *testing.T) {
	for text, want := range map[string]float64{
		"rootfs: 65% (33.4MB/s)": 0.65, "100% (1MB/s)": 1, "metadata: 0%": 0, "12.3MB (1MB/s)": -1, "": -1, "x%": -1,
	} {
		if got := fraction(text); got != want {
			t.Errorf("fraction(%q) = %v", text, got)
		}
	}
}
