package export

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// A host has a wildcard at its beginning alone, and whole labels (Istio's
// reference, "Service Entry", hosts).
var istio = Format{
	Name:      "istio",
	Title:     "Istio, a Sidecar with REGISTRY_ONLY and the ServiceEntries of these names",
	Extension: "yaml",
	Exact:     "h",
	Suffix:    "h and *.h",
	Address:   "a ServiceEntry of its own: addresses with the port, which is TCP's",
	NoPattern: "its * stands for whole labels before a name, and not for a part of one",
	Hosts:     true,
	Load:      kubeLoad("istio", "serviceentry", "hosts") + "; a guard-rail, no firewall: a pod can go round its sidecar",
	Check:     "istioctl validate -f FILE",
	Ports:     true,
	NoUDP:     "what is sent by UDP goes round the sidecar, whatever the list says",
	Proven:    "accepted by istio.io/api 1.32, the types of Istio, and applied by kubectl 1.37 to an API server with its definitions, which in both ways then had none of the hosts that had left the list; not asked",
	needsRule: true,
	limit:     hostLabels,
	address:   anyTCP,
	mark:      "#",
	port:      regexp.MustCompile(`number: (\d+)`),
	encode:    encodeIstio,
	decode:    decodeIstio,
}

// istioHosts is how many hosts a ServiceEntry may have; no object comes near
// kubeMaxBytes with them.
const istioHosts = 256

const istioSidecar = `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: lxd-allowlist
%s
spec:
  outboundTrafficPolicy:
    mode: REGISTRY_ONLY
  egress:
    - hosts: ["./*", "istio-system/*"]`

func encodeIstio(f Format, c rule.Compiled, o Options) ([]byte, error) {
	list := kubeList(starred(c.Rules()))
	labels := kubeLabels(list)
	f.Load = strings.ReplaceAll(f.Load, kubeListWord, list)
	p := headed(f, c, o)
	p.remarks(c.Rules())
	p.line(istioSidecar, labels)
	n := 0
	entry := func() {
		n++
		p.line("---")
		p.line("apiVersion: networking.istio.io/v1")
		p.line("kind: ServiceEntry")
		p.line("metadata:")
		p.line("  name: lxd-allowlist-%d", n)
		p.put(labels)
		p.line("spec:")
		p.line("  location: MESH_EXTERNAL")
		p.line("  resolution: NONE")
		p.line("  ports:")
	}
	names, addresses := c.Names()
	ports := o.ports(names.Rules()...)
	for hosts := range slices.Chunk(starred(names.Rules()), istioHosts) {
		entry()
		for _, port := range ports {
			// TCP would open the port for every address.
			protocol := "TLS"
			if port == 80 {
				protocol = "HTTP"
			}
			p.line("    - {number: %d, name: port-%d, protocol: %s}", port, port, protocol)
		}
		p.line("  hosts:")
		for _, h := range hosts {
			p.put("    - ", quoted(h))
		}
	}
	for _, r := range addresses {
		at, _ := r.Rule.Endpoint()
		entry()
		p.line("    - {number: %d, name: port-%d, protocol: TCP}", at.Port.Number, at.Port.Number)
		p.line("  hosts:")
		p.line("    - %s", quoted(istioAddress(n)))
		p.line("  addresses:")
		p.line("    - %s", quoted(at.Prefix.String()))
	}
	return p.Bytes(), nil
}

// istioAddress is the host of the nth entry where that is about an address: an
// entry wants one, and of TCP at addresses it is not used (Istio's reference,
// "Service Entry").
func istioAddress(n int) string { return fmt.Sprintf("address-%d.lxd-allowlist.invalid", n) }

type istioObject struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   kubeMetadata
	Spec       struct {
		OutboundTrafficPolicy struct{ Mode string } `yaml:"outboundTrafficPolicy"`
		Egress                []any
		Location, Resolution  string
		Ports                 []istioPort
		Hosts, Addresses      []string
	}
}

type istioPort struct {
	Number         int
	Name, Protocol string
}

var istioList = longList[istioObject, string]{
	before: "  hosts:", item: quotedItem("    - ", ""), stand: `    - "` + standIn + `"`, numbered: kubeNumbered,
	of: func(o *istioObject) *[]string { return &o.Spec.Hosts },
}

func decodeIstio(data []byte) ([]rule.Rule, error) {
	all, err := istioList.read(data)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].doc.Kind != "Sidecar" || all[0].doc.Spec.OutboundTrafficPolicy.Mode != "REGISTRY_ONLY" {
		return nil, errors.New("the Sidecar that denies all other names is not there")
	}
	var hosts []string
	var addresses []rule.Rule
	for i, entry := range all[1:] {
		o, named := entry.doc, entry.items
		if o.Kind != "ServiceEntry" || len(named) == 0 || len(named) > istioHosts {
			return nil, fmt.Errorf("object %d, a %s, with %d hosts", i+2, o.Kind, len(named))
		}
		if !maps.Equal(o.Metadata.Labels, all[0].doc.Metadata.Labels) {
			return nil, fmt.Errorf("object %d, a %s, is labelled as part of another list", i+2, o.Kind)
		}
		if len(o.Spec.Addresses) == 0 {
			hosts = append(hosts, named...)
			continue
		}
		if len(o.Spec.Addresses) != 1 || len(o.Spec.Ports) != 1 || !slices.Equal(named, []string{istioAddress(i + 1)}) {
			return nil, fmt.Errorf("object %d is not of one address with one port", i+2)
		}
		r, err := addressRule(o.Spec.Addresses[0], o.Spec.Ports[0].Protocol, strconv.Itoa(o.Spec.Ports[0].Number))
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, r)
	}
	rules, err := unstarred(hosts)
	return append(rules, addresses...), err
}
