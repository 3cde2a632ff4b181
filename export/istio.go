package export

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var istio = Format{
	Name:      "istio",
	Title:     "Istio, a Sidecar with REGISTRY_ONLY and the ServiceEntries of these names",
	Extension: "yaml",
	Exact:     "h",
	Suffix:    "h and *.h",
	Hosts:     true,
	Load:      "kubectl apply --server-side -n NAMESPACE -f FILE; then, or hosts that left the list stay open: kubectl delete serviceentry " + kubeOthers + "; a guard-rail, no firewall: a pod can go round its sidecar",
	Check:     "istioctl validate -f FILE",
	Ports:     true,
	Proven:    "accepted by istio.io/api 1.32, the types of Istio, and applied by kubectl 1.37 to an API server with its definitions, which then had none of the hosts that had left the list; not asked",
	needsRule: true,
	limit:     hostLabels,
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
	p := headed(f, c)
	p.remarks(c.Rules())
	p.line(istioSidecar, labels)
	n, ports := 0, o.ports(c.Rules()...)
	for hosts := range slices.Chunk(starred(c.Rules()), istioHosts) {
		n++
		p.line("---")
		p.line("apiVersion: networking.istio.io/v1")
		p.line("kind: ServiceEntry")
		p.line("metadata:")
		p.line("  name: lxd-allowlist-%d", n)
		p.line("%s", labels)
		p.line("spec:")
		p.line("  location: MESH_EXTERNAL")
		p.line("  resolution: NONE")
		p.line("  ports:")
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
			p.line("    - %s", quoted(h))
		}
	}
	return p.Bytes(), nil
}

type istioObject struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   kubeMetadata
	Spec       struct {
		OutboundTrafficPolicy struct{ Mode string } `yaml:"outboundTrafficPolicy"`
		Egress                []any
		Location, Resolution  string
		Ports                 []any
		Hosts                 []string
	}
}

func decodeIstio(data []byte) ([]rule.Rule, error) {
	all, err := yamlDocuments[istioObject](data)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].Kind != "Sidecar" || all[0].Spec.OutboundTrafficPolicy.Mode != "REGISTRY_ONLY" {
		return nil, errors.New("the Sidecar that denies all other names is not there")
	}
	var hosts []string
	for _, o := range all[1:] {
		if o.Kind != "ServiceEntry" || len(o.Spec.Hosts) == 0 || len(o.Spec.Hosts) > istioHosts {
			return nil, fmt.Errorf("%s %q with %d hosts", o.Kind, o.Metadata.Name, len(o.Spec.Hosts))
		}
		if !maps.Equal(o.Metadata.Labels, all[0].Metadata.Labels) {
			return nil, fmt.Errorf("%s %q is labelled as part of another list", o.Kind, o.Metadata.Name)
		}
		hosts = append(hosts, o.Spec.Hosts...)
	}
	return unstarred(hosts)
}
