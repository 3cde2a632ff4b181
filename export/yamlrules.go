package export

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// liftRules reads a file as encodeYAML writes it, the parser seeing one rule in
// place of all, as in [longList.lift]: of its lines those with escapes, with more
// than ASCII or in another order are the parser's, with the whole file, and it is
// not ok.
func liftRules(data []byte) (d document, ok bool) {
	head, list, found := bytes.Cut(data, []byte(yamlRulesKey))
	if !found || bytes.Contains(data, []byte(standIn)) {
		return d, false
	}
	d, err := yamlDocument[document](slices.Concat(head, []byte(yamlRulesKey+yamlRuleBegin+standIn+`"`)))
	if err != nil || len(d.Rules) != 1 || d.Rules[0].Name != standIn {
		return d, false
	}
	d.Rules = make([]ruleDoc, 0, bytes.Count(list, []byte("\n"+yamlRuleBegin))+1)
	key := yamlSeen // of the last line
	for line := range strings.Lines(string(list)) {
		line = strings.TrimSuffix(line, "\n")
		if isComment(line) {
			continue
		}
		if name, is := between(line, yamlRuleBegin, `"`); is && isPlain(name) && (key != yamlSeen || len(d.Rules) == 0) {
			d.Rules = append(d.Rules, ruleDoc{Name: name})
			key = -1
			continue
		}
		n := len(d.Rules)
		at := slices.IndexFunc(yamlKeys, func(k string) bool { return strings.HasPrefix(line, k) })
		if n == 0 || at <= key || at > yamlSeen && d.Rules[n-1].Seen == nil || !d.Rules[n-1].take(yamlKeys[at], line[len(yamlKeys[at]):]) {
			return d, false
		}
		key = at
	}
	return d, len(d.Rules) > 0 && key != yamlSeen
}

const (
	yamlRulesKey  = "\nrules:\n"
	yamlRuleBegin = `  - name: "`
)

// yamlKeys begin the lines of a rule behind its name, in their order: none is
// there twice.
var yamlKeys = []string{
	"    kind: ", "    reason: ", "    source: ", "    warning: ", "    seen:",
	"      queries: ", "      types: ", "      result: ", "      instances: ", "      first: ", "      last: ",
	"      programs: ", "      ports: ", "      servers: ", "      watched: ", "      unused: ",
}

// yamlSeen is the place of the key that others are below.
const yamlSeen = 4

// take takes over the value of a key, and reports whether it could be read.
func (r *ruleDoc) take(key, value string) (ok bool) {
	s := r.Seen
	switch strings.Trim(key, " :") {
	case "kind":
		r.Kind, ok = yamlString(value)
	case "reason":
		r.Reason, ok = yamlString(value)
	case "source":
		r.Source, ok = yamlString(value)
	case "warning":
		r.Warning, ok = yamlString(value)
	case "seen":
		r.Seen, ok = new(seenDoc), value == ""
	case "queries":
		n, err := strconv.ParseUint(value, 10, 64)
		s.Queries, ok = n, err == nil && (value == "0" || value[0] != '0') // which would make it octal
	case "types":
		s.Types, ok = yamlList(value)
	case "result":
		s.Result, ok = yamlString(value)
	case "instances":
		s.Instances, ok = yamlList(value)
	case "first":
		s.First, ok = yamlString(value)
	case "last":
		s.Last, ok = yamlString(value)
	case "programs":
		s.Programs, ok = yamlList(value)
	case "ports":
		s.Ports, ok = yamlList(value)
	case "servers":
		s.Servers, ok = yamlList(value)
	case "watched":
		s.Watched, ok = true, value == "true"
	case "unused":
		s.Unused, ok = true, value == "true"
	}
	return ok
}

// yamlString reads a quoted string of ASCII without an escape.
func yamlString(value string) (text string, ok bool) {
	if text, ok = between(value, `"`, `"`); !ok || len(value) < 2 {
		return "", false
	}
	return text, isBare(text)
}

// yamlList reads a list of such strings in a line.
func yamlList(value string) (all []string, ok bool) {
	inner, ok := between(value, "[", "]")
	if !ok {
		return nil, false
	}
	all = []string{}
	for inner != "" {
		word, rest, more := strings.Cut(inner, ", ")
		text, ok := yamlString(word)
		if !ok || more && rest == "" {
			return nil, false
		}
		all, inner = append(all, text), rest
	}
	return all, true
}
