package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// A log is pruned without any LXD, and followed as it grows.
func TestOpenLog(t *testing.T) {
	t.Setenv("LXD_DIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "dns.log")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("Nov 24 10:00:00 dnsmasq[1]: query[A] www.example.com from 10.0.0.5\n" +
		"Nov 24 10:00:01 dnsmasq[1]: query[HTTPS] cdn.example.net from 10.0.0.5\n")
	s := open(t, 100, 30, "open", "--follow", path)
	s.row("new", "www.example.com", "A")
	s.row("new", "cdn.example.net", "HTTPS")
	write("Nov 24 10:00:02 dnsmasq[1]: query[A] late.example.org from 10.0.0.5\n")
	s.row("new", "late.example.org")
	s.keys("/")
	s.types("type:https")
	s.sees("1 of 3")
	s.keys("d")
	s.row("✗ drop", "cdn.example.net")
	s.keys("u")
	s.sees("undid: drop cdn.example.net")
	s.keys("U")
	s.row("✗ drop", "cdn.example.net")
	s.keys("Escape")
	s.row("new", "www.example.com")
	s.keys("q")
	s.sees("2 rules", "dns-allowlist.txt")
	s.keys("Enter")
	s.exits(0)
	if got, want := s.file("dns-allowlist.txt"), "late.example.org\nwww.example.com\n"; got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

// The palette leads from one session to another, and who only looks at the one
// decides nothing in the other.
func TestLookingGoesOn(t *testing.T) {
	t.Setenv("LXD_DIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "dns.log")
	if err := os.WriteFile(path, []byte("query[A] www.example.com from 10.0.0.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, 100, 30, "open", path)
	s.row("new", "www.example.com")
	s.keys("a")
	s.row("keep", "www.example.com")
	s.quits()
	s.start(100, 30, "open", "--read-only", path)
	s.row("new", "www.example.com")
	s.keys(":")
	s.sees("What can be done")
	s.tmux("send-keys", "-l", "--", "leave this one")
	s.sees("leave this one and look at ")
	s.keys("Enter")
	s.row("keep", "www.example.com")
	s.keys("d")
	s.sees("the session is only looked at")
	s.quits()
}
