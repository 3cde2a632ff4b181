// Command cilium reads a CiliumNetworkPolicy as Cilium does and says which
// names its rules let pass:
//
//	cilium CRD FILE < NAMES    print pass or deny for each
//
// The file is held against the schema in CRD, the definition that Cilium
// installs, then against its own Sanitize. A name passes if both may be done:
// looking it up, and connecting to it. It is a module of its own, so that what
// Cilium requires is no business of the program's, and is built with another
// version by -modfile.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cilium:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("call it with the definition and a policy")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	if data, err = yaml.YAMLToJSONStrict(data); err != nil {
		return err
	}
	if err := hold(args[0], data); err != nil {
		return err
	}
	var policy struct{ Spec api.Rule }
	if err := json.Unmarshal(data, &policy); err != nil {
		return err
	}
	if err := policy.Spec.Sanitize(); err != nil {
		return err
	}
	lookups, hosts, err := selectors(policy.Spec)
	if err != nil {
		return err
	}
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		// Cilium asks with the root's dot and in lower case.
		name := strings.ToLower(names.Text()) + "."
		verdict := "deny"
		if matches(lookups, name) && matches(hosts, name) {
			verdict = "pass"
		}
		fmt.Println(verdict)
	}
	return names.Err()
}

// hold validates the policy against the definition's schema. The server is
// stricter than JSON Schema: what the schema doesn't name is no field.
func hold(definition string, policy []byte) error {
	text, err := os.ReadFile(definition)
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return err
	}
	if len(crd.Spec.Versions) != 1 {
		return fmt.Errorf("%d versions", len(crd.Spec.Versions))
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	strict(schema)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	if err := compiler.AddResource("crd.json", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("crd.json")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(policy)))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

// strict forbids what the schema doesn't name, metadata aside.
func strict(schema any) {
	s, ok := schema.(map[string]any)
	if !ok {
		return
	}
	properties, _ := s["properties"].(map[string]any)
	if properties != nil && s["additionalProperties"] == nil {
		s["additionalProperties"] = false
	}
	for _, p := range properties {
		strict(p)
	}
	strict(s["items"])
	strict(s["additionalProperties"])
}

// selectors returns which names may be looked up, and connected to.
func selectors(r api.Rule) (lookups, hosts []*regexp.Regexp, err error) {
	add := func(to *[]*regexp.Regexp, s api.FQDNSelector) {
		re, e := s.ToRegex()
		err = errors.Join(err, e)
		*to = append(*to, re)
	}
	for _, egress := range r.Egress {
		for _, s := range egress.ToFQDNs {
			add(&hosts, s)
		}
		for _, ports := range egress.ToPorts {
			if ports.Rules == nil {
				continue
			}
			for _, s := range ports.Rules.DNS {
				add(&lookups, api.FQDNSelector(s))
			}
		}
	}
	return lookups, hosts, err
}

func matches(all []*regexp.Regexp, name string) bool {
	for _, re := range all {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}
