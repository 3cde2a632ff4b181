package export

import (
	"bytes"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// What stands between the parts of a rule in a file as [marshal] writes it.
const (
	jsonRules     = `"rules": [`
	jsonRuleBegin = "\n    {\n      \"name\": "
	jsonRuleEnd   = "\n    }"
	jsonRulesEnd  = "\n  ]"
	jsonKey       = ",\n      \""
	jsonSeenBegin = jsonKey + "seen\": {\n        \"queries\": "
	jsonSeenEnd   = "\n      }"
	jsonSeenKey   = ",\n        \""
	jsonItem      = "\n          "
	jsonItemsEnd  = "\n        ]"
)

// putJSON writes a document as marshal does, which takes thrice as long for the
// rules.
func putJSON(d document, rules []rule.Rule) ([]byte, error) {
	empty, err := marshal(d)
	if err != nil || len(rules) == 0 {
		return empty, err
	}
	head, tail, _ := bytes.Cut(empty, []byte(jsonRules+"]")) // no string has such quotes
	var p page
	p.Grow(len(empty) + len(rules)*2*lineBytes)
	p.Write(head)
	p.WriteString(jsonRules)
	for i, r := range rules {
		if i > 0 {
			p.WriteByte(',')
		}
		p.jsonRule(docOf(r))
	}
	p.WriteString(jsonRulesEnd)
	p.Write(tail)
	return p.Bytes(), nil
}

func (p *page) jsonRule(r ruleDoc) {
	p.words(jsonRuleBegin, quoted(r.Name))
	p.words(jsonKey, `kind": `, quoted(r.Kind))
	text := func(before, key, text string) {
		if text != "" {
			p.words(before, key, `": `, quoted(text))
		}
	}
	text(jsonKey, "reason", r.Reason)
	text(jsonKey, "source", r.Source)
	text(jsonKey, "warning", r.Warning)
	if s := r.Seen; s != nil {
		list := func(key string, all []string) {
			between := jsonSeenKey + key + `": [`
			for _, one := range all {
				p.words(between, jsonItem, quoted(one))
				between = ","
			}
			if len(all) > 0 {
				p.words(jsonItemsEnd)
			}
		}
		p.words(jsonSeenBegin, strconv.FormatUint(s.Queries, 10))
		list("types", s.Types)
		text(jsonSeenKey, "result", s.Result)
		list("instances", s.Instances)
		text(jsonSeenKey, "first", s.First)
		text(jsonSeenKey, "last", s.Last)
		list("programs", s.Programs)
		list("ports", s.Ports)
		list("servers", s.Servers)
		if s.Watched {
			p.words(jsonSeenKey, `watched": true`)
		}
		if s.Unused {
			p.words(jsonSeenKey, `unused": true`)
		}
		p.words(jsonSeenEnd)
	}
	p.words(jsonRuleEnd)
}

// liftJSONRules reads a file as putJSON writes it, the parser seeing no rule in
// place of all: what is written in any other way is the parser's, with the whole
// file, and it is not ok.
func liftJSONRules(data []byte) (rules []rule.Rule, ok bool) {
	head, list, found := strings.Cut(textOf(data), jsonRules+"\n")
	if !found {
		return nil, false
	}
	at := jsonCursor{"\n" + list}
	rules = make([]rule.Rule, 0, strings.Count(list, jsonRuleBegin)+1)
	for more := true; more; more = at.skip(",") {
		doc, ok := at.rule()
		if !ok {
			return nil, false
		}
		r, err := doc.rule()
		if err != nil {
			return nil, false
		}
		rules = append(rules, r)
	}
	// A line feed is in no string, so that the parser finds the list in its place, or nothing.
	d, err := unmarshal[document]([]byte(head + jsonRules + at.rest))
	return rules, err == nil && d.Rules != nil && len(d.Rules) == 0 && strings.HasPrefix(at.rest, jsonRulesEnd)
}

// jsonCursor is what is left to be read.
type jsonCursor struct{ rest string }

// skip goes past a text, if that is what stands there.
func (c *jsonCursor) skip(text string) (is bool) {
	c.rest, is = strings.CutPrefix(c.rest, text)
	return is
}

// text reads a string of ASCII without an escape.
func (c *jsonCursor) text(to *string) bool {
	if !c.skip(`"`) {
		return false
	}
	text, rest, closed := strings.Cut(c.rest, `"`)
	*to, c.rest = text, rest
	return closed && isBare(text)
}

// textAt reads the string of a key, if that is what stands there.
func (c *jsonCursor) textAt(key string, to *string) bool { return !c.skip(key) || c.text(to) }

// textsAt reads the list of strings of a key, likewise.
func (c *jsonCursor) textsAt(key string, to *[]string) bool {
	if !c.skip(key) {
		return true
	}
	for more := c.skip("["); more; more = c.skip(",") {
		var one string
		if !c.skip(jsonItem) || !c.text(&one) {
			return false
		}
		*to = append(*to, one)
	}
	return c.skip(jsonItemsEnd)
}

// trueAt reads what is true, likewise.
func (c *jsonCursor) trueAt(key string, to *bool) bool {
	*to = c.skip(key)
	return !*to || c.skip("true")
}

// rule reads what jsonRule wrote.
func (c *jsonCursor) rule() (r ruleDoc, ok bool) {
	ok = c.skip(jsonRuleBegin) && c.text(&r.Name) && c.textAt(jsonKey+`kind": `, &r.Kind) &&
		c.textAt(jsonKey+`reason": `, &r.Reason) && c.textAt(jsonKey+`source": `, &r.Source) && c.textAt(jsonKey+`warning": `, &r.Warning)
	if ok && c.skip(jsonSeenBegin) {
		r.Seen, ok = c.seen()
	}
	return r, ok && c.skip(jsonRuleEnd)
}

func (c *jsonCursor) seen() (s *seenDoc, ok bool) {
	s = new(seenDoc)
	digits := c.rest[:len(c.rest)-len(strings.TrimLeft(c.rest, "0123456789"))]
	c.rest = c.rest[len(digits):]
	n, err := strconv.ParseUint(digits, 10, 64)
	s.Queries = n
	ok = err == nil && strconv.FormatUint(n, 10) == digits && c.textsAt(jsonSeenKey+`types": `, &s.Types) && c.textAt(jsonSeenKey+`result": `, &s.Result) &&
		c.textsAt(jsonSeenKey+`instances": `, &s.Instances) && c.textAt(jsonSeenKey+`first": `, &s.First) && c.textAt(jsonSeenKey+`last": `, &s.Last) &&
		c.textsAt(jsonSeenKey+`programs": `, &s.Programs) && c.textsAt(jsonSeenKey+`ports": `, &s.Ports) && c.textsAt(jsonSeenKey+`servers": `, &s.Servers) &&
		c.trueAt(jsonSeenKey+`watched": `, &s.Watched) && c.trueAt(jsonSeenKey+`unused": `, &s.Unused) && c.skip(jsonSeenEnd)
	return s, ok
}

// marshalLong is marshal of what has a long list of strings, empty as it is given
// here, under a key that is there once.
func marshalLong(v any, key string, list []string) ([]byte, error) {
	empty, err := marshal(v)
	if err != nil || len(list) == 0 {
		return empty, err
	}
	begin := `"` + key + `": [`
	head, tail, _ := bytes.Cut(empty, []byte(begin+"]"))
	indent := lastIndent(string(head))
	var p page
	p.Grow(len(empty) + len(list)*lineBytes)
	p.Write(head)
	between := begin
	for _, text := range list {
		p.words(between, indent, "  ", quoted(text))
		between = ","
	}
	p.words(indent, "]")
	p.Write(tail)
	return p.Bytes(), nil
}

// lastIndent returns the line feed and the blanks that the last line begins with.
func lastIndent(text string) string {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return "\n" + line[:len(line)-len(strings.TrimLeft(line, " "))]
}

// unmarshalLong reads what marshalLong wrote, as unmarshal does.
func unmarshalLong[T any](data []byte, key string, of func(*T) *[]string) (T, error) {
	if v, ok := liftLong(textOf(data), `"`+key+`": [`, of); ok {
		return v, nil
	}
	return unmarshal[T](data)
}

// liftLong is to a list of strings what liftJSONRules is to rules.
func liftLong[T any](data, begin string, of func(*T) *[]string) (v T, ok bool) {
	head, list, found := strings.Cut(data, begin+"\n")
	if !found {
		return v, false
	}
	indent := lastIndent(head)
	at := jsonCursor{"\n" + list}
	all := make([]string, 0, strings.Count(list, "\n"))
	for more := true; more; more = at.skip(",") {
		var text string
		if !at.skip(indent) || !at.skip("  ") || !at.text(&text) {
			return v, false
		}
		all = append(all, text)
	}
	v, err := unmarshal[T]([]byte(head + begin + at.rest))
	to := of(&v)
	if err != nil || *to == nil || len(*to) > 0 || !strings.HasPrefix(at.rest, "\n") {
		return v, false
	}
	*to = all
	return v, true
}
