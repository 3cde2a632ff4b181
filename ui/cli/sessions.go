package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/look"
)

func sessionsCommand() *cobra.Command {
	c := verb("sessions", "List the sessions that are kept, and what became of each", 0, sessions, "lxd-allowlist sessions", "lxd-allowlist --resume SESSION dnstest")
	var older string
	var dry bool
	prune := verb("prune --older AGE", "Remove the sessions that nothing was added to for long", 0,
		func(context.Context, string) error { return pruneSessions(older, dry) },
		"lxd-allowlist sessions prune --older 30d --dry-run", "lxd-allowlist sessions prune --older 4w")
	prune.Flags().StringVar(&older, "older", "", "how long: an `age` such as 30d, 4w or 36h")
	prune.Flags().BoolVar(&dry, "dry-run", false, "remove nothing, and say what would be")
	c.AddCommand(prune, completes(verbs("rm SESSION...", "Remove sessions", 1, many, removeSessions, "lxd-allowlist sessions rm 20261123-211600-dnstest"), sessionNames))
	return c
}

func sessions(context.Context, string) error {
	all, err := session.List()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		dir, err := session.Dir()
		if err == nil {
			fmt.Fprintf(os.Stderr, "no session is kept in %s: lxd-allowlist INSTANCE, or lxd-allowlist record INSTANCE -- COMMAND, begins one\n", dir)
		}
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tLAST CHANGE\tAGE\tDOMAINS\tMARKS\tSUBJECT\tSTATE")
	for _, s := range all {
		s.Count()
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Name(), s.Modified.Format(time.DateTime), look.Age(time.Since(s.Modified)),
			s.Domains, s.Marks, s.Info.Subject(), s.State())
	}
	return w.Flush()
}

func removeSessions(_ context.Context, names []string) (err error) {
	for _, name := range names {
		if failed := session.Remove(name); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		fmt.Println("removed " + name)
	}
	return err
}

// pruneSessions removes what is older, less what is in use or can't be read,
// and says so of each.
func pruneSessions(older string, dry bool) error {
	age, err := capture.ParseAge(older)
	if err != nil {
		return wrong(fmt.Errorf("--older: %w", err))
	}
	all, err := session.List()
	if err != nil {
		return err
	}
	told := map[bool]string{false: "removed", true: "would remove"}[dry]
	n := 0
	var failed error
	for _, s := range all {
		since := time.Since(s.Modified)
		if since < age {
			continue
		}
		if s.Count(); s.Err != nil || s.InUse {
			fmt.Printf("left %s: %s\n", s.Name(), s.State())
			continue
		}
		if !dry {
			if err := session.Remove(s.Name()); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
		}
		n++
		fmt.Printf("%s %s: %s, %s of %s, %d marked, %s\n", told, s.Name(), s.Info.Subject(), look.Plural(s.Domains, "domain"), s.Modified.Format(time.DateOnly), s.Marks, s.State())
	}
	fmt.Printf("%s %d of %s\n", told, n, look.Plural(len(all), "session"))
	return failed
}
