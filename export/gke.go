package export

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// "*" is part of one label there, so that a suffix takes a pattern for each
// depth; policies add up (GKE's API, FQDNNetworkPolicyMatch; Google's "Control
// Pod egress traffic using FQDN network policies").
var gke = Format{
	Name:      "gke",
	Title:     "Google Kubernetes Engine, FQDNNetworkPolicies for all pods in a namespace",
	Extension: "yaml",
	Exact:     "name: h",
	Suffix:    "name: h and patterns for one to four labels below it, from *.h to *.*.*.*.h: no deeper names",
	NoAddress: "an FQDNNetworkPolicy has names alone",
	NoPattern: "its * stands for any characters of a label, and not for digits alone",
	Hosts:     true,
	Ports:     true,
	Load:      "in a cluster with --enable-fqdn-network-policy: " + kubeLoad("gke", "fqdnnetworkpolicy", "names") + "; what a NetworkPolicy allows passes, too: allow the cluster's DNS by one; an address that serves other names, too, is open for them as well",
	Check:     "kubectl apply --dry-run=server -n NAMESPACE -f FILE",
	Proven:    "accepted by gke-networking-api 0.2.11, the definition of GKE's API, and applied with it by kubectl 1.37 to an API server, which in both ways then had none of the names that had left the list; not asked",
	needsRule: true,
	limit:     gkeLabels,
	mark:      "#",
	port:      kubePorts,
	encode:    encodeGKE,
	decode:    decodeGKE,
}

// gkeDepth is how far below a suffix names are allowed.
const gkeDepth = 4

// gkeLabels says why the API takes no such name, "" if it does.
func gkeLabels(r rule.Rule) string {
	if endsLabel(r.Name, "-_") {
		return "it takes labels that begin and end with a letter or a digit only"
	}
	return ""
}

// gkeRules is how many rules share a policy: one may resolve to 50 addresses.
const gkeRules = 5

func encodeGKE(f Format, c rule.Compiled, o Options) ([]byte, error) {
	list := kubeList(starred(c.Rules()))
	f.Load = strings.ReplaceAll(f.Load, kubeListWord, list)
	p := headed(f, c, o)
	n, ports, labels := 0, o.portsWithUDP(c.Rules()...), kubeLabels(list)
	for rules := range slices.Chunk(c.Rules(), gkeRules) {
		if n++; n > 1 {
			p.put("---")
		}
		p.put("apiVersion: networking.gke.io/v1alpha1")
		p.put("kind: FQDNNetworkPolicy")
		p.put("metadata:")
		p.put("  name: lxd-allowlist-", strconv.Itoa(n))
		p.put(labels)
		p.put("spec:")
		p.put("  podSelector: {}")
		p.put("  egress:")
		p.put("    - matches:")
		for _, r := range rules {
			p.notes(r)
			p.put("        - name: ", quoted(r.Name))
			for depth := 1; r.Suffix && depth <= gkeDepth; depth++ {
				p.put("        - pattern: ", quoted(gkePattern(r.Name, depth)))
			}
		}
		p.put("      ports:")
		for _, port := range ports {
			p.kubePort(port)
		}
	}
	return p.Bytes(), nil
}

// gkePattern matches what is that many labels below the name.
func gkePattern(name string, depth int) string { return gkeStars[:2*depth] + name }

const gkeStars = "*.*.*.*."

// isGKEPattern reports whether it is gkePattern of these.
func isGKEPattern(pattern, name string, depth int) bool {
	begin, ok := strings.CutSuffix(pattern, name)
	return ok && begin == gkeStars[:2*depth]
}

type gkePolicy struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   kubeMetadata
	Spec       struct {
		PodSelector struct{} `yaml:"podSelector"`
		Egress      []struct {
			Matches []gkeMatch
			Ports   []gkePort
		}
	}
}

type gkePort struct {
	Protocol string
	Port     int
}

type gkeMatch struct{ Name, Pattern string }

var gkeList = longList[gkePolicy, gkeMatch]{
	before: "    - matches:",
	item: func(line string) (m gkeMatch, ok bool) {
		if m.Name, ok = gkeName(line); !ok {
			m.Name = ""
			m.Pattern, ok = gkeWildcard(line)
		}
		return m, ok
	},
	stand: `        - name: "` + standIn + `"`, numbered: kubeNumbered,
	of: func(p *gkePolicy) *[]gkeMatch {
		if len(p.Spec.Egress) != 1 {
			return nil
		}
		return &p.Spec.Egress[0].Matches
	},
}

var gkeName, gkeWildcard = quotedItem("        - name: ", ""), quotedItem("        - pattern: ", "")

func decodeGKE(data []byte) ([]rule.Rule, error) {
	all, err := gkeList.read(data)
	if err != nil {
		return nil, err
	}
	rules := make([]rule.Rule, 0, gkeRules*len(all))
	for i, policy := range all {
		d := policy.doc
		if d.Kind != "FQDNNetworkPolicy" || len(d.Spec.Egress) != 1 || len(d.Spec.Egress[0].Ports) == 0 {
			return nil, fmt.Errorf("object %d, a %s, is no FQDNNetworkPolicy with one rule for some ports", i+1, d.Kind)
		}
		if !maps.Equal(d.Metadata.Labels, all[0].doc.Metadata.Labels) {
			return nil, fmt.Errorf("object %d, a %s, is labelled as part of another list", i+1, d.Kind)
		}
		if !slices.Equal(d.Spec.Egress[0].Ports, all[0].doc.Spec.Egress[0].Ports) {
			return nil, fmt.Errorf("object %d, a %s, has ports of its own", i+1, d.Kind)
		}
		depth := 0 // of the last pattern
		for _, m := range policy.items {
			last := len(rules) - 1
			switch {
			case m.Name != "" && m.Pattern == "" && (depth == 0 || depth == gkeDepth):
				rules = append(rules, rule.Rule{Name: m.Name})
				depth = 0
			case m.Name == "" && last >= 0 && depth < gkeDepth && isGKEPattern(m.Pattern, rules[last].Name, depth+1):
				depth++
				rules[last].Suffix = true
			default:
				return nil, fmt.Errorf("a match that says something else: %+v", m)
			}
		}
		if depth != 0 && depth != gkeDepth {
			return nil, fmt.Errorf("%q is a suffix of fewer labels", rules[len(rules)-1].Name)
		}
	}
	return rules, nil
}
