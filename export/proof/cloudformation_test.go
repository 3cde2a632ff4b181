package proof

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rainModule holds the schemas that CloudFormation's registry gives out, one for
// each type of resource.
const rainModule = "github.com/aws-cloudformation/rain"

// CloudFormation can't be asked here, but its own schemas take what the AWS
// formats say: the same fields as Terraform's, in CloudFormation's spelling.
func TestCloudFormation(t *testing.T) {
	binary := build(t, "schema")
	types := filepath.Join(module(t, rainModule, "v1.24.4"), "internal/aws/cfn/schemas/aws")
	wrong := func(kind, text string) string {
		cmd := exec.Command(binary, "cloudformation", filepath.Join(types, kind), write(t, "properties.json", []byte(text), 0o644))
		if out, err := cmd.CombinedOutput(); err != nil {
			return err.Error() + ": " + string(out)
		}
		return ""
	}
	for _, c := range []struct {
		format, kind string
		properties   func(t *testing.T, text string) []string
		changes      [][2]string
	}{
		{"aws-nfw", "networkfirewall/rulegroup.json", givenRuleGroup, [][2]string{
			{"TLS_SNI", "TLS_NAME"}, {"ALLOWLIST", "ALLOW"}, {"TargetTypes", "Types"}, {"RulesSourceList", "RulesList"}, {"Targets", "Names"},
		}},
		{"aws-nfw-terraform", "networkfirewall/rulegroup.json", func(t *testing.T, text string) []string {
			return resources(t, text, "aws_networkfirewall_rule_group", map[string]string{"Name": "RuleGroupName"})
		}, [][2]string{{"STATEFUL", "FULL"}, {"TLS_SNI", "TLS_NAME"}, {"capacity", "capacities"}, {"lxd-allowlist", "lxd_allowlist"}}},
		{"route53-terraform", "route53resolver/firewalldomainlist.json", func(t *testing.T, text string) []string {
			return resources(t, text, "aws_route53_resolver_firewall_domain_list", nil)
		}, [][2]string{{`"domains"`, `"names"`}, {"example.net", strings.Repeat("example.net", 25)}}},
		{"route53-terraform", "route53resolver/firewallrulegroup.json", func(t *testing.T, text string) []string {
			rules := resources(t, text, "aws_route53_resolver_firewall_rule", map[string]string{"Name": "", "FirewallRuleGroupId": ""})
			return []string{`{"Name": "lxd-allowlist", "FirewallRules": [` + strings.Join(rules, ",") + "]}"}
		}, [][2]string{{"ALLOW", "PASS"}, {"NXDOMAIN", "NAME"}, {"TRUST_REDIRECTION_DOMAIN", "TRUST"}, {"block_response", "block_answer"}}},
	} {
		t.Run(c.format+"/"+c.kind, func(t *testing.T) {
			held, _ := hold(t, format(t, c.format), hosts())
			text := read(t, fileOf(t, format(t, c.format), held))
			given := c.properties(t, text)
			if len(given) == 0 {
				t.Fatalf("no such resource in %s", text)
			}
			for _, properties := range given {
				if all := wrong(c.kind, properties); all != "" {
					t.Errorf("%s\n%s", all, properties)
				}
			}
			for _, change := range c.changes {
				taken := true
				for _, properties := range c.properties(t, strings.ReplaceAll(text, change[0], change[1])) {
					taken = taken && wrong(c.kind, properties) == ""
				}
				if taken {
					t.Errorf("it takes %s", change[1])
				}
			}
		})
	}
}

// givenRuleGroup is what the file of aws-nfw becomes by the command that loads it.
func givenRuleGroup(t *testing.T, text string) []string {
	t.Helper()
	if load := format(t, "aws-nfw").Load; !strings.Contains(load, "--type STATEFUL --capacity N --rule-group-name NAME --rule-group file://FILE") {
		t.Errorf("it is loaded otherwise: %s", load)
	}
	return []string{`{"Type": "STATEFUL", "Capacity": 100, "RuleGroupName": "NAME", "RuleGroup": ` + text + "}"}
}

// resources returns Terraform's resources of a kind with CloudFormation's names of
// fields. Renamed has those that aren't just spelt otherwise, "" for what the
// resource itself stands for there.
func resources(t *testing.T, text, kind string, renamed map[string]string) (all []string) {
	t.Helper()
	var file struct {
		Resource map[string]map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Resource[kind] {
		fields := pascal(r).(map[string]any)
		for from, to := range renamed {
			if value, ok := fields[from]; ok && to != "" {
				fields[to] = value
			}
			delete(fields, from)
		}
		data, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}

// pascal spells the names of fields as CloudFormation does: RuleGroup for
// rule_group.
func pascal(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	spelt := make(map[string]any)
	for name, v := range object {
		var to string
		for word := range strings.SplitSeq(name, "_") {
			to += strings.ToUpper(word[:1]) + word[1:]
		}
		spelt[to] = pascal(v)
	}
	return spelt
}
