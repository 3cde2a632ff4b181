package cli

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/witness"
)

var update = flag.Bool("update", false, "write the sample session anew")

// Who is at work in the sample.
var (
	timesync = &witness.Process{PID: 211, Comm: "systemd-timesyn", Exe: "/usr/lib/systemd/systemd-timesyncd", User: "systemd-timesync", Parents: []string{"systemd"}}
	apt      = &witness.Process{PID: 1204, Comm: "http", Exe: "/usr/lib/apt/methods/http", User: "_apt", Parents: []string{"apt", "sudo", "bash"}, Command: "sudo apt update"}
	snapd    = &witness.Process{PID: 390, Comm: "snapd", Exe: "/usr/lib/snapd/snapd", User: "root", Parents: []string{"systemd"}}
	git      = &witness.Process{PID: 2210, Comm: "git-remote-http", Exe: "/usr/lib/git-core/git-remote-http", User: "ubuntu", Parents: []string{"git", "bash"}, Command: "git clone https://github.com/example/shop"}
	npm      = &witness.Process{PID: 2391, Comm: "npm ci", Exe: "/usr/bin/node", Args: []string{"npm", "ci"}, User: "ubuntu", Parents: []string{"bash"}, Command: "npm ci"}
	pip      = &witness.Process{PID: 2544, Comm: "pip", Exe: "/usr/bin/python3.12", Args: []string{"pip", "install", "-r", "requirements.txt"}, User: "ubuntu", Parents: []string{"bash"}, Command: "pip install -r requirements.txt"}
	dockerd  = &witness.Process{PID: 641, Comm: "dockerd", Exe: "/usr/bin/dockerd", User: "root", Parents: []string{"systemd"}}
	shop     = &witness.Process{PID: 2802, Comm: "node", Exe: "/usr/bin/node", Args: []string{"node", "server.js"}, User: "ubuntu", Parents: []string{"npm start", "bash"}, Command: "npm start"}
	curl     = &witness.Process{PID: 2930, Comm: "curl", Exe: "/usr/bin/curl", User: "ubuntu", Parents: []string{"bash"}, Command: "curl -s https://api.example.com/health"}
)

// scenes of the sample: what is entered at a second, and what is asked for then,
// by whom. A name with a type in front of it is asked for with that; one with "NX"
// has no answer. What has an address is connected to, at 443/tcp or where "@" says,
// and at "@" alone nowhere.
var sampleScenes = []struct {
	at    int // seconds
	line  string
	by    *witness.Process
	names string
}{
	{0, "", timesync, "connectivity-check.ubuntu.com@80/tcp ntp.ubuntu.com@123/udp NX:wpad.lxd PTR:1.12.97.10.in-addr.arpa"},
	{9, "sudo apt update", apt, "archive.ubuntu.com@80/tcp security.ubuntu.com@80/tcp esm.ubuntu.com SRV:_http._tcp.archive.ubuntu.com"},
	{40, "sudo apt install -y nginx nodejs npm", apt, "archive.ubuntu.com@80/tcp motd.ubuntu.com changelogs.ubuntu.com@"},
	{75, "sudo snap refresh", snapd, "api.snapcraft.io canonical-bos01.cdn.snapcraftcontent.com canonical-lgw01.cdn.snapcraftcontent.com@ canonical-lcy01.cdn.snapcraftcontent.com@ storage.snapcraftcontent.com"},
	{110, "git clone https://github.com/example/shop && cd shop", git, "github.com codeload.github.com objects.githubusercontent.com avatars.githubusercontent.com@"},
	{140, "npm ci", npm, "registry.npmjs.org registry.yarnpkg.com nodejs.org api.github.com objects.githubusercontent.com NX:registry.npmjs.org.lxd telemetry.nextjs.org opencollective.com@"},
	{180, "pip install -r requirements.txt", pip, "pypi.org files.pythonhosted.org download.pytorch.org"},
	{215, "docker pull postgres:18", dockerd, "registry-1.docker.io auth.docker.io production.cloudflare.docker.com docker-images-prod.s3.dualstack.us-east-1.amazonaws.com hub.docker.com@"},
	{250, "npm start", shop, "api.stripe.com m.stripe.network hooks.slack.com o447951.ingest.sentry.io api.segment.io cdn.segment.com fonts.googleapis.com@ fonts.gstatic.com@ www.googletagmanager.com region1.google-analytics.com HTTPS:shop-assets.example-cdn.net@443/udp productionresultssa0.blob.core.windows.net productionresultssa7.blob.core.windows.net productionresultssa12.blob.core.windows.net db.internal.example.com@5432/tcp NX:db.internal.example.com.lxd"},
	{290, "curl -s https://api.example.com/health", curl, "api.example.com"},
	{300, "sudo apt update", apt, "archive.ubuntu.com@80/tcp security.ubuntu.com@80/tcp esm.ubuntu.com"},
	{330, "npm test", npm, "registry.npmjs.org"},
}

// sampleWays are what goes round the bridge's DNS, each behind the scene of its
// second.
var sampleWays = map[int]witness.Bypass{
	215: {Kind: witness.Resolver, To: netip.MustParseAddrPort("8.8.8.8:53"), Protocol: "udp", Name: "registry-1.docker.io", Process: dockerd},
	250: {Kind: witness.Bare, To: netip.MustParseAddrPort("203.0.113.40:6379"), Protocol: "tcp", Process: shop},
	290: {Kind: witness.DoH, To: netip.MustParseAddrPort("1.1.1.1:443"), Protocol: "tcp", Name: "cloudflare-dns.com", Process: shop},
}

// The sample plays: everything in it comes up in its time, and a command has
// its names. With -update it is written anew.
func TestSample(t *testing.T) {
	if *update {
		writeSample(t)
	}
	written, err := os.ReadFile("sample.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	p, err := session.PlayFrom("sample", bytes.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := p.Span()
	last := sampleScenes[len(sampleScenes)-1]
	if got := end.Sub(begin); got < time.Duration(last.at)*time.Second || got > 7*time.Minute {
		t.Errorf("it lasts %v", got)
	}
	p.To(end).Read(func(r capture.Reader) {
		for _, s := range sampleScenes {
			for name := range strings.FieldsSeq(s.names) {
				name, _, _ = strings.Cut(name[strings.IndexByte(name, ':')+1:], "@")
				if _, ok := r.Lookup(name); !ok {
					t.Errorf("nobody asks for %s", name)
				}
			}
		}
		if got := r.Info(); got.Subject() != "shop on lxdbr0" || got.Program != "" || got.Server != "local" {
			t.Errorf("it is about %+v", got)
		}
		if n := len(r.Commands()); n != len(sampleScenes)-1 {
			t.Errorf("it has %d commands", n)
		}
		if !r.Watch().Whole() {
			t.Errorf("it is watched %s", r.Watch())
		}
		if ways, _, _ := r.Bypasses(); len(ways) != len(sampleWays) {
			t.Errorf("%d ways round DNS, want %d", len(ways), len(sampleWays))
		}
		if r.Decided() || len(r.Doubts()) > 0 {
			t.Errorf("something is decided in it, or doubtful: %v", r.Doubts())
		}
	})
}

func writeSample(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	begin := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	s, err := session.Create(capture.Info{Server: "local", Instance: "shop", Network: "lxdbr0", Domain: "lxd", Search: []string{"lxd"}, Started: begin})
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger.SetOwners(map[string]string{"10.97.12.5": "shop"})
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	journal := func() string {
		text, err := os.ReadFile(filepath.Join(dir, sessionOf(s.Ledger)+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	s.Ledger.BeginWatch(capture.Packets|capture.Processes, begin, "", time.Time{})
	book, spoken := s.Ledger.Book(), map[string]string{"443/tcp": "tls", "443/udp": "quic", "80/tcp": "http"}
	for _, scene := range sampleScenes {
		at := begin.Add(time.Duration(scene.at) * time.Second)
		if scene.line != "" {
			s.Ledger.Entered(capture.Command{At: at, Line: scene.line})
		}
		for i, name := range strings.Fields(scene.names) {
			at = at.Add(time.Duration(700+400*(i%4)) * time.Millisecond)
			address := "192.0.2." + string(rune('1'+i%9))
			name, to, said := strings.Cut(name, "@")
			kind, bare, typed := strings.Cut(name, ":")
			if !typed {
				kind, bare = "A", name
			}
			if !said && kind == "A" {
				to = "443/tcp"
			}
			answer := "reply " + bare + " is " + address
			if kind == "NX" {
				kind, answer = "A", "reply "+bare+" is NXDOMAIN"
				to = ""
			}
			s.Ledger.Feed([]byte("query["+kind+"] "+bare+" from 10.97.12.5\n"+answer+"\n"), at, false)
			book.Asked(bare, scene.by, at)
			if kind == "A" && !strings.HasSuffix(answer, "NXDOMAIN") {
				s.Ledger.Feed([]byte("query[AAAA] "+bare+" from 10.97.12.5\nreply "+bare+" is NODATA-IPv6\n"), at.Add(3*time.Millisecond), false)
				book.Asked(bare, scene.by, at)
			}
			if port, protocol, ok := strings.Cut(to, "/"); ok {
				book.Reached(witness.Reach{Names: []string{bare}, To: netip.MustParseAddrPort(address + ":" + port), Protocol: protocol, Spoken: spoken[to], Process: scene.by, At: at})
			}
		}
		if way, ok := sampleWays[scene.at]; ok {
			for way.At = at; way.At.Before(at.Add(3 * time.Second)); way.At = way.At.Add(time.Second) {
				book.Bypassed(way)
			}
		}
		// The journal has what was seen of a name right behind it, if it is written by then.
		words := strings.Fields(scene.names)
		last, _, _ := strings.Cut(words[len(words)-1], "@")
		for wrote := ""; !strings.Contains(wrote, `"witness":{"name":"`+last[strings.IndexByte(last, ':')+1:]); {
			time.Sleep(10 * time.Millisecond)
			wrote = journal()
		}
	}
	s.Ledger.EndWatch(begin.Add(340 * time.Second))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The last line has the time of the writing.
	lines := strings.SplitAfter(journal(), "\n")
	if err := os.WriteFile("sample.jsonl", []byte(strings.Join(lines[:len(lines)-2], "")), 0o644); err != nil {
		t.Fatal(err)
	}
}
