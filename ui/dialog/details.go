package dialog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/parse"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// Details shows all that is known of one domain, as it comes in.
type Details struct {
	keys   *keys.Map
	ledger *capture.Ledger
	lists  *known.Lists // the user's; nil for none
	policy *verify.Policy
	id     capture.ID
	group  string            // instead of id: a name and all below it
	seen   *capture.Evidence // of the group; nil for not known yet
	way    string            // instead of both: a way round DNS, by its [table.WayKey]
	scroll
}

// NewDetails returns the details of a domain, under the policy of a list that
// is enforced, nil for none.
func NewDetails(k *keys.Map, l *capture.Ledger, lists *known.Lists, p *verify.Policy, id capture.ID) *Details {
	return &Details{keys: k, ledger: l, lists: lists, policy: p, id: id}
}

// Show goes over to another domain.
func (d *Details) Show(id capture.ID) {
	if id != d.id {
		d.id, d.top = id, 0
	}
}

// ShowWay goes over to a way round the bridge's DNS, by its [table.WayKey]; ""
// for back to the domain.
func (d *Details) ShowWay(key string) {
	if key != d.way {
		d.way, d.top = key, 0
	}
}

var detailsKeys = keys.Table[*Details, Result]{Context: "the details", Actions: []keys.Action[*Details, Result]{
	{Row: keys.Row{Name: "keep", Hint: "keep"}, Can: (*Details).needsMark, Do: act("keep")},
	{Row: keys.Row{Name: "drop", Hint: "drop"}, Can: (*Details).needsMark, Do: act("drop")},
	{Row: keys.Row{Name: "toggle"}, Can: (*Details).needsName, Do: act("toggle")},
	{Row: keys.Row{Name: "clear"}, Do: act("clear")},
	{Row: keys.Row{Name: "undo"}, Says: (*Details).undoes, Do: act("undo")},
	{Row: keys.Row{Name: "redo"}, Do: act("redo")},
	{Row: keys.Row{Name: "widen", Hint: "keep below"}, Can: (*Details).needsName, Do: act("widen")},
	{Row: keys.Row{Name: "grant", Hint: "let through"}, Can: needsPolicy, Do: act("grant")},
	{Row: keys.Row{Name: "up"}, Do: func(*Details) Result { return Next{-1} }},
	{Row: keys.Row{Name: "down", Hint: "next"}, Do: func(*Details) Result { return Next{1} }},
	{Row: keys.Row{Name: "page-up"}, Do: func(d *Details) Result { d.top -= 5; return nil }},
	{Row: keys.Row{Name: "page-down", Hint: "more"}, Says: (*Details).goesOn, Do: func(d *Details) Result { d.top += 5; return nil }},
	{Row: keys.Row{Name: "details"}, Do: closes[*Details]},
	{Row: keys.Row{Name: "quit"}, Do: closes[*Details]},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Details]},
}}

// needsName says why what is done about names can't be done, needsMark why
// nothing can be decided.
func (d *Details) needsName() string {
	if d.way != "" {
		return "an address has no name: there is nothing below it"
	}
	return ""
}

func (d *Details) needsMark() (why string) {
	if d.way == "" {
		return ""
	}
	d.ledger.Read(func(r capture.Reader) {
		if b, _ := table.Way(r, d.way); b.Kind != witness.Bare || !b.To.IsValid() {
			why = "no list holds " + b.Kind.String()
		}
	})
	return why
}

// undoes says in the footer that there is something to undo.
func (d *Details) undoes() string {
	if d.ledger.CanUndo() {
		return "undo"
	}
	return ""
}

func needsPolicy(d *Details) string {
	switch {
	case d.way != "":
		return d.needsName()
	case d.policy == nil:
		return "no list is enforced"
	case d.policy.Learning:
		return "nothing is refused"
	}
	return ""
}

func act(name string) func(*Details) Result {
	return func(*Details) Result { return Act{name} }
}

func closes[D any](D) Result { return Close{} }

// Keys implements [Dialog].
func (d *Details) Keys() Live { return detailsKeys.On(d.keys, d) }

// Type implements [Dialog].
func (d *Details) Type(tea.Msg) Result { return nil }

// View implements [Dialog].
func (d *Details) View(s Screen) []string {
	inner := min(s.W-4, 90)
	title, body := d.inView(s, inner, max(3, s.H-2))
	return look.Box(s.Styles, title, body, inner)
}

// inView returns so many lines of w cells as are in view, below their title.
func (d *Details) inView(s Screen, w, room int) (title string, lines []string) {
	return d.scrolled("Details", d.lines(s, w, false), room)
}

// page is details in the making.
type page struct {
	s      Screen
	w      int
	lines  []string
	warned string // what was said to beware of
}

// headWidth is the room for what a line is about.
const headWidth = 11

// bewareHead stands before what speaks against a name, or all below it.
const bewareHead = "beware"

func (p *page) field(name string, style look.Style, values ...string) {
	for _, v := range values {
		if name == bewareHead {
			p.warned = v
		} else if v == bewareHead+": "+p.warned {
			continue // of all below the name, as of the name
		}
		name = p.beside(name, look.Wrap(style, v, p.w-headWidth))
	}
}

// beside adds lines, the first of them beside a name, and returns the name if there
// is none.
func (p *page) beside(name string, lines []string) string {
	for _, l := range lines {
		p.lines = append(p.lines, new(look.Line).Pad(1).Cell(p.s.Muted, name, headWidth-1, false).Raw(l).Cut(p.w))
		name = ""
	}
	return name
}

func (d *Details) lines(s Screen, w int, short bool) []string {
	p := page{s: s, w: w}
	d.ledger.Read(func(r capture.Reader) {
		switch {
		case d.way != "":
			d.ofWay(&p, r, short)
		case d.group != "":
			d.ofGroup(&p, r)
		case short:
			d.docked(&p, r)
		default:
			d.ofDomain(&p, r)
		}
	})
	return p.lines
}

// ofDomain says all that is known of a domain.
func (d *Details) ofDomain(p *page, r capture.Reader) {
	s, rec := p.s, r.Domain(d.id)
	row := table.Read(r, d.id, s.Now, d.policy)
	p.heading(rec.Name)
	p.lines = append(p.lines, "")
	p.field("mark", row.MarkStyle(s.Styles), strings.TrimSpace(row.Mark()))
	p.field("why", s.Text, words(why(row))...)
	d.standing(p, r, row)
	if domain := registrable(row); domain != "" {
		p.field("registered", s.Text, domain)
		d.below(p, r, "", domain)
	} else {
		p.field("registered", s.Muted, "by nobody: it is a name of a network's own, or for a special use")
	}
	p.field("queries", s.Text, queries(rec))
	p.field("first", s.Text, rec.First().Format(time.DateTime)+"  "+look.Ago(s.Now.Sub(rec.First())))
	p.field("last", s.Text, rec.Last().Format(time.DateTime)+"  "+look.Ago(s.Now.Sub(rec.Last())))
	p.field("result", row.ResultStyle(s.Styles), words(rec.Result())...)
	p.field("asked by", s.Text, r.Owners(rec)...)
	p.connections(r, d.id)
	seen := r.Witnessed(d.id)
	p.actors(r, seen.Actors, seen.Others, false)
	p.field("alias of", s.Text, r.Chain(rec)...)
	p.field("answers", s.Text, addresses(rec)...)
}

// registrable returns the domain that somebody registered to have the row's name,
// "" for nobody.
func registrable(row table.Row) string {
	if row.Verdict.Rule == capture.Local {
		return ""
	}
	return rule.Registrable(row.Name)
}

// heading is a name as it is and as it reads.
func (p *page) heading(name string) {
	p.lines = look.Wrap(p.s.Strong, name, p.w)
	if text := parse.Readable(name); text != "" {
		p.lines = append(p.lines, look.Wrap(p.s.Text, "reads "+text, p.w)...)
	}
}

// standing says by what a domain is kept, how it stands while a list is enforced,
// what it is known as and what allowing it would open.
func (d *Details) standing(p *page, r capture.Reader, row table.Row) {
	s := p.s
	if by := r.KeptBelow(row.Domain); by != "" {
		p.field("kept by", s.Keep, "."+by)
	}
	if d.policy != nil {
		state, lines := d.state(row, s.Now)
		p.field("state", table.StateStyle(s.Styles, state), lines[0])
		p.field("", s.Text, lines[1:]...)
	}
	p.field("known as", s.Text, d.knownAs(row.Name)...)
	p.field("beware", s.Warn, words(rule.Rule{Name: row.Name}.Warning())...)
}

// why says why a row is marked so, "" for no reason.
func why(row table.Row) string {
	if row.Blocked() { // its state says it
		return ""
	}
	reason := row.Why().Reason
	if rule := row.Why().Rule; rule != capture.Undecided && string(rule) != reason {
		reason = strings.TrimSuffix(string(rule)+": "+reason, ": ")
	}
	return reason
}

// queries says how often a domain was asked for, and for what.
func queries(d *capture.Domain) string {
	var kinds []string
	for _, t := range d.Types {
		kinds = append(kinds, fmt.Sprintf("%s ×%d", t.Type, t.Count))
	}
	return fmt.Sprintf("%d  (%s)", d.Queries, strings.Join(kinds, ", "))
}

func addresses(d *capture.Domain) (all []string) {
	for _, a := range d.Addresses {
		all = append(all, a.String())
	}
	return all
}

// state says in full how the domain stands while a list is enforced.
func (d *Details) state(row table.Row, now time.Time) (table.State, []string) {
	state, rule, name := row.State()
	lines := []string{state.String()}
	switch state {
	case table.WouldBlock:
		lines = append(lines, fmt.Sprintf("%s puts it on the list; %s: it is to be blocked", d.keys.Show("keep"), d.keys.Show("drop")))
	case table.Blocked:
		if name.Why != "" {
			lines = append(lines, "refused whatever the list says: "+name.Why)
		} else {
			lines = append(lines, fmt.Sprintf("%s allows it at once, %s for a time; %s: it is to stay blocked", d.keys.Show("keep"), d.keys.Show("grant"), d.keys.Show("drop")))
		}
	case table.Granted:
		until, once, _ := d.policy.Granted(row.Name, now)
		switch {
		case once:
			lines[0] += " for one try"
		case until.IsZero():
			lines[0] += " while the list is enforced"
		default:
			lines[0] += " until " + until.Format(time.TimeOnly)
		}
	case table.Late:
		at := name.Allowed
		if at.IsZero() {
			at = rule.Late
		}
		lines[0] += ", at " + at.Format(time.TimeOnly)
	case table.Expected:
		lines[0] += ": it is dropped, and no failure"
	case table.Unused, table.Used, table.Covered:
		lines[0] += fmt.Sprintf(" by the rule %s", rule.Rule.Dotted())
	}
	if name.Times > 0 {
		lines = append(lines, fmt.Sprintf("%s ×%d (%s), first %s, last %s, %s", d.policy.Word(), name.Times, strings.Join(name.Types, ", "),
			name.First.Format(time.TimeOnly), name.Last.Format(time.TimeOnly), look.Ago(now.Sub(name.Last))))
	}
	if rule.Queries > 0 {
		lines = append(lines, fmt.Sprintf("allowed ×%d, first %s, last %s, %s", rule.Queries,
			rule.First.Format(time.TimeOnly), rule.Last.Format(time.TimeOnly), look.Ago(now.Sub(rule.Last))))
	}
	return state, lines
}

// knownAs says what is known of a name: from the table that is built in, and from
// the user's lists.
func (d *Details) knownAs(name string) (lines []string) {
	for _, f := range known.Of(name) {
		lines = append(lines, fmt.Sprintf("%s, %s: %s", f.Kind, f.Owner, f.For))
	}
	for _, m := range d.lists.Of(name) {
		lines = append(lines, "on your list "+m.String())
	}
	return slices.Compact(lines) // several entries may say the same
}

// below says under a head what speaks for one suffix rule instead of many exact
// ones, and what against it.
func (d *Details) below(p *page, r capture.Reader, head, domain string) {
	rule := rule.Rule{Name: domain, Suffix: true}
	if problem := rule.Problem(); problem != "" {
		return
	}
	seen := "no name"
	if n := r.Below(domain); n > 0 {
		seen = look.Plural(n, "name")
	}
	p.field(head, p.s.Muted, fmt.Sprintf("%s seen below .%s; %s keeps all below", seen, domain, d.keys.Show("widen")))
	if warning := rule.Warning(); warning != "" {
		p.field("", p.s.Warn, "beware: "+warning)
	}
}

// words is the text as a list: empty for an empty one.
func words(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
