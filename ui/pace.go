package ui

import (
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// pace is how fast the capture goes, for the question of when it is enough:
// how long, and how many commands, since the last new domain, and how many
// came in each of the last few moments.
type pace struct {
	commands int // entered in the shell since the last new domain
	lastNew  time.Time

	begin            time.Time // of the bar that grows
	domains          int       // at its begin
	queries          uint64
	domainBars, bars []uint64
}

const (
	barLasts = 5 * time.Second
	barCount = 16
)

// tick takes a sample.
func (p *pace) tick(now time.Time, l *capture.Ledger, domains int) {
	var queries uint64
	l.Read(func(r capture.Reader) {
		queries = r.Counts().Queries
		p.lastNew = r.LastNew()
		p.commands = capture.CommandsSince(r.Commands(), p.lastNew)
	})
	if p.begin.IsZero() || now.Sub(p.begin) >= barLasts {
		p.begin, p.domains, p.queries = now, domains, queries
		p.domainBars, p.bars = append(p.domainBars, 0), append(p.bars, 0)
		if n := len(p.bars) - barCount; n > 0 {
			p.domainBars, p.bars = p.domainBars[n:], p.bars[n:]
		}
	}
	last := len(p.bars) - 1
	p.domainBars[last], p.bars[last] = uint64(max(0, domains-p.domains)), queries-p.queries
}

// saturation says since when nothing new came; "" before the first domain.
func (p *pace) saturation(now time.Time) string {
	if p.lastNew.IsZero() {
		return ""
	}
	text := "nothing new for " + look.Age(now.Sub(p.lastNew))
	if look.Age(now.Sub(p.lastNew)) == "now" {
		text = "new just now"
	}
	if p.commands > 0 {
		text += ", " + look.Plural(p.commands, "command")
	}
	return text
}
