// Package crash has the program end in order when one of its goroutines
// panics: the terminal and the bridge are others', and are given back whatever
// is wrong with the program. A panic that nobody catches ends a process at
// once, from whichever goroutine it comes.
package crash

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// ErrUnknown stands for what a goroutine was to tell when it panicked.
var ErrUnknown = errors.New("a fault of the program's own")

// Panic is a panic that was caught.
type Panic struct {
	Where string // the goroutine's name
	Value any
	Trace []byte
}

func (p *Panic) Error() string {
	return fmt.Sprintf("a fault of the program's own, in %s: %v", p.Where, p.Value)
}

var (
	mu    sync.Mutex
	first *Panic
	end   func(*Panic)
)

// Inject is called with a goroutine's name as it begins. Only tests set it, to
// panic.
var Inject = func(string) {}

// Ends sets what ends the program in order. It is called once, for the first
// panic, in the goroutine that had it, and must not wait. Where nothing is set,
// panics are not caught.
func Ends(f func(*Panic)) {
	mu.Lock()
	defer mu.Unlock()
	end = f
}

// Guarded returns f as a goroutine of that name: each goroutine of the program
// is one, so that its panic ends the program in order. last is called at its
// end, whatever that is: who waits for it isn't to wait for ever, and knows of
// its panic by [Err] then.
func Guarded(name string, f func(), last ...func()) func() {
	return func() {
		for _, f := range last {
			defer f()
		}
		defer Catch(name)
		Inject(name)
		f()
	}
}

// Catch catches the panic of the function that deferred it.
func Catch(name string) {
	mu.Lock()
	defer mu.Unlock()
	if end == nil {
		return
	}
	value := recover()
	if value == nil || first != nil {
		return
	}
	first = &Panic{name, value, debug.Stack()}
	end(first)
}

// Err returns the first panic that was caught, nil where there was none.
func Err() error {
	mu.Lock()
	defer mu.Unlock()
	if first == nil {
		return nil
	}
	return first
}
