package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var jsonFormat = Format{
	evidence:  true,
	Name:      "json",
	Title:     "JSON with all that is known",
	Extension: "json",
	Exact:     `{"name": "h", "kind": "exact"}`,
	Suffix:    `{"name": "h", "kind": "suffix"}`,
	Address:   `{"name": "192.0.2.7:443/tcp", "kind": "address"}`,
	Pattern:   `{"name": "results<0-99>.h", "kind": "pattern"}`,
	Load:      "for scripts of your own, such as jq -r '.rules[].name'",
	Check:     "jq empty FILE",
	Proven:    "read back with encoding/json",
	encode:    encodeJSON,
	decode:    decodeJSON,
}

type document struct {
	Origin  *originDoc `json:"origin,omitempty"`
	Doubts  []string   `json:"doubts,omitempty"`   // why names may be missing
	LeftOut string     `json:"left-out,omitempty"` // how many names are left out and why
	Rules   []ruleDoc  `json:"rules"`
	Aliases []string   `json:"aliases"` // names seen only as the target of a CNAME: not part of the list
}

type originDoc struct {
	Program  string         `json:"program,omitempty"`
	Session  string         `json:"session,omitempty"`
	Instance string         `json:"instance,omitempty"`
	Network  string         `json:"network,omitempty"`
	Host     string         `json:"host,omitempty"`
	When     string         `json:"when,omitempty"`
	Verified string         `json:"verified,omitempty"`
	Proof    *rule.Verified `json:"proof,omitempty"` // of this list, with what was counted
}

type ruleDoc struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Reason  string   `json:"reason,omitempty"`
	Source  string   `json:"source,omitempty"`
	Warning string   `json:"warning,omitempty"`
	Seen    *seenDoc `json:"seen,omitempty"`
}

type seenDoc struct {
	Queries   uint64   `json:"queries"`
	Types     []string `json:"types,omitempty"`
	Result    string   `json:"result,omitempty"`
	Instances []string `json:"instances,omitempty"`
	First     string   `json:"first,omitempty"`
	Last      string   `json:"last,omitempty"`
	Programs  []string `json:"programs,omitempty"` // that asked or connected
	Ports     []string `json:"ports,omitempty"`    // "443/tcp"
	Servers   []string `json:"servers,omitempty"`  // other server names that were seen there
	Watched   bool     `json:"watched,omitempty"`  // all the time, so that there were no other ports
	Unused    bool     `json:"unused,omitempty"`   // it was only resolved
}

// documentOf returns the document without its rules.
func documentOf(c rule.Compiled) document {
	h := c.Header()
	d := document{Doubts: oneLines(c.Doubts()), LeftOut: OneLine(c.LeftOut()), Rules: []ruleDoc{}, Aliases: append([]string{}, c.Aliases()...)}
	if h != (rule.Header{}) {
		d.Origin = &originDoc{OneLine(h.Program), OneLine(h.Session), OneLine(h.Instance), OneLine(h.Network), OneLine(h.Host), stamp(h.When), OneLine(verified(c)), proofOf(c)}
	}
	return d
}

func docOf(r rule.Rule) ruleDoc {
	doc := ruleDoc{Name: r.Name, Kind: r.Kind(), Reason: OneLine(r.Reason), Source: OneLine(r.Source), Warning: r.Warning()}
	if s := r.Seen; s != nil {
		doc.Seen = &seenDoc{s.Queries, oneLines(s.Types), OneLine(s.Outcome), oneLines(s.Instances), stamp(s.First), stamp(s.Last), oneLines(s.Programs), strings.Fields(words(s.Ports)), oneLines(s.Servers), s.Watched, s.Unused}
	}
	return doc
}

func oneLines(texts []string) []string {
	lines := make([]string, len(texts))
	for i, t := range texts {
		lines[i] = OneLine(t)
	}
	return lines
}

func (d document) rules() ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, len(d.Rules))
	for _, doc := range d.Rules {
		r, err := doc.rule()
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// rule returns the rule that docOf made it of.
func (d ruleDoc) rule() (rule.Rule, error) {
	r, err := ruleOf(d.Name, d.Kind)
	if err != nil {
		return r, err
	}
	r.Reason, r.Source = d.Reason, d.Source
	if s := d.Seen; s != nil {
		ports, err := parsePorts(s.Ports)
		if err != nil {
			return r, fmt.Errorf("%q: %w", d.Name, err)
		}
		r.Seen = &rule.Seen{
			Queries: s.Queries, Types: s.Types, Outcome: s.Result, Instances: s.Instances, First: unstamp(s.First), Last: unstamp(s.Last),
			Programs: s.Programs, Ports: ports, Servers: s.Servers, Watched: s.Watched, Unused: s.Unused,
		}
	}
	return r, nil
}

// ruleOf returns the rule of a name that is of a kind, by the kind's word.
func ruleOf(name, kind string) (rule.Rule, error) {
	r := rule.Rule{Name: name, Suffix: kind == "suffix"}
	if r.Kind() != kind {
		return r, fmt.Errorf("%q is not %q: a rule is exact, suffix, address or pattern", name, kind)
	}
	return r, nil
}

func parsePorts(texts []string) (ports []rule.Port, err error) {
	for _, t := range texts {
		p, err := rule.ParsePort(t)
		if err != nil {
			return nil, err
		}
		ports = append(ports, p)
	}
	return ports, nil
}

func encodeJSON(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	return putJSON(documentOf(c), c.Rules())
}

func decodeJSON(data []byte) ([]rule.Rule, error) {
	if rules, ok := liftJSONRules(data); ok {
		return rules, nil
	}
	d, err := unmarshal[document](data)
	if err != nil {
		return nil, err
	}
	return d.rules()
}

// marshal writes JSON as people read it: indented, without HTML escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// unmarshal reads JSON strictly: a field that T doesn't know is an error, and so
// are a field that stands twice, of which one would be lost, and a second
// document.
func unmarshal[T any](data []byte) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	if err != nil {
		return v, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, errNotOne
	}
	if key := keyTwice(data); key != "" {
		return v, fmt.Errorf("%s stands twice in one object", key)
	}
	return v, nil
}

// keyTwice returns a key that an object of a JSON document has more than once,
// quoted, "" for none. Keys are the same in any case, as they are to
// [json.Decoder].
func keyTwice(data []byte) string {
	type level struct {
		keys   [][]byte
		object bool
	}
	var levels []level
	atKey := false
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if n := len(levels); n < cap(levels) { // with the keys' room of the one before
				levels = levels[:n+1]
				levels[n] = level{levels[n].keys[:0], data[i] == '{'}
			} else {
				levels = append(levels, level{object: data[i] == '{'})
			}
			atKey = data[i] == '{'
		case '}', ']':
			levels, atKey = levels[:len(levels)-1], false
		case ',':
			atKey = levels[len(levels)-1].object
		case '"':
			begin := i
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if !atKey {
				continue
			}
			key, top := data[begin:i+1], &levels[len(levels)-1]
			if bytes.IndexByte(key, '\\') >= 0 {
				var text string
				_ = json.Unmarshal(key, &text) // it was read before
				key, _ = json.Marshal(text)
			}
			if slices.ContainsFunc(top.keys, func(k []byte) bool { return bytes.EqualFold(k, key) }) {
				return string(key)
			}
			top.keys, atKey = append(top.keys, key), false
		}
	}
	return ""
}
