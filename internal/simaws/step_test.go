package simaws

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A step lets as much simulated time pass as it says, whatever the clock on the wall
// does; from there on it goes on as it did.
func TestStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Speed: 10})
		due := map[string]bool{}
		for name, after := range map[string]time.Duration{"first": 10 * time.Second, "second": 30 * time.Second, "third": time.Minute} {
			s.clock.after(after, func() { due[name] = true })
		}
		s.Step(9 * time.Second)
		time.Sleep(time.Hour)
		s.Step(500 * time.Millisecond)
		if len(due) > 0 {
			t.Errorf("due too early: %v", due)
		}
		s.Step(time.Second)
		if len(due) != 1 || !due["first"] {
			t.Errorf("due after ten seconds: %v", due)
		}
		s.Step(20 * time.Second)
		if len(due) != 2 {
			t.Errorf("due after half a minute: %v", due)
		}
		s.Resume()
		time.Sleep(4 * time.Second) // 40 of simulated time
		s.Pause()
		if len(due) != 3 {
			t.Errorf("due after a minute: %v", due)
		}
	})
}

func TestStepIsAsked(t *testing.T) {
	s := New(Options{})
	for query, want := range map[string]int{"?by=10s": 200, "": 400, "?by=soon": 400, "?by=-1s": 400} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/_sim/step"+query, nil))
		if w.Code != want {
			t.Errorf("%q: HTTP %d", query, w.Code)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sim/step?by=10s", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: HTTP %d", w.Code)
	}
}
