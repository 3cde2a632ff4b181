package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put writes a file of a test's directory and returns its path.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	list := put(t, dir, "list.txt", "a.example\n")
	good, bad := put(t, dir, "good.tmpl", "{{.Summary}}"), put(t, dir, "bad.tmpl", "{{.Sumary}}")
	for _, c := range []struct {
		plan Plan
		word string
	}{
		{Plan{}, "names no format"},
		{Plan{Formats: []string{"word"}}, `no format "word"`},
		{Plan{Formats: []string{""}}, `no format ""`},
		{Plan{Formats: []string{"template"}}, `no format "template"`},
		{Plan{Formats: []string{"template=/no/such"}}, "/no/such"},
		{Plan{Formats: []string{"template=" + bad}}, "Sumary"},
		{Plan{Formats: []string{"plain", "squid"}}, "standard output takes one format"},
		{Plan{Formats: []string{"plain", "squid"}, Path: "-"}, "standard output takes one format"},
		{Plan{Formats: []string{"nginx", "unbound"}, Path: "allow"}, "--output allow is one file, for one format: allow/ is a directory, with a file for each"},
		{Plan{Formats: []string{"squid", "squid"}, Path: dir}, "each format once"},
		{Plan{Formats: []string{"cilium"}, Ports: []int{443, 0}}, "0 is no port"},
		{Plan{Formats: []string{"cilium"}, Ports: []int{65536}}, "65536 is no port"},
		{Plan{Formats: []string{"squid"}, Ports: []int{8443}}, "squid has no place for ports"},
		{Plan{Formats: []string{"plain"}, Path: list, Merge: true, Overwrite: true}, "choose one"},
		{Plan{Formats: []string{"plain"}, Path: list, Merge: true, Diff: list}, "compare first"},
		{Plan{Formats: []string{"plain"}, Merge: true}, "--merge needs --output"},
		{Plan{Formats: []string{"plain"}, Path: "-", Diff: list}, "standard output"},
		{Plan{Formats: []string{"plain", "json"}, Path: dir, Diff: list}, "name one"},
		{Plan{Formats: []string{"plain"}, Path: list, Merge: true, CoveredBy: list}, "compare first"},
		{Plan{Formats: []string{"plain"}, Diff: list, CoveredBy: list}, "choose one"},
		{Plan{Formats: []string{"plain"}, Path: "/dev/stdout", CoveredBy: list}, "standard output"},
		{Plan{Formats: []string{"plain", "json"}, Path: dir, CoveredBy: list}, "name one"},
		{Plan{Formats: []string{"plain"}, CoveredBy: filepath.Join(dir, "none")}, "no such file"},
		{Plan{Formats: []string{"plain"}, CoveredBy: good}, "no list of names"},
		{Plan{Formats: []string{"template=" + good}, Diff: list}, "template=good.tmpl"},
		{Plan{Formats: []string{"template=" + good}, Path: list, Merge: true}, "template=good.tmpl"},
		{Plan{Formats: []string{"json"}, Diff: list}, "read json"},
		{Plan{Formats: []string{"yaml"}, Diff: list}, "read yaml"},
	} {
		_, err := Prepare(c.plan)
		if err == nil || !strings.Contains(err.Error(), c.word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want one line with %q", c.plan, err, c.word)
		}
	}
	if _, err := Prepare(Plan{Formats: []string{"plain"}, Diff: filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing to compare with: error %v", err)
	}
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	site := put(t, dir, "site.conf.tmpl", "")
	for _, c := range []struct{ formats, path, want string }{
		{"plain", "", ""},
		{"plain", "-", ""},
		{"json", "allow.txt", "allow.txt"},
		{"squid", "x.txt/allow", "x.txt/allow"},
		{"plain,aws-nfw-terraform", "x/", "x/plain.txt x/aws-nfw-terraform.tf.json"},
		{"nginx,unbound", "lists/", "lists/nginx.conf lists/unbound.conf"},
		{"nginx,unbound", dir, dir + "/nginx.conf " + dir + "/unbound.conf"},
		{"plain", dir, dir + "/plain.txt"},
		{"plain,template=" + site, dir, dir + "/plain.txt " + dir + "/site.conf"},
	} {
		o, err := Prepare(Plan{Formats: strings.Split(c.formats, ","), Path: c.path})
		if err != nil {
			t.Errorf("%s to %s: %v", c.formats, c.path, err)
			continue
		}
		var got []string
		for _, target := range o.targets {
			got = append(got, target.path)
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s to %s: files %s, want %s", c.formats, c.path, got, c.want)
		}
	}
}

func TestSingle(t *testing.T) {
	dir := t.TempDir()
	for formats, want := range map[string]string{
		"squid":                                 "squid",
		"squid,plain":                           "one format at a time",
		"template=" + put(t, dir, "x.tmpl", ""): "has no templates",
	} {
		o, err := Prepare(Plan{Formats: strings.Split(formats, ","), Path: dir})
		if err != nil {
			t.Fatal(err)
		}
		name, err := o.Single()
		if err != nil {
			name = err.Error()
		}
		if !strings.Contains(name, want) {
			t.Errorf("%s: %s, want %s", formats, name, want)
		}
	}
}

func TestStdout(t *testing.T) {
	dir := t.TempDir()
	list := put(t, dir, "list", "")
	for want, plans := range map[bool][]Plan{
		true:  {{}, {Path: "-"}, {Diff: list}, {Diff: list, Path: "out"}},
		false: {{Path: "out"}, {Path: dir}},
	} {
		for _, p := range plans {
			p.Formats = []string{"plain"}
			if o, err := Prepare(p); err != nil || o.Stdout() != want {
				t.Errorf("%+v: it uses standard output: %v, %v", p, !want, err)
			}
		}
	}
}
