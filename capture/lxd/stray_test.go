package lxd

import (
	"io"
	"os/exec"
	"path/filepath"
	"testing"
)

// Of all processes a network's own dnsmasq alone is ended.
func TestEndStrays(t *testing.T) {
	s := &Server{socket: filepath.Join(t.TempDir(), "unix.socket")}
	dir := s.networkDir("br")
	pretend(t, "dnsmasq", "--dhcp-leasefile="+dir+"2/dnsmasq.leases", false)
	pretend(t, "dnsmasq", "--comment="+filepath.Dir(dir), false)
	pretend(t, "other", "--dhcp-leasefile="+dir+"/dnsmasq.leases", false)
	pretend(t, "/usr/sbin/dnsmasq", "--dhcp-leasefile="+dir+"/dnsmasq.leases", true)
	if ended, err := s.endStrays(t.Context(), "br"); err != nil || ended != 1 {
		t.Errorf("ended %d, %v", ended, err)
	}
	if ended, err := s.endStrays(t.Context(), "br"); err != nil || ended != 0 {
		t.Errorf("ended %d more, %v", ended, err)
	}
	if _, err := (&Server{name: "far"}).endStrays(t.Context(), "br"); err == nil {
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
