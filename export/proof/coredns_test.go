package proof

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// everywhere is why a test has no place in .ci/matrix, whose others name it.
const everywhere = "it is the same beside any system"

// built are the programs that tests share, by what they are built from.
var built = make(map[string]string)

// build builds the program in that directory, which is a module of its own, once
// for all tests. The first time fetches and compiles what it requires.
func build(t *testing.T, dir string, flags ...string) (binary string) {
	t.Helper()
	if root != "" {
		t.Fatal(everywhere)
	}
	key := strings.Join(append([]string{dir}, flags...), " ")
	if binary := built[key]; binary != "" {
		return binary
	}
	to, err := os.MkdirTemp("", dir)
	if err != nil {
		t.Fatal(err)
	}
	atEnd = append(atEnd, func() { os.RemoveAll(to) })
	binary = filepath.Join(to, dir)
	args := append(append([]string{"build", "-C", dir}, flags...), "-o", binary, ".")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, out)
	}
	built[key] = binary
	return binary
}

func TestCoreDNS(t *testing.T) {
	binary := build(t, "coredns")
	prove(t, format(t, "coredns"), func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startCoreDNS(t, binary, path, addr, u)
		return resolver(addr, u)
	}, append(dnsQuestions, denied(oddEnds)...)...)
}

// startCoreDNS changes the file as its user would, in where the upstream is,
// and binds all of its blocks to one address.
func startCoreDNS(t *testing.T, binary, path, addr string, u *upstream) {
	t.Helper()
	host, port := hostPort(t, addr)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		"forward . /etc/resolv.conf", "forward . "+u.addr+"\n    bind "+host,
		". {\n    template", ". {\n    bind "+host+"\n    template",
	).Replace(string(data))
	start(t, accepts(addr), binary, "-conf", write(t, "Corefile", []byte(text), 0o644), "-dns.port", port)
}
