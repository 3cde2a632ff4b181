package export

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/export/rule"
)

// liftable are the formats whose long list needs no parser.
var liftable = map[string]func(t *testing.T, data []byte) (lifts bool){
	"gcp": lifts(gcpList), "smokescreen": lifts(smokescreenList), "istio": lifts(istioList), "gke": lifts(gkeList), "openshell": lifts(openshellList), "envoy": lifts(envoyList),
	"yaml": func(t *testing.T, data []byte) bool {
		got, ok := liftRules(data)
		if !ok {
			return false
		}
		want, err := yamlDocument[document](data)
		one, _ := yaml.Marshal(want)
		if other, _ := yaml.Marshal(got); err != nil || !bytes.Equal(one, other) {
			t.Errorf("%v: it is\n%s\nand lifted\n%s\n%s", err, one, other, data)
		}
		return true
	},
	"claude-code": liftsLong((*claudeSettings).domains), "sandbox-runtime": liftsLong((*sandboxSettings).domains),
	"json": func(t *testing.T, data []byte) bool {
		got, ok := liftJSONRules(data)
		if !ok {
			return false
		}
		doc, err := unmarshal[document](data)
		want, wrong := doc.rules()
		if err != nil || wrong != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v: it is\n%v\nand lifted\n%v\n%s", err, wrong, want, got, data)
		}
		return true
	},
}

// liftsLong is lifts for a list of strings in JSON.
func liftsLong[T any](of func(*T) *[]string) func(t *testing.T, data []byte) bool {
	return func(t *testing.T, data []byte) bool {
		got, ok := liftLong(string(data), `"`+sandboxDomains+`": [`, of)
		if !ok {
			return false
		}
		if want, err := unmarshal[T](data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: it is\n%v\nand lifted\n%v\n%s", err, want, got, data)
		}
		return true
	}
}

// lifts reports whether a file is read with its list lifted, and holds what is
// read so against what the parser says of the whole file.
func lifts[T any, I comparable](l longList[T, I]) func(t *testing.T, data []byte) bool {
	return func(t *testing.T, data []byte) bool {
		t.Helper()
		got, ok := l.lift(data)
		if !ok {
			return false
		}
		docs, err := yamlDocuments[T](data)
		if err != nil || len(docs) != len(got) {
			t.Errorf("%d documents, %v, and lifted %d:\n%s", len(docs), err, len(got), data)
			return true
		}
		for i, doc := range docs {
			want := l.whole(doc)
			if !slices.Equal(got[i].items, want.items) {
				t.Errorf("document %d has %v, and lifted %v:\n%s", i, want.items, got[i].items, data)
			}
			// All else is the same, but for what stands for the list and numbers.
			for _, d := range []*T{&got[i].doc, &doc} {
				if items := l.of(d); items != nil {
					*items = nil
				}
			}
			one, _ := yaml.Marshal(doc)
			other, _ := yaml.Marshal(got[i].doc)
			if l.numbered != "" {
				one, other = bytes.Map(dropDigits, one), bytes.Map(dropDigits, other)
			}
			if !bytes.Equal(one, other) {
				t.Errorf("document %d is\n%s\nand lifted\n%s\n%s", i, one, other, data)
			}
		}
		return true
	}
}

func dropDigits(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// Whatever is put into a file, what is lifted out of it is what the parser finds.
func TestListsAreLifted(t *testing.T) {
	for name, lifts := range liftable {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC)
		c, _ := rule.Compile(rule.List{Rules: []rule.Rule{
			{Name: "www.example.com", Reason: "ticket 4711: a, b", Source: "user", Seen: &rule.Seen{
				Queries: 12, Outcome: "resolved", Types: []string{"A", "AAAA"}, Instances: []string{"10.0.0.5"}, First: at, Last: at,
				Programs: []string{"/usr/bin/curl"}, Ports: []rule.Port{{Number: 443, Protocol: "tcp"}}, Servers: []string{"x.example"}, Watched: true,
			}},
			{Name: "example.net", Suffix: true}, {Name: "a.example.edu"}, {Name: "b.example.edu", Seen: &rule.Seen{Unused: true}}, {Name: "d.example.edu", Suffix: true},
		}})
		data, err := Render(f, c, Options{Ports: []int{443, 8443}})
		if err != nil {
			t.Fatal(err)
		}
		if !lifts(t, data) {
			t.Errorf("%s: its own file isn't lifted", name)
		}
		lines := strings.SplitAfter(string(data), "\n")
		for i := range lines {
			indent := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], " "))]
			for _, between := range []string{
				"# a comment\n", indent + "# a comment\n", indent + "# grün\n", indent + "# \x0e\n", indent + "# \xff\n", indent + "# \u2028" + indent + "- \"x\"\n", "---\n", "--- # a comment\n", "...\n", indent + "- \"x\"\n", indent + "  - \"x\"\n", indent + "x: |\n", indent + "x: \"\n", "\"\n", indent + "  more: \"x\"\n",
				indent + "- [\"a\",\n", indent + "- \"x\" # said\n", indent + "- &x \"x\"\n", indent + "- \"\\x41\"\n", indent + "- {host: \"x\", port: 0443}\n", indent + "- {host: \"x\", port: 443, port: 443}\n", indent + "- \"x\": \"y\"\n", "\t\n", "\r\n",
				indent + "- \"" + standIn + "\"\n", lines[i], indent + "kind: \"exact\"\n", indent + "queries: 012\n", indent + "reason: \"a\\\"b\"\n", indent + "seen:\n", indent + "types: [\"A\", ]\n",
				indent + "\"warning\": \"x\",\n", indent + "\"name\": \"x\",\n", ",\n", indent + "\"Rules\": [],\n", indent + "\"queries\": 012,\n", indent + "\"watched\": true,\n", indent + "],\n", indent + "\"x\",\n", indent + "  \"x\"\n", indent + "\"AllowedDomains\": [],\n", indent + "},\n" + indent + "{\n",
			} {
				lifts(t, []byte(strings.Join(slices.Insert(slices.Clone(lines), i, between), "")))
			}
			for _, octal := range []string{" 12", " 443"} {
				lifts(t, []byte(strings.Join(slices.Concat(lines[:i], []string{strings.Replace(lines[i], octal, " 0"+octal[1:], 1)}, lines[i+1:]), "")))
			}
			lifts(t, []byte(strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "")))
			lifts(t, []byte(strings.Join(lines[:i], "")))
			lifts(t, []byte(strings.Join(slices.Concat(lines[:i], []string{"  " + lines[i]}, lines[i+1:]), "")))
		}
	}
}

// The rules of a JSON file are written as encoding/json writes the whole document.
func TestJSONIsWrittenAsByTheLibrary(t *testing.T) {
	at := time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC)
	texts := []string{"", "ticket 4711: a, b", "\"rules\": []", `a\b`, "<script>&", "ünïcode \u2028 \xff \x7f", "tab\there"}
	var rules []rule.Rule
	for i := range 200 {
		text := func(n int) string { return texts[(i*7+n)%len(texts)] }
		r := rule.Rule{Name: fmt.Sprintf("h%d.example.com", i), Suffix: i%3 == 0, Reason: text(0), Source: text(1)}
		if i%2 == 0 {
			r.Seen = &rule.Seen{Queries: uint64(i), Outcome: text(2), Watched: i%4 == 0, Unused: i%8 == 0}
			if i%6 == 0 {
				r.Seen.Types, r.Seen.Instances, r.Seen.First, r.Seen.Ports = []string{"A", text(3)}, []string{text(4)}, at, []rule.Port{{Number: 443, Protocol: "tcp"}}
			}
			if i%10 == 0 {
				r.Seen.Last, r.Seen.Programs, r.Seen.Servers = at, []string{"/a b", text(5)}, []string{"x.example"}
			}
		}
		rules = append(rules, r)
	}
	rules = append(rules, rule.Rule{Name: "results<0-99>.example.net"}, rule.Rule{Name: "192.0.2.7:443/tcp"}, rule.Rule{Name: "dns.google", Suffix: true})
	for _, l := range []rule.List{{}, {Rules: rules[:1]}, {Rules: rules, Header: rule.Header{Program: "\"rules\": []", When: at}, Aliases: []string{"a.example"}, Doubts: texts}} {
		c, _ := rule.Compile(l)
		want := documentOf(c)
		for _, r := range c.Rules() {
			want.Rules = append(want.Rules, docOf(r))
		}
		got, err := encodeJSON(jsonFormat, c, Options{})
		if whole, _ := marshal(want); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%v\n%s\nwant\n%s", err, got, whole)
		}
	}
}

func FuzzLifted(f *testing.F) {
	for name := range liftable {
		format, _ := Lookup(name)
		data, err := Render(format, compile(f, "www.example.com .example.net a.example.edu"), Options{Ports: []int{443}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data[max(0, strings.Index(string(data), "proven: ")):]))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, lifts := range liftable {
			lifts(t, []byte(text))
		}
	})
}
