//go:build beyond

package proof

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"
)

// A blocked query is refused by the setting that the test makes; by default it
// is answered by a HINFO record.
func TestDnscryptProxy(t *testing.T) {
	f := format(t, "dnscrypt-proxy")
	launch := func(t *testing.T, path string) target {
		u, addr := startUpstream(t), freeAddr(t)
		startDnscrypt(t, path, commented(t, path, "?*")+"\n"+commented(t, path, "*/"), addr, u)
		to := resolver(addr, u)
		to.ask = func(t *testing.T, name string) bool {
			t.Helper()
			answers := 0
			for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeTXT} {
				m := lookup(t, addr, name, kind)
				if m.RCode != dnsmessage.RCodeSuccess && m.RCode != dnsmessage.RCodeRefused {
					t.Errorf("%s %v: neither an answer nor refused: %v", name, kind, m.GoString())
				}
				answers += min(len(m.Answers), 1)
			}
			if answers != 0 && answers != 3 {
				t.Errorf("%s passes for some types only", name)
			}
			return answers > 0
		}
		// A single character passes, as the format says.
		but := func(ask func(*testing.T, string) bool) func(*testing.T, string) bool {
			return func(t *testing.T, name string) bool { t.Helper(); return name != "_" && ask(t, name) }
		}
		to.ask = but(to.ask)
		for i := range to.ways {
			to.ways[i].ask = but(to.ways[i].ask)
		}
		return to
	}
	more := slices.DeleteFunc(append(dnsQuestions[:len(dnsQuestions):len(dnsQuestions)], denied(oddEnds)...), func(q question) bool {
		return strings.ContainsFunc(q.name, func(r rune) bool { return r == utf8.RuneError }) // 2.1.18 doesn't answer at all
	})
	prove(t, f, launch, more...)
	if !strings.Contains(f.Load, "a single character") {
		t.Errorf("the format doesn't tell of it: %s", f.Load)
	}
}

// What a bare * blocks is why there are other lines.
func TestDnscryptProxyStar(t *testing.T) {
	path := file(t, format(t, "dnscrypt-proxy"), rules())
	for block, opens := range map[string]string{"*": "evil.org", "?*": "x/evil.org", "?*\n*/*": ""} {
		u, addr := startUpstream(t), freeAddr(t)
		startDnscrypt(t, path, block, addr, u)
		for _, name := range []string{"evil.org", "x/evil.org"} {
			if got := len(lookup(t, addr, name, dnsmessage.TypeA).Answers) > 0; got && opens == "" || !got && name == opens {
				t.Errorf("with %q blocked, %s passes: %t", block, name, got)
			}
		}
	}
}

func startDnscrypt(t *testing.T, path, block, addr string, u *upstream) {
	t.Helper()
	blocked := write(t, "blocked.txt", []byte(block+"\n"), 0o644)
	forward := write(t, "forward.txt", fmt.Appendf(nil, ". %s\n", u.addr), 0o644)
	conf := fmt.Sprintf(`listen_addresses = [%q]
offline_mode = true
netprobe_timeout = 0
cache = false
block_unqualified = false
block_undelegated = false
blocked_query_response = 'refused'
forwarding_rules = %q
[allowed_names]
allowed_names_file = %q
[blocked_names]
blocked_names_file = %q
`, addr, forward, path, blocked)
	conf = write(t, "dnscrypt-proxy.toml", []byte(conf), 0o644)
	start(t, accepts(addr), "dnscrypt-proxy", "-config", conf, "-pidfile", filepath.Join(filepath.Dir(conf), "pid"))
}
