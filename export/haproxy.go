package export

import (
	"fmt"
	"strings"

	"lxd-allowlist/export/rule"
)

// The exact rules and the suffixes of one list are told apart by the dot
// behind a suffix: the frontend below compares the host as it is with the
// first, and ".host." with the end of the second.
var haproxy = Format{
	Name:      "haproxy",
	Title:     "HAProxy, a file for acl -f on the name in the TLS hello",
	Extension: "lst",
	Exact:     "h, found by -m str",
	Suffix:    ".h. found by -m end on .host.",
	Hosts:     true,
	Load:      "the frontend below, with mode tcp; HAProxy reads the file when it starts or reloads",
	Check:     "haproxy -c -f haproxy.cfg",
	Proven:    "asked in HAProxy 2.6",
	mark:      "#",
	usage:     haproxyFrontend,
	encode:    encodeHAProxy,
	decode:    decodeHAProxy,
}

var haproxyFrontend = []string{
	"tcp-request inspect-delay 5s",
	"tcp-request content set-var(sess.host) req.ssl_sni,lower if { req.ssl_hello_type 1 }",
	"tcp-request content accept if { var(sess.host) -m str -f FILE }",
	"tcp-request content accept if { str(.),concat(,sess.host,.) -m end -f FILE }",
	"tcp-request content reject",
}

func encodeHAProxy(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	p := headed(f, c)
	for _, r := range c.Rules() {
		p.notes(r)
		if r.Suffix {
			p.line(".%s.", r.Name)
		} else {
			p.line("%s", r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeHAProxy(data []byte) ([]rule.Rule, error) {
	var rules []rule.Rule
	for line := range content(data, "#") {
		name, suffix := between(line, ".", ".")
		if !suffix {
			name = line
		}
		if name != strings.Trim(name, ".") {
			return nil, fmt.Errorf("a dot at one end only: %q", line)
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: suffix})
	}
	return rules, nil
}
