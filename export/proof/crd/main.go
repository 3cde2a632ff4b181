// Command crd validates objects against the definition of their kind, as a
// Kubernetes API server does; a field that the definition doesn't know is an
// error:
//
//	crd DEFINITION FILE
//
// It is a module of its own, so that what it requires is no business of the
// program's.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crd:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("call it with a definition and a file")
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	data, err := os.ReadFile(args[0])
	if err == nil {
		err = yaml.Unmarshal(data, &definition)
	}
	if err != nil {
		return err
	}
	if len(definition.Spec.Versions) != 1 {
		return fmt.Errorf("%s has %d versions", args[0], len(definition.Spec.Versions))
	}
	schema := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	closed(schema)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4) // as OpenAPI 3.0 is
	if err := compiler.AddResource("definition", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("definition")
	if err != nil {
		return err
	}
	if data, err = os.ReadFile(args[1]); err != nil {
		return err
	}
	for part := range bytes.SplitSeq(data, []byte("\n---\n")) {
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
