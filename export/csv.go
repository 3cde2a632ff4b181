package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

var csvFormat = Format{
	evidence:  true,
	Name:      "csv",
	Title:     "a table for spreadsheets (CSV)",
	Extension: "csv",
	Exact:     "kind exact",
	Suffix:    "kind suffix",
	Address:   `kind address`,
	Pattern:   `kind pattern`,
	Load:      "open it in a spreadsheet; a cell that would be a formula begins with '",
	Proven:    "read back with encoding/csv",
	encode:    encodeCSV,
	decode:    decodeCSV,
}

var csvColumns = []string{"name", "kind", "decision-reason", "source", "queries", "types", "result", "instances", "first", "last", "programs", "ports", "servers", "seen"}

// unwitnessed is how many columns there are before those of a witness, which
// files of earlier versions don't have.
const unwitnessed = 10

func encodeCSV(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(csvColumns)
	row := make([]string, len(csvColumns))
	for _, r := range c.Rules() {
		row[0], row[1], row[2], row[3] = r.Name, r.Kind(), r.Reason, r.Source
		clear(row[4:])
		if s := r.Seen; s != nil {
			copy(row[4:], seenCells(s))
		}
		for i := range row {
			row[i] = cell(row[i])
		}
		w.Write(row)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// seenCells are what was seen, from the queries on.
func seenCells(s *rule.Seen) []string {
	var programs []string
	for _, p := range s.Programs {
		programs = append(programs, joined.Replace(p))
	}
	return []string{
		strconv.FormatUint(s.Queries, 10), strings.Join(s.Types, " "), s.Outcome, strings.Join(s.Instances, " "), stamp(s.First), stamp(s.Last),
		strings.Join(programs, " "), words(s.Ports), strings.Join(s.Servers, " "), watchedWord(s),
	}
}

// joined makes one word of a path, and parted a path of that.
var (
	joined = strings.NewReplacer("%", "%25", " ", "%20")
	parted = strings.NewReplacer("%25", "%", "%20", " ")
)

// watchedWord says how far the connections are known.
func watchedWord(s *rule.Seen) string {
	switch {
	case s.Unused:
		return "only resolved"
	case s.Watched:
		return "watched"
	}
	return ""
}

// formulas is what one begins with.
const formulas = "=+-@"

// cell guards what a spreadsheet would compute. encoding/csv quotes, but a
// quoted formula is still one.
func cell(text string) string {
	text = OneLine(text)
	if text != "" && strings.ContainsRune(formulas, rune(text[0])) {
		return "'" + text
	}
	return text
}

func decodeCSV(data []byte) ([]rule.Rule, error) {
	in := csv.NewReader(bytes.NewReader(data))
	in.ReuseRecord = true
	row, err := in.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !slices.Equal(row, csvColumns) && !slices.Equal(row, csvColumns[:unwitnessed]) {
		return nil, errors.New("the first row is not that of the columns")
	}
	rules := make([]rule.Rule, 0, lineCount(data))
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rules, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range row {
			row[i] = uncell(row[i])
		}
		r, err := ruleOf(row[0], row[1])
		if err != nil {
			return nil, err
		}
		r.Reason, r.Source = row[2], row[3]
		if r.Seen, err = readSeen(row[4:]); err != nil {
			return nil, fmt.Errorf("%q: %w", r.Name, err)
		}
		rules = append(rules, r)
	}
}

// readSeen reads the cells from the queries on; without queries nothing was
// seen.
func readSeen(cells []string) (*rule.Seen, error) {
	if cells[0] == "" {
		return nil, nil
	}
	queries, err := strconv.ParseUint(cells[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("it was queried %q times", cells[0])
	}
	s := &rule.Seen{Queries: queries, Types: strings.Fields(cells[1]), Outcome: cells[2], Instances: strings.Fields(cells[3]), First: unstamp(cells[4]), Last: unstamp(cells[5])}
	if len(cells) == 6 {
		return s, nil
	}
	s.Programs, s.Servers = strings.Fields(cells[6]), strings.Fields(cells[8])
	for i, p := range s.Programs {
		s.Programs[i] = parted.Replace(p)
	}
	s.Unused = cells[9] == "only resolved"
	s.Watched = s.Unused || cells[9] == "watched"
	s.Ports, err = parsePorts(strings.Fields(cells[7]))
	return s, err
}

// uncell reads what cell wrote.
func uncell(text string) string {
	if bare, guarded := strings.CutPrefix(text, "'"); guarded && bare != "" && strings.ContainsRune(formulas, rune(bare[0])) {
		return bare
	}
	return text
}
