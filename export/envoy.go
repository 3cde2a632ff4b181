package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"lxd-allowlist/export/rule"
)

// A chain's server_names have whole labels alone. A list with patterns has a
// matcher in their place, which knows expressions, and of which only the first
// that matches is heeded; it takes the place of all server_names (Envoy's
// documentation, "Matching Filter Chains in Listeners").
var envoy = Format{
	Name:      "envoy",
	Title:     "Envoy, a forward proxy by the name in the TLS hello",
	Extension: "yaml",
	Exact:     "h in server_names",
	Suffix:    "h and *.h in server_names",
	NoAddress: "it goes where the name in the TLS hello leads, and an address has none",
	Pattern:   `safe_regex: ^h$, with [0-9]{1,2} for <0-99>, and an alternation for <region>; a list with patterns has a filter_chain_matcher, names too, in place of server_names (Envoy 1.23 or later)`,
	Hosts:     true,
	Load:      "envoy -c FILE; it wants the connections redirected to it; what has no TLS passes nowhere",
	Check:     "envoy --mode validate -c FILE",
	Ports:     true,
	NoUDP:     "it looks at the hello of TLS over TCP",
	Proven:    "accepted by go-control-plane 1.40, the types of Envoy; not asked",
	needsRule: true, // a match without names matches every connection
	mark:      "#",
	port:      regexp.MustCompile(`port_value: (\d+)`),
	encode:    encodeEnvoy,
	decode:    decodeEnvoy,
}

const envoyListener = `    - name: tls-%d
      address: {socket_address: {address: "::", port_value: %d, ipv4_compat: true}}
      listener_filters:
        - name: envoy.filters.listener.tls_inspector
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}
      filter_chains:
        - filters:
            - name: envoy.filters.network.sni_dynamic_forward_proxy
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig
                port_value: %d
                dns_cache_config: {name: names}
            - name: envoy.filters.network.tcp_proxy
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                stat_prefix: tls
                cluster: names
`

const envoyNames = `          filter_chain_match:
            server_names:`

// envoyMatcher chooses the one chain there is.
const envoyMatcher = `          name: allowed
      filter_chain_matcher:
        matcher_list:
          matchers:`

const envoyPredicate = `            - predicate:
                single_predicate:
                  input: {name: name, typed_config: {"@type": type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.ServerNameInput}}
                  value_match: %s
              on_match: {action: {name: allowed, typed_config: {"@type": type.googleapis.com/google.protobuf.StringValue, value: allowed}}}`

const envoyClusters = `  clusters:
    - name: names
      lb_policy: CLUSTER_PROVIDED
      cluster_type:
        name: envoy.clusters.dynamic_forward_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
          dns_cache_config: {name: names}`

func encodeEnvoy(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.remarks(c.Rules())
	p.line("static_resources:")
	p.line("  listeners:")
	listeners := 0
	for _, port := range o.ports(c.Rules()...) {
		if port == 80 { // no TLS, no name in its hello
			continue
		}
		listeners++
		fmt.Fprintf(&p, envoyListener, port, port, port)
		if slices.ContainsFunc(c.Rules(), func(r rule.Rule) bool { return r.Kind() == "pattern" }) {
			p.envoyMatchers(c.Rules())
			continue
		}
		p.put(envoyNames)
		for _, name := range starred(c.Rules()) {
			p.put("              - ", quoted(name))
		}
	}
	if listeners == 0 {
		return nil, errors.New("envoy: no port with TLS among the ports; add 443")
	}
	p.put(envoyClusters)
	return p.Bytes(), nil
}

// envoyMatchers writes what chooses the chain for each rule.
func (p *page) envoyMatchers(rules []rule.Rule) {
	p.put(envoyMatcher)
	for _, r := range rules {
		if series, is := r.Pattern(); is {
			p.line(envoyPredicate, "{safe_regex: {google_re2: {}, regex: "+quoted(series.Regexp)+"}}")
			continue
		}
		p.line(envoyPredicate, "{exact: "+quoted(r.Name)+"}")
		if r.Suffix {
			p.line(envoyPredicate, "{suffix: "+quoted("."+r.Name)+"}")
		}
	}
}

type envoyConfig struct {
	StaticResources struct {
		Listeners []struct {
			Name            string
			Address         any
			ListenerFilters []any `yaml:"listener_filters"`
			FilterChains    []struct {
				Name    string
				Filters []any
				Match   struct {
					ServerNames []string `yaml:"server_names"`
				} `yaml:"filter_chain_match"`
			} `yaml:"filter_chains"`
			Matcher struct {
				List struct{ Matchers []envoyMatch } `yaml:"matcher_list"`
			} `yaml:"filter_chain_matcher"`
		}
		Clusters []any
	} `yaml:"static_resources"`
}

type envoyMatch struct {
	Predicate struct {
		Single struct {
			Input any
			Value struct {
				Exact, Suffix string
				Regex         struct {
					Engine any `yaml:"google_re2"`
					Regex  string
				} `yaml:"safe_regex"`
			} `yaml:"value_match"`
		} `yaml:"single_predicate"`
	}
	OnMatch any `yaml:"on_match"`
}

// envoyList is that of the first listener: there is hardly ever another.
var envoyList = longList[envoyConfig, string]{
	before: "            server_names:", item: quotedItem("              - ", ""), stand: `              - "` + standIn + `"`,
	of: func(c *envoyConfig) *[]string {
		if l := c.StaticResources.Listeners; len(l) > 0 && len(l[0].FilterChains) > 0 {
			return &l[0].FilterChains[0].Match.ServerNames
		}
		return nil
	},
}

func decodeEnvoy(data []byte) ([]rule.Rule, error) {
	one, err := envoyList.one(data)
	if err != nil {
		return nil, err
	}
	d := one.doc
	var rules []rule.Rule
	for i, l := range d.StaticResources.Listeners {
		if len(l.ListenerFilters) != 1 || len(l.FilterChains) != 1 {
			return nil, errors.New("a listener that doesn't look at names")
		}
		names, matchers := l.FilterChains[0].Match.ServerNames, l.Matcher.List.Matchers
		if i == 0 {
			names = one.items
		}
		if (len(names) == 0) == (len(matchers) == 0) {
			return nil, errors.New("a listener for any name, or with names in two places")
		}
		here, err := fromEnvoyMatchers(matchers)
		if len(names) > 0 {
			here, err = unstarred(names)
		}
		if err != nil {
			return nil, err
		}
		if i > 0 && rule.Difference(here, rules) != "" {
			return nil, errors.New("listeners with different names")
		}
		rules = here
	}
	return rules, nil
}

// fromEnvoyMatchers reads what envoyMatchers wrote.
func fromEnvoyMatchers(matchers []envoyMatch) (rules []rule.Rule, err error) {
	for _, m := range matchers {
		v, last := m.Predicate.Single.Value, len(rules)-1
		switch {
		case v.Regex.Regex != "" && v.Exact+v.Suffix == "":
			series, ok := rule.FromRegexp(v.Regex.Regex)
			if !ok {
				return nil, fmt.Errorf("an expression that is no pattern: %q", v.Regex.Regex)
			}
			rules = append(rules, rule.Rule{Name: series.Text})
		case v.Exact != "" && v.Suffix == "":
			rules = append(rules, rule.Rule{Name: v.Exact})
		case v.Exact == "" && last >= 0 && v.Suffix == "."+rules[last].Name && !rules[last].Suffix:
			rules[last].Suffix = true
		default:
			return nil, fmt.Errorf("a matcher that says something else: %+v", v)
		}
	}
	return rules, nil
}
