package export

import "lxd-allowlist/export/rule"

// A response policy zone is no way: Knot Resolver 6 takes no wildcards there,
// and one exact rule would open all below it. A policy in Lua is what both
// major versions have (Knot Resolver's manual, "Policy module").
var knot = Format{
	Name:      "knot-resolver",
	Title:     "Knot Resolver, a policy in Lua: all other names are NXDOMAIN",
	Extension: "lua",
	Exact:     "h in the table exact",
	Suffix:    "h in the table suffix, where each name above the query is looked for",
	Load:      `Knot Resolver 5: dofile("FILE") in kresd.conf, before any other policy.add; 6: lua: {script: 'dofile("FILE")'} in config.yaml`,
	Proven:    tried("knot-resolver"),
	mark:      "--",
	encode:    encodeKnot,
	decode:    decodeKnot,
}

// A name is compared as it is on the wire, where each label has its length
// before it: the rest of a name begins behind its first label. nil hands an
// allowed query on to the policies that follow, such as one that forwards;
// policy.PASS would skip them. What nobody sent is the resolver's own: it asks for
// the root's servers and keys.
const (
	knotBegin = `modules.load('policy')
local exact, suffix = {}, {}
for _, name in ipairs({`
	knotMiddle = `}) do exact[todname(name)] = true end
for _, name in ipairs({`
	knotEnd = `}) do suffix[todname(name)] = true end
policy.add(function (request, query)
if request.qsource.addr == nil then return nil end
local name = query:name()
if exact[name] then return nil end
while #name > 1 do
if suffix[name] then return nil end
name = name:sub(name:byte() + 2)
end
return policy.DENY
end)`
)

func encodeKnot(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	return luaFile(f, c, knotBegin, knotMiddle, knotEnd), nil
}

func decodeKnot(data []byte) ([]rule.Rule, error) {
	return decodeLua(data, knotBegin, knotMiddle, knotEnd)
}
