package enforce

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"time"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
)

// canary is a name that was asked for to see it refused. told is closed when a
// query for it is known of.
type canary struct {
	asked, refused bool
	told           chan struct{}
}

// canaryPatience bounds what is run in the instance: name look-ups that nobody
// answers last long.
const canaryPatience = 20 * time.Second

// Prove tries from inside the instance what the list refuses.
func (e *Enforcement) Prove(ctx context.Context) (proven bool) {
	ctx, cancel := context.WithTimeout(ctx, canaryPatience)
	defer cancel()
	proven = e.note(e.proveName(ctx))
	if e.config.Strict && !e.config.Learn {
		proven = e.note(e.provePacket(ctx)) && proven
	}
	return proven
}

func (e *Enforcement) note(p verify.Proof) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.proofs = append(e.proofs, p)
	return p.Proven
}

// askName asks for a name with the first tool that an image has. The tools'
// own results say nothing: what counts is who was asked.
const askName = `for tool in 'getent hosts' nslookup 'ping -c 1 -W 1' 'wget -q -T 2 -O /dev/null' 'curl -s -m 2'; do
	command -v ${tool%% *} >/dev/null 2>&1 || continue
	$tool "$1" >/dev/null 2>&1 </dev/null
	exit 0
done
exit 69`

// noTool is what the scripts end with where an image has no tool for them.
const noTool = 69

func (e *Enforcement) proveName(ctx context.Context) verify.Proof {
	name := e.canaryName()
	e.mu.Lock()
	told := make(chan struct{})
	e.canaries[name] = canary{told: told}
	e.mu.Unlock()
	if e.config.Canary != nil {
		e.config.Canary(name)
	}
	p := verify.Proof{At: time.Now(), Tried: "the name " + name}
	code, err := e.host.Run(ctx, e.config.Instance, lxd.Command{Args: []string{"sh", "-c", askName, "sh", name}})
	if code == 0 && err == nil {
		select { // a query is told of when it was answered
		case <-told:
		case <-time.After(toldPatience):
		}
	}
	e.mu.Lock()
	c := e.canaries[name]
	e.mu.Unlock()
	switch {
	case c.refused:
		p.Proven = true
	case c.asked:
		p.Why = "it was answered"
	default:
		p.Why = notTried(code, err, "getent, nslookup, ping, wget or curl",
			"no query for it came: the instance's resolver answered by itself, asks in another way (DNS over TLS or HTTPS), or a firewall of this host keeps queries from the program")
	}
	return p
}

// notTried says why a try did not come.
func notTried(code int, err error, tools, otherwise string) string {
	switch {
	case code == noTool:
		return "the instance has none of " + tools + " to try it with"
	case code == 127 || code == 126:
		return "the instance has no shell to try it with"
	case err != nil:
		return err.Error()
	}
	return otherwise
}

// canaryName returns a name that nobody else asks for and the list refuses,
// below one that is nobody's (RFC 2606) where the list doesn't allow all of
// that.
func (e *Enforcement) canaryName() string {
	label := "lxd-allowlist-" + strings.ToLower(rand.Text()[:12])
	for _, under := range []string{"example.com", "example.net", "example.org"} {
		if name := label + "." + under; !e.Policy.Allows(name, time.Now()) {
			return name
		}
	}
	return label + ".com"
}

func (e *Enforcement) isCanary(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, is := e.canaries[name]
	return is
}

// ownCanary takes a query for a canary out of what the instance asked.
func (e *Enforcement) ownCanary(q verify.Query) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ours := e.canaries[q.Name]
	if ours {
		if !c.asked {
			close(c.told)
		}
		c.asked = true
		c.refused = c.refused || q.Refused
		e.canaries[q.Name] = c
	}
	return ours
}

// tryAddress sends something to an address.
const tryAddress = `for tool in 'ping -c 1 -W 1' 'wget -q -T 2 -O /dev/null' 'curl -s -m 2' 'nc -w 1'; do
	command -v ${tool%% *} >/dev/null 2>&1 || continue
	case $tool in
	ping*) $tool "$1" ;;
	nc*) $tool "$1" 80 ;;
	*) $tool "http://$2/" ;;
	esac >/dev/null 2>&1 </dev/null
	exit 0
done
exit 69`

// Addresses that are nobody's (RFC 5737, RFC 3849).
var (
	canaries4 = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1}), netip.AddrFrom4([4]byte{198, 51, 100, 1}), netip.AddrFrom4([4]byte{203, 0, 113, 1})}
	canaries6 = []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:ffff::1")}
)

// canaryAddress returns one that the list doesn't have with the port that it is
// tried at, the last one where it has all.
func (e *Enforcement) canaryAddress() (to netip.Addr) {
	all := canaries4
	if e.plug.Bridge[0].Addr().Is6() {
		all = canaries6
	}
	f := e.fence.Load()
	for _, to = range all {
		if f == nil || !f.Keeps(netip.AddrPortFrom(to, 80), "tcp") {
			break
		}
	}
	return to
}

func (e *Enforcement) provePacket(ctx context.Context) verify.Proof {
	to := e.canaryAddress()
	inURL := to.String()
	if to.Is6() {
		inURL = "[" + inURL + "]"
	}
	seen := e.Packets.Expect(to)
	if e.config.CanaryTo != nil {
		e.config.CanaryTo(to)
	}
	p := verify.Proof{At: time.Now(), Tried: "the address " + to.String()}
	code, err := e.host.Run(ctx, e.config.Instance, lxd.Command{Args: []string{"sh", "-c", tryAddress, "sh", to.String(), inURL}})
	select {
	case <-seen:
		p.Proven = true
	case <-time.After(toldPatience):
		p.Why = notTried(code, err, "ping, wget, curl or nc", "no packet to it was refused: the instance may have no route")
	}
	return p
}

// toldPatience is how long it may take until a query or a packet is told of that
// was refused already.
const toldPatience = 2 * time.Second

// caches are those that an instance may have of its own, with what empties
// them. Negative says that it remembers for long what was refused, too: nscd
// does for 20 s, systemd-resolved not where the answer has no SOA.
var caches = []struct {
	of, script string
	negative   bool
}{
	{"systemd-resolved", "command -v resolvectl >/dev/null 2>&1 && resolvectl flush-caches", false},
	{"nscd", "command -v nscd >/dev/null 2>&1 && nscd -i hosts", true},
}

// flushCaches has the instance's resolvers forget what they know, or they
// would answer by themselves what is refused now.
func (e *Enforcement) flushCaches(ctx context.Context) {
	var flushed []string
	for _, c := range caches {
		if !e.runs(ctx, c.script) {
			continue
		}
		flushed = append(flushed, c.of)
		if c.negative {
			e.remembers = append(e.remembers, c.script)
		}
	}
	if len(flushed) > 0 {
		e.remark("The instance's caches were flushed: " + strings.Join(flushed, ", ") + ".")
	} else {
		e.remark("No known DNS cache was found in the instance to flush; a program's own may still hold names.")
	}
	switch {
	case e.bridgewide:
		e.remark("Connections that were open went on.")
	case e.config.Learn:
		e.remark("Open connections were reset, to have what they need asked for again; nothing else is refused.")
	default:
		e.remark("Open connections were reset.")
	}
}

// forgetRefusals has caches forget what was refused, since it may be allowed
// now.
func (e *Enforcement) forgetRefusals() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended.IsZero() {
		return
	}
	for _, script := range e.remembers {
		e.wg.Go(crash.Guarded("a forgotten refusal", func() { e.runs(context.Background(), script) }))
	}
}

// runs reports whether a script ended well, within its time: what it calls is
// the instance's.
func (e *Enforcement) runs(ctx context.Context, script string) bool {
	ctx, cancel := context.WithTimeout(ctx, canaryPatience)
	defer cancel()
	code, err := e.host.Run(ctx, e.config.Instance, lxd.Command{Args: []string{"sh", "-c", script}})
	return err == nil && code == 0
}
