package ui

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/look"
)

// replay is a session that happens again: its clock, which the user can set.
type replay struct {
	player *session.Player
	speed  int // how many times as fast as it was
	at     time.Time
	want   time.Time // where the player is sent next, while it is on its way
	busy   bool      // it is
	back   bool      // back in time
	gen    int       // of the ticks
	ticked time.Time // when the last one was
	plays  bool
	note   string    // what was passed over, and
	noted  time.Time // when

	begin, end time.Time
	ledger     context.Context // ends when another ledger takes the place of this one
	unledger   context.CancelFunc
}

const (
	replayEvery = 100 * time.Millisecond
	// longest is how long one waits while nothing happens.
	longest = 3 * time.Second
	// noteLife is how long is said what was passed over.
	noteLife = 4 * time.Second
	// scrubs is in how many steps one goes through all of it.
	scrubs = 40
)

// MaxSpeed is how many times as fast a replay is at most.
const MaxSpeed = 1000

// speeds are those that the keys go to.
var speeds = []int{1, 2, 5, 10, 20, 50, 100, MaxSpeed}

type (
	replayTickMsg struct {
		gen int
		at  time.Time
	}
	playedMsg struct {
		ledger *capture.Ledger
		at     time.Time
	}
)

// newReplay returns what plays so fast.
func newReplay(ctx context.Context, p *session.Player, speed int) *replay {
	r := &replay{player: p, plays: true, speed: speed}
	r.begin, r.end = p.Span()
	r.at, r.want = r.begin, r.begin
	r.ledger, r.unledger = context.WithCancel(ctx)
	return r
}

// clock is the time that is shown: of what is replayed, when it was.
func (m *monitor) clock() time.Time {
	if m.replay != nil {
		return m.replay.at
	}
	return m.now
}

// tick waits for the next step of a replay that plays.
func (r *replay) tick() tea.Cmd {
	r.gen++
	gen := r.gen
	return tea.Tick(replayEvery, func(t time.Time) tea.Msg { return replayTickMsg{gen, t} })
}

// ticks goes on as far as the time that has passed.
func (m *monitor) ticks(msg replayTickMsg) tea.Cmd {
	r := m.replay
	if r == nil || msg.gen != r.gen || !r.plays || r.busy {
		return nil
	}
	passed := replayEvery
	if !r.ticked.IsZero() {
		passed = min(msg.at.Sub(r.ticked), time.Second)
	}
	r.ticked = msg.at
	times := time.Duration(r.speed)
	to, next := r.at.Add(passed*times), r.player.Next(r.at)
	switch {
	case next.IsZero():
		r.plays = false
		m.say("the session ends here; " + m.keys.Show(rowPlay) + " plays it again")
		return nil
	case next.Sub(r.at) > longest*times:
		r.note, r.noted = "passed over "+look.Age(next.Sub(r.at))+" of nothing", msg.at
		to = next
	}
	return m.seek(to)
}

// seek has the player go to a time. Where it is on its way already, it goes
// there next.
func (m *monitor) seek(to time.Time) tea.Cmd {
	r := m.replay
	if to.Before(r.begin) {
		to = r.begin
	}
	if to.After(r.end) {
		to = r.end
	}
	if r.want = to; r.busy {
		return nil
	}
	r.busy, r.back = true, to.Before(r.at)
	if !r.at.Before(r.end) && r.back {
		m.messages.Read(len(m.messages)) // that the session ends here
	}
	return func() tea.Msg { return playedMsg{r.player.To(to), to} }
}

// played shows what the player has come to.
func (m *monitor) played(msg playedMsg) tea.Cmd {
	r := m.replay
	r.busy, r.at = false, msg.at
	var cmds []tea.Cmd
	if msg.ledger != m.capture.Ledger {
		r.unledger()
		r.ledger, r.unledger = context.WithCancel(m.ctx)
		m.capture.Ledger, m.rules.ledger, m.dialog, m.pace = msg.ledger, msg.ledger, nil, pace{}
		m.table.Follow(msg.ledger)
		cmds = append(cmds, m.awaitLedger(ledgerGap))
	}
	m.table.Tick(r.at)
	m.table.Refresh(r.at)
	m.pace.tick(r.at, m.capture.Ledger, m.table.Tally().Total())
	m.tableChanged()
	switch {
	case !r.want.Equal(r.at):
		cmds = append(cmds, m.seek(r.want))
	case r.plays:
		cmds = append(cmds, r.tick())
	}
	return tea.Batch(cmds...)
}

// deciding says what is still being done, if anything is: its domains are those
// of the ledger that there is now, and back in time it is another one.
func (m *monitor) deciding() bool {
	if len(m.steps) > 0 {
		m.say("still " + m.steps[0].doing + ": then to and fro")
	}
	return len(m.steps) > 0
}

// play goes on, from the beginning where it is over, or stops.
func (m *monitor) play() tea.Cmd {
	r := m.replay
	if !r.plays && !r.at.Before(r.end) && m.deciding() {
		return nil
	}
	r.plays, r.ticked = !r.plays, time.Time{}
	if !r.plays {
		return nil
	}
	if !r.at.Before(r.end) {
		return m.seek(r.begin)
	}
	return r.tick()
}

// scrub goes to and fro by a fraction of it all.
func scrub(steps int) func(*monitor) tea.Cmd {
	return func(m *monitor) tea.Cmd {
		r := m.replay
		if m.deciding() {
			return nil
		}
		r.note = ""
		return m.seek(r.want.Add(time.Duration(steps) * max(time.Second, r.end.Sub(r.begin)/scrubs)))
	}
}

// faster goes to the next of the speeds above the one that there is, or, for more
// below 0, below it.
func faster(more int) func(*monitor) tea.Cmd {
	return then(func(m *monitor) {
		at, exact := slices.BinarySearch(speeds, m.replay.speed)
		switch {
		case more < 0:
			at--
		case exact:
			at++
		}
		m.replay.speed = speeds[max(0, min(at, len(speeds)-1))]
	})
}

func needsReplay(m *monitor) string {
	if m.replay != nil {
		return ""
	}
	return "nothing is replayed here: open SESSION --replay does that"
}

// needsWriting says why nothing can be decided.
func needsWriting(m *monitor) string {
	if r := m.replay; r != nil && r.busy && r.back {
		return "it goes back in time: decide when it is there"
	}
	return m.capture.ReadOnly
}

// timelineHeight is how many lines the timeline of a replay takes.
func (m *monitor) timelineHeight() int {
	if m.replay == nil {
		return 0
	}
	return 1
}

// roomForEnd is the least width whose timeline has the session's end. In less it
// has the keys, for which the footer has no room there.
const roomForEnd = 80

// besideBar is what stands before the timeline's bar and behind it, but for the
// speed.
func (m *monitor) besideBar() (before, behind *look.Line) {
	s, r := m.styles, m.replay
	key := func(name string) string { return m.keys.Show(name) + " " }
	before, behind = new(look.Line).Pad(1), new(look.Line).Pad(1)
	if m.w < roomForEnd {
		before.Add(s.Key, key(rowPlay))
	}
	before.Add(s.Key, r.sign()+" ").Add(s.Strong, r.at.Format("15:04:05")).Pad(before.Width() + 1)
	if m.w < roomForEnd {
		return before.Add(s.Key, key("replay-back")), behind.Add(s.Key, key("replay-on"))
	}
	return before.Pad(before.Width() + 1), behind.Add(s.Muted, " "+r.end.Format("15:04:05")+" ")
}

// timelineBar is where the timeline's bar stands.
func (m *monitor) timelineBar() (x, cells int) {
	before, behind := m.besideBar()
	x = before.Width()
	return x, max(5, m.w-x-behind.Width()-len(" ×1000 "))
}

// sign says whether it plays, stands, or has come to its end.
func (r *replay) sign() string {
	switch {
	case r.plays:
		return "▶"
	case !r.at.Before(r.end):
		return "■"
	}
	return "‖"
}

// drawTimeline draws when names came up, and where in that the clock stands.
func (m *monitor) drawTimeline() string {
	s, r := m.styles, m.replay
	var l look.Line
	before, behind := m.besideBar()
	_, cells := m.timelineBar()
	l.Join(before)
	chart := []rune(look.Chart(spread(r.player.News(), r.begin, r.end, cells)))
	head := cellOf(r.at, r.begin, r.end, cells)
	l.Add(s.Fresh, string(chart[:head])).Add(s.Key, "┃").Add(s.Muted, string(chart[head+1:]))
	return l.Join(behind).Add(s.Key, fmt.Sprintf(" ×%d", r.speed)).Cut(m.w)
}

// cellOf is the cell of a time between begin and end.
func cellOf(at, begin, end time.Time, cells int) int {
	all := end.Sub(begin)
	if all <= 0 {
		return 0
	}
	return max(0, min(int(float64(cells)*float64(at.Sub(begin))/float64(all)), cells-1))
}

// spread counts times in the cells between begin and end.
func spread(times []time.Time, begin, end time.Time, cells int) []uint64 {
	counts := make([]uint64, cells)
	for _, at := range times {
		counts[cellOf(at, begin, end, cells)]++
	}
	return counts
}

// clickTimeline goes to the time that the mouse points at, or before the bar plays
// and pauses; used reports whether it was about that.
func (m *monitor) clickTimeline(msg tea.MouseMsg) (cmd tea.Cmd, used bool) {
	if m.replay == nil || msg.Mouse().Y != m.h-2 || msg.Mouse().Button != tea.MouseLeft {
		return nil, false
	}
	if m.deciding() {
		return nil, true
	}
	r := m.replay
	x, cells := m.timelineBar()
	if _, clicked := msg.(tea.MouseClickMsg); clicked {
		keyed := m.w < roomForEnd // on the keys beside the bar
		switch at := msg.Mouse().X; {
		case keyed && at < x && at >= x-look.Width(m.keys.Show("replay-back"))-1:
			return m.act("replay-back"), true
		case keyed && at > x+cells && at <= x+cells+look.Width(m.keys.Show("replay-on")):
			return m.act("replay-on"), true
		case at < x:
			return m.act(rowPlay), true
		}
	}
	at := max(0, min(msg.Mouse().X-x, cells))
	r.note = ""
	return m.seek(r.begin.Add(r.end.Sub(r.begin) * time.Duration(at) / time.Duration(cells))), true
}
