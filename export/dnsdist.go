package export

import (
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
	Pattern:   "RegexRule('^h$'), with [0-9]{1,2} for <0-99>, and an alternation for <region>",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Load:      `in dnsdist.conf, before any other addAction: dofile("FILE"); restart dnsdist`,
	Check:     "dnsdist --check-config -C FILE",
	Proven:    tried("dnsdist"),
	mark:      "--",
	encode:    encodeDnsdist,
	decode:    decodeDnsdist,
}

// dnsdistLua makes the rules once all names are there, for a rule has a copy of
// them. RegexRule reads POSIX's extended expressions, in any case, and the name
// without the root's dot; a dot within a label has a backslash before it.
var dnsdistLua = luaParts{
	exact: `local exact, suffix = newDNSNameSet(), newSuffixMatchNode()
for _, name in ipairs({`,
	suffix: `}) do exact:add(newDNSName(name)) end
for _, name in ipairs({`,
	pattern: `}) do suffix:add(newDNSName(name)) end
local rules = {QNameSetRule(exact), SuffixMatchNodeRule(suffix)}
for _, expression in ipairs({`,
	end: `}) do table.insert(rules, RegexRule(expression)) end
addAction(NotRule(AndRule({RecordsCountRule(DNSSection.Question, 1, 1), OrRule(rules)})), RCodeAction(DNSRCode.NXDOMAIN))`,
	write: func(p rule.Pattern) string { return "^" + strings.ReplaceAll(p.Extended(), `\.`, "[.]") + "$" },
	read: func(text string) (p rule.Pattern, ok bool) {
		bare, ends := between(text, "^", "$")
		p, ok = rule.FromExtended(strings.ReplaceAll(bare, "[.]", `\.`))
		return p, ok && ends
	},
}

func encodeDnsdist(f Format, c rule.Compiled, o Options) ([]byte, error) {
	return dnsdistLua.file(f, c, o), nil
}

func decodeDnsdist(data []byte) ([]rule.Rule, error) { return dnsdistLua.rules(data) }
