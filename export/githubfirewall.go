package export

import "lxd-allowlist/export/rule"

// A name is a Squid dstdomain with a dot before it there (gh-aw-firewall's
// documentation, "Domain Filtering"; GitHub's, "Customizing the firewall for
// Copilot coding agent": "the specified domain and any subdomains").
var githubFirewall = Format{
	Name:      "github-firewall",
	Title:     "GitHub's firewalls for agents (awf, Copilot coding agent), a file of domains",
	Extension: "txt",
	Exact:     "as a suffix",
	Suffix:    "h",
	NoAddress: "it holds names, and no addresses with ports",
	NoPattern: "its * stands for any characters of a name, and not for digits alone",
	Widens:    "a bare name allows everything below it, so that an exact rule does, too",
	Hosts:     true,
	Load:      "awf --allow-domains-file FILE -- COMMAND; for Copilot the names alone into the repository's Settings, Copilot, coding agent, Custom allowlist, where the recommended allowlist adds names of its own until it is off",
	Proven:    "by no software: awf's source hands each name to Squid as dstdomain .h; not asked",
	mark:      "#",
	encode:    encodeGitHubFirewall,
	decode:    decodeGitHubFirewall,
}

func encodeGitHubFirewall(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	for _, r := range c.Rules() {
		p.notes(r)
		p.line("%s", r.Name)
	}
	return p.Bytes(), nil
}

func decodeGitHubFirewall(data []byte) ([]rule.Rule, error) {
	rules, err := decodeDotted(data)
	for i := range rules {
		rules[i].Suffix = true
	}
	return rules, err
}
