package session

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"lxd-allowlist/capture"
)

// appendDomain appends an entry that is a domain as [json.Marshal] writes it, see
// [domains]; ok is false for none, and for one in which anything needs an escape or
// can't be written.
func appendDomain(to []byte, r *capture.Record) (_ []byte, ok bool) {
	if r == nil {
		return to, false
	}
	w := pen{text: append(to, `{"domain":{"name":`...)}
	w.quote(r.Name)
	w.number(`,"queries":`, uint64(r.Queries))
	w.moment(`,"first":`, r.First)
	w.moment(`,"last":`, r.Last)
	var few [8]string
	kinds := slices.AppendSeq(few[:0], maps.Keys(r.Types))
	slices.Sort(kinds)
	before := `,"types":{`
	for _, kind := range kinds {
		w.put(before)
		w.quote(kind)
		w.put(":")
		w.text = strconv.AppendUint(w.text, uint64(r.Types[kind]), 10)
		before = ","
	}
	w.close(len(kinds), "}")
	w.number(`,"denied":`, uint64(r.Denied))
	if r.Unlisted {
		w.put(`,"unlisted":true`)
	}
	w.number(`,"outcomes":`, uint64(r.Outcomes))
	w.number(`,"origins":`, uint64(r.Origins))
	if r.Blocker != "" {
		w.put(`,"blocker":`)
		w.quote(r.Blocker)
	}
	before = `,"addresses":["`
	for _, a := range r.Addresses {
		w.put(before)
		begin := len(w.text)
		var err error
		w.text, err = a.AppendText(w.text)
		w.wrong = w.wrong || err != nil || !plain(w.text[begin:])
		before = `","`
	}
	w.close(len(r.Addresses), `"]`)
	w.list(`,"chain":[`, r.Chain)
	w.list(`,"clients":[`, r.Clients)
	w.put("}}")
	return w.text, !w.wrong
}

// pen writes JSON until something needs more than it can, from where on it is
// wrong.
type pen struct {
	text  []byte
	wrong bool
}

func (w *pen) put(text string) { w.text = append(w.text, text...) }

// quote writes a string.
func (w *pen) quote(text string) {
	w.wrong = w.wrong || !plain(text)
	w.text = append(append(append(w.text, '"'), text...), '"')
}

// plain reports whether encoding/json writes a string as it is.
func plain[T string | []byte](text T) bool {
	for i := range len(text) {
		switch b := text[i]; {
		case b < ' ' || b > '~', b == '"', b == '\\', b == '<', b == '>', b == '&':
			return false
		}
	}
	return true
}

// number writes a number behind its key, unless it is 0.
func (w *pen) number(key string, n uint64) {
	if n > 0 {
		w.put(key)
		w.text = strconv.AppendUint(w.text, n, 10)
	}
}

// moment writes a time behind its key.
func (w *pen) moment(key string, t time.Time) {
	var err error
	w.put(key)
	w.text, err = t.AppendText(append(w.text, '"'))
	w.put(`"`)
	w.wrong = w.wrong || err != nil
}

// list writes strings behind their key, unless there are none.
func (w *pen) list(key string, texts []string) {
	for _, text := range texts {
		w.put(key)
		w.quote(text)
		key = ","
	}
	w.close(len(texts), "]")
}

// close ends what has n parts, unless these are none.
func (w *pen) close(n int, end string) {
	if n > 0 {
		w.put(end)
	}
}
