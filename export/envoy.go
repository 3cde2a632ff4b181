package export

import (
	"errors"
	"regexp"

	"lxd-allowlist/export/rule"
)

var envoy = Format{
	Name:      "envoy",
	Title:     "Envoy, a forward proxy by the name in the TLS hello",
	Extension: "yaml",
	Exact:     "h in server_names",
	Suffix:    "h and *.h in server_names",
	NoAddress: "it goes where the name in the TLS hello leads, and an address has none",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
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
          filter_chain_match:
            server_names:`

const envoyClusters = `  clusters:
    - name: names
      lb_policy: CLUSTER_PROVIDED
      cluster_type:
        name: envoy.clusters.dynamic_forward_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
          dns_cache_config: {name: names}`

func encodeEnvoy(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c)
	p.remarks(c.Rules())
	p.line("static_resources:")
	p.line("  listeners:")
	listeners := 0
	for _, port := range o.ports(c.Rules()...) {
		if port == 80 { // no TLS, no name in its hello
			continue
		}
		listeners++
		p.line(envoyListener, port, port, port)
		for _, name := range starred(c.Rules()) {
			p.line("              - %s", quoted(name))
		}
	}
	if listeners == 0 {
		return nil, errors.New("envoy: no port with TLS among the ports; add 443")
	}
	p.line("%s", envoyClusters)
	return p.Bytes(), nil
}

type envoyConfig struct {
	StaticResources struct {
		Listeners []struct {
			Name            string
			Address         any
			ListenerFilters []any `yaml:"listener_filters"`
			FilterChains    []struct {
				Filters []any
				Match   struct {
					ServerNames []string `yaml:"server_names"`
				} `yaml:"filter_chain_match"`
			} `yaml:"filter_chains"`
		}
		Clusters []any
	} `yaml:"static_resources"`
}

func decodeEnvoy(data []byte) ([]rule.Rule, error) {
	d, err := yamlDocument[envoyConfig](data)
	if err != nil {
		return nil, err
	}
	var rules []rule.Rule
	for i, l := range d.StaticResources.Listeners {
		if len(l.ListenerFilters) != 1 || len(l.FilterChains) != 1 || len(l.FilterChains[0].Match.ServerNames) == 0 {
			return nil, errors.New("a listener that doesn't look at names")
		}
		here, err := unstarred(l.FilterChains[0].Match.ServerNames)
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
