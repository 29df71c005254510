package reports

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollout/internal/awsapi"
)

// waiting is one run of Settle. Everything but the polls themselves happens in
// one goroutine.
type waiting struct {
	in       SettleInput
	sessions *Sessions
	asking   *Sessions // in which evaluations are started
	emitter  func(Event)
	queue    placeQueue
	total    int
	started  time.Time
	told     time.Time
	reasons  map[string]int // places by what is waited for
	result   SettleResult
}

func newWaiting(s *awsapi.Session, in SettleInput, emit func(Event)) *waiting {
	w := &waiting{in: in, sessions: in.Sessions, asking: newSessions(s, true, EvaluatePolicy), emitter: emit, started: time.Now(), reasons: map[string]int{}}
	if w.sessions == nil {
		w.sessions = NewSessions(s)
	}
	for _, p := range placesToSettle(in) {
		p.next = w.started.Add(pause(0))
		p.why = "not asked yet"
		w.reasons[p.why]++
		w.queue = append(w.queue, p)
	}
	w.total = len(w.queue)
	return w
}

func (w *waiting) emit(e Event) {
	if w.emitter != nil {
		w.emitter(e)
	}
}

// polled is the answer of one poll.
type polled struct {
	place   *settlePlace
	settled bool
	leftOut string // why it can never settle
	later   string // why the verdict of what was remediated comes later
	why     string // what is waited for
}

// run polls until nothing is waited for, the time is up or the context ends.
func (w *waiting) run(parent context.Context) {
	ctx, cancel := context.WithTimeout(parent, w.in.Limit)
	defer cancel()
	answers := make(chan polled)
	running := map[*settlePlace]bool{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil && (len(w.queue) > 0 || len(running) > 0) {
		now := time.Now()
		for len(w.queue) > 0 && len(running) < pollsAtOnce && !w.queue[0].next.After(now) {
			p := heap.Pop(&w.queue).(*settlePlace)
			running[p] = true
			go func() { answers <- w.poll(ctx, p) }()
		}
		var due <-chan time.Time
		if len(w.queue) > 0 && len(running) < pollsAtOnce {
			timer.Reset(w.queue[0].next.Sub(now))
			due = timer.C
		}
		select {
		case answer := <-answers:
			delete(running, answer.place)
			w.take(answer, ctx.Err() != nil)
		case <-due:
		case <-ctx.Done():
		}
	}
	// What is under way ends with its context; its answers still count.
	for len(running) > 0 {
		answer := <-answers
		delete(running, answer.place)
		w.take(answer, true)
	}
	w.result.Waited = time.Since(w.started)
	for _, p := range w.queue {
		w.result.Unsettled = append(w.result.Unsettled, PlaceNote{p.Place, p.why})
	}
	byPlace := func(a, b PlaceNote) int { return cmp.Or(a.Place.Compare(b.Place), compareText(a.Why, b.Why)) }
	slices.SortFunc(w.result.Unsettled, byPlace)
	slices.SortFunc(w.result.LeftOut, byPlace)
	slices.SortFunc(w.result.Later, byPlace)
	w.tell(true)
}

// take books an answer. After the end a place keeps what was known of it before.
func (w *waiting) take(a polled, ended bool) {
	p := a.place
	if w.reasons[p.why]--; w.reasons[p.why] == 0 {
		delete(w.reasons, p.why)
	}
	switch {
	case a.settled:
		w.result.Settled++
	case a.leftOut != "" && !ended:
		w.result.LeftOut = append(w.result.LeftOut, PlaceNote{p.Place, a.leftOut})
		w.emit(PlaceLeftOut{Place: p.Place, Why: a.leftOut})
	case a.later != "":
		w.result.Later = append(w.result.Later, PlaceNote{p.Place, a.later})
		w.emit(PlaceLeftOut{Place: p.Place, Why: a.later})
	default:
		if !ended {
			p.why = a.why
		}
		w.reasons[p.why]++
		p.tries++
		p.next = time.Now().Add(pause(p.tries))
		heap.Push(&w.queue, p)
	}
	w.tell(false)
}

// tell shows how far it is, at most once a second.
func (w *waiting) tell(last bool) {
	now := time.Now()
	if !last && now.Sub(w.told) < time.Second {
		return
	}
	w.told = now
	var parts []string
	for why, count := range w.reasons {
		parts = append(parts, fmt.Sprintf("%d %s", count, why))
	}
	slices.Sort(parts)
	w.emit(SettleProgress{
		Settled: w.result.Settled, LeftOut: len(w.result.LeftOut) + len(w.result.Later), Total: w.total,
		Waiting: strings.Join(parts, ", "), Elapsed: now.Sub(w.started), Limit: w.in.Limit,
	})
}

// placeQueue is a heap by the time of the next poll, then by place.
type placeQueue []*settlePlace

func (q placeQueue) Len() int { return len(q) }
func (q placeQueue) Less(i, j int) bool {
	if !q[i].next.Equal(q[j].next) {
		return q[i].next.Before(q[j].next)
	}
	return q[i].Place.Compare(q[j].Place) < 0
}
func (q placeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *placeQueue) Push(x any)   { *q = append(*q, x.(*settlePlace)) }
func (q *placeQueue) Pop() any {
	old := *q
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return p
}
