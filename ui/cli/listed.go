package cli

import (
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
)

// completeList gives a source that is a list already the suffixes that are asked
// for. It fails for what is asked for of a log's queries, of which a list has
// none.
func (o *options) completeList(list *rule.List, sources []string, suffixes []string, only capture.Only) error {
	name := strings.Join(sources, ", ")
	switch {
	case only != (capture.Only{}):
		return wrong(fmt.Errorf("%s is a list, which says neither who asked nor when: leave out --from, --since and --until", name))
	case o.filters != "":
		return wrong(fmt.Errorf("%s is a list, without an answer that the upstream gave: leave out --upstream-filters", name))
	}
	for _, suffix := range suffixes {
		r := rule.Rule{Name: suffix, Suffix: true, Source: string(capture.ByUser)}
		if !slices.ContainsFunc(list.Rules, func(o rule.Rule) bool { return r.Covers(o.Name) }) {
			say(fmt.Sprintf("--suffix %s: nothing of that is on %s; .%[1]s is on the new list all the same", suffix, name))
		}
		list.Rules = append(list.Rules, r)
	}
	if o.all { // which wants no rule applied
		return nil
	}
	return sayUnruled(name)
}

// sayUnruled says that the rules file, where there are any rules, changes nothing
// of a list: somebody has decided already what is on it.
func sayUnruled(list string) error {
	rules, err := session.LoadRules()
	if err == nil && len(rules) > 0 {
		say(fmt.Sprintf("%s is a list, and taken as it is: the rules file's %s hold for logs and sessions, and change nothing of it", list, look.Plural(len(rules), "rule")))
	}
	return err
}
