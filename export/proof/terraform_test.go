package proof

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// providerModule holds the schema of Terraform's AWS provider as Terraform
// itself prints it (providers schema -json), of the version that its Makefile
// names.
const providerModule = "github.com/upbound/provider-aws"

// tfBlock is a block of such a schema, as far as it is needed.
type tfBlock struct {
	Attributes map[string]struct {
		Type               any
		Required, Optional bool
	}
	BlockTypes map[string]struct {
		Block    tfBlock
		MinItems int `json:"min_items"`
	} `json:"block_types"`
}

// hold returns what is wrong with a block of a configuration.
func (b tfBlock) hold(path string, given any) (wrong []string) {
	object, ok := given.(map[string]any)
	if !ok {
		return []string{path + " is no block"}
	}
	for name, value := range object {
		here := path + "." + name
		if a, ok := b.Attributes[name]; ok && (a.Required || a.Optional) {
			if !tfFits(a.Type, value) {
				wrong = append(wrong, fmt.Sprintf("%s is no %v", here, a.Type))
			}
		} else if t, ok := b.BlockTypes[name]; ok {
			wrong = append(wrong, t.Block.hold(here, value)...)
		} else {
			wrong = append(wrong, here+" is not there")
		}
	}
	for name, a := range b.Attributes {
		if a.Required && object[name] == nil {
			wrong = append(wrong, path+"."+name+" is missing")
		}
	}
	for name, t := range b.BlockTypes {
		if t.MinItems > 0 && object[name] == nil {
			wrong = append(wrong, path+"."+name+" is missing")
		}
	}
	return wrong
}

// tfFits returns whether a value is of the schema's type.
func tfFits(kind, value any) bool {
	switch v := value.(type) {
	case string:
		return kind == "string"
	case float64:
		return kind == "number"
	case []any:
		of, ok := kind.([]any)
		return ok && (of[0] == "list" || of[0] == "set") && !slices.ContainsFunc(v, func(e any) bool { return !tfFits(of[1], e) })
	}
	return false
}

// Terraform can't be asked here, but the provider's schema takes the file.
func TestTerraform(t *testing.T) {
	dir := module(t, providerModule, "v1.23.0")
	var schema struct {
		Providers map[string]struct {
			Resources map[string]struct{ Block tfBlock } `json:"resource_schemas"`
		} `json:"provider_schemas"`
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "config/schema.json"))), &schema); err != nil {
		t.Fatal(err)
	}
	if make := read(t, filepath.Join(dir, "Makefile")); !strings.Contains(make, "TERRAFORM_PROVIDER_VERSION := 5.82.2") {
		t.Error("it is another version than the formats say")
	}
	wrong := func(text string) (all []string) {
		var config struct {
			Resource map[string]map[string]any
		}
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return []string{err.Error()}
		}
		for kind, resources := range config.Resource {
			for _, p := range schema.Providers {
				r, ok := p.Resources[kind]
				if !ok {
					all = append(all, "no resource "+kind)
				}
				for name, given := range resources {
					all = append(all, r.Block.hold(name, given)...)
				}
			}
		}
		return all
	}
	for name, changes := range map[string][][2]string{
		"aws-nfw-terraform": {
			{"aws_networkfirewall_rule_group", "aws_network_firewall_rule_group"}, {`"capacity"`, `"capacities"`},
			{`"target_types"`, `"targets_types"`}, {`"STATEFUL"`, `7`}, {`"rules_source_list"`, `"rules_list"`},
		},
		"route53-terraform": {
			{"aws_route53_resolver_firewall_domain_list", "aws_route53_firewall_domain_list"}, {`"block_response"`, `"block_answer"`},
			{`"firewall_domain_redirection_action"`, `"redirection_action"`}, {`"priority": 1`, `"priority": "first"`}, {`"domains"`, `"names"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := format(t, name)
			held, _ := hold(t, f, hosts())
			text := read(t, fileOf(t, f, held))
			if all := wrong(text); len(all) > 0 {
				t.Errorf("%v\n%s", all, text)
			}
			for _, change := range changes {
				if broken := strings.ReplaceAll(text, change[0], change[1]); broken == text || len(wrong(broken)) == 0 {
					t.Errorf("it takes %s", change[1])
				}
			}
		})
	}
}
