package export

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"lxd-allowlist/export/rule"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample has a rule of every kind that some target wants care for.
func sample(t *testing.T) rule.Compiled { return sampleOf(t, rule.Header{}) }

// sampleOf is the sample as made at a time on a host.
func sampleOf(t *testing.T, made rule.Header) rule.Compiled {
	t.Helper()
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 9, minute, 0, 0, time.UTC) }
	c, refused := rule.Compile(rule.List{
		Rules: []rule.Rule{
			{Name: "www.example.com", Reason: "the shop's front | see <ticket 7>", Source: "user",
				Seen: &rule.Seen{Queries: 12, Outcome: "resolved", Instances: []string{"web1", "web2"}, First: at(1), Last: at(30), Types: []string{"A", "AAAA"}}},
			{Name: "example.net", Suffix: true, Reason: "=updates\nof the\u202e vendor\\", Source: "user"},
			{Name: "a.www.example.org", Source: "observed", Seen: &rule.Seen{Queries: 1, Outcome: "NXDOMAIN", Types: []string{"HTTPS"}, First: at(2), Last: at(2)}},
			{Name: "example.org", Seen: &rule.Seen{Queries: 3, Outcome: "resolved", Ports: []rule.Port{port("443/tcp"), port("443/udp")}, Watched: true}},
			{Name: "b.example.org", Suffix: true},
			{Name: "github.io", Suffix: true},
			{Name: "_dmarc.example.com"},
			{Name: "-dash.example.com"},
			{Name: "xn--bcher-kva.example", Seen: &rule.Seen{Queries: 1, Outcome: "resolved", Ports: []rule.Port{port("123/udp")}, Watched: true}},
			{Name: "default"},
			{Name: "intranet"},
			{Name: "no"},
			{Name: strings.Repeat(strings.Repeat("l", 58)+".", 3) + "examples"},
		},
		Aliases: []string{"cname.example.net", "edge.cdn.example"},
		Header:  rule.Header{Program: "lxd-allowlist 1.0", Session: "20260301-090000-web1", Instance: "web1", Network: "lxdbr0", When: made.When, Host: made.Host},
	})
	if len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	return c
}

// names writes rules as a plain list does, in their order.
func names(rules []rule.Rule) string {
	var words []string
	for _, r := range rules {
		words = append(words, r.Dotted())
	}
	return strings.Join(words, " ")
}

// ruleList reads what names writes.
func ruleList(words string) []rule.Rule {
	var rules []rule.Rule
	for _, w := range strings.Fields(words) {
		rules = append(rules, rule.FromDotted(w))
	}
	return rules
}

func compile(t testing.TB, words string) rule.Compiled {
	t.Helper()
	c, refused := rule.Compile(rule.List{Rules: ruleList(words)})
	if len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	return c
}

// holdable leaves out the rules that f refuses one by one.
func holdable(f Format, c rule.Compiled) rule.Compiled {
	c, _ = c.Hold(func(r rule.Rule) string {
		one, _ := rule.Compile(rule.List{Rules: []rule.Rule{r}})
		if _, err := f.fit(one); err != nil {
			return err.Error()
		}
		return ""
	})
	return c
}

func TestGolden(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			got, err := Render(f, holdable(f, sample(t)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", f.Name+"."+f.Extension)
			if *update {
				put(t, path, string(got), 0o644)
			}
			if want := read(t, path); string(got) != want {
				t.Errorf("%s differs; run with -update and look at the change. Got:\n%s", path, got)
			}
		})
	}
}

// What was written is what the rules say, in a meaning that is written down
// here by hand.
func TestDecode(t *testing.T) {
	for _, f := range Formats() {
		c := compile(t, "www.example.com .example.net")
		data, err := f.Encode(c, Options{Ports: []int{443}})
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		got, err := f.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		want := ".example.net www.example.com"
		if f.Widens != "" {
			want = ".example.net .www.example.com"
		}
		if got := names(rule.ByName(got)); got != want {
			t.Errorf("%s: read %s, want %s", f.Name, got, want)
		}
	}
}

func TestFormatFields(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range Formats() {
		if seen[f.Name] {
			t.Errorf("%s: twice", f.Name)
		}
		seen[f.Name] = true
		if f.Name == "" || f.Title == "" || f.Extension == "" || f.Exact == "" || f.Suffix == "" || f.Load == "" || f.Proven == "" {
			t.Errorf("%s: a field is empty: %+v", f.Name, f)
		}
		// Whoever breaks lines, and whoever shows Markdown, makes one of two blanks.
		if text := f.Title + f.Exact + f.Suffix + f.Address + f.Pattern + f.Load + f.Check + f.Proven; strings.Contains(text, "  ") {
			t.Errorf("%s: two blanks in %q", f.Name, text)
		}
		if got, err := Lookup(f.Name); err != nil || got.Title != f.Title {
			t.Errorf("%s: found %q, %v", f.Name, got.Title, err)
		}
	}
	if _, err := Lookup("nothing"); err == nil || !strings.Contains(err.Error(), "plain, squid") {
		t.Errorf("error %v", err)
	}
}

// A line that carries a rule or a denial can't go unnoticed.
func TestDecodeMissesNothing(t *testing.T) {
	// Lines that say nothing of rules: a header, a detail of the target, one of
	// an exact name's several ports.
	idle := map[string][]string{
		"rpz":      {"$TTL", "@ IN"},
		"json":     {`"reason"`, `"source"`, `"warning"`, "seen"},
		"markdown": {"- "},

		"harden-runner": {"www.example.com:", "example.org:", "*."},
		"openshell":     {`- {host: "www.`, `- {host: "example.org"`},
	}
	c := compile(t, "www.example.com .example.net example.org .b.example.org")
	for _, f := range Formats() {
		f.Widens = "" // compare with what the file says, not with what was asked
		data, err := f.Encode(c, Options{})
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		want, err := f.Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		lines := bytes.SplitAfter(data, []byte("\n"))
		for i, line := range lines {
			text := strings.TrimSpace(string(line))
			carries := strings.Contains(text, "example.") || strings.Contains(text, "local=") || strings.Contains(text, "CNAME") || strings.Contains(text, "NXDOMAIN") || strings.Contains(text, "block")
			if !carries || f.mark != "" && strings.HasPrefix(text, f.mark) || slices.ContainsFunc(idle[f.Name], func(s string) bool { return strings.HasPrefix(text, s) }) {
				continue
			}
			without := slices.Concat(slices.Concat(lines[:i]...), slices.Concat(lines[i+1:]...))
			if got, err := f.Decode(without); err == nil && rule.Difference(got, want) == "" {
				t.Errorf("%s: nobody misses the line %q", f.Name, line)
			}
		}
	}
}

func TestRenderCatchesADifference(t *testing.T) {
	f := plain
	for word, decode := range map[string]func([]byte) ([]rule.Rule, error){
		"is missing":   func([]byte) ([]rule.Rule, error) { return ruleList("a.example"), nil },
		"is too many":  func([]byte) ([]rule.Rule, error) { return ruleList("a.example b.example b.example"), nil },
		"stands where": func([]byte) ([]rule.Rule, error) { return ruleList("a.example .b.example"), nil },
	} {
		f.decode = decode
		data, err := Render(f, compile(t, "a.example b.example"), Options{})
		if err == nil || !strings.Contains(err.Error(), word) || data != nil {
			t.Errorf("error %v, want %q; data %q", err, word, data)
		}
	}
}

func TestHeaderIsReproducible(t *testing.T) {
	for _, f := range Formats() {
		c := holdable(f, sample(t))
		a, errA := f.Encode(c, Options{})
		b, errB := f.Encode(c, Options{})
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: two runs differ", f.Name)
		}
	}
	c := holdable(squid, sampleOf(t, rule.Header{When: time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("", 3600)), Host: "lab"}))
	data, err := squid.Encode(c, Options{})
	if err != nil || !strings.Contains(string(data), "# host lab\n# at 2026-03-01T09:00:00Z\n") {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestNote(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                        "plain",
		"two\nlines\r\n":               "two lines",
		`ends in \`:                    "ends in /",
		"\x1b[31mred\u2028\u202eabc":   "[31mred  abc",
		"\xff":                         "\ufffd",
		strings.Repeat("x", maxNote):   strings.Repeat("x", maxNote),
		strings.Repeat("x", maxNote+1): strings.Repeat("x", maxNote) + "...",
		strings.Repeat("\u00e4", 150):  strings.Repeat("\u00e4", 100) + "...",
	} {
		if got := note(in); got != want {
			t.Errorf("note(%q) = %q, want %q", in, got, want)
		}
	}
}

// oddNames are names, and what could be taken for some, one a line.
var oddNames = []string{
	"www.example.com", ".example.net\nwww.example.net\nexample.net", "x/com", "~.*", "a#b.example", "a b.example",
	"default\nhostnames\ninclude\nvolatile\nimport", "no\non\nnull\n0x1f\n1.e5", "-x.example\n=1.example", "*.example.com",
	".github.io\n.co.uk\ncom", "_a._b.example", "a..b\n.\n..", "\x00\x1b[31m\xff", "192.0.2.1\n2001:db8::1",
	"rpz-ip\nx.rpz-client-ip", strings.Repeat("a.", 126) + "b", strings.Repeat("a", 63) + ".example",
	"a.b.c.example\nb.c.example\n.c.example", ".a.example\na.example",
	"0x7f000001\n0177.0.0.1\n127.1\n2130706433\n169.254.169.0xfe\na.0x1f\n[::1]\n::ffff:127.0.0.1", "WWW.Example.COM.\nwww.example.com..\n.Example.NET.",
	"notexample.net\nexample.net.evil.org\n.example.net\nexamplexnet", ".www.example.com@evil.org\nevil.org?.example.net\nevil.org#.example.net",
	"192.0.2.7:443/tcp\n[2001:db8::/48]:53/udp\n192.0.2.7:443\n0.0.0.0/0:1/tcp\na.example", "192.0.2.0/24:22/tcp\n.192.0.2.7:443/tcp",
	"sa<0-99>.blob.example.com\nn<0-9>-<00-99>.example.net\nsa1.blob.example.com\n<0-9999>.example.org", "api.<region>.example.org\nsa<0-98>.example.com\n<0-9>.com\na<0-9><0-9>.example.com",
	"evil.org+\nevil.org/\nx/com/y", "a.test\nb.onion\nc.invalid\nd.home.arpa\ne.localhost",
	"." + strings.Repeat(strings.Repeat("l", 61)+".", 4) + "exmpl", strings.Repeat(strings.Repeat("l", 58)+".", 3) + "examples",
}

const oddReason = "a reason\n# | \\ \""

func TestOddNames(t *testing.T) {
	for _, text := range oddNames {
		for i := range formats {
			thereAndBack(t, text, oddReason, uint16(443+i))
		}
	}
}

func FuzzFormats(f *testing.F) {
	for i, text := range oddNames {
		f.Add(text, oddReason, uint16(443+i))
	}
	f.Fuzz(thereAndBack)
}

// thereAndBack holds what a format writes, whatever the names and the words about
// them, to be printable, and to be read back as the compiled rules. Which format
// that is follows from the port: all of them with each input are slow.
func thereAndBack(t *testing.T, text, reason string, port uint16) {
	if len(text)+len(reason) > 2048 { // more of the same, and slow
		return
	}
	l := rule.List{Header: rule.Header{Program: reason, Session: text, Instance: reason}}
	for name := range strings.SplitSeq(text, "\n") {
		r := rule.FromDotted(name)
		r.Reason, r.Source = reason, name
		r.Seen = &rule.Seen{Outcome: reason, Instances: []string{name, reason}, Types: []string{reason}}
		l.Rules = append(l.Rules, r)
		l.Aliases = append(l.Aliases, name)
	}
	all, _ := rule.Compile(l)
	options := Options{Ports: []int{max(1, int(port))}}
	f := formats[int(port)%len(formats)]
	c := holdable(f, all)
	if f.needsRule && c.Len() == 0 || f.Name == "envoy" && port == 80 {
		return
	}
	data, err := f.Encode(c, options)
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	if i := slices.IndexFunc([]rune(string(data)), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 || !utf8.Valid(data) {
		t.Fatalf("%s: not printable at %d:\n%q", f.Name, i, data)
	}
	got, err := f.Decode(data)
	if err != nil {
		t.Fatalf("%s: %v\n%s", f.Name, err, data)
	}
	want := c
	if f.Widens != "" {
		want, _ = c.Widen()
	}
	if diff := rule.Difference(got, want.Rules()); diff != "" {
		t.Fatalf("%s: %s\n%s", f.Name, diff, data)
	}
}

// Whatever a reader is given, it doesn't panic, and what it makes of it can be
// written by the same format.
func FuzzDecode(f *testing.F) {
	odd, _ := rule.Compile(rule.List{Rules: append(append(patternRules(), addressRules()...), rule.Rule{Name: "example.net", Suffix: true})})
	for i, format := range formats {
		patterns, err := Render(format, holdable(format, odd), Options{})
		if err != nil {
			f.Fatal(err)
		}
		for _, data := range [][]byte{nil, []byte(matrixFile), golden(f, format), patterns} {
			f.Add(uint(i), data)
			f.Add(uint(i), bytes.ReplaceAll(data, []byte("example"), []byte("0x7f.EXAMPLE.")))
			f.Add(uint(i), bytes.ReplaceAll(data, []byte("*"), []byte("**")))
			f.Add(uint(i), bytes.ReplaceAll(data, []byte("[0-9]"), []byte("[0-9][0-9]")))
			f.Add(uint(i), data[:len(data)/2])
		}
	}
	f.Fuzz(func(t *testing.T, i uint, data []byte) {
		format := formats[i%uint(len(formats))]
		if len(data) > 1<<13 { // more of the same, and slow
			return
		}
		rules, err := format.Decode(data)
		if err != nil {
			return
		}
		all, _ := rule.Compile(rule.List{Rules: rules})
		if c := holdable(format, all); !format.needsRule || c.Len() > 0 {
			if _, err := Render(format, c, Options{}); err != nil {
				t.Errorf("%s: %v\n%q", format.Name, err, data)
			}
		}
	})
}

func golden(t testing.TB, f Format) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", f.Name+"."+f.Extension))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A rule that opens a way round the list says so in the file, be it a suffix
// or an exact one. Where the target takes no comments it is said beside it.
func TestWarningStandsInTheFile(t *testing.T) {
	silent := []string{"plain", "csv", "aws-nfw", "claude-code", "sandbox-runtime", "paloalto-edl", "fortigate"}
	for _, list := range []string{".github.io", "dns.google", ".dns.google", "pastebin.com", ".google.com"} {
		c := compile(t, list)
		want := rule.FromDotted(list).Warning()
		if want == "" {
			t.Fatalf("no warning of %s", list)
		}
		for _, f := range Formats() {
			data, err := f.Encode(c, Options{})
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if says := strings.Contains(strings.ReplaceAll(string(data), `\`, ""), want); says == slices.Contains(silent, f.Name) {
				t.Errorf("%s says %q: %t\n%s", f.Name, want, says, data)
			}
		}
	}
}

// JSON keeps one of two fields of a name, and readers one of two documents: what
// stood in the other would be lost.
func TestJSONWithSomethingTwice(t *testing.T) {
	key := regexp.MustCompile(`"[A-Za-z_]+": `)
	for _, f := range Formats() {
		data := golden(t, f)
		if data[0] != '{' {
			continue
		}
		if _, err := f.Decode(slices.Concat(data, data)); err == nil {
			t.Errorf("%s: it reads one of two documents", f.Name)
		}
		for _, at := range key.FindAllIndex(data, -1) {
			name := string(data[at[0]+1 : at[1]-3])
			for _, again := range []string{name, strings.ToUpper(name), fmt.Sprintf(`\u%04x`, name[0]) + name[1:]} {
				twice := slices.Concat(data[:at[0]], []byte(`"`+again+`": null, `), data[at[0]:])
				if _, err := f.Decode(twice); err == nil {
					t.Errorf("%s: %s beside %s at byte %d is read", f.Name, again, name, at[0])
				}
			}
		}
	}
	const same = `{"a": {"b": [{"b": "\"a\": ,{"}, {"b": 1}], "c": ["y", "x", "x"]}, "b": "\\", "d": {"a": {}}}`
	if key := keyTwice([]byte(same)); key != "" {
		t.Errorf("%s stands twice in %s", key, same)
	}
}
