package export

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// "*" is a single label, and a name has no underscore (OVN-Kubernetes' API,
// EgressFirewallDestination). The rules of a namespace are in one object, the
// first that matches decides, and what none matches passes (Red Hat's OpenShift
// documentation, "Configuring an egress firewall for a project").
var openshift = Format{
	Name:      "openshift",
	Title:     "OpenShift, the EgressFirewall of a namespace",
	Extension: "yaml",
	Exact:     "dnsName: h",
	Suffix:    `dnsName: h and dnsName: "*.h": the names one label below h and no deeper ones; a wildcard wants DNSNameResolver, a Technology Preview`,
	Address:   "cidrSelector with its port",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Hosts:     true,
	Ports:     true,
	Load:      "oc apply --server-side -n NAMESPACE -f FILE; it is about addresses outside the cluster, the API server's among them: allow those (nodeSelector or cidrSelector) before the rules that deny if pods need it; an address that serves other names, too, is open for them as well",
	Check:     "oc apply --dry-run=server -n NAMESPACE -f FILE",
	Proven:    "accepted by OVN-Kubernetes' types, of September 2025, as the definition that controller-gen 0.23 makes of them, and applied with that by kubectl 1.37 to an API server; not asked",
	maxRules:  (8000 - len(egressDenied)) / 2, // a suffix takes two of the 8,000
	maxBytes:  kubeMaxBytes,
	limit:     noUnderscore,
	mark:      "#",
	port:      kubePorts,
	encode:    encodeEgressFirewall,
	decode:    decodeEgressFirewall,
}

// egressDenied are all addresses.
var egressDenied = [...]string{"0.0.0.0/0", "::/0"}

func encodeEgressFirewall(f Format, c rule.Compiled, o Options) ([]byte, error) {
	p := headed(f, c, o)
	p.line("apiVersion: k8s.ovn.org/v1")
	p.line("kind: EgressFirewall")
	p.line("metadata:")
	p.line("  name: default") // no other is heeded
	p.line("spec:")
	p.line("  egress:")
	for _, r := range c.Rules() {
		if at, is := r.Endpoint(); is {
			for _, s := range remarks([]rule.Rule{r}) { // the line below doesn't name it as a rule does
				p.comment(s)
			}
			p.line("    - type: Allow")
			p.line("      to: {cidrSelector: %s}", quoted(at.Prefix.String()))
			p.line("      ports:")
			p.kubePort(at.Port)
			continue
		}
		p.notes(r)
		for _, name := range starred([]rule.Rule{r}) {
			p.line("    - type: Allow")
			p.line("      to: {dnsName: %s}", quoted(name))
			p.line("      ports:")
			for _, port := range o.portsWithUDP(r) {
				p.kubePort(port)
			}
		}
	}
	for _, cidr := range egressDenied {
		p.line("    - type: Deny")
		p.line("      to: {cidrSelector: %s}", quoted(cidr))
	}
	return p.Bytes(), nil
}

type egressFirewall struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		Egress []struct {
			Type string
			To   struct {
				DNSName string `yaml:"dnsName"`
				CIDR    string `yaml:"cidrSelector"`
			}
			Ports []struct {
				Protocol string
				Port     int
			}
		}
	}
}

func decodeEgressFirewall(data []byte) ([]rule.Rule, error) {
	d, err := yamlDocument[egressFirewall](data)
	if err != nil {
		return nil, err
	}
	n := len(d.Spec.Egress) - len(egressDenied)
	if d.Kind != "EgressFirewall" || d.Metadata.Name != "default" || n < 0 {
		return nil, errors.New("not the EgressFirewall of a namespace, or it denies nothing")
	}
	for i, cidr := range egressDenied {
		if e := d.Spec.Egress[n+i]; e.Type != "Deny" || e.To.CIDR != cidr || len(e.Ports) > 0 {
			return nil, fmt.Errorf("it doesn't end with rules that deny %s", cidr)
		}
	}
	var all []endpoint
	var addresses []rule.Rule
	for _, e := range d.Spec.Egress[:n] {
		if e.Type == "Allow" && e.To.CIDR != "" && e.To.DNSName == "" && len(e.Ports) == 1 {
			r, err := addressRule(e.To.CIDR, e.Ports[0].Protocol, strconv.Itoa(e.Ports[0].Port))
			if err != nil {
				return nil, err
			}
			addresses = append(addresses, r)
			continue
		}
		if e.Type != "Allow" || e.To.DNSName == "" || e.To.CIDR != "" || len(e.Ports) == 0 {
			return nil, fmt.Errorf("a rule that says something else: %+v", e)
		}
		for _, p := range e.Ports {
			all = append(all, endpoint{e.To.DNSName, p.Port, p.Protocol})
		}
	}
	names, err := hosts(all)
	if err != nil {
		return nil, err
	}
	rules, err := unstarred(names)
	return append(rules, addresses...), err
}

// addressRule returns the rule of a prefix, a protocol in capitals and a port,
// as an object of Kubernetes names them.
func addressRule(cidr, protocol, port string) (rule.Rule, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return rule.Rule{}, err
	}
	at, err := rule.ParsePort(port + "/" + strings.ToLower(protocol))
	if err != nil {
		return rule.Rule{}, err
	}
	return rule.Rule{Name: rule.Endpoint{Prefix: prefix, Port: at}.String()}, nil
}
