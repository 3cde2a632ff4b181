package export

import (
	"fmt"
	"regexp"
	"strings"

	"lxd-allowlist/export/rule"
)

// A response policy zone is no way: Knot Resolver 6 takes no wildcards there,
// and one exact rule would open all below it. A policy in Lua is what both
// major versions have (Knot Resolver's manual, "Policy module").
var knot = Format{
	Name:      "knot-resolver",
	Title:     "Knot Resolver, a policy in Lua: all other names are NXDOMAIN",
	Extension: "lua",
	Exact:     "h in the table exact",
	Suffix:    "h in the table suffix, where each name above the query is looked for",
	Pattern:   "^h%.$, a pattern of Lua's, with %d?%d for <0-99>; they have no alternatives, and thus no <region>",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	Load:      `Knot Resolver 5: dofile("FILE") in kresd.conf, before any other policy.add; 6: lua: {script: 'dofile("FILE")'} in config.yaml`,
	Proven:    tried("knot-resolver"),
	pattern:   numbersAlone,
	mark:      "--",
	encode:    encodeKnot,
	decode:    decodeKnot,
}

// A name is compared as it is on the wire, where each label has its length
// before it: the rest of a name begins behind its first label. With patterns it
// is compared as text, where a dot within a label has a backslash before it,
// and the root's stands at the end. nil hands an allowed query on to the
// policies that follow, such as one that forwards; policy.PASS would skip them.
// What nobody sent is the resolver's own: it asks for the root's servers and
// keys.
var knotLua = luaParts{
	exact: `modules.load('policy')
local exact, suffix, patterns = {}, {}, {}
for _, name in ipairs({`,
	suffix: `}) do exact[todname(name)] = true end
for _, name in ipairs({`,
	pattern: `}) do suffix[todname(name)] = true end
for _, pattern in ipairs({`,
	end: `}) do table.insert(patterns, pattern) end
policy.add(function (request, query)
if request.qsource.addr == nil then return nil end
local name = query:name()
if exact[name] then return nil end
for _, pattern in ipairs(patterns) do
if kres.dname2str(name):match(pattern) then return nil end
end
while #name > 1 do
if suffix[name] then return nil end
name = name:sub(name:byte() + 2)
end
return policy.DENY
end)`,
	write: toLua,
	read:  fromLua,
}

func encodeKnot(f Format, c rule.Compiled, o Options) ([]byte, error) {
	return knotLua.file(f, c, o), nil
}

func decodeKnot(data []byte) ([]rule.Rule, error) { return knotLua.rules(data) }

// A number as POSIX's expressions have it, and as Lua's patterns do: the digits
// that may be missing first.
var (
	posixDigits = regexp.MustCompile(`\[0-9\]\{([1-4]),([1-4])\}`)
	luaDigits   = regexp.MustCompile(`((?:%d\?)*)((?:%d)+)`)
)

// toLua writes a pattern of numbers as a pattern of Lua's that matches the same
// names with the root's dot.
func toLua(p rule.Pattern) string {
	text := strings.NewReplacer(`\.`, "%.", "[0-9]", "[0-9]", "-", "%-").Replace(p.Extended())
	text = posixDigits.ReplaceAllStringFunc(text, func(part string) string {
		m := posixDigits.FindStringSubmatch(part)
		least, most := int(m[1][0]-'0'), int(m[2][0]-'0')
		return strings.Repeat("%d?", most-least) + strings.Repeat("%d", least)
	})
	return "^" + text + "%.$"
}

// fromLua reads what toLua wrote.
func fromLua(text string) (p rule.Pattern, ok bool) {
	bare, ends := between(text, "^", "%.$")
	bare = luaDigits.ReplaceAllStringFunc(bare, func(part string) string {
		m := luaDigits.FindStringSubmatch(part)
		least := len(m[2]) / len("%d")
		return fmt.Sprintf("[0-9]{%d,%d}", least, least+len(m[1])/len("%d?"))
	})
	p, ok = rule.FromExtended(strings.NewReplacer("%.", `\.`, "%-", "-").Replace(bare))
	return p, ok && ends
}

// numbersAlone says why a pattern is none of Lua's, "" if it is one.
func numbersAlone(p rule.Pattern) string {
	if back, ok := fromLua(toLua(p)); !ok || back.Text != p.Text || strings.Contains(p.Text, "<region>") {
		return "its patterns have numbers and no alternatives such as regions"
	}
	return ""
}
