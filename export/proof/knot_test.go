package proof

import (
	"fmt"
	"testing"
)

func TestKnotResolver(t *testing.T) {
	prove(t, format(t, "knot-resolver"), func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startKnot(t, path, addr, u)
		return resolver(addr, u)
	}, append(dnsQuestions, denied(oddEnds)...)...)
}

// startKnot loads the file before what sends all queries to the upstream.
func startKnot(t *testing.T, path, addr string, u *upstream) {
	t.Helper()
	host, port := hostPort(t, addr)
	upHost, upPort := hostPort(t, u.addr)
	conf := fmt.Sprintf(`net.listen('%s', %s, { kind = 'dns' })
trust_anchors.remove('.')
cache.size = 10 * MB
dofile('%s')
policy.add(policy.all(policy.STUB('%s@%s')))
`, host, port, path, upHost, upPort)
	start(t, accepts(addr), "kresd", "--noninteractive", "-c", write(t, "kresd.conf", []byte(conf), 0o644), t.TempDir())
}
