-- Allow-list: Knot Resolver, a policy in Lua: all other names are NXDOMAIN
-- 13 rules: 10 exact, 3 suffix
-- made by lxd-allowlist 1.0
-- session 20260301-090000-web1
-- instance web1
-- network lxdbr0
-- exact: h in the table exact
-- suffix: h in the table suffix, where each name above the query is looked for
-- pattern: ^h%.$, a pattern of Lua's, with %d?%d for <0-99>; they have no alternatives, and thus no <region>
-- load: Knot Resolver 5: dofile("FILE") in kresd.conf, before any other policy.add; 6: lua: {script: 'dofile("FILE")'} in config.yaml
-- proven: asked in Knot Resolver 5.3 to 6.5 (5.3, 5.6, 5.7, 6.5); on 2026-11-28
modules.load('policy')
local exact, suffix, patterns = {}, {}, {}
for _, name in ipairs({
  'default.',
  '-dash.example.com.',
  '_dmarc.example.com.',
-- the shop's front | see <ticket 7>
  'www.example.com.',
-- seen: 443/tcp 443/udp
  'example.org.',
  'a.www.example.org.',
  'intranet.',
  'llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.llllllllllllllllllllllllllllllllllllllllllllllllllllllllll.examples.',
  'no.',
-- seen: 123/udp
  'xn--bcher-kva.example.',
}) do exact[todname(name)] = true end
for _, name in ipairs({
-- =updates of the  vendor/
  'example.net.',
  'b.example.org.',
-- warning: anyone can have a name below github.io, and this rule allows it
  'github.io.',
}) do suffix[todname(name)] = true end
for _, pattern in ipairs({
}) do table.insert(patterns, pattern) end
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
end)
