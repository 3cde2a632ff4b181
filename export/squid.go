package export

import "lxd-allowlist/export/rule"

// The patterns stand in comments, for dstdom_regex reads a file of its own: to it
// each name of this one would be an expression without ends.

var squid = Format{
	Name:      "squid",
	Title:     "Squid, a file for acl dstdomain",
	Extension: "domains",
	Exact:     "h matches the host alone",
	Suffix:    ".h matches the host and everything below it",
	Address:   `192.0.2.7 or [2001:db8::7], one at 443/tcp; it opens what a name opens, plain HTTP to it, too (asked in Squid 5.7)`,
	Pattern:   `^h\.?$ for acl dstdom_regex, with [0-9]{1,2} for <0-99>, and an alternation for <region>, in a comment; these make a file of their own, each time, empty where there are none: ` + takeAside(asidePattern, "/etc/squid/allow.domains", "/etc/squid/allow.patterns"),
	Hosts:     true,
	Load:      `acl allowed dstdomain -n -- "/etc/squid/allow.domains"; acl pattern dstdom_regex -n -i -- "/etc/squid/allow.patterns"; acl web port 80 443; acl tls port 443; acl tunnel method CONNECT; http_access deny !web; http_access deny tunnel !tls; http_access allow allowed; http_access allow pattern; http_access deny all`,
	Check:     "squid -k parse",
	Proven:    tried("squid"),
	address:   hostAt443,
	mark:      "#",
	asides:    true,
	encode:    encodeSquid,
	decode:    decodeSquid,
}

// encodeSquid relies on [Compile] for rules that don't overlap: Squid dies of
// a specific name before the suffix that covers it.
func encodeSquid(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.asidePattern(r, series, ereExact, ereEnd)
			continue
		}
		p.notesBeside(r)
		p.dotted(asHost(r))
	}
	return p.Bytes(), nil
}

func decodeSquid(data []byte) ([]rule.Rule, error) {
	patterns, err := asidePatterns(data, ereExact, ereEnd)
	if err != nil {
		return nil, err
	}
	rules, err := fromHosts(decodeDotted(data))
	return append(rules, patterns...), err
}
