package known

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// loaded reads lists, a text for each file, and returns what was wrong, a
// line each.
func loaded(files map[string]string) (*Lists, []string) {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	l, err := LoadLists(dir)
	if err == nil {
		return l, nil
	}
	return l, strings.Split(err.Error(), "\n")
}

// told writes what the lists have of a name or an address, one entry a line.
func told(l *Lists, name string) string {
	all := l.Of(name)
	if a, err := netip.ParseAddr(name); err == nil {
		all = l.OfAddress(a)
	}
	var lines []string
	for _, m := range all {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

func TestListFormats(t *testing.T) {
	files := map[string]string{
		"dlc": "# ads\n\nads.example @ads @cn # a comment\ndomain:track.example\nfull:www.exact.example\n" +
			"keyword:casino\nregexp:^ad[0-9]+\\.\n*.star.example\r\n.dot.example\nUPPER.Example.\nbücher.example\n",
		"hosts":   "\ufeff127.0.0.1 localhost\n0.0.0.0 0.0.0.0\n0.0.0.0\thost.example  two.example # both\n::1 six.example\nfe80::1%lo0 zone.example\n",
		"nets":    "192.0.2.0/24\n2001:db8::1\n",
		"last":    "no.newline.example",
		"a/b/sub": "deep.example\n",
		"host.json": `{"description": "d", "other": [{"a": [1]}], "matching_attributes": ["md5", "domain|ip"], "name": "Some hosts", "type": "hostname",
 "list": ["misp.example",
  ".mispdot.example"]}`,
		"string.json":  "\n {\"list\": [\"only.example\", \"198.51.100.7\", \".strdot.example\"], \"name\": \"strings\", \"type\": \"string\"}",
		"default.json": `{"list": ["default.example"], "name": "x"}`,
		"sub.json":     `{"list": ["crypto"], "name": "words", "type": "substring"}`,
		"re.json":      `{"list": ["/^Evil\\/?[0-9]*\\./giu", "^plain\\."], "name": "res", "type": "regex"}`,
		"cidr.json":    `{"list": ["203.0.113.0/24", "2001:db8:1::/48"], "name": "nets", "type": "cidr"}`,
		".hidden":      "hidden.example",
		".git/config":  "hidden.example",
	}
	l, wrong := loaded(files)
	if wrong != nil {
		t.Fatal(wrong)
	}
	for _, c := range []struct{ name, want string }{
		{"ads.example", "dlc:3: ads.example @ads @cn"},
		{"x.ads.example", "dlc:3: ads.example @ads @cn"},
		{"xads.example", ""},
		{"a.b.track.example", "dlc:4: domain:track.example"},
		{"www.exact.example", "dlc:5: full:www.exact.example"},
		{"x.www.exact.example", ""},
		{"exact.example", ""},
		{"my-casino.test", "dlc:6: keyword:casino"},
		{"ad7.test", "dlc:7: regexp:^ad[0-9]+\\."},
		{"bad7.test", ""},
		{"x.star.example", "dlc:8: *.star.example"},
		{"star.example", "dlc:8: *.star.example"},
		{"x.dot.example", "dlc:9: .dot.example"},
		{"upper.example", "dlc:10: UPPER.Example."},
		{"www.xn--bcher-kva.example", "dlc:11: b?cher.example"},
		{"localhost", "hosts:1: 127.0.0.1 localhost"},
		{"host.example", "hosts:3: 0.0.0.0?host.example  two.example"},
		{"two.example", "hosts:3: 0.0.0.0?host.example  two.example"},
		{"x.host.example", ""},
		{"six.example", "hosts:4: ::1 six.example"},
		{"zone.example", "hosts:5: fe80::1%lo0 zone.example"},
		{"192.0.2.200", "nets:1: 192.0.2.0/24"},
		{"::ffff:192.0.2.200", "nets:1: 192.0.2.0/24"},
		{"192.0.3.1", ""},
		{"2001:db8::1", "nets:2: 2001:db8::1"},
		{"no.newline.example", "last:1: no.newline.example"},
		{"deep.example", "a/b/sub:1: deep.example"},
		{"x.misp.example", `host.json:2 (Some hosts): misp.example`},
		{"x.mispdot.example", `host.json:3 (Some hosts): .mispdot.example`},
		{"only.example", `string.json:2 (strings): only.example`},
		{"x.only.example", ""},
		{"x.strdot.example", `string.json:2 (strings): .strdot.example`},
		{"198.51.100.7", `string.json:2 (strings): 198.51.100.7`},
		{"default.example", `default.json:1 (x): default.example`},
		{"a-crypto-b.test", `sub.json:1 (words): crypto`},
		{"evil7.test", `re.json:1 (res): /^Evil\/?[0-9]*\./giu`},
		{"plain.test", `re.json:1 (res): ^plain\.`},
		{"203.0.113.9", `cidr.json:1 (nets): 203.0.113.0/24`},
		{"hidden.example", ""},
		{"", ""},
		{"..", ""},
	} {
		if got := told(l, c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	n := 0
	for _, f := range l.Files() {
		n += f.Entries
	}
	if len(l.Files()) != 11 || n != 29 {
		t.Errorf("%d files, %d entries: %v", len(l.Files()), n, l.Files())
	}
}

func TestIncludes(t *testing.T) {
	l, wrong := loaded(map[string]string{
		"all":     "include:ads\ninclude:dev @cn\ninclude:dev @-ads @-cn\nown.example\n",
		"only":    "include:dev @cn\n",
		"ads":     "ads.example\n",
		"dev":     "cn.dev.example @cn\nads.dev.example @ads\nplain.dev.example\nboth.dev.example @cn @ads\ninclude:deeper\n",
		"deeper":  "cn.deeper.example @cn\nplain.deeper.example\n",
		"gives":   "given.example @ads &ads &new\n",
		"wants":   "include:new @ads\ninclude:ads @-ads\n",
		"sub/one": "include:two\n",
		"sub/two": "two.example\n",
	})
	if wrong != nil {
		t.Fatal(wrong)
	}
	for _, c := range []struct{ name, want string }{
		{"own.example", "all:4: own.example"},
		{"ads.example", "ads:1: ads.example\nall, by ads:1: ads.example\nwants, by ads:1: ads.example"},
		{"cn.dev.example", "all, by dev:1: cn.dev.example @cn\ndev:1: cn.dev.example @cn\nonly, by dev:1: cn.dev.example @cn"},
		{"ads.dev.example", "dev:2: ads.dev.example @ads"},
		{"plain.dev.example", "all, by dev:3: plain.dev.example\ndev:3: plain.dev.example"},
		{"both.dev.example", "all, by dev:4: both.dev.example @cn @ads\ndev:4: both.dev.example @cn @ads\nonly, by dev:4: both.dev.example @cn @ads"},
		{"cn.deeper.example", "all, by deeper:1: cn.deeper.example @cn\ndeeper:1: cn.deeper.example @cn\ndev, by deeper:1: cn.deeper.example @cn\nonly, by deeper:1: cn.deeper.example @cn"},
		{"plain.deeper.example", "all, by deeper:2: plain.deeper.example\ndeeper:2: plain.deeper.example\ndev, by deeper:2: plain.deeper.example"},
		{"given.example", "ads, by gives:1: given.example @ads &ads &new\nall, by gives:1: given.example @ads &ads &new\n" +
			"gives:1: given.example @ads &ads &new\nnew, by gives:1: given.example @ads &ads &new\nwants, by gives:1: given.example @ads &ads &new"},
		{"two.example", "sub/one, by sub/two:1: two.example\nsub/two:1: two.example"},
	} {
		if got := told(l, c.name); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// What can't be read is told with file and line, and the rest is used.
func TestBadLists(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		used  string // a name that is there all the same, "" for none
		want  []string
	}{
		{map[string]string{"l": "good.example\nbad_/name\nhttp://x.example/\ngood2.example word\nfull:\nkeyword:\nregexp:(\n"}, "good.example", []string{
			`list l:2: "bad_/name" is not a name; the rest of it is used`,
			`list l:3: "http" is none of domain, full, keyword, regexp and include; the rest of it is used`,
			`list l:4: "word" stands after a name: want @ATTRIBUTE or &LIST; the rest of it is used`,
			`list l: 3 more things are wrong in it; the rest of it is used`,
		}},
		{map[string]string{"l": "regexp:(\nregexp:\n"}, "", []string{
			"list l:1: is not an expression that Go's regexp takes: error parsing regexp: missing closing ): `(`; the list is not used",
			"list l:2: an expression of no letters is in every name; the list is not used",
		}},
		{map[string]string{"l": "# nothing\n"}, "", []string{"list l: holds no name; the list is not used"}},
		{map[string]string{"l": "include:none\ninclude:../l\ninclude:other word\nx.example", "other": "y.example\n"}, "x.example", []string{
			`list l:3: "word" stands after include: want @ATTRIBUTE or @-ATTRIBUTE; the rest of it is used`,
			`list l:1: includes "none", which is not a file there; the rest of it is used`,
			`list l:2: includes "../l", which is not a file there; the rest of it is used`,
		}},
		{map[string]string{"a": "include:b\nx.example\n", "b": "include:c\n", "c": "include:a\n"}, "x.example", []string{
			"list a: is included by itself, through c; the rest of it is used",
			"list b: is included by itself, through a; the rest of it is used",
			"list c: is included by itself, through b; the rest of it is used",
		}},
		{map[string]string{"l": "include:l\nx.example"}, "x.example", []string{"list l:1: is included by itself, through l; the rest of it is used"}},
		{map[string]string{"l": "{\"list\": [\"x.example\", \"bad name\",\n \"y..example\"], \"type\": \"hostname\"}"}, "x.example", []string{
			`list l:1: "bad name" is not a name; the rest of it is used`,
			`list l:2: "y..example" is not a name; the rest of it is used`,
		}},
		{map[string]string{"l": "{\"list\": [\"x.example\"],\n \"type\": \"mood\"}"}, "", []string{
			`list l:2: is not a warning list of MISP: the type is none of hostname, string, substring, regex and cidr: "mood"; the list is not used`,
		}},
		{map[string]string{"l": "{\n\"list\": {\"x.example\": 1}}"}, "", []string{`list l:2: is not a warning list of MISP: "list": want [; the list is not used`}},
		{map[string]string{"l": `{"list": ["da39a3ee5e6b4b0d3255bfef95601890afd80709"], "matching_attributes": ["sha1", "filename|sha1"]}`}, "", []string{
			`list l: is about "sha1", not about names or addresses; the list is not used`,
		}},
		{map[string]string{"l": "{\"list\": [\"x.example\""}, "", []string{`list l:1: is not a warning list of MISP: "list": EOF; the list is not used`}},
		{map[string]string{"l": strings.Repeat("x", 1<<20)}, "", []string{`list l:1: "` + strings.Repeat("x", 200) + `" is not a name; the list is not used`}},
		{map[string]string{"l": "a\x00b.example\n\x1b[31m\n"}, "", []string{
			`list l:1: "a\x00b.example" is not a name; the list is not used`,
			`list l:2: "\x1b[31m" is not a name; the list is not used`,
		}},
	} {
		l, wrong := loaded(c.files)
		if strings.Join(wrong, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%q:\n%s\nwant\n%s", c.files, strings.Join(wrong, "\n"), strings.Join(c.want, "\n"))
		}
		if c.used != "" && len(l.Of(c.used)) == 0 {
			t.Errorf("%q: %s is not there", c.files, c.used)
		}
		if c.used == "" && len(l.Files()) != 0 {
			t.Errorf("%q: used", c.files)
		}
	}
}

// Files that would be waited for, or fill the memory, are told, and links to
// files are followed.
func TestListFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(in("good"), []byte("x.example\n"), 0o600),
		os.Symlink("good", in("link")),
		os.Symlink("none", in("broken")),
		os.Symlink(".", in("loop")),
		syscall.Mkfifo(in("pipe"), 0o600),
		os.WriteFile(in("large"), bytes.Repeat([]byte("y.example\n"), maxListBytes/10+1), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := LoadLists(os.DirFS(dir))
	want := "list broken: stat broken: no such file or directory; the list is not used\n" +
		"list large: has more than 64 MiB; the list is not used\n" +
		"list loop: is not a regular file, nor a link to one; the list is not used\n" +
		"list pipe: is not a regular file, nor a link to one; the list is not used"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	if got := told(l, "x.example"); got != "good:1: x.example\nlink:1: x.example" {
		t.Error(got)
	}
	if l, err := LoadLists(os.DirFS(in("none"))); err != nil || l.Of("x.example") != nil || l.Files() != nil {
		t.Errorf("no directory: %v, %v", l, err)
	}
	if _, err := LoadLists(os.DirFS(in("good"))); err == nil {
		t.Error("a file is read as a directory")
	}
	var none *Lists
	if none.Of("x.example") != nil || none.OfAddress(netip.IPv6Loopback()) != nil || none.Files() != nil {
		t.Error("nil holds something")
	}
}

// Files that include each other in every way come to an end.
func TestManyInclusions(t *testing.T) {
	dir := fstest.MapFS{}
	for i := range 14 {
		var b strings.Builder
		for j := range 14 {
			fmt.Fprintf(&b, "include:l%d @t%d\n", j, i)
		}
		fmt.Fprintf(&b, "x%d.example @t1\n", i)
		dir[fmt.Sprintf("l%d", i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	if _, err := LoadLists(dir); err == nil || !strings.Contains(err.Error(), "includes more than 5000 files") {
		t.Error(err)
	}
}

// Whatever is in a file: no panic, and what is taken can be looked up.
func FuzzLists(f *testing.F) {
	f.Add("ads.example @ads &b &new &/\ninclude:a @x\nregexp:^a$\n0.0.0.0 h.example\n192.0.2.0/24\n")
	f.Add(`{"name": "n", "type": "regex", "list": ["/a/i", "b"]}`)
	f.Add("keyword:example @k\nfull:a.b\ndomain:c.d:@e\nregexp:(\n192.0.2.7\n2001:db8::/32 # net\n||x.example^\n")
	f.Add(`{"type": "cidr", "list": ["::/0", 7]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2048 { // more of the same, and slow
			return
		}
		l, err := LoadLists(fstest.MapFS{"a": {Data: []byte(text)}, "b": {Data: []byte("include:a\nx.example\n")}})
		if err == nil && len(l.Files()) < 2 {
			t.Errorf("%d files and no error", len(l.Files()))
		}
		for name := range l.names {
			if len(l.Of(name)) == 0 && l.chain[l.names[name]].scope == exact {
				t.Errorf("%s is not found", name)
			}
		}
		for _, m := range append(l.Of("x.example"), l.OfAddress(netip.MustParseAddr("192.0.2.7"))...) {
			if s := m.String(); strings.ContainsAny(s, "\n\x1b\x00") {
				t.Errorf("%q", s)
			}
		}
	})
}
