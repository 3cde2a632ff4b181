package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/export/rule"
)

// dnsQuestions have only DNS servers to answer: bytes that no list can hold,
// and a name with a CNAME whose target is on no list. The target is asked for
// first: servers answer it from their cache once they have it.
var dnsQuestions = []question{
	{"target.evil.org", false, false},
	{"cname.example.net", true, true},
	{"ab.www.example.com", false, true},
	{"x y.evil.org", false, false},
	{"x/example.net", false, false},
	{"x#.example.com", false, false},
	{"*.example.com", false, false},
	{"*.com", false, false},
	{"x\x00y.evil.org", false, false},
	{"evil.o+rg", false, false},
	{"evil.o\xffrg", false, false},
}

// oddEnds are top-level domains that can't be registered. dnsmasq denies by
// the last character of a name, and can't be given these.
var oddEnds = []string{"evil.org+", "evil.org/"}

func denied(names []string) []question {
	var questions []question
	for _, name := range names {
		questions = append(questions, question{name: name})
	}
	return questions
}

// resolver is the target for a name server at addr that asks u.
func resolver(addr string, u *upstream) target {
	return target{
		ask: func(t *testing.T, name string) bool { t.Helper(); return resolves(t, addr, name) },
		done: func(t *testing.T, denied map[string]bool) {
			t.Helper()
			if names := u.leaked(denied); len(names) > 0 {
				t.Errorf("denied, but the upstream was asked for them: %q", names)
			}
		},
		ways: dnsWays(addr, u),
	}
}

func TestDnsmasq(t *testing.T) {
	for _, name := range []string{"dnsmasq", "lxd-raw-dnsmasq"} {
		t.Run(name, func(t *testing.T) {
			prove(t, format(t, name), func(t *testing.T, path string) target {
				u, addr := startUpstream(t), freeAddr(t)
				startDnsmasq(t, path, addr, u)
				return resolver(addr, u)
			}, dnsQuestions...)
		})
	}
}

// The gaps in dnsmasq's denial are what its format says they are.
func TestDnsmasqOddEnds(t *testing.T) {
	f := format(t, "dnsmasq")
	if !strings.Contains(f.Load, "another character") {
		t.Errorf("the format doesn't tell of it: %s", f.Load)
	}
	u, addr := startUpstream(t), freeAddr(t)
	startDnsmasq(t, file(t, f, rules()), addr, u)
	for _, name := range oddEnds {
		if !resolves(t, addr, name) {
			t.Errorf("%s is denied: the format may say so now", name)
		}
	}
}

func TestDnsmasqOwnServer(t *testing.T) {
	f := format(t, "dnsmasq")
	if !strings.Contains(f.Load, "server=/DOMAIN/") {
		t.Errorf("the format doesn't tell of it: %s", f.Load)
	}
	u, addr := startUpstream(t), freeAddr(t)
	startDnsmasq(t, file(t, f, rules()), addr, u, "--server=/corp.test-1/"+strings.Replace(u.addr, ":", "#", 1))
	if !resolves(t, addr, "x.corp.test-1") || resolves(t, addr, "x.test-1") {
		t.Error("it is another domain than the server's that passes")
	}
}

// What Unbound answers by itself it asks for with the lines that the zone says.
func TestUnboundsOwnZones(t *testing.T) {
	var list []rule.Rule
	for _, name := range []string{"a.test", "b.onion", "c.invalid", "d.home.arpa", "e.localhost"} {
		list = append(list, rule.Rule{Name: name})
	}
	path := file(t, format(t, "rpz"), list)
	_, lines, _ := strings.Cut(read(t, path), "unless it has, in server:, ")
	lines, _, _ = strings.Cut(lines, "\n")
	said := "server:\n" + strings.ReplaceAll(lines, "local-zone:", "\n  local-zone:") + "\n"
	for _, more := range []string{said, ""} {
		u, addr := startUpstream(t), freeAddr(t)
		startUnbound(t, addr, u, "respip iterator", more+fmt.Sprintf("rpz:\n  name: rpz.\n  zonefile: %q", path))
		for _, r := range list {
			if got := len(lookup(t, addr, r.Name, dnsmessage.TypeTXT).Answers) > 0; got != (more != "") {
				t.Errorf("%s passes: %t, with\n%s", r.Name, got, more)
			}
		}
		if resolves(t, addr, "z.example") {
			t.Errorf("the zone denies nothing any more, with\n%s", more)
		}
	}
}

func startUnboundRPZ(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	startUnbound(t, addr, u, "respip iterator", fmt.Sprintf("rpz:\n  name: rpz.\n  zonefile: %q", path))
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// startDnsmasq gives dnsmasq a default upstream, as it has on LXD's bridges.
func startDnsmasq(t *testing.T, path, addr string, u *upstream, more ...string) {
	t.Helper()
	host, port := hostPort(t, addr)
	start(t, accepts(addr), "dnsmasq", append(more, "--keep-in-foreground", "--conf-file="+path, "--log-facility=-", "--pid-file=",
		"--user=root", "--no-hosts", "--no-resolv", "--bind-interfaces", "--except-interface=lo", "--listen-address="+host,
		"--port="+port, "--server="+strings.Replace(u.addr, ":", "#", 1))...)
}

func TestUnbound(t *testing.T) {
	prove(t, format(t, "unbound"), func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startUnbound(t, addr, u, "iterator", fmt.Sprintf("include: %q", path))
		return resolver(addr, u)
	}, append(dnsQuestions, denied(oddEnds)...)...)
}

func startUnbound(t *testing.T, addr string, u *upstream, modules, more string) {
	t.Helper()
	conf := fmt.Sprintf(`server:
  interface: %s
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "/"
  pidfile: ""
  module-config: %q
forward-zone:
  name: "."
  forward-addr: %s
remote-control:
  control-enable: no
%s
`, strings.Replace(addr, ":", "@", 1), modules, strings.Replace(u.addr, ":", "@", 1), more)
	start(t, says("start of service"), "unbound", "-d", "-p", "-c", write(t, "unbound.conf", []byte(conf), 0o644))
}

// The same policy zone in all three servers, and by both ways of telling
// PowerDNS of it.
func TestRPZ(t *testing.T) {
	launches := map[string]func(t *testing.T, path, addr string, u *upstream){
		"bind":     startBIND,
		"unbound":  startUnboundRPZ,
		"powerdns": startPowerDNS,
	}
	// Debian 12 has 4.8: .ci/matrix asks those that are newer.
	if knowsYAML(version(t, "pdns_recursor")) {
		launches["powerdns yaml"] = startPowerDNSYAML
	}
	for name, launch := range launches {
		t.Run(name, func(t *testing.T) {
			prove(t, format(t, "rpz"), func(t *testing.T, path string) target {
				u, addr := startUpstream(t), freePort(t, "127.0.0.1") // BIND wants the interface's own
				launch(t, path, addr, u)
				return resolver(addr, u)
			}, append(dnsQuestions, denied(oddEnds)...)...)
		})
	}
}

// startBIND waits for BIND's own word, for it answers before it has read all of
// a policy zone. The options are those that the format says: without
// qname-wait-recurse no it would ask the upstream for denied names, too, and
// without break-dnssec yes it would do so for whoever sets DO.
func startBIND(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	host, port := hostPort(t, addr)
	upHost, upPort := hostPort(t, u.addr)
	_, policy, _ := strings.Cut(format(t, "rpz").Load, "BIND: ")
	policy, _, _ = strings.Cut(policy, " (")
	conf := fmt.Sprintf(`options {
  directory %q;
  listen-on port %s { %s; };
  listen-on-v6 { none; };
  forwarders { %s port %s; };
  forward only;
  dnssec-validation no;
  pid-file none;
  session-keyfile none;
  %s
};
controls { };
zone "rpz" { type primary; file %q; };
`, t.TempDir(), port, host, upHost, upPort, policy, path)
	start(t, says("rpz: rpz: reload done"), "named", "-g", "-n", "1", "-c", write(t, "named.conf", []byte(conf), 0o644))
}

func startPowerDNS(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	host, port := hostPort(t, addr)
	lua := write(t, "rpz.lua", fmt.Appendf(nil, "rpzFile(%q)\n", path), 0o644)
	dir := filepath.Dir(lua)
	start(t, accepts(addr), "pdns_recursor", "--config-dir="+dir, "--socket-dir="+dir, "--lua-config-file="+lua,
		"--daemon=no", "--local-address="+host, "--local-port="+port, "--forward-zones-recurse=.="+u.addr,
		"--dont-query=", "--dnssec=off", "--threads=1", "--security-poll-suffix=", "--disable-syslog=yes")
}

// knowsYAML returns whether that version of PowerDNS Recursor takes policy zones
// from its recursor.yml.
func knowsYAML(version string) bool {
	var major, minor int
	fmt.Sscanf(version, "%d.%d", &major, &minor)
	return major > 5 || major == 5 && minor >= 1
}

func startPowerDNSYAML(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	_, zones, ok := strings.Cut(format(t, "rpz").Load, "recursor: {")
	zones = strings.TrimSuffix(zones, "}")
	if !ok {
		t.Fatal("the format doesn't say how")
	}
	conf := fmt.Sprintf(`incoming: {listen: [%q]}
outgoing: {dont_query: []}
dnssec: {validation: "off"}
logging: {disable_syslog: true}
recursor:
  daemon: false
  threads: 1
  security_poll_suffix: ""
  socket_dir: %q
  forward_zones_recurse: [{zone: ".", forwarders: [%q]}]
  %s
`, addr, t.TempDir(), u.addr, strings.ReplaceAll(zones, "FILE", fmt.Sprintf("%q", path)))
	dir := filepath.Dir(write(t, "recursor.yml", []byte(conf), 0o644))
	start(t, accepts(addr), "pdns_recursor", "--config-dir="+dir)
}
