// Command vendors gives a list to the library of those who make what reads it:
//
//	vendors adguard FILE < NAMES    print pass or deny for each, as AdGuard's engine says
//	vendors envoy FILE              parse and validate with Envoy's own types
//	vendors istio FILE              parse with Istio's own types
//
// It is a module of its own, so that what these libraries require is no
// business of the program's.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/AdguardTeam/urlfilter"
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	// What the file's typed configurations are.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dynamic_forward_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vendors:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	vendors := map[string]func([]byte) error{"adguard": adguard, "envoy": envoy, "istio": istio}
	if len(args) != 2 || vendors[args[0]] == nil {
		return errors.New("call it with adguard, envoy or istio, and a file")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return vendors[args[0]](data)
}

func adguard(data []byte) error {
	list := &urlfilter.StringRuleList{ID: 1, RulesText: string(data)}
	storage, err := urlfilter.NewRuleStorage([]urlfilter.RuleList{list})
	if err != nil {
		return err
	}
	engine := urlfilter.NewDNSEngine(storage)
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		verdict := "pass"
		if rules, ok := engine.Match(names.Text()); ok && !excepts(rules[0]) {
			verdict = "deny"
		}
		fmt.Println(verdict)
	}
	return names.Err()
}

// excepts returns whether the rule allows what others block.
func excepts(rule urlfilter.Rule) bool {
	r, ok := rule.(*urlfilter.NetworkRule)
	return ok && r.Whitelist
}

func envoy(data []byte) error {
	var config bootstrap.Bootstrap
	if err := parse(data, &config); err != nil {
		return err
	}
	return config.ValidateAll()
}

func istio(data []byte) error {
	for part := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var object struct {
			Kind string
			Spec json.RawMessage
		}
		if err := yaml.Unmarshal(part, &object); err != nil {
			return err
		}
		specs := map[string]proto.Message{"Sidecar": new(networking.Sidecar), "ServiceEntry": new(networking.ServiceEntry)}
		spec := specs[object.Kind]
		if spec == nil {
			return fmt.Errorf("no kind %q", object.Kind)
		}
		if err := protojson.Unmarshal(object.Spec, spec); err != nil {
			return fmt.Errorf("%s: %w", object.Kind, err)
		}
	}
	return nil
}

// parse reads YAML into a message; a field that it doesn't know is an error.
func parse(data []byte, message proto.Message) error {
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, message)
}
