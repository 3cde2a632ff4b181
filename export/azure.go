package export

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// "*" is the left-most sign and stands for anything, of which a dot behind it
// makes whole labels; a network rule has none (Microsoft's "Azure Firewall FAQ",
// "How do wildcards work in target URLs and target FQDNs in application rules?",
// and "Use FQDN filtering in network rules").
var azure = Format{
	Name:      "azure",
	Title:     "Azure Firewall, application rules as an ARM template",
	Extension: "json",
	Exact:     "h",
	Suffix:    "h and *.h",
	Address:   "a network rule of its own: a prefix of IPv4 with the port; such rules go before those of names",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Hosts:     true,
	Load:      "az deployment group create --resource-group GROUP --template-file FILE --parameters firewallPolicy=POLICY",
	Check:     "az deployment group validate with the same arguments",
	Ports:     true,
	NoUDP:     "an application rule is about HTTP and TLS, and a network rule has no *.h and wants the firewall's DNS proxy for names",
	Proven:    "kept by Azure's own serializer (@azure/arm-network 35.0), which drops what it doesn't know; not asked",
	needsRule: true,
	maxBytes:  2_000_000, // of a rule collection group
	maxPort:   64000,
	address:   anyIPv4,
	port:      regexp.MustCompile(`"port": (\d+)`),
	encode:    encodeAzure,
	decode:    decodeAzure,
}

type azureTemplate struct {
	Schema         string                    `json:"$schema"`
	ContentVersion string                    `json:"contentVersion"`
	Metadata       azureMetadata             `json:"metadata"`
	Parameters     map[string]azureParameter `json:"parameters"`
	Resources      []azureResource           `json:"resources"`
}

type azureMetadata struct {
	Comments []string `json:"comments"`
}

type azureParameter struct {
	Type         string   `json:"type"`
	DefaultValue []string `json:"defaultValue,omitempty"`
}

type azureResource struct {
	Type       string          `json:"type"`
	APIVersion string          `json:"apiVersion"`
	Name       string          `json:"name"`
	Properties azureProperties `json:"properties"`
}

type azureProperties struct {
	Priority        int               `json:"priority"`
	RuleCollections []azureCollection `json:"ruleCollections"`
}

type azureCollection struct {
	RuleCollectionType string            `json:"ruleCollectionType"`
	Name               string            `json:"name"`
	Priority           int               `json:"priority"`
	Action             map[string]string `json:"action"`
	Rules              []azureRule       `json:"rules"`
}

type azureRule struct {
	RuleType        string          `json:"ruleType"`
	Name            string          `json:"name"`
	Protocols       []azureProtocol `json:"protocols,omitempty"`
	SourceAddresses string          `json:"sourceAddresses"`
	TargetFqdns     []string        `json:"targetFqdns,omitempty"`
	// Of a NetworkRule.
	IPProtocols          []string `json:"ipProtocols,omitempty"`
	DestinationAddresses []string `json:"destinationAddresses,omitempty"`
	DestinationPorts     []string `json:"destinationPorts,omitempty"`
}

// azureSources says whose connections a rule is about.
const azureSources = "[parameters('sourceAddresses')]"

// azureNames is the rule of names.
func azureNames(names rule.Compiled, o Options) azureRule {
	r := azureRule{
		RuleType: "ApplicationRule", Name: "lxd-allowlist",
		SourceAddresses: azureSources, TargetFqdns: starred(names.Rules()),
	}
	for _, port := range o.ports(names.Rules()...) {
		protocol := "Https"
		if port == 80 {
			protocol = "Http"
		}
		r.Protocols = append(r.Protocols, azureProtocol{protocol, port})
	}
	return r
}

// azureAddress is the nth rule of addresses.
func azureAddress(at rule.Endpoint, n int) azureRule {
	return azureRule{
		RuleType: "NetworkRule", Name: fmt.Sprintf("lxd-allowlist-%d", n), SourceAddresses: azureSources,
		IPProtocols: []string{strings.ToUpper(at.Port.Protocol)}, DestinationAddresses: []string{at.Prefix.String()}, DestinationPorts: []string{strconv.Itoa(int(at.Port.Number))},
	}
}

// azureCollections are those of a list. The rules of one are of one type.
func azureCollections(c rule.Compiled, o Options) (all []azureCollection) {
	add := func(name string, rules []azureRule) {
		all = append(all, azureCollection{
			RuleCollectionType: "FirewallPolicyFilterRuleCollection", Name: name, Priority: 100 + 10*len(all),
			Action: map[string]string{"type": "Allow"}, Rules: rules,
		})
	}
	names, addresses := c.Names()
	if names.Len() > 0 {
		add("lxd-allowlist", []azureRule{azureNames(names, o)})
	}
	var rules []azureRule
	for i, r := range addresses {
		at, _ := r.Rule.Endpoint()
		rules = append(rules, azureAddress(at, i+1))
	}
	if len(rules) > 0 {
		add("lxd-allowlist-addresses", rules)
	}
	return all
}

type azureProtocol struct {
	ProtocolType string `json:"protocolType"`
	Port         int    `json:"port"`
}

func encodeAzure(f Format, c rule.Compiled, o Options) ([]byte, error) {
	return marshal(azureTemplate{
		Schema:         "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
		ContentVersion: "1.0.0.0",
		Metadata:       azureMetadata{append(about(f, c), remarks(c.Rules())...)},
		Parameters: map[string]azureParameter{
			"firewallPolicy":  {Type: "string"},
			"sourceAddresses": {Type: "array", DefaultValue: []string{"*"}},
		},
		Resources: []azureResource{{
			Type: "Microsoft.Network/firewallPolicies/ruleCollectionGroups", APIVersion: "2023-09-01",
			Name:       "[concat(parameters('firewallPolicy'), '/lxd-allowlist')]",
			Properties: azureProperties{200, azureCollections(c, o)},
		}},
	})
}

func decodeAzure(data []byte) ([]rule.Rule, error) {
	t, err := unmarshal[azureTemplate](data)
	if err != nil {
		return nil, err
	}
	if len(t.Resources) != 1 {
		return nil, errors.New("not one resource")
	}
	var rules []rule.Rule
	for _, c := range t.Resources[0].Properties.RuleCollections {
		if c.Action["type"] != "Allow" {
			return nil, fmt.Errorf("rule collection %q doesn't allow", c.Name)
		}
		for _, r := range c.Rules {
			some, err := readAzureRule(r)
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", r.Name, err)
			}
			rules = append(rules, some...)
		}
	}
	return rules, readRemarks(rules, t.Metadata.Comments)
}

func readAzureRule(r azureRule) ([]rule.Rule, error) {
	if r.RuleType == "ApplicationRule" {
		return unstarred(r.TargetFqdns)
	}
	if len(r.IPProtocols) != 1 || len(r.DestinationAddresses) != 1 || len(r.DestinationPorts) != 1 || len(r.TargetFqdns) > 0 {
		return nil, errors.New("not one address with one port")
	}
	one, err := addressRule(r.DestinationAddresses[0], r.IPProtocols[0], r.DestinationPorts[0])
	return []rule.Rule{one}, err
}
