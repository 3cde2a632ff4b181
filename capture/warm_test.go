package capture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"lxd-allowlist/parse"
)

// warmFrom has a ledger warm up from so many records on.
func warmFrom(t *testing.T, records int) {
	was := manyRecords
	manyRecords = records
	t.Cleanup(func() { manyRecords = was })
}

// What is looked for in batches is found as what is looked for by itself, also
// where the table of names grows within a batch.
func TestWarmReference(t *testing.T) {
	warmFrom(t, 0)
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 13))
		agree(t, strangeLog(rng, rng.IntN(200)), 1+rng.Int64N(3000))
	}
	rng := rand.New(rand.NewPCG(1, 14))
	var log bytes.Buffer
	for range 10_000 {
		fmt.Fprintf(&log, "query[A] n%d.example from 10.0.0.7\nreply n%[1]d.example is 10.1.2.%d\n", rng.IntN(3000), rng.IntN(20))
	}
	agree(t, log.Bytes(), 20_000)
}

// Names with one hash are told apart.
func TestNamesOfOneHash(t *testing.T) {
	warmFrom(t, 0)
	l := NewLedger(Info{})
	ask := func(name string) {
		b := block{names: []byte(name), lines: []line{{
			kind: parse.Query, hash: 7, nameLen: uint16(len(name)), queryType: 1, client: 10<<24 + 1, clientIPv4: true,
		}}}
		l.takes(&b)
	}
	for range 3 {
		for _, name := range []string{"a.example", "b.example", "c.example"} {
			ask(name)
		}
	}
	l.Read(func(r Reader) {
		if r.Len() != 3 {
			t.Fatalf("%d names", r.Len())
		}
		for id := range ID(3) {
			if d := r.Domain(id); d.Queries != 3 || d.Name != string('a'+rune(id))+".example" {
				t.Errorf("%s was asked for %d times", d.Name, d.Queries)
			}
		}
	})
}
