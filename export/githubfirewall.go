package export

import "lxd-allowlist/export/rule"

// A name is a Squid dstdomain with a dot before it there (gh-aw-firewall's
// documentation, "Domain Filtering"; GitHub's, "Customizing the firewall for
// Copilot coding agent": "the specified domain and any subdomains"). "*" is any
// characters, dots too, and other signs of an expression are escaped (awf's
// wildcardToRegex). An address of IPv4 is allowed as a destination (awf's
// generateAllowedIpSection).
var githubFirewall = Format{
	Name:      "github-firewall",
	Title:     "GitHub's firewalls for agents (awf, Copilot coding agent), a file of domains",
	Extension: "txt",
	Exact:     "as a suffix",
	Suffix:    "h",
	Address:   "192.0.2.7, one at 443/tcp, for awf alone: it opens what a name opens, plain HTTP to it, too, and to any name that leads there",
	NoPattern: "its * stands for any characters of a name, and not for digits alone",
	Widens:    "a bare name allows everything below it, so that an exact rule does, too",
	Hosts:     true,
	Load:      "awf --allow-domains-file FILE -- COMMAND; for Copilot the names alone, no addresses, into the repository's Settings, Copilot, coding agent, Custom allowlist, where the recommended allowlist adds names of its own until it is off",
	Proven:    "by no software: awf's source hands each name to Squid as dstdomain .h, and an address as dst, too; not asked",
	address:   ipv4At443,
	mark:      "#",
	encode:    encodeGitHubFirewall,
	decode:    decodeGitHubFirewall,
}

func encodeGitHubFirewall(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, r := range c.Rules() {
		p.notesBeside(r)
		p.put(asHost(r).Name)
	}
	return p.Bytes(), nil
}

func decodeGitHubFirewall(data []byte) ([]rule.Rule, error) {
	rules, err := fromHosts(decodeDotted(data))
	for i := range rules {
		_, address := rules[i].Endpoint()
		rules[i].Suffix = !address
	}
	return rules, err
}
