package export

import (
	"errors"
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// Names are data of two sets, each filled by a loop: LuaJIT takes no more than
// 65,536 constants of a function, and counts a table of strings as one
// (dnsdist's manual, "DNSNameSet" and "SuffixMatchNode"). Of several questions
// dnsdist looks at the first and hands on all, so that they are counted, too.
var dnsdist = Format{
	Name:      "dnsdist",
	Title:     "dnsdist, rules in Lua: all other names are NXDOMAIN",
	Extension: "lua",
	Exact:     "h in a DNSNameSet",
	Suffix:    "h in a SuffixMatchNode",
	Load:      `in dnsdist.conf, before any other addAction: dofile("FILE"); restart dnsdist`,
	Check:     "dnsdist --check-config -C FILE",
	Proven:    tried("dnsdist"),
	mark:      "--",
	encode:    encodeDnsdist,
	decode:    decodeDnsdist,
}

const (
	dnsdistBegin = `local exact, suffix = newDNSNameSet(), newSuffixMatchNode()
for _, name in ipairs({`
	dnsdistMiddle = `}) do exact:add(newDNSName(name)) end
for _, name in ipairs({`
	dnsdistEnd = `}) do suffix:add(newDNSName(name)) end
addAction(NotRule(AndRule({RecordsCountRule(DNSSection.Question, 1, 1), OrRule({QNameSetRule(exact), SuffixMatchNodeRule(suffix)})})), RCodeAction(DNSRCode.NXDOMAIN))`
)

func encodeDnsdist(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	return luaFile(f, c, dnsdistBegin, dnsdistMiddle, dnsdistEnd), nil
}

func decodeDnsdist(data []byte) ([]rule.Rule, error) {
	return decodeLua(data, dnsdistBegin, dnsdistMiddle, dnsdistEnd)
}

// luaFile writes the exact rules between begin and middle, the suffixes between
// middle and end: each as a string of a table. The root's dot ends a name.
func luaFile(f Format, c rule.Compiled, begin, middle, end string) []byte {
	p := headed(f, c)
	names := func(suffix bool) {
		for _, r := range c.Rules() {
			if r.Suffix == suffix {
				p.notes(r)
				p.line("  '%s.',", r.Name)
			}
		}
	}
	p.line("%s", begin)
	names(false)
	p.line("%s", middle)
	names(true)
	p.line("%s", end)
	return p.Bytes()
}

// decodeLua reads what luaFile wrote.
func decodeLua(data []byte, begin, middle, end string) ([]rule.Rule, error) {
	var text strings.Builder
	for line := range content(data, "--") {
		text.WriteString(line + "\n")
	}
	lists, whole := between(text.String(), begin+"\n", end+"\n")
	exact, suffix, parted := strings.Cut(lists, middle+"\n")
	if !whole || !parted {
		return nil, errors.New("all other names are not denied")
	}
	var rules []rule.Rule
	for i, list := range []string{exact, suffix} {
		for line := range strings.Lines(list) {
			name, ok := between(line, "'", ".',\n")
			if !ok || strings.Contains(name, "'") {
				return nil, fmt.Errorf("a line that says something else: %q", line)
			}
			rules = append(rules, rule.Rule{Name: name, Suffix: i == 1})
		}
	}
	return rules, nil
}
