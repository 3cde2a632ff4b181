package export

import (
	"bytes"
	"strings"
	"testing"
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
