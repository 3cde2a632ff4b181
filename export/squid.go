package export

import "lxd-allowlist/export/rule"

var squid = Format{
	Name:      "squid",
	Title:     "Squid, a file for acl dstdomain",
	Extension: "domains",
	Exact:     "h matches the host alone",
	Suffix:    ".h matches the host and everything below it",
	Address:   `192.0.2.7 or [2001:db8::7], one at 443/tcp; it opens what a name opens, plain HTTP to it, too (asked in Squid 5.7)`,
	Hosts:     true,
	Load:      `acl allowed dstdomain -n -- "/etc/squid/allow.domains"; acl web port 80 443; acl tls port 443; acl tunnel method CONNECT; http_access deny !web; http_access deny tunnel !tls; http_access allow allowed; http_access deny all`,
	Check:     "squid -k parse",
	Proven:    tried("squid"),
	address:   hostAt443,
	mark:      "#",
	encode:    encodeSquid,
	decode:    func(data []byte) ([]rule.Rule, error) { return fromHosts(decodeDotted(data)) },
}

// encodeSquid relies on [Compile] for rules that don't overlap: Squid dies of
// a specific name before the suffix that covers it.
func encodeSquid(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	for _, r := range c.Rules() {
		p.notesBeside(r)
		p.line("%s", asHost(r).Dotted())
	}
	return p.Bytes(), nil
}
