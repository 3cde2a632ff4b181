package export

import (
	"strings"

	"lxd-allowlist/export/rule"
)

// An entry without a slash is a domain, of at least two labels; "*" is its
// beginning, and stops at whole labels (Google's "UrlList syntax reference",
// "Supported wildcards" and "How UrlList interprets entries").
var gcp = Format{
	Name:      "gcp",
	Title:     "Google Cloud Secure Web Proxy, a URL list",
	Extension: "yaml",
	Exact:     "h",
	Suffix:    "*h, which the proxy matches at whole labels only",
	NoAddress: "an entry of a URL list without a slash is a domain",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Hosts:     true,
	Load:      "set the name, then gcloud network-security url-lists import LIST --location=REGION --source=FILE; a rule of the policy says inUrlList(host(), LIST)",
	Proven:    "accepted by networksecurity 0.21, the types of Google's API; not asked",
	needsRule: true,
	limit:     twoLabels,
	mark:      "#",
	encode:    encodeGCP,
	decode:    decodeGCP,
}

func encodeGCP(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.line(`name: "projects/PROJECT/locations/REGION/urlLists/lxd-allowlist"`)
	p.line("values:")
	for _, r := range c.Rules() {
		p.notes(r)
		word := r.Name
		if r.Suffix {
			word = "*" + word
		}
		p.put("  - ", quoted(word))
	}
	return p.Bytes(), nil
}

type gcpURLList struct {
	Name   string
	Values []string
}

var gcpList = longList[gcpURLList, string]{
	before: "values:", item: quotedItem("  - ", ""), stand: `  - "` + standIn + `"`,
	of: func(d *gcpURLList) *[]string { return &d.Values },
}

func decodeGCP(data []byte) ([]rule.Rule, error) {
	d, err := gcpList.one(data)
	if err != nil {
		return nil, err
	}
	rules := make([]rule.Rule, 0, len(d.items))
	for _, v := range d.items {
		name, suffix := strings.CutPrefix(v, "*")
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return rules, nil
}
