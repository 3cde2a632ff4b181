package proof

import (
	"fmt"
	"testing"
)

func TestDnsdist(t *testing.T) {
	prove(t, format(t, "dnsdist"), func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startDnsdist(t, path, addr, u)
		return resolver(addr, u)
	}, append(dnsQuestions, denied(oddEnds)...)...)
}

// startDnsdist gives dnsdist a backend that is never asked whether it is well.
func startDnsdist(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	conf := fmt.Sprintf(`setLocal(%q)
newServer({address=%q, healthCheckMode="up"})
dofile(%q)
`, addr, u.addr, path)
	start(t, accepts(addr), "dnsdist", "--supervised", "--disable-syslog", "-C", write(t, "dnsdist.conf", []byte(conf), 0o644))
}
