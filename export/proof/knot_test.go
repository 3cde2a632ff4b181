package proof

import (
	"fmt"
	"testing"
	"time"
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

// The list is for clients: the resolver itself may still ask for the root.
func TestKnotResolverItself(t *testing.T) {
	u, addr := startUpstream(t), freeAddr(t)
	startKnot(t, file(t, format(t, "knot-resolver"), nil), addr, u)
	deadline := time.Now().Add(startTime)
	for root := map[string]bool{"": true}; len(u.leaked(root)) == 0; time.Sleep(tick) {
		if time.Now().After(deadline) {
			t.Fatal("it never asked for the root")
		}
	}
	if resolves(t, addr, "evil.org") {
		t.Error("an empty list passes a name")
	}
}
