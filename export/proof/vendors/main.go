// Command vendors gives a list to the library of those who make what reads it:
//
//	vendors adguard FILE < NAMES    print pass or deny for each, as AdGuard's engine says
//	vendors aws-nfw FILE            send with AWS's own client, to a server here
//	vendors gcp FILE                parse with Google Cloud's own types
//	vendors envoy FILE              parse and validate with Envoy's own types
//	vendors istio FILE              parse with Istio's own types
//
// It is a module of its own, so that what these libraries require is no
// business of the program's.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"

	"cloud.google.com/go/networksecurity/apiv1/networksecuritypb"
	"github.com/AdguardTeam/urlfilter"
	"github.com/AdguardTeam/urlfilter/filterlist"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"
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
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/network/v3"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vendors:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	vendors := map[string]func([]byte) error{"adguard": adguard, "aws-nfw": aws, "envoy": envoy, "gcp": gcp, "istio": istio}
	if len(args) != 2 || vendors[args[0]] == nil {
		return errors.New("call it with adguard, aws-nfw, envoy, gcp or istio, and a file")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return vendors[args[0]](data)
}

func adguard(data []byte) error {
	list := filterlist.NewString(&filterlist.StringConfig{ID: 1, RulesText: string(data)})
	storage, err := filterlist.NewRuleStorage([]filterlist.Interface{list})
	if err != nil {
		return err
	}
	engine := urlfilter.NewDNSEngine(storage)
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		verdict := "pass"
		if found, ok := engine.Match(names.Text()); ok && (found.NetworkRule == nil || !found.NetworkRule.Whitelist) {
			verdict = "deny"
		}
		fmt.Println(verdict)
	}
	return names.Err()
}

// aws has the client of AWS's own kit send the rule group, to a server here.
func aws(data []byte) error {
	var group types.RuleGroup
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&group); err != nil {
		return err
	}
	list := group.RulesSource.RulesSourceList
	if list == nil || !slices.Contains(list.GeneratedRulesType.Values(), list.GeneratedRulesType) {
		return fmt.Errorf("no list, or of a type that there isn't: %+v", list)
	}
	for _, kind := range list.TargetTypes {
		if !slices.Contains(kind.Values(), kind) {
			return fmt.Errorf("no target type %q", kind)
		}
	}
	var sent struct{ RuleGroup json.RawMessage }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewDecoder(r.Body).Decode(&sent)
		fmt.Fprint(w, "{}")
	}))
	defer server.Close()
	client := networkfirewall.New(networkfirewall.Options{Region: "proof", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")})
	name, capacity := "proof", int32(100)
	_, err := client.CreateRuleGroup(context.Background(), &networkfirewall.CreateRuleGroupInput{
		RuleGroupName: &name, Type: types.RuleGroupTypeStateful, Capacity: &capacity, RuleGroup: &group,
	})
	if err != nil {
		return err
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(sent.RuleGroup, &got), json.Unmarshal(data, &want)); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("it sends %s", sent.RuleGroup)
	}
	return nil
}

func envoy(data []byte) error {
	var config bootstrap.Bootstrap
	if err := parse(data, &config); err != nil {
		return err
	}
	return config.ValidateAll()
}

func gcp(data []byte) error { return parse(data, new(networksecuritypb.UrlList)) }

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
