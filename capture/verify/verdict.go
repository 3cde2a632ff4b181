package verify

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what a report comes to.
type Verdict string

// The verdicts. [Works] is never said of a list that wasn't proven to be in
// force.
const (
	Works   Verdict = "works with this list"
	Blocked Verdict = "something was blocked"
	// Held is [Works] of a list that the bridge's dnsmasq holds names back by:
	// who asks another resolver was not held.
	Held     Verdict = "nothing that the bridge's dnsmasq was asked for was blocked"
	Failed   Verdict = "the command failed" // or was ended before its own end
	Unproven Verdict = "enforcement is not proven"
	Covered  Verdict = "the list covers what was asked for" // under Learn
	Uncovers Verdict = "the list would block something"     // under Learn
	// Unseen is Unproven under Learn: what was asked for may have gone by.
	Unseen Verdict = "that queries are seen is not proven"
)

// Unexpected returns the names and places that were refused, and that nobody
// said are to be.
func (r *Report) Unexpected() (all []string) {
	for _, n := range r.Blocked {
		if !n.Expected {
			all = append(all, n.Name)
		}
	}
	for _, p := range r.Packets {
		if !p.Expected {
			all = append(all, p.To)
		}
	}
	return all
}

// late returns how many names were refused and then allowed.
func (r *Report) late() (n int) {
	for _, b := range r.Blocked {
		if b.Late != nil && !b.Temporary && !b.Expected {
			n++
		}
	}
	return n
}

// Headline says what it comes to in a line.
func (r *Report) Headline() string {
	if r.Queries == 0 && (r.Verdict == Works || r.Verdict == Covered) {
		return string(r.Verdict) + ", but nothing was asked for"
	}
	return string(r.Verdict)
}

// Proven reports whether the list was in force whenever that was tried, and
// that it was tried.
func (r *Report) Proven() bool {
	return len(r.Proofs) > 0 && !slices.ContainsFunc(r.Proofs, func(p Proof) bool { return !p.Proven })
}

func (r *Report) judge(o Over, screen bool) {
	learn := o.Learn
	unexpected := r.Unexpected()
	say := func(v Verdict, why ...string) {
		if r.Verdict == "" {
			r.Verdict = v
		}
		r.Why = append(r.Why, why...)
	}
	next := "What is needed goes on the list; what is to be blocked is dropped, or named by --expect."
	if screen {
		next = "Keep what is needed, drop what is to be blocked, and enforce the list again."
	}
	outside := func(v Verdict, words string) {
		if len(unexpected) > 0 {
			say(v, fmt.Sprintf("%s: %s.", plural(len(unexpected), "name or address", "names or addresses")+" "+words, shorten(unexpected, 5)), next)
		}
	}
	unproven, unknown := Unproven, "what was blocked"
	if learn {
		next = strings.Replace(next, " again", "", 1)
		unproven, unknown = Unseen, "what would be blocked"
		outside(Uncovers, "outside of the list") // which takes no proof
	}
	if !r.Proven() {
		say(unproven)
		for _, p := range r.Proofs {
			if !p.Proven {
				r.Why = append(r.Why, fmt.Sprintf("Tried %s: %s.", p.Tried, p.Why))
			}
		}
		if len(r.Proofs) == 0 {
			r.Why = append(r.Why, "Nothing was tried.")
		}
	}
	if r.lossy {
		say(unproven, "Something was lost, so that "+unknown+" isn't known in full: see the notes.")
	}
	if !learn {
		outside(Blocked, "blocked")
	}
	if late := r.late(); late > 0 {
		r.Why = append(r.Why, fmt.Sprintf("%s allowed late: run it again with the list as it is now to have the proof.", plural(late, "name was", "names were")))
	}
	switch {
	case r.unrunnable != "":
		say(Failed, fmt.Sprintf("The command ended with %d: %s.", *r.ExitCode, r.unrunnable))
	case r.ExitCode != nil && *r.ExitCode != 0:
		say(Failed, fmt.Sprintf("The command ended with %d.", *r.ExitCode))
	case r.ExitCode == nil && len(r.Command) > 0:
		say(Failed, "The command was ended before its own end.")
	}
	switch {
	case r.Verdict != "":
	case learn:
		r.Verdict = Covered
	case o.Bridge:
		r.Verdict = Held
	default:
		r.Verdict = Works
	}
}
