package export

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"lxd-allowlist/export/rule"
)

// A rule group of DNS Firewall allows domain lists and blocks all other names
// (Amazon's Route 53 Developer Guide, "Managing your own domain lists", where "*"
// may be the first sign and no other, and "Rule settings in DNS Firewall"). By
// default it inspects the targets of CNAMEs, too, which no list has.
var route53 = Format{
	Name:      "route53-terraform",
	Title:     "Route 53 Resolver DNS Firewall, a rule group for Terraform that allows these names alone",
	Extension: "tf.json",
	Exact:     "h",
	Suffix:    "h and *.h, which is taken to match at any depth: the guide does not say",
	NoAddress: "it answers DNS queries, and nobody asks for an address by DNS",
	NoPattern: "its * stands at a name's beginning alone, and there for anything",
	Load:      "put it into a Terraform module, and associate aws_route53_resolver_firewall_rule_group.allowlist with the VPC (aws_route53_resolver_firewall_rule_group_association)",
	Check:     "terraform validate",
	Proven:    awsProven,
	needsRule: true,
	maxRules:  route53Lists * route53Domains / 2,
	limit:     noUnderscore,
	encode:    encodeRoute53,
	decode:    decodeRoute53,
}

// route53Domains is how many domains one call may give a list: the provider
// makes one. route53Lists leaves room for the rule that blocks among the 100 of
// a group. A suffix takes two domains.
const (
	route53Domains = 1000
	route53Lists   = 98
)

type route53File struct {
	Comment  []string         `json:"//,omitempty"`
	Resource route53Resources `json:"resource"`
}

type route53Resources struct {
	Lists  map[string]route53List `json:"aws_route53_resolver_firewall_domain_list"`
	Groups map[string]route53List `json:"aws_route53_resolver_firewall_rule_group"`
	Rules  map[string]route53Rule `json:"aws_route53_resolver_firewall_rule"`
}

type route53List struct {
	Name    string   `json:"name"`
	Domains []string `json:"domains,omitempty"`
}

type route53Rule struct {
	Name        string `json:"name"`
	Action      string `json:"action"`
	Block       string `json:"block_response,omitempty"`
	Redirection string `json:"firewall_domain_redirection_action,omitempty"`
	List        string `json:"firewall_domain_list_id"`
	Group       string `json:"firewall_rule_group_id"`
	Priority    int    `json:"priority"`
}

// route53Of returns the lists that hold the domains, a rule for each, and last
// the one that blocks.
func route53Of(domains []string) route53Resources {
	all := route53Resources{make(map[string]route53List), map[string]route53List{"allowlist": {Name: "lxd-allowlist"}}, make(map[string]route53Rule)}
	add := func(key string, domains []string, r route53Rule) {
		r.Name, r.Priority = "lxd-"+key, len(all.Rules)+1
		r.List = "${aws_route53_resolver_firewall_domain_list." + key + ".id}"
		r.Group = "${aws_route53_resolver_firewall_rule_group.allowlist.id}"
		all.Lists[key], all.Rules[key] = route53List{r.Name, domains}, r
	}
	for part := range slices.Chunk(domains, route53Domains) {
		add(route53Key(len(all.Lists)), part, route53Rule{Action: "ALLOW", Redirection: "TRUST_REDIRECTION_DOMAIN"})
	}
	add("allowlist-end", []string{"*"}, route53Rule{Action: "BLOCK", Block: "NXDOMAIN"})
	return all
}

func route53Key(n int) string { return fmt.Sprintf("allowlist-%d", n+1) }

func encodeRoute53(f Format, c rule.Compiled, _ Options) ([]byte, error) {
	return marshal(route53File{append(about(f, c), remarks(c.Rules())...), route53Of(starred(c.Rules()))})
}

func decodeRoute53(data []byte) ([]rule.Rule, error) {
	t, err := unmarshal[route53File](data)
	if err != nil {
		return nil, err
	}
	var domains []string
	for n := range len(t.Resource.Lists) {
		domains = append(domains, t.Resource.Lists[route53Key(n)].Domains...)
	}
	if !reflect.DeepEqual(route53Of(domains), t.Resource) {
		return nil, errors.New("other lists and rules than those that allow the names and block all others")
	}
	rules, err := unstarred(domains)
	if err != nil {
		return nil, err
	}
	return rules, readRemarks(rules, t.Comment)
}
