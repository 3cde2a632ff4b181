package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

// "*" stands anywhere in a label, for any of its characters, and "**." for labels
// before a name (Cilium's API, FQDNSelector); other signs are refused.
var cilium = Format{
	Name:      "cilium",
	Title:     "a CiliumNetworkPolicy for the egress of all pods in a namespace",
	Extension: "yaml",
	Exact:     "matchName: h",
	Suffix:    `matchName: h and matchPattern: "**.h" (Cilium 1.19 or later; 1.18 lets one label below h pass and no more)`,
	Address:   "toCIDR with its port",
	NoPattern: "its * stands for any characters of a label, and not for digits alone",
	Load:      "kubectl apply --server-side -n NAMESPACE -f FILE; only these names may be looked up, and connected to: the cluster's own (*.svc.cluster.local) want a rule beside them, and search lists --tofqdns-dns-reject-response-code=nameError",
	Check:     "kubectl apply --dry-run=server -n NAMESPACE -f FILE",
	Ports:     true,
	Proven:    tried("cilium") + "; by its library: its schema, its checks and its matching of names; the longest list was applied by kubectl 1.37 to an API server",
	needsRule: true,
	maxSuffix: 252, // and "**." before it
	maxBytes:  kubeMaxBytes,
	mark:      "#",
	port:      regexp.MustCompile(`port: "(?P<number>\d+)"(\n +protocol: (?P<protocol>\w+))?`),
	encode:    encodeCilium,
	decode:    decodeCilium,
}

const ciliumBegin = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: lxd-allowlist
spec:
  endpointSelector: {}
  egress:`

const ciliumLookups = `    - toEndpoints:
        - matchLabels:
            "k8s:io.kubernetes.pod.namespace": kube-system
            "k8s:k8s-app": kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:`

func encodeCilium(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.put(ciliumBegin)
	// Without names there is none of their entries: an empty list of them would
	// allow all.
	if names, _ := c.Names(); names.Len() > 0 {
		encodeFQDNs(&p, names, o)
	}
	for _, r := range c.Rules() {
		at, is := r.Endpoint()
		if !is {
			continue
		}
		for _, s := range remarks([]rule.Rule{r}) { // a line below doesn't name it as a rule does
			p.comment(s)
		}
		p.line("    - toCIDR:")
		p.line("        - %s", quoted(at.Prefix.String()))
		p.line("      toPorts:")
		p.line("        - ports:")
		p.ciliumPort(at.Port)
	}
	return p.Bytes(), nil
}

// ciliumPorts is how many ports an entry of toPorts may have (Cilium's API,
// PortRule).
const ciliumPorts = 40

// encodeFQDNs writes that names may be looked up, and connected to.
func encodeFQDNs(p *page, c rule.Compiled, o Options) {
	p.put(ciliumLookups)
	selectors := func(indent string, r rule.Rule) {
		p.line("%s- matchName: %s", indent, quoted(r.Name))
		if r.Suffix {
			p.line("%s- matchPattern: %s", indent, quoted("**."+r.Name))
		}
	}
	for _, r := range c.Rules() {
		selectors("              ", r)
	}
	p.line("    - toFQDNs:")
	for _, r := range c.Rules() {
		p.notes(r)
		selectors("        ", r)
	}
	p.line("      toPorts:")
	for ports := range slices.Chunk(o.portsWithUDP(c.Rules()...), ciliumPorts) {
		p.line("        - ports:")
		for _, port := range ports {
			p.ciliumPort(port)
		}
	}
}

func (p *page) ciliumPort(port rule.Port) {
	p.line(`            - port: "%d"`, port.Number)
	p.line("              protocol: %s", strings.ToUpper(port.Protocol))
}

type ciliumPolicy struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		EndpointSelector struct{} `yaml:"endpointSelector"`
		Egress           []struct {
			ToEndpoints []any            `yaml:"toEndpoints"`
			ToFQDNs     []ciliumSelector `yaml:"toFQDNs"`
			ToCIDR      []string         `yaml:"toCIDR"`
			ToPorts     []struct {
				Ports []ciliumPort
				Rules struct{ DNS []ciliumSelector }
			} `yaml:"toPorts"`
		}
	}
}

type ciliumPort struct{ Port, Protocol string }

type ciliumSelector struct {
	MatchName    string `yaml:"matchName"`
	MatchPattern string `yaml:"matchPattern"`
}

func decodeCilium(data []byte) ([]rule.Rule, error) {
	d, err := yamlDocument[ciliumPolicy](data)
	if err != nil {
		return nil, err
	}
	addresses, err := takeCIDRs(&d)
	if err != nil {
		return nil, err
	}
	if len(d.Spec.Egress) == 0 {
		return addresses, nil
	}
	if e := d.Spec.Egress; len(e) != 2 || len(e[0].ToEndpoints) != 1 || len(e[0].ToFQDNs) != 0 || len(e[1].ToEndpoints) != 0 || len(e[1].ToPorts) == 0 {
		return nil, errors.New("not one entry for the name server and one for names")
	}
	e := d.Spec.Egress
	if len(e[0].ToPorts) != 1 || !slices.Equal(e[0].ToPorts[0].Rules.DNS, e[1].ToFQDNs) {
		return nil, errors.New("other names may be looked up than connected to")
	}
	if len(e[1].ToFQDNs) == 0 {
		return nil, errors.New("a list without a name, which allows all")
	}
	var patterns []string
	for _, s := range e[1].ToFQDNs {
		name, star := between(s.MatchPattern, "**.", "")
		switch {
		case s.MatchPattern == "":
			patterns = append(patterns, s.MatchName)
		case star && s.MatchName == "":
			patterns = append(patterns, "*."+name)
		default:
			return nil, fmt.Errorf("a selector that says something else: %+v", s)
		}
	}
	names, err := unstarred(patterns)
	return append(names, addresses...), err
}

// takeCIDRs takes the entries for addresses out of a policy.
func takeCIDRs(d *ciliumPolicy) (rules []rule.Rule, err error) {
	e := d.Spec.Egress
	for n := len(e); n > 0 && len(e[n-1].ToCIDR) > 0; n-- {
		of := e[n-1]
		if len(of.ToCIDR) != 1 || len(of.ToPorts) != 1 || len(of.ToPorts[0].Ports) != 1 || len(of.ToEndpoints)+len(of.ToFQDNs)+len(of.ToPorts[0].Rules.DNS) > 0 {
			return nil, fmt.Errorf("not one address with one port: %v", of.ToCIDR)
		}
		r, err := addressRule(of.ToCIDR[0], of.ToPorts[0].Ports[0].Protocol, of.ToPorts[0].Ports[0].Port)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
		d.Spec.Egress = e[:n-1]
	}
	return rules, nil
}
