package export

import (
	"cmp"
	"fmt"
	"time"

	"lxd-allowlist/export/rule"
)

// refusedAt says what was refused at a level of enforcing.
var refusedAt = map[string]string{
	"names": "other names", rule.Strictly: "other names and packets", rule.Learning: "nothing",
	rule.Bridgewide: "other names",
}

// enforced returns what came of the list when it was enforced, and its digest
// without the addresses that weren't, how many of them there are, and whether it is
// that list.
func enforced(c rule.Compiled) (v rule.Verified, digest string, without int, same bool) {
	v = c.Header().Verified
	held, addresses := c.Enforced(v.Level == rule.Strictly)
	digest = rule.Digest(held.Rules())
	return v, digest, len(addresses), v.Digest == digest
}

// verified says what came of the list when it was enforced, "" if it never was.
// Of another list than that one nothing is said but that it is another. Not
// all addresses are enforced.
func verified(c rule.Compiled) string {
	if c.Header().Verified == (rule.Verified{}) {
		return ""
	}
	v, digest, without, same := enforced(c)
	if !same {
		return fmt.Sprintf("no, another list was, at %s: its digest is %s, of this one %s", stamp(v.At), v.Digest, digest)
	}
	refused := cmp.Or(refusedAt[v.Level], v.Level)
	text := fmt.Sprintf("%s, tried at %s, %s refused, digest %s", v.Verdict, stamp(v.At), refused, digest)
	if without > 0 {
		text += fmt.Sprintf(", without %d of its addresses", without)
	}
	return text
}

// proofOf returns what came of this list, nil where that isn't known: none of it
// was, or only the verdict was noted.
func proofOf(c rule.Compiled) *rule.Verified {
	if c.Header().Verified.Took == 0 {
		return nil
	}
	v, _, _, same := enforced(c)
	if !same {
		return nil
	}
	v.Verdict, v.Level, v.Versions = OneLine(v.Verdict), OneLine(v.Level), OneLine(v.Versions)
	return &v
}

// proof says by what it was proven that the list was in force, and what was
// counted, a line each.
func proof(c rule.Compiled) []string {
	v := proofOf(c)
	if v == nil {
		return nil
	}
	tried := "none, nothing was tried from inside"
	switch {
	case v.Proven:
		tried = "proven by " + tries(v.Proofs)
	case v.Proofs > 0:
		tried = "NOT proven by " + tries(v.Proofs)
	}
	tried += fmt.Sprintf(", for %s", v.Took.Round(time.Second/10))
	if v.Versions != "" {
		tried += ", " + v.Versions
	}
	used := fmt.Sprintf("%s used, %d unused", ruleCount(v.Used), v.Unused)
	if v.Level == rule.Bridgewide {
		used = "which rules were used is not known"
	}
	blocked := "blocked"
	if v.Level == rule.Learning {
		blocked = "would be blocked"
	}
	counted := fmt.Sprintf("%d queries; %s; %d names or addresses %s", v.Queries, used, v.Blocked, blocked)
	if v.Expected > 0 {
		counted += fmt.Sprintf(", %d as expected", v.Expected)
	}
	if v.Late > 0 {
		counted += fmt.Sprintf(", %d allowed late", v.Late)
	}
	return []string{"proof: " + tried, "counted: " + counted}
}

// tries returns "1 try from inside", "3 tries from inside".
func tries(n int) string {
	if n == 1 {
		return "1 try from inside"
	}
	return fmt.Sprintf("%d tries from inside", n)
}
