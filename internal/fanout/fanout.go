// Package fanout runs bounded parallel work and hands the results back in input
// order.
package fanout

import (
	"context"
	"iter"
	"sync"
)

// Ordered calls fn for every item, at most limit at a time, and yields each item
// with its result in input order. Every item has a result, also after ctx is
// cancelled: fn is called with the cancelled ctx and says so in its result. At
// most four times limit results wait for a slow item, so memory is bounded for
// any number of items. Stopping the loop early cancels the ctx that fn sees and
// waits for the calls under way.
func Ordered[T, R any](ctx context.Context, items []T, limit int, fn func(context.Context, T) R) iter.Seq2[T, R] {
	return func(yield func(T, R) bool) {
		if limit < 1 {
			limit = 1
		}
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		// slots[i%window] carries the result of item i; window bounds how far
		// the workers run ahead of the reader.
		window := min(4*limit, max(len(items), 1))
		slots := make([]chan R, window)
		for i := range slots {
			slots[i] = make(chan R, 1)
		}
		ahead := make(chan struct{}, window)
		next := make(chan int)
		stop := make(chan struct{})
		defer close(stop)

		workers.Go(func() {
			defer close(next)
			for i := range items {
				select {
				case ahead <- struct{}{}:
				case <-stop:
					return
				}
				select {
				case next <- i:
				case <-stop:
					return
				}
			}
		})
		for range min(limit, len(items)) {
			workers.Go(func() {
				for i := range next {
					slots[i%window] <- fn(ctx, items[i])
				}
			})
		}
		for i, item := range items {
			r := <-slots[i%window]
			<-ahead
			if !yield(item, r) {
				return
			}
		}
	}
}

// Each is Ordered without results.
func Each[T any](ctx context.Context, items []T, limit int, fn func(context.Context, T)) {
	for range Ordered(ctx, items, limit, func(ctx context.Context, t T) struct{} { fn(ctx, t); return struct{}{} }) {
	}
}
