package export

import (
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

// The exact rules and the suffixes of one list are told apart by the dot
// behind a suffix: the configuration below compares the host as it is with the
// first, and ".host." with the end of the second. The latter is what expressions
// are about, too, so that nothing stands behind the end of one, no line feed
// either. They are read from a file of their own: to -m reg each name would be one.
var haproxy = Format{
	Name:      "haproxy",
	Title:     "HAProxy, a proxy by the name in the TLS hello: a file for acl -f",
	Extension: "lst",
	Exact:     "h, found by -m str",
	Suffix:    ".h. found by -m end on .host.",
	Address:   "192.0.2.7/32 or 192.0.2.0/24 at 443/tcp, found by dst: where a connection was to go that is redirected, whatever it begins with (asked in HAProxy 2.6.12); in a comment; these make a file of their own, each time, empty where there are none: " + takeAside(asideAddress, "/etc/haproxy/allow.lst", "/etc/haproxy/allow.addresses"),
	Pattern:   `^\.h\.$, found by -m reg on .host., with [0-9]{1,2} for <0-99>, and an alternation for <region>, in a comment; these make a file of their own, each time, empty where there are none: ` + takeAside(asidePattern, "/etc/haproxy/allow.lst", "/etc/haproxy/allow.patterns"),
	Hosts:     true,
	Load:      "put it at /etc/haproxy/allow.lst, and beside it the files of patterns and of addresses; its comments hold the configuration: sed -n 's/^# \\{3\\}//p' /etc/haproxy/allow.lst > /etc/haproxy/haproxy.cfg; it wants the connections redirected to it, by address or by DNS, and goes where the resolver says by IPv4; HAProxy reads the list when it starts or reloads",
	Check:     "haproxy -c -f /etc/haproxy/haproxy.cfg",
	Proven:    tried("haproxy"),
	address:   ipv4sAt443,
	mark:      "#",
	asides:    true,
	usage:     haproxyConfig,
	encode:    encodeHAProxy,
	decode:    decodeHAProxy,
}

// haproxyConfig is a whole one. What has no name, or a name that isn't on the
// list, is rejected before it is looked up, unless its address is there; a name
// that resolves to nothing is, too, or the connection would go round to HAProxy
// itself. So would one to loopback, which whoever runs an allowed domain could
// send it to.
var haproxyConfig = config(`
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
resolvers system
  parse-resolv-conf
frontend tls
  bind :443
  acl address dst -f /etc/haproxy/allow.addresses
  tcp-request content set-var(sess.address) dst if address { dst_port 443 }
  tcp-request content accept if address { dst_port 443 }
  tcp-request inspect-delay 5s
  tcp-request content set-var(sess.host) req.ssl_sni,lower if { req.ssl_hello_type 1 }
  acl allowed var(sess.host) -m str -f /etc/haproxy/allow.lst
  acl allowed str(.),concat(,sess.host,.) -m end -f /etc/haproxy/allow.lst
  acl allowed str(.),concat(,sess.host,.) -m reg -f /etc/haproxy/allow.patterns
  tcp-request content reject if { req.ssl_hello_type 1 } !allowed
  tcp-request content do-resolve(sess.address,system,ipv4) var(sess.host) if { req.ssl_hello_type 1 } allowed
  tcp-request content reject if { req.ssl_hello_type 1 } !{ var(sess.address) -m found }
  tcp-request content reject if { var(sess.address) -m ip 127.0.0.0/8 }
  tcp-request content accept if { req.ssl_hello_type 1 }
  tcp-request content reject
  default_backend there
backend there
  tcp-request content set-dst var(sess.address)
  server there 0.0.0.0:0
`)

// A pattern's ends, which are those of .host.
const (
	haproxyPattern    = `^\.`
	haproxyPatternEnd = `\.$`
)

func encodeHAProxy(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	for _, r := range c.Rules() {
		if series, is := r.Pattern(); is {
			p.asidePattern(r, series, haproxyPattern, haproxyPatternEnd)
			continue
		}
		p.notesBeside(r)
		if at, is := r.Endpoint(); is {
			p.line("%s%s", asideAddress, at.Prefix)
		} else if r.Suffix {
			p.put(".", r.Name, ".")
		} else {
			p.put(r.Name)
		}
	}
	return p.Bytes(), nil
}

func decodeHAProxy(data []byte) ([]rule.Rule, error) {
	patterns, err := asidePatterns(data, haproxyPattern, haproxyPatternEnd)
	if err != nil {
		return nil, err
	}
	addresses, err := asideAddresses(data)
	rules := slices.Grow(append(patterns, addresses...), lineCount(data))
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
	return rules, err
}
