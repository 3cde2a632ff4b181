package export

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"

	"lxd-allowlist/export/rule"
)

// "*.h" has no apex there (Smokescreen's README, "ACLs", and HostMatchesGlob).
var smokescreen = Format{
	Name:      "smokescreen",
	Title:     "Stripe's Smokescreen, an egress ACL: all clients reach these names and no others",
	Extension: "yaml",
	Exact:     "h",
	Suffix:    "h and *.h",
	Address:   "192.0.2.7, one at 443/tcp; it opens what a name opens, tunnels to any port of it (asked in Smokescreen 0.1)",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Hosts:     true,
	Load:      "smokescreen --egress-acl-file FILE; it is the rule of clients without one of their own, those without a certificate included where the configuration says allow_missing_role: true; tunnels go to any port; names with such labels as r3---sn are denied below a suffix, too; it compares each request with all rules, which takes half a second where there are 100,000; names that lead to private addresses stay closed unless --allow-range",
	Proven:    "asked in Smokescreen 0.1",
	limit:     smokescreenLimit,
	address:   ipv4At443,
	mark:      "#",
	encode:    encodeSmokescreen,
	decode:    decodeSmokescreen,
}

// smokescreenNames is how Smokescreen normalises names. It refuses the whole
// file for one that has no such form, and a request for one below a suffix.
var smokescreenNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

func smokescreenLimit(r rule.Rule) string {
	if strings.IndexByte(r.Name, '-') < 0 { // nothing of it has another form
		return ""
	}
	if name, err := smokescreenNames.ToASCII(r.Name); err != nil || name != r.Name {
		return "it takes no label with a hyphen at an end or in the third and fourth place, but for xn-- and a name in Unicode behind it"
	}
	return ""
}

func encodeSmokescreen(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.line("version: v1")
	p.line("services: []")
	p.line("default:")
	p.line("  name: default")
	p.line("  project: lxd-allowlist")
	p.line("  action: enforce")
	if c.Len() == 0 {
		p.line("  allowed_domains: []")
		return p.Bytes(), nil
	}
	p.line("  allowed_domains:")
	for _, r := range c.Rules() {
		p.notesBeside(r)
		r = asHost(r)
		p.put("    - ", quoted(r.Name))
		if r.Suffix {
			p.put("    - ", quoted("*."+r.Name))
		}
	}
	return p.Bytes(), nil
}

type smokescreenACL struct {
	Version  string
	Services []struct{}
	Default  struct {
		Name, Project, Action string
		AllowedDomains        []string `yaml:"allowed_domains"`
	}
}

var smokescreenList = longList[smokescreenACL, string]{
	before: "  allowed_domains:", item: quotedItem("    - ", ""), stand: `    - "` + standIn + `"`,
	of: func(d *smokescreenACL) *[]string { return &d.Default.AllowedDomains },
}

func decodeSmokescreen(data []byte) ([]rule.Rule, error) {
	one, err := smokescreenList.one(data)
	if err != nil {
		return nil, err
	}
	d := one.doc
	if d.Version != "v1" || d.Services == nil || len(d.Services) > 0 || d.Default.Action != "enforce" {
		return nil, errors.New("not one rule for all that is enforced")
	}
	return fromHosts(unstarred(one.items))
}
