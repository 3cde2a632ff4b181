package capture

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"lxd-allowlist/capture/crash"
)

const (
	// bulkRead is how much is read at once: it stays in the core's cache until
	// it is parsed.
	bulkRead = 256 << 10
	// minBulk is what a part must have to be worth a goroutine.
	minBulk = 8 << 20
	// bulkRest is left for the reader who follows the log to its end.
	bulkRest = 64 << 10
)

// FeedAt reads most of a large log, side by side on all cores, from offset
// begin on, where a line begins, up to size. The ledger is then as if [Ledger.Feed]
// had read it in one go. It returns where the rest begins, that is all of it
// for a log that isn't large. progress is told how many bytes were read.
func (l *Ledger) FeedAt(ctx context.Context, log io.ReaderAt, begin, size int64, at time.Time, stamps bool, progress func(int64)) (int64, error) {
	parts := min(int64(runtime.GOMAXPROCS(0)), (size-begin)/minBulk)
	if parts < 2 {
		return begin, nil
	}
	edges := []int64{begin}
	for i := int64(1); i <= parts; i++ {
		edge, err := afterLine(log, begin+(size-bulkRest-begin)*i/parts, size)
		if err != nil {
			return begin, err
		}
		edges = append(edges, edge)
	}
	err := l.feedParts(ctx, log, edges, at, stamps, progress)
	return edges[parts], err
}

// afterLine returns where the first line begins behind from, size if none
// does.
func afterLine(log io.ReaderAt, from, size int64) (int64, error) {
	buf := make([]byte, 4<<10)
	for ; from < size; from += int64(len(buf)) {
		n, err := log.ReadAt(buf[:min(int64(len(buf)), size-from)], from)
		if end := bytes.IndexByte(buf[:n], '\n'); end >= 0 {
			return from + int64(end) + 1, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
	}
	return size, nil
}

// feedParts reads the parts between the edges side by side: the first one into
// the ledger itself, the others apart, and then unites them with it.
func (l *Ledger) feedParts(ctx context.Context, log io.ReaderAt, edges []int64, at time.Time, stamps bool, progress func(int64)) error {
	parts := make([]*part, len(edges)-1) // but for the first
	errs := make([]error, len(parts))
	var reading sync.WaitGroup
	var read atomic.Int64
	for i := range parts {
		feed := l.Feed
		if i > 0 {
			parts[i] = l.newPart()
			feed = parts[i].feed
		}
		reading.Go(crash.Guarded("a part of the log", func() {
			in := io.NewSectionReader(log, edges[i], edges[i+1]-edges[i])
			errs[i] = readAll(ctx, in, func(data []byte) {
				feed(data, at, stamps)
				progress(read.Add(int64(len(data))))
			})
		}))
	}
	reading.Wait()
	for i, p := range parts {
		if i > 0 {
			l.unite(p, at, stamps)
			parts[i] = nil // it is as large as the ledger
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}

func readAll(ctx context.Context, in *io.SectionReader, feed func([]byte)) error {
	buf := make([]byte, bulkRead)
	for left := in.Size(); left > 0; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := in.Read(buf)
		feed(buf[:n])
		left -= int64(n)
		if err == io.EOF && left > 0 {
			return io.ErrUnexpectedEOF // the log was truncated
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}
