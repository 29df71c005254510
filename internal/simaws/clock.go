package simaws

import (
	"container/heap"
	"time"
)

// clock is simulated time. Only durations are divided by the speed; every
// timestamp on the wire is the real clock's. Nothing runs in the background:
// an event that is due is run when the next request comes (Sim.advance), in
// order of its due time, so the simulator needs no goroutine and works under
// testing/synctest.
type clock struct {
	now      func() time.Time
	speed    float64
	paused   bool
	pausedAt time.Time
	lost     time.Duration // time spent paused
	queue    eventQueue
	seq      int
	current  time.Time // the due time of the event that is running, else zero
}

type event struct {
	at  time.Time // on the clock without pauses
	seq int
	run func()
}

type eventQueue []*event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(*event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// elapsed is the clock that stands still while paused.
func (c *clock) elapsed() time.Time {
	if c.paused {
		return c.pausedAt.Add(-c.lost)
	}
	return c.now().Add(-c.lost)
}

// Now is the time to stamp on what happens now: the real clock's time, or the
// due time of the running event.
func (c *clock) Now() time.Time {
	if !c.current.IsZero() {
		return c.current.Add(c.lost).UTC()
	}
	return c.now().UTC()
}

// after runs f once d of simulated time has passed (d divided by the speed),
// counted from the running event or from now.
func (c *clock) after(d time.Duration, f func()) {
	from := c.current
	if from.IsZero() {
		from = c.elapsed()
	}
	c.seq++
	heap.Push(&c.queue, &event{at: from.Add(time.Duration(float64(d) / c.speed)), seq: c.seq, run: f})
}

// advance runs what is due.
func (c *clock) advance() {
	until := c.elapsed()
	for len(c.queue) > 0 && !c.queue[0].at.After(until) {
		e := heap.Pop(&c.queue).(*event)
		c.current = e.at
		e.run()
	}
	c.current = time.Time{}
}

// ago is the time to compare stamps with that are older than d of simulated time.
func (c *clock) ago(d time.Duration) time.Time {
	now := c.Now()
	if c.paused && c.current.IsZero() {
		now = c.pausedAt.UTC()
	}
	return now.Add(-time.Duration(float64(d) / c.speed))
}

// pause stops simulated time; resume lets it go on from there.
func (c *clock) pause() {
	if !c.paused {
		c.paused, c.pausedAt = true, c.now()
	}
}

// step stops simulated time, and moves it by so much.
func (c *clock) step(by time.Duration) {
	c.pause()
	c.pausedAt = c.pausedAt.Add(time.Duration(float64(by) / c.speed))
}

func (c *clock) resume() {
	if c.paused {
		c.lost += c.now().Sub(c.pausedAt)
		c.paused = false
	}
}
