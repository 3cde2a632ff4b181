package lxd

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Of all processes a network's own dnsmasq alone is ended, and of LXD's notes
// one alone that tells no process; neither where LXD was refused by another.
func TestEndLost(t *testing.T) {
	taken := errors.New("dnsmasq: failed to create listening socket: Address already in use")
	torn := errors.New("Unable to kill dnsmasq: Could not kill process: os: process not initialized")
	s := &Server{socket: filepath.Join(t.TempDir(), "unix.socket")}
	dir := s.networkDir("br")
	pretend(t, "dnsmasq", "--dhcp-leasefile="+dir+"2/dnsmasq.leases", false)
	pretend(t, "dnsmasq", "--comment="+filepath.Dir(dir), false)
	pretend(t, "other", "--dhcp-leasefile="+dir+"/dnsmasq.leases", false)
	pretend(t, "/usr/sbin/dnsmasq", "--dhcp-leasefile="+dir+"/dnsmasq.leases", true)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir, "dnsmasq.pid")
	for _, c := range []struct {
		refused    error
		note, left string
		mended     bool
	}{
		{errors.New("Failed to notify peer"), "", "", false},
		{nil, "", "", false},
		{taken, "", "", true}, // the process
		{taken, "", "", false},
		{torn, "name: dnsmasq\npid: 12\n", "name: dnsmasq\npid: 12\n", false},
		{torn, "name: dnsmasq\npid: 0\n", "gone", true},
		{torn, "", "gone", true},
	} {
		if err := os.WriteFile(note, []byte(c.note), 0o600); err != nil {
			t.Fatal(err)
		}
		mended, err := s.endLost(t.Context(), "br", c.refused)
		left, gone := os.ReadFile(note)
		if gone != nil {
			left = []byte("gone")
		}
		if err != nil || mended != c.mended || string(left) != c.left {
			t.Errorf("refused by %v, noted %q: mended %v, %v, left %q", c.refused, c.note, mended, err, left)
		}
	}
	if mended, err := s.endLost(t.Context(), "br", torn); mended || err != nil {
		t.Errorf("without a note: %v, %v", mended, err)
	}
	if _, err := (&Server{name: "far"}).endLost(t.Context(), "br", taken); err == nil {
		t.Error("that of another machine was ended")
	}
}

// pretend runs a process that calls itself name and has an argument, and sees
// in the end whether it was killed.
func pretend(t *testing.T, name, arg string, killed bool) {
	t.Helper()
	c := exec.Command("/bin/sh")
	c.Args = []string{name, "-c", "echo up; read line; exit 0", "sh", arg}
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err == nil {
		_, err = io.ReadFull(stdout, make([]byte, len("up\n")))
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := <-ended; (err != nil) != killed {
			t.Errorf("%s %s ended with %v", name, arg, err)
		}
	})
}
