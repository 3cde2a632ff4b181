package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v2"

	"lxd-allowlist/export/rule"
)

var yamlFormat = Format{
	evidence:  true,
	Name:      "yaml",
	Title:     "YAML with all that is known",
	Extension: "yaml",
	Exact:     "kind: exact",
	Suffix:    "kind: suffix",
	Address:   `kind: address`,
	Pattern:   `kind: pattern`,
	Load:      "for scripts of your own, such as yq '.rules[].name'",
	Check:     "yq . FILE",
	Proven:    "read back with go.yaml.in/yaml",
	mark:      "#",
	encode:    encodeYAML,
	decode:    decodeYAML,
}

// quoted writes one line of printable text as a string for YAML. All strings
// are quoted: bare, a name such as "no" or "0x1f" would be something else, and
// "*.h" an error.
func quoted(text string) string {
	if isBare(text) {
		return `"` + text + `"`
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(text) // a string can't fail
	return strings.TrimSuffix(b.String(), "\n")
}

// isBare reports whether a text is of ASCII alone, and of nothing that is escaped
// in a quoted string.
func isBare(text string) bool {
	return isPrintableASCII(text) && strings.IndexByte(text, '"') < 0 && strings.IndexByte(text, '\\') < 0
}

// quotedList writes a list in one line.
func quotedList(texts []string) string {
	words := make([]string, len(texts))
	for i, t := range texts {
		words[i] = quoted(t)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// yamlDocuments reads all documents of a file strictly.
func yamlDocuments[T any](data []byte) ([]T, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.SetStrict(true)
	var all []T
	for {
		var v T
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

var errNotOne = errors.New("not one document")

// yamlDocument reads a file of one document.
func yamlDocument[T any](data []byte) (T, error) {
	all, err := yamlDocuments[T](data)
	if err == nil && len(all) != 1 {
		err = errNotOne
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

func encodeYAML(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	field := func(indent, key, text string) {
		if text != "" {
			p.put(indent, key, ": ", quoted(text))
		}
	}
	if c.Len() == 0 {
		p.line("rules: []")
	} else {
		p.line("rules:")
	}
	for _, r := range c.Rules() {
		r := docOf(r)
		p.put("  - name: ", quoted(r.Name))
		field("    ", "kind", r.Kind)
		field("    ", "reason", r.Reason)
		field("    ", "source", r.Source)
		field("    ", "warning", r.Warning)
		if s := r.Seen; s != nil {
			p.line("    seen:")
			p.line("      queries: %d", s.Queries)
			p.line("      types: %s", quotedList(s.Types))
			field("      ", "result", s.Result)
			p.line("      instances: %s", quotedList(s.Instances))
			field("      ", "first", s.First)
			field("      ", "last", s.Last)
			for _, l := range []struct {
				name string
				all  []string
			}{{"programs", s.Programs}, {"ports", s.Ports}, {"servers", s.Servers}} {
				if len(l.all) > 0 {
					p.line("      %s: %s", l.name, quotedList(l.all))
				}
			}
			if s.Watched {
				p.line("      watched: true")
			}
			if s.Unused {
				p.line("      unused: true")
			}
		}
	}
	return p.Bytes(), nil
}

func decodeYAML(data []byte) ([]rule.Rule, error) {
	if d, ok := liftRules(data); ok {
		return d.rules()
	}
	d, err := yamlDocument[document](data)
	if err != nil {
		return nil, err
	}
	return d.rules()
}
