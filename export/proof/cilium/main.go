// Command cilium reads a CiliumNetworkPolicy as Cilium does and says which
// names its rules let pass:
//
//	cilium FILE < NAMES    print pass or deny for each: a name, or one or an
//	                       address with a port, 192.0.2.7:443/tcp
//
// The file has been held against the definition that Cilium installs, and is
// against its own Sanitize. A name passes if both may be done: looking it up, and
// connecting to it. It is a module of its own, so that what Cilium requires is
// no business of the program's, and is built with another version by -modfile.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"github.com/cilium/cilium/pkg/policy/api"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cilium:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("call it with a policy")
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if data, err = yaml.YAMLToJSONStrict(data); err != nil {
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
		if at := place.FindStringSubmatch(names.Text()); at != nil {
			verdict, err := reach(policy.Spec, at[1], at[2], at[3])
			if err != nil {
				return err
			}
			fmt.Println(verdict)
			continue
		}
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

// place is an address, or a name, with a port.
var place = regexp.MustCompile(`^\[?([^]]+?)\]?:(\d+)/(tcp|udp)$`)

// reach returns whether an address or a name may be connected to at a port, by
// the entries for these: none of an entry's lists is empty there, which would
// allow all.
func reach(r api.Rule, host, port, protocol string) (verdict string, err error) {
	a, notAddress := netip.ParseAddr(host)
	for _, egress := range r.Egress {
		if len(egress.ToPorts) == 0 || len(egress.ToCIDR)+len(egress.ToFQDNs)+len(egress.ToEndpoints) == 0 {
			return "pass", nil
		}
		isFor := false
		for _, cidr := range egress.ToCIDR {
			p, err := netip.ParsePrefix(string(cidr))
			if err != nil {
				return "", err
			}
			isFor = isFor || notAddress == nil && p.Contains(a)
		}
		for _, s := range egress.ToFQDNs {
			re, err := s.ToRegex()
			if err != nil {
				return "", err
			}
			isFor = isFor || notAddress != nil && re.MatchString(strings.ToLower(host)+".")
		}
		for _, ports := range egress.ToPorts {
			for _, of := range ports.Ports {
				if isFor && of.Port == port && strings.EqualFold(string(of.Protocol), protocol) {
					return "pass", nil
				}
			}
		}
	}
	return "deny", nil
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
