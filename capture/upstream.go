package capture

import (
	"strings"

	"lxd-allowlist/parse"
)

// Trust says whether NXDOMAIN is taken for what it says: that there is no such
// name. A filter says it of names that there are.
type Trust string

const (
	// TrustAuto leaves it to what is seen of the upstream.
	TrustAuto Trust = ""
	// TrustIt drops names that got nothing but NXDOMAIN.
	TrustIt Trust = "trust"
	// DoubtIt keeps them.
	DoubtIt Trust = "doubt"
)

// SetTrust says what a person thinks of NXDOMAIN. The verdicts follow.
func (l *Ledger) SetTrust(t Trust) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info.NXDOMAIN = t
	l.upstreamChanged()
	l.announce()
}

// UpstreamFilters notes what a probe found: that the upstream answers
// otherwise than one that tells what there is. The verdicts follow.
func (l *Ledger) UpstreamFilters(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info.Filters = why
	l.upstreamChanged()
	l.announce()
}

// Filters says why the upstream is not trusted with an NXDOMAIN, "" while it
// is: in words behind "NXDOMAIN drops no name: ".
func (r Reader) Filters() string {
	switch l := r.l; {
	case l.info.NXDOMAIN == TrustIt:
		return ""
	case l.info.NXDOMAIN == DoubtIt:
		return "you doubt it"
	case l.info.Filters != "":
		return l.info.Filters
	case l.mostlyAbsent:
		return "most names were answered so"
	}
	return ""
}

// Trust returns what a person said of NXDOMAIN.
func (r Reader) Trust() Trust { return r.l.info.NXDOMAIN }

// upstreamChanged has all be shown whose verdict depends on the upstream.
func (l *Ledger) upstreamChanged() {
	l.edition++
	for id := range ID(l.n) {
		if l.at(id).outcomes == absent {
			l.show(id)
		}
	}
	if l.sink != nil {
		l.sink.Informed(l.info)
	}
}

// absent is the outcomes of a name that there isn't, if that is to be believed.
const absent = Outcomes(1 << parse.NoName)

// fewAnswers is how many names an upstream must have answered to be judged by
// them.
const fewAnswers = 20

// weighed is how many names are looked at to judge an upstream: of more, some
// from all over.
const weighed = 4096

// weigh judges the upstream by how many of the names that it answered it
// denies. Names with a search domain behind them don't count. It is done each
// time that there are a quarter more.
func (l *Ledger) weigh() {
	if l.n < max(fewAnswers, l.weighAt) {
		return
	}
	l.weighAt = l.n + l.n/4
	l.weighNow()
}

func (l *Ledger) weighNow() {
	answered, denied := 0, 0
	for i := 0; i < l.n; i += 1 + l.n/weighed {
		r := l.at(ID(i))
		if r.queries == 0 || r.origins&(1<<parse.Upstream|1<<parse.Cache) == 0 || r.class() != parse.Host {
			continue
		}
		if r.outcomes != absent {
			answered++
		} else if !l.lengthened(l.nameOf(r)) {
			denied++
		}
	}
	if mostly := answered+denied >= fewAnswers && denied > answered; mostly != l.mostlyAbsent {
		l.mostlyAbsent = mostly
		l.upstreamChanged()
	}
}

// lengthened reports whether somebody also asked for the name without some of
// its last labels: a search list puts these behind it.
func (l *Ledger) lengthened(name string) bool {
	for cut := strings.LastIndexByte(name, '.'); cut > 0; cut = strings.LastIndexByte(name[:cut], '.') {
		if id, known := l.lookup(name[:cut]); known && l.asked(id) {
			return true
		}
	}
	return false
}
