package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// longName and longSuffix are as long as the tightest target takes them.
var (
	longName   = strings.Repeat(strings.Repeat("l", 58)+".", 3) + "examples"
	longSuffix = strings.Repeat(strings.Repeat("l", 59)+".", 4) + "example"
	longLabel  = strings.Repeat("x", 63)
)

// lookedUp is the owner of an SRV record, say: a name to look up and no host.
const lookedUp = "_x.example.com"

// rules are what every target is given.
func rules() []rule.Rule {
	return []rule.Rule{
		{Name: "www.example.com", Reason: "# \" ' ; { } $x `x` \\"},
		{Name: lookedUp},
		{Name: "-n.example.com"},
		{Name: "xn--bcher-kva.example"},
		{Name: longName},
		{Name: longSuffix, Suffix: true},
		{Name: "example.net", Suffix: true},
		{Name: "github.io", Suffix: true}, // brings a warning
	}
}

// singles are names that mean something else to some targets, or could.
var singles = []string{"-i", "default", "import", "include", "intranet", "no"}

// question is a name and whether it passes. Where a target can't say exact,
// what is below the exact rules passes as well.
type question struct {
	name          string
	pass, widened bool
}

var questions = []question{
	{"www.example.com", true, true},
	{"WWW.EXAMPLE.COM", true, true},
	{"example.com", false, false},
	{"a.www.example.com", false, true},
	{"a.b.www.example.com", false, true},
	{"b.example.com", false, false},
	{"wwwxexample.com", false, false},
	{"xwww.example.com", false, false},
	{"ww.example.com", false, false},
	{"www.example.co", false, false},
	{"www.example.comx", false, false},
	{"www.example.com.evil.org", false, false},
	{"example.net", true, true},
	{"a.example.net", true, true},
	{"a.b.example.net", true, true},
	{"_a.B.Example.NET", true, true},
	{"notexample.net", false, false},
	{"axexample.net", false, false},
	{"examplexnet", false, false},
	{"example.nets", false, false},
	{"example.net.evil.org", false, false},
	{"a.example.net.evil.com", false, false},
	{"com", false, false},
	{"net", false, false},
	{"b.net", false, false},
	{"org", false, false},
	{"evil.org", false, false},
	{"x.y.z.evil-1", false, false},
	{"_", false, false},
	{lookedUp, true, true},
	{"-n.example.com", true, true},
	{"x-n.example.com", false, false},
	{"a._x.example.com", false, true},
	{"x.example.com", false, false},
	{"xn--bcher-kva.example", true, true},
	{"xn--bcher-kva.exampl", false, false},
	{"example", false, false},
	{"a.github.io", true, true},
	{"io", false, false},
	{longName, true, true},
	{longName[1:], false, false},
	{longLabel + "." + longName, false, true},
	{"a." + longLabel + "." + longName, false, true},
	{"ab." + longLabel + "." + longName, false, true},
	{"abc." + longLabel + "." + longName, false, true},
	{longSuffix, true, true},
	{"a.b." + longSuffix, true, true},
	{longSuffix[1:], false, false},
}

// file renders the rules and writes the file.
func file(t *testing.T, f export.Format, rules []rule.Rule) string {
	t.Helper()
	return fileOf(t, f, compiled(t, rules))
}

func compiled(t *testing.T, rules []rule.Rule) rule.Compiled {
	t.Helper()
	c, refused := rule.Compile(rule.List{Rules: rules})
	if len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	return c
}

func fileOf(t *testing.T, f export.Format, c rule.Compiled) string {
	t.Helper()
	data, err := export.Render(f, c, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "list."+f.Extension, data, 0o644)
}

func format(t *testing.T, name string) export.Format {
	t.Helper()
	f, err := export.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// target is a running program that was given a file.
type target struct {
	ask func(t *testing.T, name string) bool // whether the name passes
	// done checks what must hold after all that was asked; it may be nil.
	done func(t *testing.T, denied map[string]bool)
	ways []way // other ways of asking than ask's
}

// way is a way of asking for a name.
type way struct {
	name string
	// must says that a name which passes otherwise passes in this way, too.
	must bool
	// told are the words by which a format tells of its letting names pass in
	// this way that are on no list; "" for none.
	told string
	ask  func(t *testing.T, name string) bool
}

// probe asks for all names in all ways. Want are those asked for, each with
// whether it passes.
func probe(t *testing.T, f export.Format, to target, want map[string]bool) {
	t.Helper()
	saw := observed(t)
	for _, w := range to.ways {
		wrong := map[bool][]string{}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			pass := want[name]
			if pass && !w.must || name+"." == aliasName || name+"." == aliasTarget {
				continue
			}
			got := w.ask(t, name)
			if got != pass {
				wrong[got] = append(wrong[got], name)
			}
		}
		if len(wrong[true]) > 0 && w.told != "" && strings.Contains(f.Load, w.told) {
			if !slices.Contains(saw.gaps, w.name) {
				saw.gaps = append(saw.gaps, w.name)
			}
			delete(wrong, true)
		}
		for got, names := range wrong {
			saw.difference(t, few(names), w.name, got)
		}
	}
}

// prove runs the software as proveTable does, and with many rules. More holds
// what is asked of this kind of target only.
func prove(t *testing.T, f export.Format, launch func(t *testing.T, path string) target, more ...question) {
	proveTable(t, f, launch, more...)
	t.Run("many", func(t *testing.T) { askMany(t, f, launch(t, fileOf(t, f, manyRules()))) })
}

// proveTable runs the software with the rules and all questions about them, in
// all ways, and with no rule at all.
func proveTable(t *testing.T, f export.Format, launch func(t *testing.T, path string) target, more ...question) {
	saw := observe(t, f)
	t.Run("table", func(t *testing.T) {
		all, list := append(questions[:len(questions):len(questions)], more...), rules()
		for _, name := range singles {
			if f.Widens == "" {
				list = append(list, rule.Rule{Name: name})
				all = append(all, question{name: name, pass: true}, question{name: "a." + name})
			} else {
				all = append(all, question{name: name})
			}
		}
		held, out := hold(t, f, list)
		to := launch(t, fileOf(t, f, held))
		denied, wanted := make(map[string]bool), make(map[string]bool)
		for _, q := range all {
			want := (q.pass || f.Widens != "" && q.widened) && !out[q.name]
			denied[strings.ToLower(q.name)], wanted[q.name] = !want, want
			if got := to.ask(t, q.name); got != want {
				saw.difference(t, q.name, "", got)
			}
		}
		if to.done != nil {
			to.done(t, denied)
		}
		probe(t, f, to, wanted)
	})
	t.Run("addresses", func(t *testing.T) {
		if f.Address != "" && !slices.Contains(addressesApart, f.Name) {
			askAddresses(t, f, launch)
		}
	})
	t.Run("patterns", func(t *testing.T) {
		if f.Pattern != "" {
			askPatterns(t, f, launch)
		}
	})
	t.Run("empty", func(t *testing.T) {
		if f.RefusesEmpty() {
			return // there is no such file
		}
		to, wanted := launch(t, file(t, f, nil)), make(map[string]bool)
		for _, name := range []string{"www.example.com", "example.net", "a.example.net", "com", "evil.org", "intranet"} {
			wanted[name] = false
			if to.ask(t, name) {
				saw.difference(t, name, "", true)
			}
		}
		probe(t, f, to, wanted)
	})
}

// addressesApart are formats whose tests of addresses want a network of their own,
// where the software really goes there.
var addressesApart = []string{"haproxy", "smokescreen", "codex"}

// many is a number of rules that no list by hand reaches.
const many = 100_000

// manyRules returns them, compiled: that takes longer than most targets need
// to load them.
var manyRules = sync.OnceValue(func() rule.Compiled {
	list := make([]rule.Rule, many)
	for i := range list {
		list[i] = manyRule(i)
	}
	c, _ := rule.Compile(rule.List{Rules: list})
	return c
})

func manyRule(i int) rule.Rule {
	return rule.Rule{Name: fmt.Sprintf("h%d.z%d.example.org", i, i%1000), Suffix: i%10 == 0}
}

// askMany asks for some of many rules and for what is beside them.
func askMany(t *testing.T, f export.Format, to target) {
	t.Helper()
	for _, i := range []int{0, 1, many / 2, many - 1} {
		r := manyRule(i)
		for name, want := range map[string]bool{
			r.Name:                        true,
			"a." + r.Name:                 r.Suffix || f.Widens != "",
			"x" + r.Name:                  false,
			"z.example.org":               false,
			fmt.Sprintf("h%d.example", i): false,
		} {
			if got := to.ask(t, name); got != want {
				observed(t).difference(t, name, "", got)
			}
		}
	}
}
