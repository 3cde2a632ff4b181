package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Widths in cells: of help without a terminal, and what is still read well in one
// that is wider.
const (
	plainWidth = 80
	mostWidth  = 120
)

// widthOf returns how wide a text for a file may be that may be a terminal.
func widthOf(f *os.File, otherwise int) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return min(w, mostWidth)
	}
	return otherwise
}

// wrapped breaks a text between words into lines of at most so many cells. A
// longer word stays whole, to be copied.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// between and atLeast are of columns, in cells.
const (
	between = 2
	atLeast = 8
)

// columns writes rows of cells as columns, which take the whole width at most:
// the widest ones are wrapped within themselves. Of a cell of several lines,
// those that go on are indented.
func columns(to io.Writer, indent, width int, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			for line := range strings.SplitSeq(cell, "\n") {
				widths[i] = max(widths[i], ansi.StringWidth(line))
			}
		}
	}
	for room := width - indent - between*(len(widths)-1); sum(widths) > room; {
		widest := slices.Index(widths, slices.Max(widths))
		if widths[widest] <= atLeast {
			break
		}
		widths[widest]--
	}
	var b strings.Builder
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 0
		for i, cell := range row {
			for line := range strings.SplitSeq(cell, "\n") {
				lines := wrapped(line, widths[i])
				if strings.Contains(cell, "\n") && len(lines) > 1 {
					lines = append(lines[:1], wrapped(strings.Join(lines[1:], " "), widths[i]-between)...)
					for n := range lines[1:] {
						lines[1+n] = strings.Repeat(" ", between) + lines[1+n]
					}
				}
				cells[i] = append(cells[i], lines...)
			}
			height = max(height, len(cells[i]))
		}
		for n := range height {
			line := strings.Repeat(" ", indent)
			for i := range row {
				text := ""
				if n < len(cells[i]) {
					text = cells[i][n]
				}
				line += text + strings.Repeat(" ", max(0, widths[i]-ansi.StringWidth(text))+between)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

func sum(all []int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

// flagWords returns how a flag is written, "-h, --help" or "--output FILE", and
// what is said of it.
func flagWords(f *pflag.Flag) (written, says string) {
	value, says := pflag.UnquoteUsage(f)
	if !strings.Contains(value, "|") {
		value = strings.ToUpper(value)
	}
	written = strings.TrimSpace("--" + f.Name + " " + value)
	if f.Shorthand != "" {
		written = "-" + f.Shorthand + ", " + written
	}
	if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
		says += " (default " + strings.Trim(f.DefValue, "[]") + ")"
	}
	return written, says
}

// flagRows are the flags of a command, with what is said of each.
func flagRows(c *cobra.Command) (rows [][]string) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			written, says := flagWords(f)
			rows = append(rows, []string{written, says})
		}
	})
	return rows
}

// usage returns how a command is called: its flags stand before what may end
// with a command for an instance.
func usage(c *cobra.Command) string {
	_, takes, _ := strings.Cut(c.Use, " ")
	call := c.CommandPath()
	own := false
	c.LocalFlags().VisitAll(func(f *pflag.Flag) { own = own || f.Name != "help" })
	if own {
		call += " [flags]"
	}
	return strings.TrimSpace(call + " " + takes)
}

// example breaks a line of examples that is too long as a shell takes it.
func example(line string, width int) (lines []string) {
	command, comment, _ := strings.Cut(line, " # ")
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	if comment != "" {
		lines = append(lines, "# "+strings.TrimSpace(comment))
	}
	broken := wrapped(command, width-4) // for the indent and the backslash
	for i, part := range broken {
		if i > 0 {
			part = "  " + part
		}
		if i < len(broken)-1 {
			part += ` \`
		}
		lines = append(lines, part)
	}
	return lines
}

// help writes all about a command.
func help(c *cobra.Command, _ []string) {
	to, width := c.OutOrStdout(), widthOf(os.Stdout, plainWidth)
	const indent = 2
	print := func(title string, lines ...string) {
		if title != "" {
			fmt.Fprintf(to, "\n%s:\n", title)
		}
		for _, line := range lines {
			fmt.Fprintln(to, strings.Repeat(" ", indent)+line)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(cmp.Or(c.Long, c.Short)), "\n") {
		if !strings.HasPrefix(line, "\t") { // a command stays whole
			line = strings.Join(wrapped(line, width), "\n")
		}
		fmt.Fprintln(to, line)
	}
	calls := []string{usage(c)}
	if c.HasAvailableSubCommands() {
		calls = append(calls, c.CommandPath()+" COMMAND")
	}
	print("Usage", calls...)
	if c.Example != "" {
		var lines []string
		for line := range strings.SplitSeq(c.Example, "\n") {
			lines = append(lines, example(line, width-indent)...)
		}
		print("Examples", lines...)
	}
	var commands [][]string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			commands = append(commands, []string{sub.Name(), sub.Short})
		}
	}
	if len(commands) > 0 {
		print("Commands")
		_ = columns(to, indent, width, commands) // there is nobody else to be told
	}
	print("Flags")
	_ = columns(to, indent, width, flagRows(c))
}
