package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/export/explain"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/export/rule/known"
)

func formats(_ context.Context, name string) error {
	width := widthOf(os.Stdout, math.MaxInt) // what reads a pipe wants whole lines
	if name == "" {
		return columns(os.Stdout, 0, width, output.FormatTable())
	}
	f, err := output.Describable(name)
	if err != nil {
		return wrong(err)
	}
	fmt.Printf("%s\n", strings.Join(wrapped(f.Name+": "+f.Title, width), "\n"))
	err = columns(os.Stdout, 2, width, output.Description(f))
	if err == nil && !f.ReadsBack() {
		_, err = fmt.Print("\n" + export.TemplateUsage)
	}
	return err
}

// lists reads the user's lists of names. What is wrong with them is said.
func lists() (*known.Lists, error) {
	dir, err := session.ListsPath()
	if err != nil {
		return nil, err
	}
	all, err := known.LoadLists(os.DirFS(dir))
	if err != nil {
		for one := range strings.SplitSeq(err.Error(), "\n") {
			say(one)
		}
	}
	return all, nil
}

// explainNames explains all names and patterns, or none if one is neither. A
// rules file that can't be read is said, and stops nothing.
func explainNames(_ context.Context, texts []string) error {
	names := slices.Clone(texts)
	for i, text := range texts {
		if _, is := rule.ParsePattern(text); is {
			continue
		}
		name, err := explain.Name(text)
		if err != nil {
			return wrong(err)
		}
		names[i] = name
	}
	lists, err := lists()
	if err != nil {
		return err
	}
	rules, err := session.LoadRules()
	if err != nil {
		say(err.Error() + "; which pattern keeps a name is not known")
	}
	var lines []string
	for _, name := range names {
		if p, is := rule.ParsePattern(name); is {
			lines = append(lines, explain.Pattern(p)...)
		} else {
			lines = append(lines, explain.Lines(name, lists, capture.KeptByPattern(rules, name))...)
		}
	}
	_, err = fmt.Println(strings.Join(lines, "\n"))
	return err
}
