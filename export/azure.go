package export

import (
	"errors"
	"regexp"

	"lxd-allowlist/export/rule"
)

var azure = Format{
	Name:      "azure",
	Title:     "Azure Firewall, application rules as an ARM template",
	Extension: "json",
	Exact:     "h",
	Suffix:    "h and *.h",
	Hosts:     true,
	Load:      "az deployment group create --resource-group GROUP --template-file FILE --parameters firewallPolicy=POLICY",
	Check:     "az deployment group validate with the same arguments",
	Ports:     true,
	Proven:    "kept by Azure's own serializer (@azure/arm-network 35.0), which drops what it doesn't know; not asked",
	needsRule: true,
	maxBytes:  2_000_000, // of a rule collection group
	maxPort:   64000,
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
	Protocols       []azureProtocol `json:"protocols"`
	SourceAddresses string          `json:"sourceAddresses"`
	TargetFqdns     []string        `json:"targetFqdns"`
}

type azureProtocol struct {
	ProtocolType string `json:"protocolType"`
	Port         int    `json:"port"`
}

func encodeAzure(f Format, c rule.Compiled, o Options) ([]byte, error) {
	rule := azureRule{
		RuleType: "ApplicationRule", Name: "lxd-allowlist",
		SourceAddresses: "[parameters('sourceAddresses')]", TargetFqdns: starred(c.Rules()),
	}
	for _, port := range o.ports(c.Rules()...) {
		protocol := "Https"
		if port == 80 {
			protocol = "Http"
		}
		rule.Protocols = append(rule.Protocols, azureProtocol{protocol, port})
	}
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
			Name: "[concat(parameters('firewallPolicy'), '/lxd-allowlist')]",
			Properties: azureProperties{200, []azureCollection{{
				RuleCollectionType: "FirewallPolicyFilterRuleCollection", Name: "lxd-allowlist", Priority: 100,
				Action: map[string]string{"type": "Allow"}, Rules: []azureRule{rule},
			}}},
		}},
	})
}

func decodeAzure(data []byte) ([]rule.Rule, error) {
	t, err := unmarshal[azureTemplate](data)
	if err != nil {
		return nil, err
	}
	if len(t.Resources) != 1 || len(t.Resources[0].Properties.RuleCollections) != 1 {
		return nil, errors.New("not one rule collection")
	}
	c := t.Resources[0].Properties.RuleCollections[0]
	if c.Action["type"] != "Allow" || len(c.Rules) != 1 {
		return nil, errors.New("not one rule that allows")
	}
	rules, err := unstarred(c.Rules[0].TargetFqdns)
	if err != nil {
		return nil, err
	}
	return rules, readRemarks(rules, t.Metadata.Comments)
}
