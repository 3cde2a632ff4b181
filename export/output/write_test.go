package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// listOf reads names, of which one with a dot before it is a suffix.
func listOf(words string) rule.List {
	var l rule.List
	for _, w := range strings.Fields(words) {
		name, suffix := strings.CutPrefix(w, ".")
		l.Rules = append(l.Rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return l
}

// write carries out a plan and returns what it said and printed.
func write(t *testing.T, p Plan, l rule.List) (stdout, messages string, err error) {
	t.Helper()
	o, err := Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	var out, said strings.Builder
	err = o.Write(l, &out, &said)
	return out.String(), said.String(), err
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestStandardOutput(t *testing.T) {
	for _, path := range []string{"", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"} {
		stdout, messages, err := write(t, Plan{Formats: []string{"plain"}, Path: path}, listOf("b.example .a.example"))
		if stdout != ".a.example\nb.example\n" || messages != "" || err != nil {
			t.Errorf("to %q: %q, %q, %v", path, stdout, messages, err)
		}
	}
}

func TestExisting(t *testing.T) {
	for _, c := range []struct {
		format, old, list string
		overwrite         bool
		err, says         string
	}{
		{"plain", "", "a.example", false, "1 more and 0 less: + a.example; --overwrite replaces it, --merge unites both", ""},
		{"plain", "b.example\n", "a.example", false, "1 more and 1 less: + a.example, - b.example", ""},
		{"plain", "a.example\n", "a.example", false, "the new list is the same", ""},
		{"plain", "# by hand\na.example\n", "a.example", false, "the new list has the same rules", ""},
		{"plain", "two words\n", "a.example", false, "no list of the same kind (read plain: more than one word", ""},
		{"json", "no JSON\n", "a.example", false, "no list of the same kind", ""},
		{"yaml", "- a\n- b\n", "a.example", false, "no list of the same kind", ""},
		{"plain", "b.example\n", "a.example", true, "", "wrote 1 rule to PATH: 1 more and 1 less: + a.example, - b.example\n"},
		{"plain", "a.example\n", "a.example", true, "", "wrote 1 rule to PATH: the same rules\n"},
		{"plain", "two words\n", "a.example b.example", true, "", "wrote 2 rules to PATH\n"},
	} {
		path := put(t, t.TempDir(), "list", c.old)
		stdout, messages, err := write(t, Plan{Formats: []string{c.format}, Path: path, Overwrite: c.overwrite}, listOf(c.list))
		if stdout != "" {
			t.Errorf("%s over %q: standard output has %q", c.list, c.old, stdout)
		}
		if c.overwrite {
			if want := "lxd-allowlist: " + strings.ReplaceAll(c.says, "PATH", path); messages != want || err != nil || read(t, path) == c.old && !strings.Contains(want, "same") {
				t.Errorf("%s over %q: %q, %v, want %q", c.list, c.old, messages, err, want)
			}
			continue
		}
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") || messages != "" {
			t.Errorf("%s over %q: %q, %v, want %q", c.list, c.old, messages, err, c.err)
		}
		if got := read(t, path); got != c.old {
			t.Errorf("%s over %q: the file now has %q", c.list, c.old, got)
		}
	}
}

// One file that must not be replaced keeps all others from being written, and
// one that can't be made, too.
func TestAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "allow.json", "{}")
	for formats, list := range map[string]string{"plain,json": "a.example", "plain,cilium": ""} {
		_, messages, err := write(t, Plan{Formats: strings.Split(formats, ","), Path: dir + "/allow"}, listOf(list))
		if err == nil || messages != "" {
			t.Errorf("%s: %q, %v", formats, messages, err)
		}
		if _, err := os.Stat(dir + "/allow.txt"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: allow.txt was written: %v", formats, err)
		}
	}
	_, messages, err := write(t, Plan{Formats: []string{"plain", "json"}, Path: dir + "/allow", Overwrite: true}, listOf("a.example"))
	if err != nil || read(t, dir+"/allow.txt") != "a.example\n" || strings.Count(messages, "wrote 1 rule to") != 2 {
		t.Errorf("with overwrite: %q, %v", messages, err)
	}
}

func TestNotRegular(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := write(t, Plan{Formats: []string{"plain"}, Path: fifo, Overwrite: true}, listOf("a.example"))
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
}

func TestMerge(t *testing.T) {
	for _, c := range []struct{ old, list, want, says string }{
		{"", "a.example", "a.example\n", "+ a.example\nlxd-allowlist: wrote 1 rule to PATH\n"},
		{"b.example\n", "a.example", "a.example\nb.example\n", "+ a.example\nlxd-allowlist: wrote 2 rules to PATH\n"},
		{"a.example\nb.example\n", "a.example", "a.example\nb.example\n", "lxd-allowlist: wrote 2 rules to PATH: the same rules\n"},
		{"a.example\nx.a.example\n", ".a.example", ".a.example\n", "- a.example\n+ .a.example\n- x.a.example\nlxd-allowlist: wrote 1 rule to PATH\n"},
		{".a.example\n", "x.a.example", ".a.example\n", "lxd-allowlist: wrote 1 rule to PATH: the same rules\n"},
		{"B.Example.\nA.EXAMPLE\n", "a.example", "a.example\nb.example\n", "lxd-allowlist: wrote 2 rules to PATH: the same rules\n"},
	} {
		path := put(t, t.TempDir(), "list", c.old)
		_, messages, err := write(t, Plan{Formats: []string{"plain"}, Path: path, Merge: true}, listOf(c.list))
		if want := strings.ReplaceAll(c.says, "PATH", path); err != nil || messages != want || read(t, path) != c.want {
			t.Errorf("%s into %q: %q, %v, file %q; want %q, file %q", c.list, c.old, messages, err, read(t, path), want, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "new")
	if _, messages, err := write(t, Plan{Formats: []string{"plain"}, Path: path, Merge: true}, listOf("a.example")); err != nil || messages != "lxd-allowlist: wrote 1 rule to "+path+"\n" {
		t.Errorf("into nothing: %q, %v", messages, err)
	}
	put(t, filepath.Dir(path), "new", "two words\n")
	if _, _, err := write(t, Plan{Formats: []string{"plain"}, Path: path, Merge: true}, listOf("a.example")); err == nil || !strings.Contains(err.Error(), "merge into "+path) || read(t, path) != "two words\n" {
		t.Errorf("into what can't be read: %v", err)
	}
}

// Every format that can be read back can be united with itself.
func TestMergeInEveryFormat(t *testing.T) {
	for _, f := range export.Formats() {
		p := Plan{Formats: []string{f.Name}, Path: filepath.Join(t.TempDir(), "list")}
		if _, _, err := write(t, p, listOf("a.example.com .b.example.com")); err != nil {
			t.Fatal(err)
		}
		p.Merge = true
		_, messages, err := write(t, p, listOf("c.example.com x.b.example.com"))
		if err != nil || !strings.Contains(messages, "wrote 3 rules") || !strings.HasPrefix(messages, "+ ") || strings.Count(messages, "\n") != 2 {
			t.Errorf("%s: %q, %v", f.Name, messages, err)
		}
	}
}

// What stands in a file and can't stand in the new one is refused: the file
// stays as it is.
func TestMergeLosesNothing(t *testing.T) {
	for _, c := range []struct{ format, old, word string }{
		{"plain", "*.example.net\n", `"*.example.net" is not a name`},
		{"plain", "192.0.2.1\n", "is an address"},
		{"plain", "2001:db8::1\n", "is an address"},
		{"plain", ".com\n", "top-level domain"},
		{"plain", "b\u00fccher.example\n", "is not a name"},
		{"plain", "# ticket 7\nb.example\n", `no room for what is said of b.example: "ticket 7"`},
		{"plain", "b.example # ticket 7\n", "more than one word"},
		{"squid", "_dmarc.example.com\n", "no host to connect to"},
		{"squid", "b.example\n# at the end\n", `"at the end" belongs to no rule`},
		{"squid", "# " + strings.Repeat("long ", 50) + "\nb.example\n", "no room for what is said of b.example"},
		{"rpz", "1.0.0.127.in-addr.arpa. PTR x.\n", "a line that says something else"},
		{"sandbox-runtime", `{"network":{"allowedDomains":["*.example.net"]}}`, `"*.example.net" without`},
		{"json", `{"rules":[{"name":"b.example","kind":"exact","ticket":7}]}`, "ticket"},
		{"csv", "name,kind\nb.example,exact\n", "columns"},
	} {
		path := put(t, t.TempDir(), "list", c.old)
		_, messages, err := write(t, Plan{Formats: []string{c.format}, Path: path, Merge: true}, listOf("a.example"))
		if err == nil || !strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), "merge into "+path) || strings.Contains(err.Error(), "\n") || messages != "" || read(t, path) != c.old {
			t.Errorf("%s into %q: %v, %q, want %q; the file has %q", c.format, c.old, err, messages, c.word, read(t, path))
		}
	}
}

// A port that a file names isn't lost, nor opened in its place.
func TestMergeKeepsPorts(t *testing.T) {
	for _, f := range export.Formats() {
		if !f.Ports {
			continue
		}
		p := Plan{Formats: []string{f.Name}, Path: filepath.Join(t.TempDir(), "list"), Merge: true, Ports: []int{443, 8443}}
		if _, _, err := write(t, p, listOf("a.example.com .b.example.com")); err != nil {
			t.Fatal(err)
		}
		old := read(t, p.Path)
		p.Ports = nil
		if _, _, err := write(t, p, listOf("c.example.com")); err == nil || !strings.Contains(err.Error(), "names port 8443") || read(t, p.Path) != old {
			t.Errorf("%s: %v", f.Name, err)
		}
		p.Ports = []int{8443, 443, 9443}
		if _, _, err := write(t, p, listOf("c.example.com")); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// What was said of a rule outlives the union, in every format that can say it,
// be it said by us or written by hand.
func TestMergeKeepsReasons(t *testing.T) {
	for _, f := range export.Formats() {
		p := Plan{Formats: []string{f.Name}, Path: filepath.Join(t.TempDir(), "list"), Merge: true}
		list := listOf("a.example.com .b.example.com")
		list.Rules[0].Reason, list.Rules[1].Reason = "ticket 7 | #8", "for b: all of it"
		if _, _, err := write(t, p, list); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ReplaceAll(read(t, p.Path), `\`, ""), "ticket 7") {
			if !slices.Contains([]string{"plain", "aws-nfw", "sandbox-runtime"}, f.Name) {
				t.Errorf("%s doesn't say the reason:\n%s", f.Name, read(t, p.Path))
			}
			continue
		}
		said := listOf("a.example.com c.example.com")
		said.Rules[0].Reason = "said now"
		for range 2 {
			if _, _, err := write(t, p, said); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
		for _, want := range []string{"said now", "ticket 7 | #8", "for b: all of it"} {
			if got := strings.ReplaceAll(read(t, p.Path), `\`, ""); strings.Count(got, want) != 1 || strings.Count(got, "proven: ") > 1 {
				t.Errorf("%s: %q is to be once in\n%s", f.Name, want, got)
			}
		}
	}
	for format, old := range map[string]string{
		"squid":   "# ticket 7\n#and 8\n\nb.example\n",
		"adguard": "||*^\n! ticket 7\n! and 8\n@@|b.example^\n",
		"nginx":   "map_hash_bucket_size 512;\nmap $ssl_preread_server_name $allowed {\n# ticket 7\n# and 8\nhostnames;\ndefault 0;\nb.example 1;\n}\n",
		"yaml":    "rules:\n# ticket 7\n# and 8\n- {name: b.example, kind: exact}\n",
	} {
		path := put(t, t.TempDir(), "list", old)
		_, _, err := write(t, Plan{Formats: []string{format}, Path: path, Merge: true}, listOf("a.example"))
		if err != nil || !strings.Contains(read(t, path), "ticket 7; and 8") {
			t.Errorf("%s: %v\n%s", format, err, read(t, path))
		}
	}
}

// What a list knows outlives the union, and isn't counted twice.
func TestMergeKeepsTheEvidence(t *testing.T) {
	seen := func(name, reason string, queries uint64) rule.Rule {
		return rule.Rule{Name: name, Reason: reason, Seen: &rule.Seen{Queries: queries}}
	}
	p := Plan{Formats: []string{"json"}, Path: filepath.Join(t.TempDir(), "list"), Merge: true}
	for _, rules := range [][]rule.Rule{
		{seen("a.example", "for a", 3), seen("b.example", "for b", 4)},
		{seen("b.example", "", 5)},
		{seen("b.example", "", 5)},
	} {
		if _, _, err := write(t, p, rule.List{Rules: rules}); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Join(strings.Fields(read(t, p.Path)), "")
	for _, want := range []string{
		`{"name":"a.example","kind":"exact","reason":"fora","seen":{"queries":3}}`,
		`{"name":"b.example","kind":"exact","reason":"forb","seen":{"queries":5}}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ format, old, list, want string }{
		{"plain", "a.example\n", "a.example", ""},
		{"plain", "a.example\nb.example\n", ".b.example a.example c.example", "- b.example\n+ .b.example\n+ c.example\n"},
		{"unbound", "", "a.example.com", ""}, // wider than asked, and so is what it is compared with
	} {
		dir := t.TempDir()
		p := Plan{Formats: []string{c.format}, Path: filepath.Join(dir, "old")}
		if c.old == "" {
			if _, _, err := write(t, p, listOf(c.list)); err != nil {
				t.Fatal(err)
			}
		} else {
			put(t, dir, "old", c.old)
		}
		p.Path, p.Diff = "", p.Path
		stdout, messages, err := write(t, p, listOf(c.list))
		if stdout != c.want || messages != "" || errors.Is(err, ErrChanged) != (c.want != "") || c.want == "" && err != nil {
			t.Errorf("%s against %q: %q, %q, %v, want %q", c.list, c.old, stdout, messages, err, c.want)
		}
	}
}

// A list covers another if all that this allows is allowed there, whatever the
// format that it is in and however wide its rules.
func TestCoveredBy(t *testing.T) {
	const cover = "www.example.com .example.net"
	for _, c := range []struct{ list, want, wide string }{
		{"www.example.com a.b.example.net .x.example.net example.net", "", ""},
		{"", "", ""},
		{"a.example www.example.com", "a.example\n", "a.example\n"},
		{".www.example.com", ".www.example.com\n", ""},
		{"a.www.example.com notexample.net .example.org", "a.www.example.com\n.example.org\nnotexample.net\n", ".example.org\nnotexample.net\n"},
	} {
		for _, f := range export.Formats() {
			want, path := c.want, filepath.Join(t.TempDir(), "list")
			if f.Widens != "" {
				want = c.wide
			}
			if _, _, err := write(t, Plan{Formats: []string{f.Name}, Path: path}, listOf(cover)); err != nil {
				t.Fatal(err)
			}
			stdout, messages, err := write(t, Plan{Formats: []string{"plain"}, CoveredBy: path}, listOf(c.list))
			if stdout != want || errors.Is(err, ErrUncovered) != (want != "") || want == "" && (err != nil || messages != "") || want != "" && !strings.Contains(messages, " outside "+path) {
				t.Errorf("%s by %s: %q, %q, %v, want %q", c.list, f.Name, stdout, messages, err, want)
			}
		}
	}
	for by, want := range map[string]string{
		"0.0.0.0 Www.Example.Com.\n": "",
		"*.example.com\n":            "",
		"example.com\n":              "www.example.com\n",
	} {
		stdout, _, err := write(t, Plan{Formats: []string{"plain"}, CoveredBy: put(t, t.TempDir(), "hosts", by)}, listOf("www.example.com"))
		if stdout != want || errors.Is(err, ErrUncovered) != (want != "") {
			t.Errorf("by %q: %q, %v, want %q", by, stdout, err, want)
		}
	}
	dir := t.TempDir()
	by, to := put(t, dir, "by", "a.example\n"), filepath.Join(dir, "to")
	_, messages, err := write(t, Plan{Formats: []string{"plain"}, Path: to, CoveredBy: by}, listOf("b.example"))
	if err != ErrUncovered || !strings.Contains(messages, "wrote 1 rule") || read(t, to) != "b.example\n" {
		t.Errorf("and written: %v, %q", err, messages)
	}
}

// A file to compare with may be the one to be written.
func TestDiffAndWrite(t *testing.T) {
	path := put(t, t.TempDir(), "list", "a.example\n")
	p := Plan{Formats: []string{"plain"}, Path: path, Diff: path, Overwrite: true}
	stdout, _, err := write(t, p, listOf("b.example"))
	if stdout != "- a.example\n+ b.example\n" || err != ErrChanged || read(t, path) != "b.example\n" {
		t.Errorf("%q, %v, %q", stdout, err, read(t, path))
	}
	p.Overwrite = false
	if _, _, err := write(t, p, listOf("c.example")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
}

func TestHeader(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	list := listOf("a.example")
	list.Header = rule.Header{Program: "lxd-allowlist 1.0", Session: "20260301-090000-web1", Instance: "web1", When: at}
	list.Rules[0].Seen = &rule.Seen{Queries: 1, First: at, Last: at}
	varying := []string{"20260301", "2026-03-01"}
	for format, named := range map[string]string{"squid": "# host " + host + "\n", "json": `"host": "` + host + `"`, "rpz": "; host " + host + "\n"} {
		full, _, err := write(t, Plan{Formats: []string{format}}, list)
		bare, _, errBare := write(t, Plan{Formats: []string{format}, Reproducible: true}, list)
		if err != nil || errBare != nil {
			t.Fatal(err, errBare)
		}
		for _, s := range append(varying, named) {
			if !strings.Contains(full, s) || strings.Contains(bare, s) {
				t.Errorf("%s: %q is to be in\n%s\nand not in\n%s", format, s, full, bare)
			}
		}
		if !strings.Contains(bare, "lxd-allowlist 1.0") || !strings.Contains(bare, "web1") {
			t.Errorf("%s: left out too much:\n%s", format, bare)
		}
	}
	if list.Header.When.IsZero() || list.Rules[0].Seen.First.IsZero() {
		t.Error("the list itself was changed")
	}
}

// A zone without a time has a serial all the same: it goes on from the file's,
// and only with a change.
func TestSerial(t *testing.T) {
	p := Plan{Formats: []string{"rpz"}, Path: filepath.Join(t.TempDir(), "zone"), Reproducible: true, Overwrite: true}
	for _, c := range []struct{ list, serial string }{{"a.example", "1"}, {"a.example", "1"}, {"b.example", "2"}, {"b.example", "2"}, {"a.example", "3"}} {
		list := listOf(c.list)
		list.Header.When = time.Now()
		if _, _, err := write(t, p, list); err != nil {
			t.Fatal(err)
		}
		if got := read(t, p.Path); !strings.Contains(got, " root.localhost. "+c.serial+" ") {
			t.Errorf("%s: the serial is not %s:\n%s", c.list, c.serial, got)
		}
	}
	p.Overwrite, p.Merge = false, true
	if _, _, err := write(t, p, listOf("c.example")); err != nil || !strings.Contains(read(t, p.Path), " root.localhost. 4 ") {
		t.Errorf("merged: %v\n%s", err, read(t, p.Path))
	}
}

func TestPorts(t *testing.T) {
	stdout, _, err := write(t, Plan{Formats: []string{"harden-runner"}, Ports: []int{8443, 443, 8443}}, listOf("a.example"))
	if err != nil || !strings.Contains(stdout, "      a.example:8443\n      a.example:443\n") || strings.Count(stdout, ":8443") != 1 {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestLeftOutAndWarnings(t *testing.T) {
	dir := t.TempDir()
	p := Plan{Formats: []string{"plain", "unbound"}, Path: filepath.Join(dir, "allow")}
	_, messages, err := write(t, p, listOf("192.0.2.1 .com intranet github.io .s3.amazonaws.com pastebin.com a.example"))
	lines := strings.Split(strings.TrimSuffix(messages, "\n"), "\n")
	want := []string{
		"lxd-allowlist: left out 3 names:",
		`  "192.0.2.1" is an address, not a name`,
		`  "com" is a top-level domain or a single label: as a suffix it allows everything below it`,
		`  "intranet" has no place in unbound: it can't be exact there, and is a top-level domain or a single label: as a suffix it allows everything below it`,
		"lxd-allowlist: wrote 5 rules to " + dir + "/allow.txt",
		"lxd-allowlist: wrote 4 rules to " + dir + "/allow.conf",
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
		"\"single06\", \"single07\", and 22 more: each has no place in pihole, gcp, sandbox-runtime: it takes no single label\n",
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
	var table strings.Builder
	if err := ListFormats(&table); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(table.String(), "\n")
	if len(lines) != len(export.Formats())+3 || !strings.HasPrefix(lines[2], "squid ") || !strings.HasSuffix(lines[2], "  asked in Squid 4.13 to 6.13") {
		t.Errorf("%s", &table)
	}
	for _, l := range lines {
		if len(l) > 132 {
			t.Errorf("a line is %d wide: %s", len(l), l)
		}
	}
	for name, want := range map[string]string{
		"unbound": "widens", "cilium": "ports", "squid": "check", "template": ".Rules", "template=x": "regexp",
	} {
		f, err := Describable(name)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := Describe(&text, f); err != nil || !strings.Contains(text.String(), want) || strings.Contains(text.String(), "ports") != f.Ports {
			t.Errorf("%s: %v, want %q in\n%s", name, err, want, &text)
		}
	}
	if _, err := Describable("nothing"); err == nil {
		t.Error("there is a format nothing")
	}
}
