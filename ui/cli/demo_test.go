package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

var update = flag.Bool("update", false, "write the sample session anew")

// scenes of the sample: what is entered at a second, and what is asked for then.
// A name with a type in front of it is asked for with that; one with "NX" has no
// answer.
var sampleScenes = []struct {
	at    int // seconds
	line  string
	names string
}{
	{0, "", "connectivity-check.ubuntu.com ntp.ubuntu.com NX:wpad.lxd PTR:1.12.97.10.in-addr.arpa"},
	{9, "sudo apt update", "archive.ubuntu.com security.ubuntu.com esm.ubuntu.com SRV:_http._tcp.archive.ubuntu.com"},
	{40, "sudo apt install -y nginx nodejs npm", "archive.ubuntu.com motd.ubuntu.com changelogs.ubuntu.com"},
	{75, "sudo snap refresh", "api.snapcraft.io canonical-bos01.cdn.snapcraftcontent.com canonical-lgw01.cdn.snapcraftcontent.com canonical-lcy01.cdn.snapcraftcontent.com storage.snapcraftcontent.com"},
	{110, "git clone https://github.com/example/shop && cd shop", "github.com codeload.github.com objects.githubusercontent.com avatars.githubusercontent.com"},
	{140, "npm ci", "registry.npmjs.org registry.yarnpkg.com nodejs.org api.github.com objects.githubusercontent.com NX:registry.npmjs.org.lxd telemetry.nextjs.org opencollective.com"},
	{180, "pip install -r requirements.txt", "pypi.org files.pythonhosted.org download.pytorch.org"},
	{215, "docker pull postgres:18", "registry-1.docker.io auth.docker.io production.cloudflare.docker.com docker-images-prod.s3.dualstack.us-east-1.amazonaws.com hub.docker.com"},
	{250, "npm start", "api.stripe.com m.stripe.network hooks.slack.com o447951.ingest.sentry.io api.segment.io cdn.segment.com fonts.googleapis.com fonts.gstatic.com www.googletagmanager.com region1.google-analytics.com HTTPS:shop-assets.example-cdn.net productionresultssa0.blob.core.windows.net productionresultssa7.blob.core.windows.net productionresultssa12.blob.core.windows.net db.internal.example.com NX:db.internal.example.com.lxd"},
	{290, "curl -s https://api.example.com/health", "api.example.com"},
	{300, "sudo apt update", "archive.ubuntu.com security.ubuntu.com esm.ubuntu.com"},
	{330, "npm test", "registry.npmjs.org"},
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
				name = name[strings.IndexByte(name, ':')+1:]
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
	for _, scene := range sampleScenes {
		at := begin.Add(time.Duration(scene.at) * time.Second)
		if scene.line != "" {
			s.Ledger.Entered(capture.Command{At: at, Line: scene.line})
		}
		for i, name := range strings.Fields(scene.names) {
			at = at.Add(time.Duration(700+400*(i%4)) * time.Millisecond)
			kind, bare, typed := strings.Cut(name, ":")
			if !typed {
				kind, bare = "A", name
			}
			answer := "reply " + bare + " is 192.0.2." + string(rune('1'+i%9))
			if kind == "NX" {
				kind, answer = "A", "reply "+bare+" is NXDOMAIN"
			}
			s.Ledger.Feed([]byte("query["+kind+"] "+bare+" from 10.97.12.5\n"+answer+"\n"), at, false)
			if kind == "A" && !strings.HasSuffix(answer, "NXDOMAIN") {
				s.Ledger.Feed([]byte("query[AAAA] "+bare+" from 10.97.12.5\nreply "+bare+" is NODATA-IPv6\n"), at.Add(3*time.Millisecond), false)
			}
		}
	}
	s.Ledger.SetOwners(map[string]string{"10.97.12.5": "shop"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := session.Dir()
	if err != nil {
		t.Fatal(err)
	}
	journal, err := os.ReadFile(filepath.Join(dir, sessionOf(s.Ledger)+".jsonl"))
	if err == nil {
		lines := strings.SplitAfter(string(journal), "\n")
		// The last line has the time of the writing.
		err = os.WriteFile("sample.jsonl", []byte(strings.Join(lines[:len(lines)-2], "")), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
