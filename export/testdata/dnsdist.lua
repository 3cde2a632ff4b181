-- Allow-list: dnsdist, rules in Lua: all other names are NXDOMAIN
-- 13 rules: 10 exact, 3 suffix
-- made by lxd-allowlist 1.0
-- session 20260301-090000-web1
-- instance web1
-- network lxdbr0
-- exact: h in a DNSNameSet
-- suffix: h in a SuffixMatchNode
-- pattern: RegexRule('^h$'), with [0-9]{1,2} for <0-99>, and an alternation for <region>
-- load: in dnsdist.conf, before any other addAction: dofile("FILE"); restart dnsdist
-- check: dnsdist --check-config -C FILE
-- proven: asked in dnsdist 1.5 to 2.1 (1.5, 1.7, 1.9, 2.1); on 2026-11-28
local exact, suffix = newDNSNameSet(), newSuffixMatchNode()
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
}) do exact:add(newDNSName(name)) end
for _, name in ipairs({
-- =updates of the  vendor/
  'example.net.',
  'b.example.org.',
-- warning: anyone can have a name below github.io, and this rule allows it
  'github.io.',
}) do suffix:add(newDNSName(name)) end
local rules = {QNameSetRule(exact), SuffixMatchNodeRule(suffix)}
for _, expression in ipairs({
}) do table.insert(rules, RegexRule(expression)) end
addAction(NotRule(AndRule({RecordsCountRule(DNSSection.Question, 1, 1), OrRule(rules)})), RCodeAction(DNSRCode.NXDOMAIN))
