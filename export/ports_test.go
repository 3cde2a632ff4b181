package export

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// What a format says of ports is what ports do to its file.
func TestPortsField(t *testing.T) {
	c := compile(t, "www.example.com")
	for _, f := range Formats() {
		some, errSome := Render(f, c, Options{Ports: []int{443}})
		others, errOthers := Render(f, c, Options{Ports: []int{443, 80, 8443}})
		if errSome != nil || errOthers != nil || bytes.Equal(some, others) == f.Ports {
			t.Errorf("%s: it has ports %v, %v, %v\n%s", f.Name, f.Ports, errSome, errOthers, others)
		}
	}
}

// A file in which all below a name has other ports than the name is another
// than ours.
func TestPortsOfOneName(t *testing.T) {
	c := compile(t, "www.example.com example.net .example.net")
	for _, test := range []struct{ format, port, other string }{
		{"harden-runner", ":80\n", ":81\n"}, {"openshell", "port: 80}", "port: 81}"}, {"openshift", "port: 80}", "port: 81}"},
		{"openshift", "TCP, port: 80}", "UDP, port: 80}"},
	} {
		f, err := Lookup(test.format)
		if err != nil {
			t.Fatal(err)
		}
		data, err := Render(f, c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		last := strings.LastIndex(string(data), test.port)
		text := string(data[:last]) + test.other + string(data[last+len(test.port):])
		if _, err := f.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), "ports of its own") {
			t.Errorf("%s: %v of\n%s", f.Name, err, text)
		}
	}
}

// Ports of UDP that were seen stand in the file where it can say so, and nowhere
// else: there the file says whose they are. --ports is about TCP.
func TestPortsOfUDP(t *testing.T) {
	list := rule.List{Rules: []rule.Rule{
		{Name: "quic.example.com", Seen: &rule.Seen{Watched: true, Ports: []rule.Port{port("8443/tcp"), port("443/udp")}}},
		{Name: "time.example.com", Seen: &rule.Seen{Watched: true, Ports: []rule.Port{port("123/udp"), port("0/udp")}}},
		{Name: "missed.example.com", Seen: &rule.Seen{Ports: []rule.Port{port("9000/udp")}}},
	}}
	unlike := map[string]string{"cilium": "53/any 443 80 8443 123/udp 443/udp", "gke": "443 80 8443 123/udp 443/udp", "openshift": "443 80 8443 443/udp 123/udp"}
	for _, f := range Formats() {
		if !f.Ports {
			if f.NoUDP != "" {
				t.Errorf("%s has no ports, and says of UDP %q", f.Name, f.NoUDP)
			}
			continue
		}
		ports := func(o Options) string {
			file, err := Make(list, f, o)
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if says := strings.Contains(string(file.Data), "left out: the ports of UDP of 2 rules ("+f.NoUDP+"); no others were seen of 1, where TCP's usual ones or those of --ports stand: time.example.com"); says != (f.NoUDP != "") {
				t.Errorf("%s says what it leaves out: %t\n%s", f.Name, says, file.Data)
			}
			return strings.Join(f.portsIn(file.Data), " ")
		}
		got := strings.Fields(ports(Options{}))
		slices.Sort(got)
		want := strings.Fields("443 80 8443")
		if f.Name == "envoy" { // which has no TLS at 80
			want = strings.Fields("443 8443")
		}
		if all, is := unlike[f.Name]; is {
			want = strings.Fields(all)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s names the ports %v, want %v", f.Name, got, want)
		}
		if got := strings.TrimPrefix(ports(Options{Ports: []int{7000}}), "53/any "); got != "7000" {
			t.Errorf("%s: asked for 7000 it names %v", f.Name, got)
		}
	}
	// Where names have their own, one that was seen on UDP alone has no other.
	file, err := Make(rule.List{Rules: list.Rules[1:2]}, openshift, Options{})
	if got := openshift.portsIn(file.Data); err != nil || !slices.Equal(got, []string{"123/udp"}) {
		t.Errorf("openshift names %v, %v", got, err)
	}
}

// A port of UDP isn't lost for one of TCP of the same number.
func TestMergeKeepsUDP(t *testing.T) {
	seen := func(name string, ports ...rule.Port) rule.List {
		return rule.List{Rules: []rule.Rule{{Name: name, Seen: &rule.Seen{Watched: true, Ports: ports}}}}
	}
	both, tcp := seen("a.example.com", port("443/tcp"), port("443/udp")), seen("b.example.com", port("443/tcp"))
	for _, f := range []Format{cilium, openshift, gke} {
		path := filepath.Join(t.TempDir(), "list")
		file, err := Make(both, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		put(t, path, string(file.Data), 0o644)
		there, err := Look(f, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := there.Merge(tcp, f, Options{}); err == nil || !strings.Contains(err.Error(), "names port 443/udp") || strings.Contains(err.Error(), "--ports") {
			t.Errorf("%s: %v", f.Name, err)
		}
		if _, err := there.Merge(rule.List{Rules: append(tcp.Rules, both.Rules...)}, f, Options{}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// Cilium takes no file with more ports in one place.
func TestManyPortsOfCilium(t *testing.T) {
	seen := &rule.Seen{Watched: true}
	for n := range uint16(100) {
		seen.Ports = append(seen.Ports, rule.Port{Number: 50000 + n, Protocol: "udp"})
	}
	file, err := Make(rule.List{Rules: []rule.Rule{{Name: "www.example.com", Seen: seen}}}, cilium, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for entry := range strings.SplitSeq(string(file.Data), "- ports:") {
		if n := strings.Count(entry, "protocol: UDP"); n > 40 {
			t.Errorf("an entry has %d ports", n)
		}
	}
	if got := cilium.portsIn(file.Data); len(got) != 101 { // and 53
		t.Errorf("it names %d ports", len(got))
	}
}

// What makes a list of Claude Code's an allow-list can't get lost.
func TestClaudeCodeStaysStrict(t *testing.T) {
	data, err := Render(claudeCode, compile(t, "www.example.com"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"enabled", "failIfUnavailable", "strictAllowlist"} {
		if _, err := claudeCode.Decode([]byte(strings.Replace(string(data), field+`": true`, field+`": false`, 1))); err == nil {
			t.Errorf("nobody misses %s", field)
		}
	}
	if _, err := claudeCode.Decode([]byte(strings.Replace(string(data), `Commands": false`, `Commands": true`, 1))); err == nil {
		t.Error("nobody minds commands without the sandbox")
	}
}

// Ports are looked for where the word before them stands.
func TestWordBeforePorts(t *testing.T) {
	for _, f := range formats {
		if f.port == nil || strings.Contains(f.port.String(), `\n`) {
			continue
		}
		word := beforeNumber(f.port.String())
		if m := f.port.FindString(word + "443"); word == "" || m != word+"443" || f.port.MatchString("443") {
			t.Errorf("%s: %q is no word before %s", f.Name, word, f.port)
		}
	}
}
