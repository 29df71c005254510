package simaws

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// worlds counts the account-Regions that were made.
func worlds(s *Sim) int {
	n := 0
	for _, a := range s.world.accounts {
		n += len(a.regions)
	}
	return n
}

// The stream must say what Truth says, however many pieces it is written in, and
// must not make what nobody looked at.
func TestTruthIsStreamedWithoutMakingWorlds(t *testing.T) {
	for name, accounts := range map[string]int{"one piece": 60, "several pieces": 1200} {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Accounts: accounts})
			before := worlds(s)
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/_sim/truth", nil))
			var want bytes.Buffer
			lines := s.Truth(nil)
			for _, line := range lines {
				if err := json.NewEncoder(&want).Encode(line); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(answer.Body.Bytes(), want.Bytes()) {
				t.Errorf("the stream has %d bytes, the truth %d", answer.Body.Len(), want.Len())
			}
			if accounts > 1000 && len(lines) <= truthPieceLines {
				t.Errorf("%d lines fit into one piece", len(lines))
			}
			if after := worlds(s); after != before || before > accounts*4 {
				t.Errorf("%d account-Regions before, %d after, of %d accounts", before, after, accounts)
			}
		})
	}
}

// What the generator makes late has neither rules nor recorders; the truth relies on it.
func TestUntouchedRegionsHaveNoRules(t *testing.T) {
	s := New(Options{Accounts: 120})
	for _, id := range s.world.order {
		a := s.world.accounts[id]
		for _, region := range append(s.world.enabledRegions, s.world.optInRegions...) {
			if a.regions[region] != nil {
				continue
			}
			if r := a.region(region); len(r.rules) > 0 || r.recorder != nil {
				t.Fatalf("%s %s was not made at once, though it has rules or a recorder", a.Name, region)
			}
		}
	}
}
