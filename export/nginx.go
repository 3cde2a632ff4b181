package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var nginx = Format{
	Name:      "nginx",
	Title:     "nginx, a stream map on the name in the TLS hello",
	Extension: "conf",
	Exact:     "h",
	Suffix:    ".h",
	Hosts:     true,
	Load:      "include it in stream { } and choose the upstream by $allowed, 1 or 0; the server wants ssl_preread on",
	Check:     "nginx -t",
	Proven:    "asked in nginx 1.22",
	mark:      "#",
	encode:    encodeNginx,
	decode:    decodeNginx,
}

// nginxBegin stands before the names. The buckets of 64 bytes that nginx has
// otherwise hold no long name.
var nginxBegin = []string{
	"map_hash_bucket_size 512;",
	"map $ssl_preread_server_name $allowed {",
	"hostnames;",
	"default 0;",
}

// nginxWords mean something of their own in a map.
var nginxWords = []string{"default", "hostnames", "include", "volatile"}

func encodeNginx(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	for _, l := range nginxBegin {
		p.line("%s", l)
	}
	for _, r := range c.Rules() {
		p.notes(r)
		word := r.Dotted()
		if slices.Contains(nginxWords, word) {
			word = `\` + word
		}
		p.line("%s 1;", word)
	}
	p.line("}")
	return p.Bytes(), nil
}

func decodeNginx(data []byte) ([]rule.Rule, error) {
	lines := slices.Collect(content(data, "#"))
	n := len(nginxBegin)
	if len(lines) < n+1 || !slices.Equal(lines[:n], nginxBegin) || lines[len(lines)-1] != "}" {
		return nil, errors.New("the map doesn't begin or end as it should")
	}
	var rules []rule.Rule
	for _, line := range lines[n : len(lines)-1] {
		word, ok := between(line, "", " 1;")
		escaped := strings.HasPrefix(word, `\`)
		word = strings.TrimPrefix(word, `\`)
		if !ok || escaped != slices.Contains(nginxWords, word) {
			return nil, fmt.Errorf("a line that says something else: %q", line)
		}
		rules = append(rules, rule.FromDotted(word))
	}
	return rules, nil
}
