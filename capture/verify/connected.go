package verify

import "lxd-allowlist/export/rule"

// Connected notes that there were n connections so far to an address that is in
// force. It reports whether that is news.
func (p *Policy) Connected(to rule.Endpoint, n int) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.rules[key{name: to.String()}]
	if s == nil || !s.Gone.IsZero() || s.Connections == n {
		return false
	}
	if !s.used() {
		p.counts.Used++
	}
	s.Connections = n
	return true
}
