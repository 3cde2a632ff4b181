package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui"
)

// watchCallers has it seen from now on which processes ask and connect, and
// says once where it can't be.
func (o *options) watchCallers(ctx context.Context, server *lxd.Server, instance, network string, of ui.Settings) *live.Callers {
	watches := live.Watches()
	if !o.witness(of) {
		watches = nil
	}
	callers := live.WatchCallers(ctx, server, instance, network, watches)
	if off := callers.Off(); off != "" {
		say("not watched: which process asks for what is blocked: " + off)
	}
	return callers
}

// bySoon is how long a word on a refusal waits for the process that it was: the
// kernel tells of the two by ways of their own, and who is new is looked up.
const bySoon = 250 * time.Millisecond

// refusals says what is refused as it happens, one after another, each with the
// programs whose it was as soon as these are known.
type refusals struct {
	callers *live.Callers
	queue   chan refusal
	over    chan struct{} // closed once nothing more is to wait
	once    sync.Once
	done    chan struct{}
}

type refusal struct {
	words string
	by    func() []string
	until time.Time
}

// maxRefusals is how many wait at a time; more are said at once, and alone.
const maxRefusals = 1 << 10

func sayRefusals(callers *live.Callers) *refusals {
	r := &refusals{callers: callers, queue: make(chan refusal, maxRefusals), over: make(chan struct{}), done: make(chan struct{})}
	go crash.Guarded("the word on what is refused", func() {
		for {
			select {
			case of := <-r.queue:
				say(of.words + byWords(r.callers.Await(of.until, of.by)))
			case <-r.over:
				if len(r.queue) == 0 {
					return
				}
			}
		}
	}, func() { close(r.done) })()
	return r
}

// close returns when all is said that was refused until now.
func (r *refusals) close() {
	r.once.Do(func() { close(r.over) })
	<-r.done
}

func (r *refusals) say(words string, by func() []string) {
	of := refusal{words, by, time.Now().Add(bySoon)}
	if r.callers.Off() != "" {
		of.until = time.Time{}
	}
	select {
	case r.queue <- of:
	default:
		say(words)
	}
}

// name says that a name was refused.
func (r *refusals) name(q verify.Query, l *verifyList) {
	words := "blocked"
	if q.WouldRefuse {
		words = "would be blocked"
	}
	if reason, expected := l.expected(q.Name); expected {
		words += ", as expected (" + reason + ")"
	}
	r.say(fmt.Sprintf("%s: %s %s", words, q.Type, q.Name), func() []string { return r.callers.Asked(q.Name) })
}

// packet says that a packet was refused.
func (r *refusals) packet(p verify.PacketState) {
	words := "refused: a packet to " + p.String()
	if len(p.Servers) > 0 {
		words += " for " + shown(strings.Join(p.Servers, ", "))
	}
	if !p.Stays() {
		r.say(words, func() []string { return r.callers.Called(p.To, p.Protocol, p.First, p.Last) })
	}
}
