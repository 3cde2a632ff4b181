package proof

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"lxd-allowlist/export"
)

// .ci/matrix runs these tests with the software of other systems, and wants to
// know what each did with each file.
var (
	// root is a directory with such a system, "" for this machine's own. The
	// tests' files must be found there by the same paths.
	root = os.Getenv("PROOF_ROOT")
	// results is the file that rows are added to, "" for none.
	results = os.Getenv("PROOF_RESULTS")
)

// titles are what people call the software; others go by the program's name.
var titles = map[string]string{
	"haproxy":       "HAProxy",
	"kresd":         "Knot Resolver",
	"named":         "BIND",
	"pdns_recursor": "PowerDNS Recursor",
	"privoxy":       "Privoxy",
	"squid":         "Squid",
	"unbound":       "Unbound",
}

// inRoot has the command run in root.
func inRoot(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	if root != "" {
		cmd.SysProcAttr.Chroot = root
		cmd.Dir = "/"
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=" + os.TempDir()}
	}
	return cmd
}

// within returns where a path of root's leads to: its links are absolute there.
func within(path string) string {
	for range 10 {
		to, err := os.Readlink(root + path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return root + path
}

// observation is what one program did with the files of one format.
type observation struct {
	format, software string
	version          string   // "" for that of the program's package
	refused          string   // the program's last words, where it didn't start
	opens, closes    []string // what passed and must not, what must and didn't
	gaps             []string // what passed as the format says it does
}

var (
	observations   = make(map[string]*observation) // by the test's name
	observationsMu sync.Mutex
)

// observe begins to write down what the test sees of the format.
func observe(t *testing.T, f export.Format) *observation {
	o := &observation{format: f.Name}
	observationsMu.Lock()
	observations[t.Name()] = o
	observationsMu.Unlock()
	t.Cleanup(func() { o.record(t) })
	return o
}

// observed returns what is being written down for the test or one above it.
func observed(t *testing.T) *observation {
	observationsMu.Lock()
	defer observationsMu.Unlock()
	for name := t.Name(); ; {
		if o := observations[name]; o != nil {
			return o
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return new(observation)
		}
		name = name[:i]
	}
}

// difference fails the test for names that pass and must not, or the other
// way round. Way is how they were asked for, "" for the usual one.
func (o *observation) difference(t *testing.T, names, way string, passes bool) {
	t.Helper()
	t.Errorf("%s: passes %v, want %v; asked by: %s", names, passes, !passes, cmp.Or(way, "the usual way"))
	way = cmp.Or(way, names)
	list := &o.closes
	if passes {
		list = &o.opens
	}
	if !slices.Contains(*list, way) {
		*list = append(*list, way)
	}
}

// record adds a row to the results: software, version, format, what became of
// it, and the details.
func (o *observation) record(t *testing.T) {
	if results == "" || o.version == "" && packages[o.software] == "" {
		return
	}
	if o.version == "" {
		o.version = version(t, o.software)
	}
	what, details := "proven", strings.Join(o.gaps, ", ")
	switch {
	case o.refused != "":
		what, details = "refuses", o.refused
	case len(o.opens) > 0:
		what, details = "opens", few(o.opens)
	case len(o.closes) > 0:
		what, details = "closes", few(o.closes)
	case t.Failed():
		what, details = "fails", ""
	}
	file, err := os.OpenFile(results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprintf(file, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(titles[o.software], o.software), o.version, o.format, what, details)
}

// few names the first of many.
func few(list []string) string {
	const most, letters = 3, 40
	list = slices.Clone(list)
	for i, name := range list {
		if len(name) > letters {
			list[i] = name[:letters] + "..."
		}
	}
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

var (
	upstreamVersion = regexp.MustCompile(`^(?:\d+:)?([0-9.]+)`)
	someFile        = regexp.MustCompile(`/[^\s:'"]+`)
)

// version returns the version of the package that the program is of, without
// what Debian adds to it.
func version(t *testing.T, name string) string {
	t.Helper()
	query := func(args ...string) string {
		t.Helper()
		out, err := inRoot(exec.Command("/usr/bin/dpkg-query", args...)).Output()
		if err != nil {
			t.Fatalf("version of %s: dpkg-query %s: %v", name, args, err)
		}
		return string(out)
	}
	owner, _, _ := strings.Cut(query("-S", strings.TrimPrefix(find(name), root)), ":")
	out := query("-W", "-f", "${Version}", owner)
	found := upstreamVersion.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("version of %s: %q", owner, out)
	}
	return found[1]
}

// lastWords returns the last line that a program said, without the names of
// the test's own files.
func lastWords(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return someFile.ReplaceAllString(strings.TrimSpace(lines[len(lines)-1]), "FILE")
}
