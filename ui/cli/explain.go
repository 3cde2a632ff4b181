package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/explain"
	"lxd-allowlist/export/output"
	"lxd-allowlist/export/rule/known"
)

func formats(_ context.Context, name string) error {
	if name == "" {
		return output.ListFormats(os.Stdout)
	}
	f, err := output.Describable(name)
	if err != nil {
		return wrong(err)
	}
	return output.Describe(os.Stdout, f)
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

// explainNames explains all names, or none if one isn't a name.
func explainNames(_ context.Context, texts []string) error {
	var names []string
	for _, text := range texts {
		name, err := explain.Name(text)
		if err != nil {
			return wrong(err)
		}
		names = append(names, name)
	}
	lists, err := lists()
	if err != nil {
		return err
	}
	var lines []string
	for _, name := range names {
		lines = append(lines, explain.Lines(name, lists)...)
	}
	_, err = fmt.Println(strings.Join(lines, "\n"))
	return err
}
