// Command schema validates files against what their makers publish:
//
//	schema crd DEFINITION FILE         objects, as a Kubernetes API server does
//	schema cloudformation TYPE FILE    the properties of a resource, as CloudFormation does
//
// A field that isn't known is an error. It is a module of its own, so that what
// it requires is no business of the program's.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	kinds := map[string]func(definition, file []byte) error{"crd": crd, "cloudformation": cloudFormation}
	if len(args) != 3 || kinds[args[0]] == nil {
		return errors.New("call it with crd or cloudformation, a definition and a file")
	}
	definition, errDefinition := os.ReadFile(args[1])
	file, errFile := os.ReadFile(args[2])
	if err := errors.Join(errDefinition, errFile); err != nil {
		return err
	}
	return kinds[args[0]](definition, file)
}

func crd(data, file []byte) error {
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return err
	}
	if n := len(definition.Spec.Versions); n != 1 {
		return fmt.Errorf("the definition has %d versions", n)
	}
	schema := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	closed(schema)
	compiled, err := compile(schema, jsonschema.Draft4) // as OpenAPI 3.0 is
	if err != nil {
		return err
	}
	for part := range bytes.SplitSeq(file, []byte("\n---\n")) {
		var object any
		if err := yaml.UnmarshalStrict(part, &object); err != nil {
			return err
		}
		if err := compiled.Validate(object); err != nil {
			return err
		}
	}
	return nil
}

func cloudFormation(data, file []byte) error {
	var schema map[string]any
	var object any
	if err := errors.Join(json.Unmarshal(data, &schema), json.Unmarshal(file, &object)); err != nil {
		return err
	}
	goPatterns(schema)
	compiled, err := compile(schema, jsonschema.Draft7)
	if err != nil {
		return err
	}
	return compiled.Validate(object)
}

// goPatterns takes away the patterns that look ahead, which Go's regular
// expressions don't: those of names that are more than digits.
func goPatterns(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		for key, value := range s {
			if text, ok := value.(string); ok && key == "pattern" && strings.Contains(text, "(?!") {
				delete(s, key)
			}
			goPatterns(value)
		}
	case []any:
		for _, value := range s {
			goPatterns(value)
		}
	}
}

func compile(schema map[string]any, draft *jsonschema.Draft) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(draft)
	if err := compiler.AddResource("definition", schema); err != nil {
		return nil, err
	}
	return compiler.Compile("definition")
}

// closed has a schema, and what it says of fields and elements, allow no fields
// but its own. What an object without any may hold is its kind's business, as
// that of metadata.
func closed(schema any) {
	s, ok := schema.(map[string]any)
	if !ok {
		return
	}
	properties, _ := s["properties"].(map[string]any)
	if properties != nil && s["additionalProperties"] == nil {
		s["additionalProperties"] = false
	}
	for _, p := range properties {
		closed(p)
	}
	closed(s["items"])
	closed(s["additionalProperties"])
}
