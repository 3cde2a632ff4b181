package export

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

func port(text string) rule.Port {
	p, err := rule.ParsePort(text)
	if err != nil {
		panic(err)
	}
	return p
}

// watched is a list with what a witness saw.
func watched() rule.List {
	seen := func(s rule.Seen, ports ...string) *rule.Seen {
		s.Queries = 1
		for _, p := range ports {
			s.Ports = append(s.Ports, port(p))
		}
		return &s
	}
	return rule.List{Rules: []rule.Rule{
		{Name: "a.example.com", Seen: seen(rule.Seen{Watched: true, Programs: []string{"/opt/My App/run", "/usr/bin/curl"}, Servers: []string{"c.example.com"}}, "8443/tcp", "443/udp")},
		{Name: "b.example.com", Seen: seen(rule.Seen{Watched: true, Unused: true})},
		{Name: "c.example.com", Seen: seen(rule.Seen{}, "9000/tcp")},
	}}
}

// Formats that name ports name those that were seen while nothing was missed,
// unless others are asked for; all others that have comments say them there.
func TestSeenPorts(t *testing.T) {
	for _, f := range formats {
		file, err := Make(watched(), f, Options{Reproducible: true})
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if f.Ports {
			if got := f.portsIn(file.Data); !slices.Contains(got, "8443") || slices.Contains(got, "9000") || !slices.Contains(got, "443") {
				t.Errorf("%s names the ports %v", f.Name, got)
			}
			other, err := Make(watched(), f, Options{Ports: []int{7000}})
			if got := f.portsIn(other.Data); err != nil || slices.Contains(got, "8443") || !slices.Contains(got, "7000") {
				t.Errorf("%s: asked for 7000 it names %v, %v", f.Name, got, err)
			}
		}
		if text := string(file.Data); f.mark != "" && strings.Contains(text, f.mark+" "+headBegin) && f.Name != "yaml" &&
			(!strings.Contains(text, "seen: 8443/tcp 443/udp") || !strings.Contains(text, "seen: "+onlyResolved)) {
			t.Errorf("%s doesn't say what was seen:\n%s", f.Name, text)
		}
		// What the program wrote isn't a person's reason.
		if rules, loose, err := f.Read(file.Data); err != nil || len(loose) > 0 || slices.ContainsFunc(rules, func(r rule.Rule) bool { return r.Reason != "" }) {
			t.Errorf("%s reads back %+v, %q, %v", f.Name, rules, loose, err)
		}
	}
}

// What was seen is there again in the formats that hold evidence.
func TestSeenIsReadBack(t *testing.T) {
	for _, f := range []Format{jsonFormat, yamlFormat, csvFormat, markdown} {
		file, err := Make(watched(), f, Options{Reproducible: true})
		if err != nil {
			t.Fatal(err)
		}
		rules, err := f.Decode(file.Data)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for i, r := range rules {
			got, want := *r.Seen, *watched().Rules[i].Seen
			if !slices.Equal(got.Programs, want.Programs) || !slices.Equal(got.Ports, want.Ports) || !slices.Equal(got.Servers, want.Servers) || got.Watched != want.Watched || got.Unused != want.Unused {
				t.Errorf("%s: %s is %+v, want %+v", f.Name, r.Name, got, want)
			}
		}
	}
}

// A file of an earlier version is read all the same.
func TestColumnsOfBefore(t *testing.T) {
	for _, c := range []struct {
		f    Format
		text string
	}{
		{csvFormat, "name,kind,decision-reason,source,queries,types,result,instances,first,last\na.example,exact,,,3,A,resolved,,,\n"},
		{markdown, markdownBefore + "\n|" + strings.Repeat(" --- |", 10) + "\n| `a.example` | exact |  |  | 3 | A | resolved |  |  |  |\n"},
	} {
		rules, err := c.f.Decode([]byte(c.text))
		if want := []rule.Rule{{Name: "a.example", Seen: &rule.Seen{Queries: 3, Types: []string{"A"}, Outcome: "resolved"}}}; err != nil || len(rules) != 1 || rules[0].Name != "a.example" || rules[0].Seen.Queries != want[0].Seen.Queries {
			t.Errorf("%s: %+v, %v", c.f.Name, rules, err)
		}
	}
}

// A rule that covers another has the evidence of both, and is watched only if
// both were.
func TestSeenOfCovered(t *testing.T) {
	list := watched()
	list.Rules = append(list.Rules, rule.Rule{Name: "example.com", Suffix: true})
	c, _ := rule.Compile(list)
	s := c.Rules()[0].Seen
	if c.Len() != 1 || s.Watched || s.Unused || !reflect.DeepEqual(s.Ports, []rule.Port{port("443/udp"), port("8443/tcp"), port("9000/tcp")}) {
		t.Errorf("it is %+v", s)
	}
}
