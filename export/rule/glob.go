package rule

import "strings"

// maxGlobs is how many globs a pattern may become: one of two long numbers has
// sixteen.
const maxGlobs = 64

// Globs returns globs that together match the pattern's names, for matchers that
// know classes and neither repeats nor alternatives: one for each length of each
// number, [0-9] for each digit. There are none for a region, nor where they would
// be more than 64.
func (p Pattern) Globs() []string {
	globs, at := []string{""}, 0
	add := func(texts []string) {
		var longer []string
		for _, g := range globs {
			for _, t := range texts {
				longer = append(longer, g+t)
			}
		}
		globs = longer
	}
	for _, m := range openPart.FindAllStringSubmatchIndex(p.Text, -1) {
		if m[2] < 0 || len(globs) > maxGlobs {
			return nil
		}
		add([]string{p.Text[at:m[0]]})
		add(classes(m[3]-m[2], m[5]-m[4]))
		at = m[1]
	}
	if len(globs) > maxGlobs {
		return nil
	}
	add([]string{p.Text[at:]})
	return globs
}

// classes are globs for numbers of so many digits at least and at most.
func classes(least, most int) (all []string) {
	for n := least; n <= most; n++ {
		all = append(all, strings.Repeat("[0-9]", n))
	}
	return all
}
