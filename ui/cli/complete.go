package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/look"
)

// askPatience bounds how long a key in the user's shell may wait for LXD.
const askPatience = 3 * time.Second

// completion returns the words that may stand where the user is, with what is
// said of each behind a tab; files says that one of the user's files may, too.
type completion func(ctx context.Context, typed string) (words []string, files bool)

// completes has the first arguments completed, each by its own completion, the
// last of them for all that follow.
func completes(c *cobra.Command, of ...completion) *cobra.Command {
	c.ValidArgsFunction = func(c *cobra.Command, before []string, typed string) ([]string, cobra.ShellCompDirective) {
		at := len(before)
		if at >= len(of) && !strings.Contains(c.Use, "...") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return of[min(at, len(of)-1)].answer(c.Context(), typed)
	}
	return c
}

// completesFlags has flags completed by what their values are.
func completesFlags(c *cobra.Command) {
	for flag, of := range map[string]completion{"network": networkNames, "launch": imageNames, "resume": sessionNames, "format": formatNames} {
		if c.Flags().Lookup(flag) == nil {
			continue
		}
		err := c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return of.answer(c.Context(), typed)
		})
		if err != nil { // the flag is there, and once
			panic(err)
		}
	}
}

func (of completion) answer(ctx context.Context, typed string) ([]string, cobra.ShellCompDirective) {
	if ctx == nil {
		ctx = context.Background()
	}
	all, files := of(ctx, typed)
	words := slices.DeleteFunc(all, func(w string) bool { return !strings.HasPrefix(w, typed) })
	switch {
	case files:
		return words, cobra.ShellCompDirectiveDefault
	case slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, ":") }):
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// asked asks the LXD that is named in front of what was typed. One that
// doesn't answer has nothing to offer: there is no place for an error.
func asked(ctx context.Context, typed string, ask func(context.Context, *lxd.Server) []string) (words []string) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	remote, _ := lxd.SplitTarget(typed)
	server, err := lxd.Connect(ctx, remote)
	if err != nil {
		return nil
	}
	defer server.Close()
	for _, word := range ask(ctx, server) {
		if strings.Contains(typed, ":") {
			word = remote + ":" + word
		}
		words = append(words, word)
	}
	return words
}

// described joins a word with what is said of it.
func described(word, about string) string { return word + "\t" + about }

func instanceNames(ctx context.Context, typed string) ([]string, bool) {
	return asked(ctx, typed, func(ctx context.Context, s *lxd.Server) (words []string) {
		all, _ := s.Instances(ctx)
		for _, i := range all {
			about := strings.ToLower(i.Status)
			if nic, err := i.Watchable(""); err == nil {
				about += " on " + nic.Network
			}
			words = append(words, described(i.Name, about))
		}
		return words
	}), false
}

func networkNames(ctx context.Context, typed string) ([]string, bool) {
	return asked(ctx, typed, func(ctx context.Context, s *lxd.Server) []string {
		names, _ := s.Bridges(ctx)
		return names
	}), false
}

// imageNames are the server's own images, and the remotes that others come
// from, whose aliases are too many to be asked for.
func imageNames(ctx context.Context, typed string) ([]string, bool) {
	if strings.Contains(typed, ":") {
		return nil, false
	}
	return asked(ctx, typed, func(ctx context.Context, s *lxd.Server) (words []string) {
		images, _ := s.Images(ctx)
		for _, i := range images {
			words = append(words, described(i.Name, i.Description))
		}
		for _, remote := range s.Remotes() {
			words = append(words, remote+":")
		}
		return words
	}), false
}

func sessionNames(context.Context, string) (words []string, files bool) {
	all, _ := session.List()
	for _, s := range all {
		about := look.Ago(time.Since(s.Modified))
		if s.Killed {
			about = "killed " + about
		}
		words = append(words, described(s.Name(), s.Info.Subject()+", "+about))
	}
	return words, false
}

// sources are sessions, and files.
func sources(ctx context.Context, typed string) ([]string, bool) {
	words, _ := sessionNames(ctx, typed)
	return words, true
}

// files alone are what stands in a command for an instance.
func files(context.Context, string) ([]string, bool) { return nil, true }

// formatNames completes the last one of several with commas between them.
func formatNames(_ context.Context, typed string) (words []string, files bool) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	for _, f := range export.Formats() {
		words = append(words, described(before+f.Name, f.Title))
	}
	return words, false
}
