package main

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The program is Apache-2.0, and of LXD's module, which is AGPL-3.0, two
// directories are so, too: nothing else of it may be linked in.
func TestLinkedLicence(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/canonical/lxd/"
	found := false
	for line := range strings.Lines(string(out)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), module)
		if !ok {
			continue
		}
		found = true
		if top, _, _ := strings.Cut(path, "/"); top != "client" && top != "shared" {
			t.Errorf("%s%s is linked in, which is not Apache-2.0", module, path)
		}
	}
	if !found {
		t.Error("LXD's client is not linked in: the test looks for something else")
	}
}

// rooms is who may import whom within the module.
var rooms = map[string][]string{
	"parse":                       {},
	"parse/source":                {},
	"export/rule":                 {"capture/crash/lanes", "export/rule/known", "export/rule/psl", "parse"},
	"export/rule/known":           {"export/rule/psl", "parse"},
	"export/rule/psl":             {},
	"export/explain":              {"export/rule", "export/rule/known", "export/rule/psl", "parse"},
	"export":                      {"capture/crash/lanes", "export/owner", "export/rule", "parse"},
	"export/owner":                {},
	"export/output":               {"capture/crash/lanes", "export", "export/rule", "parse", "parse/source"},
	"capture":                     {"capture/crash", "capture/witness", "export/rule", "export/rule/psl", "parse"},
	"capture/crash":               {},
	"capture/crash/lanes":         {"capture/crash"},
	"capture/session":             {"capture", "capture/crash", "export", "export/owner", "export/rule"},
	"capture/logfile":             {"capture", "capture/crash", "capture/session", "parse", "parse/source"},
	"capture/lxd":                 {"capture/crash", "capture/shell"},
	"capture/lxd/lxdfake":         {"capture/lxd"},
	"capture/lxd/lxdtest":         {"capture/lxd"},
	"capture/live":                {"capture", "capture/crash", "capture/logfile", "capture/lxd", "capture/session", "capture/verify", "capture/verify/enforce", "capture/witness", "capture/witness/cgroup", "capture/witness/wire", "export/rule"},
	"capture/shell":               {},
	"capture/verify":              {"capture/shell", "export/rule"},
	"capture/verify/forward":      {"capture/crash", "capture/witness/packet", "parse"},
	"capture/verify/enforce":      {"capture/crash", "capture/lxd", "capture/verify", "capture/verify/fence", "capture/verify/forward", "export/rule"},
	"ui":                          {"capture", "capture/crash", "capture/session", "capture/verify", "capture/witness", "export", "export/owner", "export/rule", "export/rule/known", "ui/dialog", "ui/keys", "ui/look", "ui/table", "ui/term"},
	"ui/dialog":                   {"capture", "capture/verify", "capture/witness", "export", "export/rule", "export/rule/known", "export/rule/psl", "parse", "ui/keys", "ui/look", "ui/table"},
	"ui/keys":                     {"ui/look"},
	"ui/look":                     {},
	"ui/table":                    {"capture", "capture/crash/lanes", "capture/verify", "capture/witness", "export/rule", "export/rule/psl", "ui/look"},
	"ui/term":                     {"capture/crash"},
	"ui/backend":                  {"capture", "capture/live", "capture/logfile", "capture/lxd", "capture/session", "capture/verify", "ui", "ui/dialog", "ui/look"},
	"ui/cli":                      {"capture", "capture/crash", "capture/live", "capture/logfile", "capture/lxd", "capture/session", "capture/verify", "capture/verify/enforce", "capture/verify/minimize", "export", "export/explain", "export/output", "export/owner", "export/rule", "export/rule/known", "ui", "ui/backend", "ui/look", "ui/table", "ui/term"},
	"":                            {"ui/cli"},
	"capture/verify/fence":        {"capture/crash", "capture/witness/packet"},
	"capture/verify/minimize":     {},
	"capture/witness":             {"export/rule/known"},
	"capture/witness/cgroup":      {"capture/crash", "capture/witness", "capture/witness/packet", "parse"},
	"capture/witness/packet":      {"parse"},
	"capture/witness/witnesstest": {},
	"capture/witness/wire":        {"capture/witness", "capture/witness/packet", "parse"},
}

// pure are rooms that know neither a file nor a network.
var pure = []string{"parse", "export/rule", "export/rule/known", "export/rule/psl", "capture", "capture/crash", "capture/crash/lanes", "capture/shell", "capture/verify", "capture/verify/minimize", "capture/witness", "capture/witness/packet"}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	within := func(path string) (room string, ok bool) {
		if path == "lxd-allowlist" {
			return "", true
		}
		return strings.CutPrefix(path, "lxd-allowlist/")
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		room, _ := within(fields[0])
		allowed, known := rooms[room]
		if !known {
			continue // a room of tests alone
		}
		seen++
		for _, path := range fields[1:] {
			if slices.Contains(pure, room) && (path == "os" || path == "net" || path == "syscall") {
				t.Errorf("%q imports %q", room, path)
			}
			if other, ours := within(path); ours && !slices.Contains(allowed, other) {
				t.Errorf("%q imports %q", room, other)
			}
		}
	}
	if seen != len(rooms) {
		t.Errorf("found %d of %d rooms", seen, len(rooms))
	}
}

// No check is skipped in silence: a test may leave itself out of a short run,
// which says so, and for no other reason. What can't be asked everywhere is
// behind a build tag, and the script in .ci that has what it needs passes it.
func TestNoTestIsSkipped(t *testing.T) {
	skips := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && len(path) > 1 && path[0] == '.' {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.PreorderStack(file, nil, func(n ast.Node, above []ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, call.Sel.Name) {
				return true
			}
			short := slices.ContainsFunc(above, func(n ast.Node) bool {
				branch, ok := n.(*ast.IfStmt)
				return ok && types.ExprString(branch.Cond) == "testing.Short()"
			})
			skips++
			if !short {
				t.Errorf("%s: a test is skipped: use a build tag", files.Position(call.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil || skips == 0 {
		t.Errorf("%d skips found: %v", skips, err)
	}
}

// A panic in a goroutine that nobody guards ends the program with the bridge and
// the terminal as they were changed.
func TestGoroutinesAreGuarded(t *testing.T) {
	guarded := 0
	sources(t, func(files *token.FileSet, file *ast.File) {
		check := func(at token.Pos, f ast.Expr) {
			if guarded++; !strings.HasPrefix(types.ExprString(f), "crash.Guarded(") {
				t.Errorf("%s: a goroutine without crash.Guarded", files.Position(at))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				check(n.Pos(), n.Call.Fun)
			case *ast.CallExpr:
				if of, ok := n.Fun.(*ast.SelectorExpr); ok && of.Sel.Name == "Go" && len(n.Args) == 1 {
					check(n.Pos(), n.Args[0])
				}
			}
			return true
		})
	})
	if guarded == 0 {
		t.Error("no goroutine was found")
	}
}

// sources calls look for each file of the program itself.
func sources(t *testing.T, look func(*token.FileSet, *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (len(path) > 1 && path[0] == '.' || d.Name() == "proof" || strings.HasSuffix(d.Name(), "test")) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err == nil {
			look(files, file)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What SECURITY.md says that the program starts, ends, listens on and makes in
// places where others may write is all that there is.
func TestReachesNoFurther(t *testing.T) {
	want := []string{
		"capture/live/probe.go: runs lookUp",               // in the instance, as those that follow; getent or nslookup
		"capture/lxd/exec.go: runs sh",                     // whether there is such a command
		"capture/lxd/exec.go: runs true",                   // as a user, whether there is one
		"capture/lxd/holder.go: syscall.Kill",              // with signal 0, to ask whether it runs
		"capture/lxd/stray.go: p.Signal",                   // a dnsmasq that LXD has lost
		"capture/verify/enforce/bridge.go: forward.Listen", // on loopback
		"capture/verify/enforce/canary.go: runs sh",        // for the proof, and to empty caches
		"capture/verify/enforce/enforce.go: forward.Listen",
		"capture/verify/fence/guard.go: exec.Command", // the program itself, as a guard
		"capture/verify/fence/guard.go: net.Listen",   // a name for that, not of a file and not on a network
		"capture/verify/forward/listen.go: c.Listen",  // verify's port, on the bridge
		"ui/cli/crash.go: os.CreateTemp",              // the trace of a panic, in the state directory
		"ui/clipboard.go: exec.CommandContext",        // tmux load-buffer
	}
	reaches := regexp.MustCompile(`^(exec\.Command\w*|(os|syscall|unix)\.(StartProcess|ForkExec|Exec|Kill|PidfdSendSignal|Tgkill|CreateTemp|MkdirTemp|TempDir|Mkfifo)|\w+\.(Listen|ListenPacket|ListenUDP|ListenTCP|ListenUnix|Signal))$`)
	var got []string
	sources(t, func(files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if f := types.ExprString(n.Fun); reaches.MatchString(f) {
					got = append(got, files.Position(n.Pos()).Filename+": "+strings.TrimSuffix(f, "Packet"))
				}
			case *ast.KeyValueExpr:
				if program := ranInside(n); program != "" {
					got = append(got, files.Position(n.Pos()).Filename+": runs "+program)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING && strings.HasPrefix(n.Value[1:], "/tmp") {
					t.Errorf("%s: %s, where everybody can write", files.Position(n.Pos()), n.Value)
				}
			}
			return true
		})
	})
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("it reaches %q, want %q", got, want)
	}
}

// ranInside returns the program that a field of an lxd.Command names, "" where it
// is what the user named.
func ranInside(field *ast.KeyValueExpr) string {
	if types.ExprString(field.Key) != "Args" {
		return ""
	}
	switch args := field.Value.(type) {
	case *ast.CompositeLit:
		if first, is := args.Elts[0].(*ast.BasicLit); is {
			return strings.Trim(first.Value, `"`)
		}
	case *ast.Ident:
		if args.Name != "words" {
			return args.Name
		}
	}
	return ""
}

// A breakage of .ci/survivors.list that changes nothing, or is looked for by a
// test that there isn't, shows nothing: code or test has a new name or place.
func TestBreakagesBreak(t *testing.T) {
	list, err := os.ReadFile(".ci/survivors.list")
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		file, rest, _ := strings.Cut(line, " | ")
		end := strings.LastIndex(rest, " | ")
		if end < 0 {
			t.Errorf("it isn't FILE | sed expression | test: %s", line)
			continue
		}
		broken, words := rest[:end], strings.Fields(rest[end+len(" | "):])
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		sed := exec.CommandContext(t.Context(), "sed", "-E", broken)
		sed.Stdin = bytes.NewReader(whole)
		if left, err := sed.Output(); err != nil || bytes.Equal(left, whole) {
			t.Errorf("it breaks nothing, %v: %s", err, line)
		}
		named := regexp.MustCompile("")
		if at := slices.Index(words, "-run"); at >= 0 {
			top, _, _ := strings.Cut(words[at+1], "/")
			named = regexp.MustCompile(top)
		}
		if !slices.ContainsFunc(tests[filepath.Clean(words[0])], named.MatchString) {
			t.Errorf("there is no such test: %s", line)
		}
	}
}

// testNames returns the names of the tests, by the folder.
func testNames(t *testing.T) map[string][]string {
	names, tested := make(map[string][]string), regexp.MustCompile("^(Test|Fuzz|Example)")
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, is := decl.(*ast.FuncDecl); is && tested.MatchString(f.Name.Name) {
				names[filepath.Dir(path)] = append(names[filepath.Dir(path)], f.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What docs/reliability.md says was tried is a test that is there: each row of its
// tables has one, by what go test is called with, or says why there is none; no
// row is there twice.
func TestReliabilityNamesTests(t *testing.T) {
	text, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsByDirectory(t)
	named := regexp.MustCompile("((?:`[A-Z]\\w+`, )*)`([A-Z]\\w+)((?: \\.\\S*)+)`") // `A`, `B ./dir ./other`
	word := regexp.MustCompile(`\w+`)
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		found := named.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			for _, pattern := range append(word.FindAllString(m[1], -1), m[2]) {
				for _, dir := range strings.Fields(m[3]) {
					if !slices.ContainsFunc(tests[filepath.Clean(dir)], func(name string) bool { return strings.Contains(name, pattern) }) {
						t.Errorf("no test in %s has %s in its name: %s", dir, pattern, line)
					}
				}
			}
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") || strings.HasSuffix(line, "| test |\n") {
			continue
		}
		if what, _, _ := strings.Cut(line[1:], "|"); seen[what] {
			t.Errorf("it has two rows of%s", what)
		} else {
			seen[what] = true
		}
		if len(found) == 0 && !strings.Contains(line, "| none: ") {
			t.Errorf("a row has no test: %s", line)
		}
	}
}

// testsByDirectory returns the names of all tests and fuzz targets, those of "..."
// of all directories.
func testsByDirectory(t *testing.T) map[string][]string {
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	all := make(map[string][]string)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(source, -1) {
			for _, dir := range []string{filepath.Dir(path), "..."} {
				all[dir] = append(all[dir], string(m[1]))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
