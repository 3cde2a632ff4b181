package ui

import "lxd-allowlist/capture/verify"

// levelWords is what is said of a list that is enforced, or that is only held
// against what is asked for.
type levelWords struct {
	starting, inForce, ending, over string
	doing, done                     string // in the header, before the number of rules, and alone
	claim, proven                   string // what is tried, and what came of it
}

var enforcingWords = levelWords{
	starting: "putting the list in force…", inForce: "the list is in force", ending: "the list is being taken out of force", over: "the list is out of force",
	doing: "enforcing", done: "enforcing",
	claim: "the list is in force", proven: "what the list refuses was tried from inside, and was refused",
}

var learningWords = levelWords{
	starting: "beginning to learn…", inForce: "learning, and nothing is refused", ending: "learning is being ended", over: "no list is held against what is asked for any more",
	doing: "learning against", done: "learning",
	claim: "queries are seen", proven: "queries from inside are seen, by a name of the program's own; nothing else is refused",
}

func (e *enforcing) words() levelWords {
	if e.level == verify.Learn {
		return learningWords
	}
	return enforcingWords
}
