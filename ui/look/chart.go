package look

import "strings"

// Chart draws numbers as bars, a cell each, the highest of them full.
func Chart(values []uint64) string {
	most := uint64(1)
	for _, v := range values {
		most = max(most, v)
	}
	const bars = "▁▂▃▄▅▆▇█"
	var b strings.Builder
	for _, v := range values {
		i := 0
		if v > 0 {
			i = 1 + int(v*6/most)
		}
		b.WriteString(string([]rune(bars)[i]))
	}
	return b.String()
}

// Progress draws how much of a whole is done as a bar of w cells: it is full
// only when all is, and empty only when nothing is.
func Progress(done, total, w int) string {
	full := 0
	if total > 0 {
		full = done * w / total
		if done > 0 {
			full = max(1, full)
		}
	}
	return strings.Repeat("▓", full) + strings.Repeat("░", w-full)
}
