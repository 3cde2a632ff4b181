package output

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// told is how many names, or formats, a line names before nobody reads on.
const told = 8

// leftOut are names that reach no file, or not those of some formats, all for
// one reason.
type leftOut struct {
	names   []string // quoted, for they are what no list can hold
	targets []string // the formats, none for all
	reason  string
}

// sayLeftOut says how many names reach no file, or not all files, and why: a
// line for each reason that the same names are left out for.
func sayLeftOut(w io.Writer, files []file) {
	all := make(map[string]bool)
	var groups []*leftOut
	for _, f := range files {
		for _, g := range f.leftOut() {
			for _, name := range g.names {
				all[name] = true
			}
			i := slices.IndexFunc(groups, func(o *leftOut) bool {
				return o.reason == g.reason && slices.Equal(o.names, g.names) && (len(o.targets) == 0) == (len(g.targets) == 0)
			})
			if i < 0 {
				groups = append(groups, g)
			} else {
				groups[i].targets = append(groups[i].targets, g.targets...)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "%sleft out %s:\n", said, count(len(all), "name"))
	for _, g := range groups {
		fmt.Fprintf(w, "  %s\n", g)
	}
}

// leftOut returns what the file leaves out, by target and reason.
func (f file) leftOut() (groups []*leftOut) {
	type key struct{ target, reason string }
	at, listed := make(map[key]*leftOut), make(map[rule.Refused]bool)
	for _, r := range f.Refused {
		k := key{r.Target, r.Reason}
		g := at[k]
		if g == nil {
			g = &leftOut{reason: r.Reason}
			if r.Target != "" {
				g.targets = []string{r.Target}
			}
			at[k] = g
			groups = append(groups, g)
		}
		once := rule.Refused{Rule: rule.Rule{Name: r.Rule.Name}, Target: r.Target, Reason: r.Reason}
		if !listed[once] {
			g.names = append(g.names, strconv.Quote(r.Rule.Name))
		}
		listed[once] = true
	}
	return groups
}

func (g *leftOut) String() string {
	each := " "
	if len(g.names) > 1 {
		each = ": each "
	}
	if len(g.targets) == 0 {
		return enough(g.names) + each + g.reason
	}
	return enough(g.names) + each + "has no place in " + enough(g.targets) + ": " + g.reason
}

// enough joins the first words and counts the others.
func enough(words []string) string {
	if more := len(words) - told; more > 1 {
		words = append(words[:told:told], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}
