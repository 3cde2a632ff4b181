package output

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct{ old, list, want, says string }{
		{"", "a.example", "a.example\n", "+ a.example\nlxd-allowlist: wrote 1 rule to PATH\n"},
		{"b.example\n", "a.example", "a.example\nb.example\n", "+ a.example\nlxd-allowlist: wrote 2 rules to PATH\n"},
		{"a.example\nb.example\n", "a.example", "a.example\nb.example\n", "lxd-allowlist: wrote 2 rules to PATH: the same rules\n"},
		{"a.example\nx.a.example\n", ".a.example", ".a.example\n", "- a.example\n+ .a.example\n- x.a.example\nlxd-allowlist: wrote 1 rule to PATH\n"},
		{".a.example\n", "x.a.example", ".a.example\n", "lxd-allowlist: wrote 1 rule to PATH: the same rules\n"},
		{"192.0.2.7:443\n[2001:DB8:0::7]:53/udp\n", "a.example", "192.0.2.7:443/tcp\n[2001:db8::7]:53/udp\na.example\n", "+ a.example\nlxd-allowlist: wrote 3 rules to PATH\n"},
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

// Editors begin a file with a byte order mark, and end its lines in their own ways.
func TestMergeOfAnEditedFile(t *testing.T) {
	for _, f := range export.Formats() {
		p := Plan{Formats: []string{f.Name}, Path: filepath.Join(t.TempDir(), "list")}
		if _, _, err := write(t, p, listOf("a.example.com .b.example.com")); err != nil {
			t.Fatal(err)
		}
		p.Merge = true
		text := read(t, p.Path)
		for _, edited := range []string{"\ufeff" + text, strings.ReplaceAll(text, "\n", "\r\n"), strings.TrimSuffix(text, "\n")} {
			put(t, filepath.Dir(p.Path), "list", edited)
			if _, messages, err := write(t, p, listOf("c.example.com")); err != nil || !strings.Contains(messages, "wrote 3 rules") {
				t.Errorf("%s: %q, %v\n%.60q", f.Name, messages, err, edited)
			}
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
			if !slices.Contains([]string{"plain", "aws-nfw", "claude-code", "sandbox-runtime", "paloalto-edl", "fortigate"}, f.Name) {
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

// A plain list with addresses is a source like any other, whoever wrote it.
func TestListOfAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(path, []byte("a.example\n192.0.2.7:443\n[2001:DB8::/48]:22/tcp\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := ReadList(path)
	if err != nil || len(list.Doubts) > 0 {
		t.Fatalf("%v, %v", list.Doubts, err)
	}
	want := []rule.Rule{{Name: "a.example"}, {Name: "192.0.2.7:443/tcp"}, {Name: "[2001:db8::/48]:22/tcp"}}
	if diff := rule.Difference(list.Rules, want); diff != "" {
		t.Error(diff)
	}
}
