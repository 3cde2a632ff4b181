package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
	put(t, dir, "json.json", "{}")
	for formats, list := range map[string]string{"plain,json": "a.example", "plain,cilium": ""} {
		_, messages, err := write(t, Plan{Formats: strings.Split(formats, ","), Path: dir + "/"}, listOf(list))
		if err == nil || messages != "" {
			t.Errorf("%s: %q, %v", formats, messages, err)
		}
		if _, err := os.Stat(dir + "/plain.txt"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: plain.txt was written: %v", formats, err)
		}
	}
	_, messages, err := write(t, Plan{Formats: []string{"plain", "json"}, Path: dir + "/", Overwrite: true}, listOf("a.example"))
	if err != nil || read(t, dir+"/plain.txt") != "a.example\n" || strings.Count(messages, "wrote 1 rule to") != 2 {
		t.Errorf("with overwrite: %q, %v", messages, err)
	}
}

func TestNotRegular(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := write(t, Plan{Formats: []string{"plain"}, Path: fifo, Overwrite: true}, listOf("a.example"))
	if err == nil || !strings.Contains(err.Error(), "it is a pipe and no regular file") {
		t.Errorf("error %v", err)
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
	for i, c := range []struct{ list, want, wide string }{
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
			if f.Name == "harden-runner" && i == 0 { // its *.h is not h, which was not listed
				want = "example.net\n"
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
	several := Plan{Formats: []string{"squid", "harden-runner", "rpz"}, Path: t.TempDir(), Ports: []int{8443}}
	if _, messages, err := write(t, several, listOf("a.example")); err != nil || !strings.Contains(messages, "lxd-allowlist: the ports have no place in squid, rpz\n") {
		t.Errorf("%v: %s", err, messages)
	}
}

// What came of enforcing a list is said of that list alone, wherever it says
// where it comes from.
func TestVerifiedIsSaidOfThatListAlone(t *testing.T) {
	list := listOf("a.example b.example")
	at := time.Date(2026, 11, 27, 22, 10, 0, 0, time.UTC)
	list.Header.Verified = rule.Verified{Verdict: "works with this list", Level: "names", At: at, Digest: rule.Digest(list.Rules)}
	short := list
	v := &list.Header.Verified
	v.Took, v.Proven, v.Proofs, v.Versions = 12345*time.Millisecond, true, 2, "lxd 5.0.2, dnsmasq 2.90"
	v.Queries, v.Used, v.Unused, v.Blocked, v.Expected, v.Late = 17, 1, 41, 3, 2, 1
	counted := map[string][]string{
		"squid":    {"# proof: proven by 2 tries from inside, for 12.3s, lxd 5.0.2, dnsmasq 2.90\n", "# counted: 17 queries; 1 rule used, 41 unused; 3 names or addresses blocked, 2 as expected, 1 allowed late\n"},
		"markdown": {"- proof: proven by 2 tries from inside, for 12.3s, lxd 5.0.2, dnsmasq 2.90\n", "- counted: 17 queries; 1 rule used, 41 unused"},
		"json":     {`"proof": {`, `"proven": true`, `"took": 12345000000`, `"queries": 17`, `"used": 1`, `"unused": 41`, `"blocked": 3`, `"expected": 2`, `"late": 1`, `"versions": "lxd 5.0.2, dnsmasq 2.90"`},
	}
	changed := listOf("a.example b.example c.example")
	changed.Header = list.Header
	for format, begin := range map[string]string{"squid": "# verified: ", "markdown": "- verified: ", "json": `"verified": "`} {
		same, said, err := write(t, Plan{Formats: []string{format}}, list)
		if !strings.Contains(said, "verified: works with this list, tried at ") {
			t.Errorf("it doesn't say so beside the list: %s", said)
		}
		if want := begin + "works with this list, tried at 2026-11-27T22:10:00Z, other names refused, digest "; err != nil || !strings.Contains(same, want) {
			t.Errorf("%v: want %q in\n%s", err, want, same)
		}
		for _, want := range counted[format] {
			if !strings.Contains(same, want) {
				t.Errorf("want %q in\n%s", want, same)
			}
		}
		if before, _, err := write(t, Plan{Formats: []string{format}}, short); err != nil || strings.Contains(before, "counted") || strings.Contains(before, `"proof"`) {
			t.Errorf("%v: of what wasn't noted it says\n%s", err, before)
		}
		other, _, err := write(t, Plan{Formats: []string{format}}, changed)
		if want := begin + "no, another list was, at 2026-11-27T22:10:00Z: its digest is " + list.Header.Verified.Digest; err != nil || !strings.Contains(other, want) || strings.Contains(other, "works with") || strings.Contains(other, "tries") || strings.Contains(other, `"proof"`) {
			t.Errorf("%v: want %q, and no verdict, in\n%s", err, want, other)
		}
		bare, _, err := write(t, Plan{Formats: []string{format}, Reproducible: true}, list)
		if err != nil || strings.Contains(bare, "verified") || strings.Contains(bare, "counted") || strings.Contains(bare, `"proof"`) {
			t.Errorf("%v: reproducible, it says when it was verified:\n%s", err, bare)
		}
	}
	never, _, err := write(t, Plan{Formats: []string{"squid"}}, listOf("a.example"))
	if err != nil || strings.Contains(never, "verified") {
		t.Errorf("%v: a list that was never enforced says\n%s", err, never)
	}
}
