package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// manCommand prints the man page, which make install puts in its place.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Print the man page", Example: "lxd-allowlist man > lxd-allowlist.1", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var b strings.Builder
			man(&b, c.Root())
			_, err := io.WriteString(os.Stdout, b.String())
			return err
		},
	}
}

// roffed has roff print a text as it is.
var roffed = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "\n.", "\n\\&.")

// man writes the man page, in roff's macros for these.
func man(to io.Writer, root *cobra.Command) {
	line := func(macro, text string) { fmt.Fprintln(to, strings.TrimSpace(macro+" "+roffed.Replace(text))) }
	text := func(c *cobra.Command) {
		for i, paragraph := range strings.Split(strings.TrimSpace(cmp.Or(c.Long, c.Short)), "\n\n") {
			if i > 0 {
				line(".PP", "")
			}
			line("", paragraph)
		}
	}
	flags := func(c *cobra.Command) {
		for _, row := range flagRows(c) {
			line(".TP", "")
			line(".B", row[0])
			line("", row[1])
		}
	}
	examples := func(c *cobra.Command) {
		line(".PP", "")
		line(".nf", "")
		line("", c.Example)
		line(".fi", "")
	}
	fmt.Fprintf(to, ".TH LXD-ALLOWLIST 1 \"\" \"%s\" \"User Commands\"\n", roffed.Replace(program()))
	line(".SH", "NAME")
	line("", root.Name()+" - "+strings.ToLower(root.Short[:1])+root.Short[1:])
	line(".SH", "SYNOPSIS")
	line(".B", usage(root))
	line(".br", "")
	line(".B", root.Name()+" COMMAND")
	line(".SH", "DESCRIPTION")
	text(root)
	line(".SH", "OPTIONS")
	flags(root)
	line(".SH", "COMMANDS")
	var all func(*cobra.Command)
	all = func(above *cobra.Command) {
		for _, c := range above.Commands() {
			if !c.IsAvailableCommand() {
				continue
			}
			_, called, _ := strings.Cut(usage(c), " ")
			line(".SS", called)
			if c.Name() == "completion" { // which explains itself for each shell
				line("", c.Short+": bash, zsh, fish or powershell.")
				continue
			}
			text(c)
			flags(c)
			examples(c)
			all(c)
		}
	}
	all(root)
	line(".SH", "EXAMPLES")
	examples(root)
}
