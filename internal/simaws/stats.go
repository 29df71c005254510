package simaws

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// stats count what was asked.
type stats struct {
	calls     map[string]int
	throttled int
	faults    int
}

// Stats are the numbers of /_sim/stats.
type Stats struct {
	Calls     map[string]int `json:"calls"` // "config:DescribeConfigRules" → requests
	Throttled int            `json:"throttled"`
	Faults    int            `json:"faults"`
}

// Stats counts the requests so far.
func (s *Sim) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{Calls: map[string]int{}, Throttled: s.stats.throttled, Faults: s.stats.faults}
	for k, v := range s.stats.calls {
		out.Calls[k] = v
	}
	return out
}

// control serves /_sim/…, the simulator's own interface.
func (s *Sim) control(w http.ResponseWriter, r *http.Request) {
	method := http.MethodGet
	action := strings.TrimPrefix(r.URL.Path, "/_sim/")
	if action == "pause" || action == "resume" || action == "step" {
		method = http.MethodPost
	}
	if r.Method != method && !(method == http.MethodGet && r.Method == http.MethodHead) {
		w.Header().Set("Allow", method)
		http.Error(w, "use "+method, http.StatusMethodNotAllowed)
		return
	}
	switch action {
	case "ready":
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("ready\n")) //nolint:errcheck // the client has gone
	case "stats":
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s.Stats()) //nolint:errcheck // the client has gone
	case "pause":
		s.Pause()
	case "resume":
		s.Resume()
	case "step":
		by, err := time.ParseDuration(r.URL.Query().Get("by"))
		if err != nil || by <= 0 {
			http.Error(w, "say how far in simulated time, like ?by=10s", http.StatusBadRequest)
			return
		}
		s.Step(by)
	case "truth":
		var regions []string
		for _, value := range r.URL.Query()["region"] {
			for _, name := range strings.Split(value, ",") {
				if name != "" {
					regions = append(regions, name)
				}
			}
		}
		w.Header().Set("Content-Type", "application/jsonl")
		s.WriteTruth(w, regions) //nolint:errcheck // the client has gone
	default:
		http.NotFound(w, r)
	}
}

// Step stops simulated time and lets just so much of it pass, however long the caller
// takes: what comes between two requests is then the same on every machine.
func (s *Sim) Step(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.step(by)
	s.clock.advance()
}

// Pause stops simulated time: operations, evaluations and remediations stand
// still until Resume.
func (s *Sim) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	s.clock.pause()
}

// Resume lets simulated time go on.
func (s *Sim) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.resume()
}
