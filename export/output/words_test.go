package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export"
)

func TestLeftOutAndWarnings(t *testing.T) {
	dir := t.TempDir()
	p := Plan{Formats: []string{"plain", "unbound"}, Path: dir}
	_, messages, err := write(t, p, listOf("192.0.2.1 .com intranet github.io .s3.amazonaws.com pastebin.com a.example"))
	lines := strings.Split(strings.TrimSuffix(messages, "\n"), "\n")
	want := []string{
		"lxd-allowlist: left out 3 names:",
		`  "192.0.2.1" is an address, not a name`,
		`  "com" is a top-level domain or a single label: as a suffix it allows everything below it`,
		`  "intranet" has no place in unbound: it can't be exact there, and is a top-level domain or a single label: as a suffix it allows everything below it`,
		"lxd-allowlist: wrote 5 rules to " + dir + "/plain.txt",
		"lxd-allowlist: wrote 4 rules to " + dir + "/unbound.conf",
		"lxd-allowlist: warning: anyone can have a name below s3.amazonaws.com, and this rule allows it",
		"lxd-allowlist: warning: anyone can have a name below github.io, and this rule allows it", // unbound alone
		"lxd-allowlist: warning: pastebin.com is a paste or file drop of Pastebin and stores what anyone sends and hands it out again",
	}
	if err != nil || !slices.Equal(lines, want) {
		t.Errorf("%v\n%s\nwant\n%s", err, messages, strings.Join(want, "\n"))
	}
}

// However many formats and names there are, a handful of lines tells which names
// reach which files.
func TestLeftOutIsGrouped(t *testing.T) {
	words := "192.0.2.1 .com _dmarc.example.com _x._tcp.example.com a_b.example.com " + strings.Repeat(strings.Repeat("l", 61)+".", 4) + "exmpl"
	for i := range 30 {
		words += fmt.Sprintf(" single%02d", i)
	}
	p := Plan{Path: t.TempDir()}
	for _, f := range export.Formats() {
		p.Formats = append(p.Formats, f.Name)
	}
	_, messages, err := write(t, p, listOf(words+" a.example"))
	if err != nil {
		t.Fatal(err)
	}
	messages, _, _ = strings.Cut(messages, "lxd-allowlist: wrote")
	for _, want := range []string{
		"lxd-allowlist: left out 36 names:\n",
		"  \"192.0.2.1\" is an address, not a name\n",
		"  \"_dmarc.example.com\", \"_x._tcp.example.com\": each has no place in squid, haproxy, ",
		"\"single06\", \"single07\", and 22 more: each has no place in pihole, gcp, claude-code, sandbox-runtime: it takes no single label\n",
	} {
		if !strings.Contains(messages, want) {
			t.Errorf("%q is not in\n%s", want, messages)
		}
	}
	if n := strings.Count(messages, "\n"); n > 12 {
		t.Errorf("%d lines:\n%s", n, messages)
	}
}

// Names that are too broad by themselves come often: they take one line. A
// comparison tells of those that came.
func TestWarningsOfExactRules(t *testing.T) {
	const names = "api.github.com dns.google github.com ngrok.io pastebin.com transfer.sh"
	const want = "lxd-allowlist: warning: 6 names open more than themselves: dns.google, github.com, api.github.com, ngrok.io, pastebin.com, and 1 more: lxd-allowlist explain NAME\n"
	if _, messages, err := write(t, Plan{Formats: []string{"plain"}}, listOf(names+" a.example")); messages != want || err != nil {
		t.Errorf("%v, %q", err, messages)
	}
	before := filepath.Join(t.TempDir(), "allow.txt")
	for _, c := range []struct{ now, want string }{
		{names, ""},
		{names + " a.example", ""},
		{strings.TrimPrefix(names, "api.github.com "), ""},
		{names + " bit.ly", "lxd-allowlist: warning: bit.ly is a link shortener of Bitly and leads to any address, which the name does not tell\n"},
	} {
		if err := os.WriteFile(before, []byte(strings.ReplaceAll(names, " ", "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, messages, err := write(t, Plan{Formats: []string{"plain"}, Diff: before}, listOf(c.now)); messages != c.want || err != nil && err != ErrChanged {
			t.Errorf("%s: %v, %q", c.now, err, messages)
		}
	}
}

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	tmpl := put(t, dir, "site.conf.tmpl", "{{range .Rules}}allow {{.Name | shell}}\n{{end}}")
	p := Plan{Formats: []string{"template=" + tmpl}}
	stdout, _, err := write(t, p, listOf("a.example b.example"))
	if err != nil || stdout != "allow 'a.example'\nallow 'b.example'\n" {
		t.Errorf("%q, %v", stdout, err)
	}
	p.Path = put(t, dir, "old", "allow nothing\n")
	if _, _, err := write(t, p, listOf("a.example")); !errors.Is(err, fs.ErrExist) || !strings.HasSuffix(err.Error(), "--overwrite replaces it") {
		t.Errorf("over a file: error %v", err)
	}
	p.Overwrite = true
	if _, messages, err := write(t, p, listOf("a.example")); err != nil || messages != "lxd-allowlist: wrote 1 rule to "+p.Path+"\n" {
		t.Errorf("over a file: %q, %v", messages, err)
	}
}

func TestFormats(t *testing.T) {
	rows := FormatTable()
	if len(rows) != len(export.Formats())+2 || rows[2][0] != "squid" || !strings.HasPrefix(rows[2][3], "asked in Squid 4.13 to ") {
		t.Errorf("%q", rows)
	}
	for name, word := range map[string]string{"unbound": "widens", "cilium": "ports", "squid": "check", "SQUID": "load", "template": "extension", "template=x": "load"} {
		f, err := Describable(name)
		if err != nil {
			t.Fatal(err)
		}
		words := make(map[string]string)
		for _, row := range Description(f) {
			words[row[0]] = row[1]
		}
		if words[word] == "" || (words["ports"] != "") != f.Ports {
			t.Errorf("%s: want %s in %q", name, word, words)
		}
		if lines := strings.Split(words["load"], "\n"); strings.EqualFold(name, "squid") && (len(lines) != 10 || lines[9] != "http_access deny all") {
			t.Errorf("squid is loaded by %q", lines)
		}
	}
	if _, err := Describable("nothing"); err == nil {
		t.Error("there is a format nothing")
	}
	if got := steps(`BIND: zone { a; b; }; "c; d" (e; f); g`); !slices.Equal(got, []string{"BIND: zone { a; b; }", `"c; d" (e; f)`, "g"}) {
		t.Errorf("%q", got)
	}
}
