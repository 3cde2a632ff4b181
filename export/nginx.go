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
	Title:     "nginx, a proxy by the name in the TLS hello: a stream map",
	Extension: "conf",
	Exact:     "h",
	Suffix:    ".h",
	Pattern:   `~*^h\.?\z with [0-9]{1,2} for <0-99>, and an alternation for <region>`,
	NoAddress: "it knows a connection by the name in its TLS hello, and not where it was to go",
	Hosts:     true,
	Load:      "put it at /etc/nginx/allow.conf; its comments hold the configuration: sed -n 's/^# \\{3\\}//p' /etc/nginx/allow.conf > /etc/nginx/nginx.conf; name your own resolver there; it wants the connections redirected to it, by address or by DNS, and goes where the resolver says by IPv4, the proxy's own loopback too",
	Check:     "nginx -t",
	Proven:    tried("nginx"),
	mark:      "#",
	usage:     nginxConfig,
	encode:    encodeNginx,
	decode:    decodeNginx,
}

// nginxConfig is a whole one, for a machine that does nothing else. A name that
// isn't on the list has no upstream, so that the connection is closed.
var nginxConfig = config(`
load_module modules/ngx_stream_module.so;
events { }
stream {
  include /etc/nginx/allow.conf;
  map $allowed $there { 1 $ssl_preread_server_name:$server_port; }
  server {
    listen 443;
    listen [::]:443;
    ssl_preread on;
    resolver 127.0.0.53 ipv6=off;
    proxy_pass $there;
  }
}
`)

// nginxBegin stands before the names. The buckets of 64 bytes that nginx has
// otherwise hold no long name.
var nginxBegin = []string{
	"map_hash_bucket_size 512;",
	"map $ssl_preread_server_name $allowed {",
	"hostnames;",
	"default 0;",
}

// A pattern's ends. "$" would match before a line feed, which a hello may name;
// the root's dot passes, as it does for names.
const (
	nginxPattern    = `"~*^`
	nginxPatternEnd = `\.?\z" 1;`
)

// nginxWords mean something of their own in a map.
var nginxWords = []string{"default", "hostnames", "include", "volatile"}

func encodeNginx(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, l := range nginxBegin {
		p.put(l)
	}
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.remarks([]rule.Rule{r})
			p.line("%s%s%s", nginxPattern, series.Extended(), nginxPatternEnd)
			continue
		}
		p.notes(r)
		word := r.Dotted()
		if slices.Contains(nginxWords, word) {
			word = `\` + word
		}
		p.put(word, " 1;")
	}
	p.line("}")
	return p.Bytes(), nil
}

func decodeNginx(data []byte) ([]rule.Rule, error) {
	lines := contentLines(data, "#")
	n := len(nginxBegin)
	if len(lines) < n+1 || !slices.Equal(lines[:n], nginxBegin) || lines[len(lines)-1] != "}" {
		return nil, errors.New("the map doesn't begin or end as it should")
	}
	rules := make([]rule.Rule, 0, len(lines))
	for _, line := range lines[n : len(lines)-1] {
		if text, is := between(line, nginxPattern, nginxPatternEnd); is {
			r, err := extendedRule(text)
			if err != nil {
				return nil, err
			}
			rules = append(rules, r)
			continue
		}
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
