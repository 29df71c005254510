package fanout

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestOrderedKeepsInputOrderWithinTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		var got []int
		for item, result := range Ordered(t.Context(), numbers(500), 8, func(_ context.Context, i int) int {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Duration((i*7919)%50) * time.Millisecond)
			running.Add(-1)
			return i * i
		}) {
			if result != item*item {
				t.Fatalf("item %d has the result %d", item, result)
			}
			got = append(got, item)
		}
		for i, item := range got {
			if i != item {
				t.Fatalf("place %d holds item %d", i, item)
			}
		}
		if len(got) != 500 || most.Load() > 8 || most.Load() < 2 {
			t.Errorf("%d items, %d at a time", len(got), most.Load())
		}
	})
}

func TestOrderedGivesEveryItemAResultAfterCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done, gaps := 0, 0
		for i, err := range Ordered(ctx, numbers(100), 4, func(ctx context.Context, i int) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}) {
			if i == 10 {
				cancel()
			}
			if done++; err != nil {
				gaps++
			}
		}
		if done != 100 || gaps == 0 || gaps == 100 {
			t.Errorf("%d results, %d of them cancelled", done, gaps)
		}
	})
}

// A slow first item holds the others back: results wait in memory, four times the
// limit at most.
func TestOrderedBoundsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var finished atomic.Int32
		first := make(chan struct{})
		next := make(chan int32, 1)
		go func() {
			time.Sleep(time.Hour)
			next <- finished.Load()
			close(first)
		}()
		for range Ordered(t.Context(), numbers(1000), 5, func(_ context.Context, i int) int {
			if i == 0 {
				<-first
			}
			finished.Add(1)
			return i
		}) {
		}
		if ahead := <-next; ahead > 20 {
			t.Errorf("%d results waited behind a slow one", ahead)
		}
	})
}

// synctest fails the test when a goroutine is left behind.
func TestOrderedStopsEarlyWithoutALeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for i := range Ordered(t.Context(), numbers(1000), 7, func(ctx context.Context, i int) int {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return i
		}) {
			if i == 3 {
				break
			}
		}
	})
}

func TestOrderedOfNothing(t *testing.T) {
	for range Ordered(t.Context(), nil, 0, func(context.Context, int) int { return 0 }) {
		t.Error("a result of nothing")
	}
}
