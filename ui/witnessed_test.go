package ui

import (
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
)

// Processes of the scene's instance.
var (
	method = &witness.Process{PID: 812, Host: 40812, Comm: "https", Exe: "/usr/lib/apt/methods/https", Args: []string{"/usr/lib/apt/methods/https"}, User: "_apt",
		Parents: []string{"apt", "sudo", "bash", "systemd"}, Command: "sudo apt update"}
	browser = &witness.Process{PID: 977, Host: 40977, Comm: "firefox", Exe: "/usr/lib/firefox/firefox", Args: []string{"/usr/lib/firefox/firefox", "--new-window", "https://www.example.com/?token=1"}, User: "ubuntu",
		Parents: []string{"bash", "systemd"}, Command: "firefox --new-window https://www.example.com/?token=1"}
	daemon = &witness.Process{PID: 300, Host: 40300, Comm: "ntpd", Exe: "/usr/sbin/ntpd", User: "root", Parents: []string{"systemd"}}
)

// watched shows a session whose instance is watched from its beginning.
func (s *scene) watched() *scene {
	s.session()
	l := s.m().capture.Ledger
	l.BeginWatch(capture.Packets|capture.Processes, noon.Add(-time.Minute), "", time.Time{})
	b := l.Book()
	asked := func(by *witness.Process, times int, names ...string) {
		for _, name := range names {
			for range times {
				b.Asked(name, by, noon)
			}
		}
	}
	reached := func(by *witness.Process, to, protocol, spoken string, times int, names ...string) {
		for range times {
			b.Reached(witness.Reach{Names: names, To: netip.MustParseAddrPort(to), Protocol: protocol, Spoken: spoken, Process: by, At: noon})
		}
	}
	asked(method, 2, "archive.ubuntu.com")
	reached(method, "192.0.2.1:443", "tcp", "tls", 12, "archive.ubuntu.com")
	reached(method, "192.0.2.1:80", "tcp", "http", 1, "archive.ubuntu.com")
	asked(browser, 1, "www.example.com", "a-rather-long-name-for-a-host.with.several.labels.cdn.example.com")
	reached(browser, "192.0.2.2:443", "udp", "quic", 3, "www.example.com")
	reached(browser, "192.0.2.2:443", "tcp", "tls", 2, "www.example.com", "edge.example.net")
	b.Said(witness.Reach{Names: []string{"www.example.com"}, To: netip.MustParseAddrPort("192.0.2.2:443"), Protocol: "udp", Spoken: "quic", Server: "cdn.example.net", Hidden: true})
	feed(l, noon, "query[A] time.example.net from 10.0.0.5", "reply time.example.net is 192.0.2.3")
	asked(daemon, 1, "time.example.net")
	s.m().table.Refresh(s.now)
	return s
}

// Details say who asked, from which command, what was connected to, and what
// speaks for nothing having been.
func TestWitnessedDetails(t *testing.T) {
	s := newScene(t, 120, 60).watched()
	for name, want := range map[string][]string{
		"archive.ubuntu.com": {"/usr/lib/apt/methods/https  asked ×2, connected ×13", "PID 812, user _apt, below apt, sudo, bash, systemd", "from the shell's command: sudo apt update", "443/tcp ×12", "80/tcp"},
		"www.example.com":    {"443/udp QUIC ×3", "443/tcp  perhaps ×2", "cdn.example.net ×1", "perhaps ×1: the server's name was encrypted (ECH)", "--new-window https://www.example.com/?token=1"},
		"time.example.net":   {"only resolved: nothing connected to it", "/usr/sbin/ntpd  asked ×1"},
	} {
		s.m().table.Select(name)
		s.press("enter").wants(want...)
		s.press("esc")
	}
}
