package export

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lifted is a document of YAML with the items of its one long list.
type lifted[T, I any] struct {
	doc   T
	items []I
}

// longList says how the long list of a document is written, so that it need not
// go through the parser, which takes ten times as long.
type longList[T any, I comparable] struct {
	before   string                      // the line that the list begins below, whole
	item     func(line string) (I, bool) // reads a line that is one item, whole
	stand    string                      // such a line with [standIn], for the parser to see in their place
	numbered string                      // what a line begins with that ends in a number which nobody asks for; "" for none
	of       func(*T) *[]I               // the list of a document that was parsed, nil for none
}

// standIn is a name that stands for those of a list.
const standIn = "Lifted-Names"

// read reads all documents of a file strictly, as yamlDocuments does.
func (l longList[T, I]) read(data []byte) ([]lifted[T, I], error) {
	if all, ok := l.lift(data); ok {
		return all, nil
	}
	docs, err := yamlDocuments[T](data)
	all := make([]lifted[T, I], len(docs))
	for i, doc := range docs {
		all[i] = l.whole(doc)
	}
	return all, err
}

// one reads a file of one document.
func (l longList[T, I]) one(data []byte) (none lifted[T, I], err error) {
	all, err := l.read(data)
	switch {
	case err != nil:
		return none, err
	case len(all) != 1:
		return none, errNotOne
	}
	return all[0], nil
}

func (l longList[T, I]) whole(doc T) lifted[T, I] {
	one := lifted[T, I]{doc: doc}
	if items := l.of(&doc); items != nil {
		one.items = *items
	}
	return one
}

// lift has the parser read each document with one item in place of all that stand
// in a line each below the line before, and equal documents once. It is not ok
// unless the parser finds that very item to be all of the list: whatever else the
// lines may have been, one alone means in their place what each of them does.
func (l longList[T, I]) lift(data []byte) (all []lifted[T, I], ok bool) {
	if bytes.Contains(data, []byte(standIn)) {
		return nil, false
	}
	stands, _ := l.item(l.stand)
	docs := bytes.Count(data, []byte("\n---\n")) + 1
	room := lineCount(data) / docs // of most documents' items
	all = make([]lifted[T, I], 0, docs)
	parsed := make(map[string]T)
	var rest []byte // of the document, without its items
	items := make([]I, 0, room)
	end := func() bool {
		doc, known := parsed[string(rest)]
		if !known {
			docs, err := yamlDocuments[T](rest)
			if err != nil || len(docs) != 1 {
				return false
			}
			doc = docs[0]
			if found := l.of(&doc); len(items) > 0 && (found == nil || len(*found) != 1 || (*found)[0] != stands) {
				return false
			}
			parsed[string(rest)] = doc
		}
		if len(items) > 0 {
			all = append(all, lifted[T, I]{doc, items})
		} else {
			all = append(all, l.whole(doc))
		}
		rest, items = rest[:0], make([]I, 0, room)
		return true
	}
	const (
		outside = iota // of the list
		begun
		inside
		behind
	)
	where := outside
	for line := range strings.Lines(textOf(data)) {
		bare := strings.TrimSuffix(line, "\n")
		var item I
		is := where == begun || where == inside
		if is {
			item, is = l.item(bare)
		}
		switch {
		case bare == "---":
			if !end() {
				return nil, false
			}
			where = outside
		case where == outside && bare == l.before:
			where = begun
		case where != begun && where != inside:
		case is:
			if where == begun {
				rest = append(append(rest, l.stand...), '\n')
			}
			where = inside
			items = append(items, item)
			continue
		case isComment(bare):
			continue
		default:
			where = behind
		}
		if l.numbered != "" {
			if number, is := strings.CutPrefix(bare, l.numbered); is && number != "" && strings.Trim(number, "0123456789") == "" {
				line = l.numbered + "0\n"
			}
		}
		rest = append(rest, line...)
	}
	return all, end()
}

// isComment reports whether a line is a comment of nothing but what is printed: the
// parser ends one at Unicode's line breaks, too, and takes no control characters.
func isComment(line string) bool {
	return strings.HasPrefix(strings.TrimLeft(line, " "), "#") && (isPrintableASCII(line) || utf8.ValidString(line) && OneLine(line) == strings.TrimSpace(line))
}

// quotedItem returns what reads a line with a quoted name between these words.
func quotedItem(before, after string) func(line string) (string, bool) {
	before, after = before+`"`, `"`+after
	return func(line string) (string, bool) {
		name, ok := between(line, before, after)
		return name, ok && isPlain(name)
	}
}

// isPlain reports whether a text is of the characters of names and their wildcards
// alone, which mean themselves in a quoted string.
func isPlain(text string) bool {
	for i := range len(text) {
		if !isPlainByte[text[i]] {
			return false
		}
	}
	return true
}

var isPlainByte = func() (is [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*" {
		is[c] = true
	}
	return is
}()
