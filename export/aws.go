package export

import (
	"errors"
	"slices"

	"lxd-allowlist/export/rule"
)

// A domain list has names, and with a dot before them all below (AWS Network
// Firewall's Developer Guide, "Stateful domain list rule groups"). A group has one
// source of rules: expressions and addresses take one of Suricata's ("Options for
// stateful rules in Network Firewall").
var awsNFW = Format{
	Name:      "aws-nfw",
	Title:     "AWS Network Firewall, a stateful domain list",
	Extension: "json",
	Exact:     "h",
	Suffix:    ".h",
	NoAddress: "its domain lists have names alone; addresses are a rule group of another kind",
	NoPattern: "its domain lists have names, and all below a name; expressions are a rule group of another kind",
	Hosts:     true,
	Load:      "aws network-firewall create-rule-group --type STATEFUL --capacity N --rule-group-name NAME --rule-group file://FILE" + awsPolicy,
	Check:     "the same with --dry-run",
	Proven:    "sent by AWS's own client (networkfirewall 1.61 of the SDK for Go), accepted by CloudFormation's schema (of rain 1.24); not asked",
	needsRule: true,
	maxRules:  awsMaxCapacity / awsTypeCount,
	encode:    encodeAWS,
	decode:    decodeAWS,
}

var awsNFWTerraform = Format{
	Name:      "aws-nfw-terraform",
	Title:     "AWS Network Firewall, a stateful domain list for Terraform",
	Extension: "tf.json",
	Exact:     "h",
	Suffix:    ".h",
	NoAddress: "its domain lists have names alone; addresses are a rule group of another kind",
	NoPattern: "its domain lists have names, and all below a name; expressions are a rule group of another kind",
	Hosts:     true,
	Load:      "put it into a Terraform module and name aws_networkfirewall_rule_group.allowlist in the firewall policy" + awsPolicy,
	Check:     "terraform validate",
	Proven:    awsProven,
	needsRule: true,
	maxRules:  awsMaxCapacity / awsTypeCount,
	encode:    encodeAWSTerraform,
	decode:    decodeAWSTerraform,
}

const awsAllow = "ALLOWLIST"

// awsMaxCapacity is the most that a rule group may have.
const awsMaxCapacity = 30000

type awsGroup struct {
	RulesSource struct {
		RulesSourceList struct {
			Targets            []string
			TargetTypes        []string
			GeneratedRulesType string
		}
	}
}

// awsTypes is where names are looked for: in the TLS hello, and for plain HTTP
// in its Host. Always both: AWS doesn't govern the protocol of a type that a
// group hasn't, so that it would pass whatever the list says.
var awsTypes = []string{"TLS_SNI", "HTTP_HOST"}

// awsTypeCount is how much capacity a rule takes: its name is looked for in
// each type.
const awsTypeCount = 2

// awsProven is what the formats for Terraform were proven with.
const awsProven = "accepted by the AWS provider's schema, 5.82, by that of its binding for cdktf, 6.25, and by CloudFormation's (of rain 1.24); not asked"

// awsPolicy is what else it takes: a list governs these two protocols alone.
const awsPolicy = "; the policy's default action must drop what no rule passes (aws:drop_established), and HOME_NET must hold the clients' networks"

func dottedAll(rules []rule.Rule) []string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[i] = r.Dotted()
	}
	return words
}

func undottedAll(words []string) []rule.Rule {
	rules := make([]rule.Rule, len(words))
	for i, w := range words {
		rules[i] = rule.FromDotted(w)
	}
	return rules
}

func encodeAWS(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var g awsGroup
	l := &g.RulesSource.RulesSourceList
	l.Targets, l.TargetTypes, l.GeneratedRulesType = dottedAll(c.Rules()), awsTypes, awsAllow
	return marshal(g)
}

func decodeAWS(data []byte) ([]rule.Rule, error) {
	g, err := unmarshal[awsGroup](data)
	if err != nil {
		return nil, err
	}
	l := g.RulesSource.RulesSourceList
	if l.GeneratedRulesType != awsAllow || !slices.Equal(l.TargetTypes, awsTypes) {
		return nil, errors.New("not an allow-list for both protocols")
	}
	return undottedAll(l.Targets), nil
}

type terraformFile struct {
	Comment  []string `json:"//,omitempty"`
	Resource struct {
		RuleGroup struct {
			Allowlist awsRuleGroup `json:"allowlist"`
		} `json:"aws_networkfirewall_rule_group"`
	} `json:"resource"`
}

type awsRuleGroup struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Capacity  int    `json:"capacity"`
	RuleGroup struct {
		RulesSource struct {
			List struct {
				GeneratedRulesType string   `json:"generated_rules_type"`
				TargetTypes        []string `json:"target_types"`
				Targets            []string `json:"targets"`
			} `json:"rules_source_list"`
		} `json:"rules_source"`
	} `json:"rule_group"`
}

func encodeAWSTerraform(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	var t terraformFile
	t.Comment = append(about(f, c), remarks(c.Rules())...)
	g := &t.Resource.RuleGroup.Allowlist
	g.Name, g.Type = "lxd-allowlist", "STATEFUL"
	// The capacity is fixed for good when the group is made, so there is
	// room for as many names again.
	g.Capacity = min(max(100, 2*awsTypeCount*c.Len()), awsMaxCapacity)
	l := &g.RuleGroup.RulesSource.List
	l.Targets, l.TargetTypes, l.GeneratedRulesType = dottedAll(c.Rules()), awsTypes, awsAllow
	return marshal(t)
}

func decodeAWSTerraform(data []byte) ([]rule.Rule, error) {
	t, err := unmarshal[terraformFile](data)
	if err != nil {
		return nil, err
	}
	l := t.Resource.RuleGroup.Allowlist.RuleGroup.RulesSource.List
	if l.GeneratedRulesType != awsAllow || !slices.Equal(l.TargetTypes, awsTypes) {
		return nil, errors.New("not an allow-list for both protocols")
	}
	rules := undottedAll(l.Targets)
	return rules, readRemarks(rules, t.Comment)
}
