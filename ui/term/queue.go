package term

import (
	"io"
	"sync"
)

// queue carries bytes from one goroutine to another.
type queue struct {
	mu     sync.Mutex
	moved  sync.Cond // something was put, taken or closed
	buf    []byte
	busy   bool // what was taken is still being worked on
	closed bool
}

func newQueue() *queue {
	q := new(queue)
	q.moved.L = &q.mu
	return q
}

// offer puts all of p or nothing, at once. It says whether there was room.
func (q *queue) offer(p []byte, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.buf)+len(p) > limit {
		return false
	}
	q.buf = append(q.buf, p...)
	q.moved.Broadcast()
	return true
}

// put puts all of p and waits for room, up to the limit, as often as it must.
func (q *queue) put(p []byte, limit int) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	done := 0
	for done < len(p) {
		for len(q.buf) >= limit && !q.closed {
			q.moved.Wait()
		}
		if q.closed {
			return done, io.ErrClosedPipe
		}
		n := min(len(p)-done, limit-len(q.buf))
		q.buf = append(q.buf, p[done:done+n]...)
		done += n
		q.moved.Broadcast()
	}
	return done, nil
}

// take waits for bytes and exchanges all of them for spare, whose room is used
// again. It returns nil when the queue is closed and empty.
func (q *queue) take(spare []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	q.moved.Broadcast()
	for len(q.buf) == 0 {
		if q.closed {
			return nil
		}
		q.moved.Wait()
	}
	taken := q.buf
	q.buf = spare[:0]
	q.busy = true
	q.moved.Broadcast()
	return taken
}

// drain waits until all that was put has been taken and worked on.
func (q *queue) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.buf) > 0 || q.busy {
		q.moved.Wait()
	}
}

// Read waits for bytes; it ends with io.EOF when the queue is closed and empty.
func (q *queue) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.buf) == 0 {
		if q.closed {
			return 0, io.EOF
		}
		q.moved.Wait()
	}
	n := copy(p, q.buf)
	q.buf = append(q.buf[:0], q.buf[n:]...)
	q.moved.Broadcast()
	return n, nil
}

func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.moved.Broadcast()
}
