//go:build beyond

package proof

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

// asker asks for each name that it reads, by plain HTTP and by a tunnel, through
// the proxy that the sandbox names, and prints both results.
const asker = `while read -r name; do
curl --noproxy '' -so /dev/null -m 10 -w '%{http_code} ' "http://$name/"
curl --noproxy '' -spo /dev/null -m 10 -w '%{http_connect}\n' "http://$name:443/"
done
true`

// What a command in Codex's own sandbox reaches. Names lead nowhere here, so
// that private addresses are allowed, and the proxy hands requests on.
func TestCodex(t *testing.T) {
	f := format(t, "codex")
	proveTable(t, f, func(t *testing.T, path string) target {
		conf := strings.Replace(read(t, path), "enabled = true", "enabled = true\nallow_local_binding = true", 1)
		return codexTarget(t, conf)
	}, slices.DeleteFunc(slices.Clone(hostQuestions), func(q question) bool {
		return strings.HasPrefix(q.name, "[") // curl takes no address in brackets for a host without a port
	})...)
	// What the file's own words say of the proxy.
	open := read(t, file(t, f, []rule.Rule{{Name: "www.example.com"}}))
	to := codexTarget(t, strings.Replace(open, "network_proxy = true", "network_proxy = false", 1))
	if !to.ask(t, "evil.org") || !strings.Contains(f.Load, "opens the whole network") {
		t.Error("without the feature the profile is closed: the format may say so now")
	}
	if to := codexTarget(t, read(t, file(t, f, nil))); to.ask(t, "evil.org") {
		t.Error("an empty list passes a name")
	}
}

// What would say digits, or a choice, is refused: that is why the format holds no
// patterns.
func TestCodexPatterns(t *testing.T) {
	text := read(t, file(t, format(t, "codex"), []rule.Rule{{Name: "www.example.com"}}))
	for pattern, refused := range map[string]bool{"sa[0-9].example.com": true, "sa{1,2}.example.com": true, "sa?.example.com": false, "sa*.example.com": false} {
		home := filepath.Dir(write(t, "config.toml", []byte(strings.Replace(text, "www.example.com", pattern, 1)), 0o644))
		cmd := exec.Command(filepath.Join(modules(t), ".bin/codex"), "sandbox", "-P", "lxd-allowlist", "--", "true")
		cmd.Env, cmd.Dir = append(cmd.Environ(), "CODEX_HOME="+home, "HOME="+home), t.TempDir()
		if out, err := cmd.CombinedOutput(); (err != nil) != refused {
			t.Errorf("%s: %v, and the format says otherwise: %s", pattern, err, tail(string(out)))
		}
	}
}

// An address of the list is reached, and no other, however it is written. The
// proxy goes to an address itself, so that there is a network of its own.
func TestCodexAddresses(t *testing.T) {
	modules(t)
	ownNetwork(t)
	f := format(t, "codex")
	for _, a := range []string{"192.0.2.7/32", "192.0.2.8/32", "192.0.2.70/32", "198.51.100.1/32"} {
		run(t, "ip", "address", "add", a, "dev", "lo")
	}
	l, err := net.Listen("tcp", "0.0.0.0:80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	held, _ := f.Hold(compiled(t, []rule.Rule{{Name: "www.example.com"}, {Name: "192.0.2.7:443/tcp"}, {Name: "198.51.100.0/24:443/tcp"}, {Name: "198.51.100.1:22/tcp"}}))
	to := codexTarget(t, strings.Replace(read(t, fileOf(t, f, held)), "enabled = true", "enabled = true\nallow_local_binding = true", 1))
	for host, want := range map[string]bool{
		"192.0.2.7": true, "www.example.com": true,
		"192.0.2.8": false, "192.0.2.70": false, "198.51.100.1": false, "x.192.0.2.7": false, "192.0.2.7.evil.org": false, "3221225992": false, "evil.org": false,
	} {
		if got := to.ask(t, host); got != want {
			t.Errorf("%s: passes %v, want %v", host, got, want)
		}
	}
}

// leadingHyphen returns whether a label begins with a hyphen: the proxy takes
// that for no host.
func leadingHyphen(name string) bool {
	return strings.HasPrefix(name, "-") || strings.Contains(name, ".-")
}

func codexTarget(t *testing.T, conf string) target {
	t.Helper()
	parent := "http://" + startParent(t).addr
	home := filepath.Dir(write(t, "config.toml", []byte(conf), 0o644))
	cmd := exec.Command(filepath.Join(modules(t), ".bin/codex"), "sandbox", "-P", "lxd-allowlist", "--", "sh", "-c", asker)
	cmd.Env = append(cmd.Environ(), "CODEX_HOME="+home, "HOME="+home, "http_proxy="+parent, "HTTP_PROXY="+parent, "HTTPS_PROXY="+parent)
	cmd.Dir = t.TempDir()
	results := converse(t, cmd)
	return target{ask: func(t *testing.T, name string) bool {
		t.Helper()
		var get, connect int
		fmt.Sscan(results(t, name), &get, &connect)
		denied := get == http.StatusForbidden || get == http.StatusBadRequest && leadingHyphen(name)
		if get != connect || get != http.StatusOK && !denied {
			t.Errorf("%s: GET says %d, CONNECT says %d", name, get, connect)
		}
		return get == http.StatusOK
	}}
}
