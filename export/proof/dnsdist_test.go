package proof

import (
	"fmt"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/export/rule"
)

func TestDnsdist(t *testing.T) {
	prove(t, format(t, "dnsdist"), func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startDnsdist(t, path, addr, u)
		return resolver(addr, u)
	}, append(dnsQuestions, denied(oddEnds)...)...)
}

// startDnsdist gives dnsdist a backend that is never asked whether it is well, and
// has it ask nobody whether it is up to date.
func startDnsdist(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	conf := fmt.Sprintf(`setSecurityPollSuffix("")
setLocal(%q)
newServer({address=%q, healthCheckMode="up"})
dofile(%q)
`, addr, u.addr, path)
	start(t, accepts(addr), "dnsdist", "--supervised", "--disable-syslog", "-C", write(t, "dnsdist.conf", []byte(conf), 0o644))
}

// Neither policy looks at the class or the type of a query, and an empty list
// lets nothing pass.
func TestEveryClassAndType(t *testing.T) {
	for name, launch := range map[string]func(t *testing.T, path, addr string, u *upstream){
		"dnsdist": startDnsdist, "knot-resolver": startKnot,
	} {
		for list, rules := range map[string][]rule.Rule{"rules": rules(), "empty": nil} {
			t.Run(name+" "+list, func(t *testing.T) {
				u, addr := startUpstream(t), freeAddr(t)
				launch(t, file(t, format(t, name), rules), addr, u)
				for _, class := range []dnsmessage.Class{dnsmessage.ClassINET, dnsmessage.ClassANY, dnsmessage.ClassCHAOS, dnsmessage.ClassHESIOD, 254} {
					for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeALL, dnsmessage.TypeAXFR, dnsmessage.TypeSRV, 65} {
						if m := ask(t, addr, "evil.org", kind, class); m.RCode == dnsmessage.RCodeSuccess || len(m.Answers) > 0 {
							t.Errorf("class %v, type %v: %v", class, kind, m.GoString())
						}
					}
				}
				if names := u.leaked(map[string]bool{"evil.org": true}); len(names) > 0 {
					t.Error("the upstream was asked")
				}
			})
		}
	}
}
