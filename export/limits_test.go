package export

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

func TestPorts(t *testing.T) {
	c := compile(t, "www.example.com")
	for _, f := range Formats() {
		for _, port := range []int{-1, 0, 65536} {
			if _, err := Render(f, c, Options{Ports: []int{443, port}}); err == nil || !strings.Contains(err.Error(), "is no port") {
				t.Errorf("%s, port %d: error %v", f.Name, port, err)
			}
		}
	}
	for _, name := range []string{"cilium", "istio", "envoy", "openshift", "gke", "azure", "harden-runner", "openshell"} {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := Render(f, c, Options{Ports: []int{8443}})
		if text := string(data); err != nil || !strings.Contains(text, "8443") || strings.Contains(text, ":443") || strings.Contains(text, " 443") {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	if _, err := Render(envoy, c, Options{Ports: []int{80}}); err == nil || !strings.Contains(err.Error(), "no port with TLS") {
		t.Errorf("envoy without TLS: error %v", err)
	}
	// A group that says nothing of a protocol lets all of it pass.
	for _, f := range []Format{awsNFW, awsNFWTerraform} {
		if data, err := Render(f, c, Options{}); err != nil || !strings.Contains(string(data), "HTTP_HOST") || !strings.Contains(string(data), "TLS_SNI") || f.Ports {
			t.Errorf("%s: %v, ports %v\n%s", f.Name, err, f.Ports, data)
		}
	}
}

// What a target can't take is refused with the number, before it refuses it
// itself, or takes a part.
func TestTargetLimits(t *testing.T) {
	many := func(n int) rule.Compiled {
		rules := make([]rule.Rule, n)
		for i := range rules {
			rules[i] = rule.Rule{Name: fmt.Sprintf("h%d.a-rather-long-label.example", i)}
		}
		c, _ := rule.Compile(rule.List{Rules: rules})
		return c
	}
	for _, test := range []struct {
		format string
		fits   int
		beyond int
		says   string
	}{
		{"aws-nfw", 15000, 15001, "takes 15000 rules"},
		{"aws-nfw-terraform", 15000, 15001, "takes 15000 rules"},
		{"azure", 20000, 100000, "bytes"},
		{"cilium", 5000, 50000, "bytes"},
		{"openshift", 3999, 4000, "takes 3999 rules"},
		{"route53-terraform", 49000, 49001, "takes 49000 rules"},
		{"codex", 5000, 5001, "takes 5000 rules"},
		{"harden-runner", 1000, 5000, "bytes"},
	} {
		f, err := Lookup(test.format)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Render(f, many(test.fits), Options{}); err != nil {
			t.Errorf("%s with %d rules: %v", f.Name, test.fits, err)
		}
		if _, err := Render(f, many(test.beyond), Options{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s with %d rules: %v, want %q", f.Name, test.beyond, err, test.says)
		}
	}
	long := strings.Repeat(strings.Repeat("l", 61)+".", 4) + "exmpl" // 253 bytes
	for format, suffix := range map[string]bool{"dnsmasq": false, "lxd-raw-dnsmasq": false, "dnsmasq-nftset": false, "cilium": true, "rpz": false} {
		f, err := Lookup(format)
		if err != nil {
			t.Fatal(err)
		}
		c, refused := rule.Compile(rule.List{Rules: []rule.Rule{{Name: long, Suffix: suffix}, {Name: "a.example"}}})
		held, more := f.Hold(c)
		if len(refused) > 0 || len(more) != 1 || held.Len() != 1 || !strings.Contains(more[0].Reason, "bytes") {
			t.Errorf("%s holds %d rules and refuses %v of a name of %d bytes", format, held.Len(), more, len(long))
		}
	}
	if _, err := Render(azure, many(1), Options{Ports: []int{64001}}); err == nil || !strings.Contains(err.Error(), "64000") {
		t.Errorf("azure with port 64001: %v", err)
	}
}

// A list without a rule denies everything: what does so stands in the file, or
// in what the format says of loading it, and export/proof asks it. Where the
// target would allow everything there is no such file. Lists for people and
// programs of their own say nothing of the rest.
func TestEmptyList(t *testing.T) {
	denies := map[string]string{
		"plain": "", "json": `"rules": []`, "csv": "", "yaml": "rules: []", "markdown": "0 rules",
		"squid":   "http_access deny all",
		"dnsmasq": "address=/#/", "lxd-raw-dnsmasq": "address=/#/", "dnsmasq-nftset": "address=/#/",
		"rpz":     "\n* CNAME .\n",
		"unbound": `local-zone: "." always_nxdomain`,
		"coredns": "rcode NXDOMAIN",
		"haproxy": "tcp-request content reject\n", "nginx": "default 0;", "tinyproxy": "FilterDefaultDeny Yes", "privoxy": "{+block",
		"adguard": "||*^", "pihole": "(3, '.*')",
		"dnscrypt-proxy": "[blocked_names]", "dnsdist": "DNSRCode.NXDOMAIN", "knot-resolver": "return policy.DENY",
		"smokescreen": "action: enforce", "openshell": "network_policies: {}", "openshift": `to: {cidrSelector: "0.0.0.0/0"}`,
		"claude-code": `"strictAllowlist": true`, "codex": "network_proxy = true", "github-firewall": "awf --allow-domains-file",
		"fortigate": "block all others", "paloalto-edl": "denies the rest",
		"harden-runner": "egress-policy: block", "sandbox-runtime": `"allowedDomains": []`,
	}
	for _, f := range Formats() {
		data, err := Render(f, rule.Compiled{}, Options{})
		deny, ok := denies[f.Name]
		switch {
		case f.needsRule:
			if err == nil || !strings.Contains(err.Error(), "without a rule") {
				t.Errorf("%s: error %v", f.Name, err)
			}
		case err != nil:
			t.Errorf("%s: %v\n%s", f.Name, err, data)
		case !ok:
			t.Errorf("%s: nobody says what denies everything then", f.Name)
		case !strings.Contains(string(data)+f.Load, deny):
			t.Errorf("%s: no %q in\n%s", f.Name, deny, data)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct{ format, rules, word string }{
		{"unbound", "intranet", "single label"},
		{"unbound", "co.uk", "public suffix"},
		{"rpz", "." + strings.Repeat("a.", 123) + "bb", "247 bytes"},
		{"rpz", strings.Repeat("a.", 92) + "bb", "185 bytes"},
		{"rpz", "x.rpz-ip", "rpz-ip"},
		{"istio", "a_b.example.com", "hyphens"},
		{"squid", "_dmarc.example.com", "no host to connect to"},
		{"istio", "_http._tcp.example.com", "no host to connect to"},
		{"istio", "a-.example.com", "hyphens"},
		{"gcp", "intranet", "single label"},
		{"pihole", "intranet", "single label"},
		{"sandbox-runtime", "intranet", "single label"},
		{"claude-code", "intranet", "single label"},
		{"github-firewall", "intranet", "single label"},
		{"codex", "a.-b.example.com", "hyphen at an end"},
		{"smokescreen", "r3---sn-x.example.com", "third and fourth"},
		{"smokescreen", "xn--0.example.com", "behind it"},
		{"route53-terraform", ".a_b.example.com", "letters, digits and hyphens"},
		{"openshift", "a_b.example.com", "letters, digits and hyphens"},
		{"gke", "a_.example.com", "begin and end with"},
	} {
		f, err := Lookup(c.format)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Render(f, compile(t, c.rules), Options{}); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s %s: error %v, want %q", c.format, c.rules, err, c.word)
		}
	}
	for _, c := range []struct{ format, rules string }{
		{"rpz", "." + strings.Repeat("a.", 123) + "b"}, // 247 bytes
		{"rpz", strings.Repeat("a.", 92) + "b"},
		{"sandbox-runtime", "localhost"},
		{"istio", "a-b.example.com"},
		{"codex", "r3---sn-x.example.com"},
		{"smokescreen", "a_b.xn--bcher-kva.example"},
		{"gke", "a_b.example.com"},
	} {
		f, err := Lookup(c.format)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Render(f, compile(t, c.rules), Options{}); err != nil {
			t.Errorf("%s %s: %v", c.format, c.rules, err)
		}
	}
}

// A widened rule swallows the ones that it covers then.
func TestWidens(t *testing.T) {
	data, err := Render(unbound, compile(t, "example.com www.example.com .a.example.com"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := unbound.Decode(data)
	if err != nil || names(got) != ".example.com" {
		t.Errorf("read %s, %v", names(got), err)
	}
	if !strings.Contains(string(data), "# wider than asked: ") {
		t.Errorf("the file doesn't say that it is wider:\n%s", data)
	}
}

// Applying a shorter list and running the command that its file names leaves no
// object of the longer one.
func TestObjectsShrink(t *testing.T) {
	t.Run("istio", func(t *testing.T) {
		shrink(t, istio, "ServiceEntry", func(o istioObject) (string, kubeMetadata, int) { return o.Kind, o.Metadata, len(o.Spec.Hosts) })
	})
	t.Run("gke", func(t *testing.T) {
		shrink(t, gke, "FQDNNetworkPolicy", func(o gkePolicy) (string, kubeMetadata, int) {
			return o.Kind, o.Metadata, len(o.Spec.Egress[0].Matches)
		})
	})
}

// shrink applies lists of several lengths to a cluster that remembers: of says
// of an object its kind, what it says of itself and how many hosts it has.
func shrink[T any](t *testing.T, f Format, kind string, of func(T) (string, kubeMetadata, int)) {
	cluster := make(map[string]T)
	for _, n := range []int{600, 600, 3, 300, 1} {
		var words []string
		for i := range n {
			words = append(words, fmt.Sprintf("h%d-of-%d.example.com", i, n))
		}
		data, err := Render(f, compile(t, strings.Join(words, " ")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		objects, err := yamlDocuments[T](data)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			kind, m, _ := of(o)
			cluster[kind+m.Name] = o
		}
		_, selector, _ := strings.Cut(string(data), " -l ")
		selector, _, _ = strings.Cut(selector, ";")
		equal, unequal, _ := strings.Cut(selector, ",")
		key, value, _ := strings.Cut(equal, "=")
		listKey, list, ok := strings.Cut(unequal, "!=")
		if !ok || !strings.Contains(string(data), "kubectl delete "+strings.ToLower(kind)+" ") {
			t.Fatalf("selector %q", selector)
		}
		hosts := 0
		for name, o := range cluster {
			k, m, count := of(o)
			if k == kind && m.Labels[key] == value && m.Labels[listKey] != list {
				delete(cluster, name)
				continue
			}
			hosts += count
		}
		if hosts != n {
			t.Errorf("%d hosts stay of a list of %d", hosts, n)
		}
	}
}

// What a list takes beyond one call is in further lists, and none is without its
// rule.
func TestRoute53Parts(t *testing.T) {
	rules := make([]rule.Rule, 1200)
	for i := range rules {
		rules[i] = rule.Rule{Name: fmt.Sprintf("h%d.example.com", i), Suffix: true}
	}
	c, _ := rule.Compile(rule.List{Rules: rules})
	data, err := Render(route53, c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := unmarshal[route53File](data)
	if err != nil {
		t.Fatal(err)
	}
	r := file.Resource
	if len(r.Lists) != 4 || len(r.Rules) != 4 || len(r.Lists["allowlist-3"].Domains) != 400 || r.Rules["allowlist-end"].Priority != 4 {
		t.Errorf("%d lists, %d rules, the last list of names has %d", len(r.Lists), len(r.Rules), len(r.Lists["allowlist-3"].Domains))
	}
	for name, list := range r.Lists {
		if len(list.Domains) > 1000 || !strings.Contains(r.Rules[name].List, "."+name+".id") {
			t.Errorf("list %s with %d domains, rule %+v", name, len(list.Domains), r.Rules[name])
		}
	}
	for _, broken := range []string{`"BLOCK"`, `"TRUST_REDIRECTION_DOMAIN"`, `"NXDOMAIN"`, `"*"`} {
		if _, err := route53.Decode([]byte(strings.Replace(string(data), broken, `"ALERT"`, 1))); err == nil {
			t.Errorf("nobody misses %s", broken)
		}
	}
}

func TestHold(t *testing.T) {
	for _, c := range []struct{ format, rules, holds, refused string }{
		{"plain", "intranet com .example.net", "com .example.net intranet", ""},
		{"unbound", "intranet www.example.com example.com .example.net", ".example.com .example.net", "intranet: has no place in unbound: it can't be exact there, and is a top-level domain"},
		{"gcp", "intranet .example.net", ".example.net", "intranet: has no place in gcp: it takes no single label"},
	} {
		f, err := Lookup(c.format)
		if err != nil {
			t.Fatal(err)
		}
		all := compile(t, c.rules)
		held, refused := f.Hold(all)
		if got := names(rule.ByName(held.Rules())); got != c.holds {
			t.Errorf("%s holds %s, want %s", c.format, got, c.holds)
		}
		var words []string
		for _, r := range refused {
			words = append(words, r.Rule.Name+": "+r.Why())
		}
		if got := strings.Join(words, " "); !strings.HasPrefix(got, c.refused) || c.refused == "" && got != "" {
			t.Errorf("%s refuses %q, want %q", c.format, got, c.refused)
		}
		if again, refused := f.Hold(held); len(refused) > 0 || names(again.Rules()) != names(held.Rules()) {
			t.Errorf("%s doesn't hold what it holds: %v, %v", c.format, again.Rules(), refused)
		}
		if names(all.Rules()) != names(compile(t, c.rules).Rules()) {
			t.Errorf("%s changed the list that it was given", c.format)
		}
	}
}

// The agent of harden-runner blocks nothing once it can't look up a name of the
// list: none is there that it might not find.
func TestHardenRunnerFindsAllNames(t *testing.T) {
	gone := &rule.Seen{Outcome: "NXDOMAIN"}
	c, _ := rule.Compile(rule.List{Rules: []rule.Rule{
		{Name: "www.example.com"}, {Name: "intranet"}, {Name: "db.corp.internal"}, {Name: "gone.example.com", Seen: gone},
		{Name: "example.net", Suffix: true}, {Name: "a.example.net"},
		{Name: "example.org", Suffix: true}, {Name: "example.org", Seen: &rule.Seen{Outcome: "resolved"}},
		{Name: "example.edu", Suffix: true}, {Name: "example.edu", Seen: gone},
	}})
	held, left := hardenRunner.Hold(c)
	if len(left) != 3 {
		t.Errorf("left out %v", left)
	}
	data, err := Render(hardenRunner, held, Options{Ports: []int{443}})
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(data), "allowed-endpoints: >\n")
	if got, want := strings.Join(strings.Fields(list), " "), "www.example.com:443 *.example.edu:443 *.example.net:443 example.org:443 *.example.org:443"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	again, err := hardenRunner.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	c, _ = rule.Compile(rule.List{Rules: again})
	if same, err := Render(hardenRunner, c, Options{Ports: []int{443}}); err != nil || !bytes.HasSuffix(same, []byte(list)) {
		t.Errorf("read back and written again it is %s, %v", same, err)
	}
}
