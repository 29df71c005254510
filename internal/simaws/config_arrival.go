package simaws

import (
	"sort"
	"time"
)

// What an aggregator shows is what was true some minutes ago. Nothing is copied
// for it: a verdict keeps the one before it, and what is deleted is kept, until
// every aggregator must have heard.

type goneResult struct {
	last *evaluation
	at   time.Time
}

type goneRule struct {
	rule *configRule
	at   time.Time
}

// setResult writes a verdict.
func (s *Sim) setResult(rule *configRule, e *evaluation) {
	if rule.results == nil {
		rule.results = map[string]*evaluation{}
	}
	heard := s.heard()
	e.before = rule.results[e.ResourceID]
	for x := e.before; x != nil; x = x.before {
		if !x.Recorded.After(heard) {
			x.before = nil
		}
	}
	rule.results[e.ResourceID] = e
	delete(rule.gone, e.ResourceID)
}

// dropResult forgets the verdict on a resource that is gone.
func (s *Sim) dropResult(rule *configRule, id string) {
	e := rule.results[id]
	if e == nil {
		return
	}
	delete(rule.results, id)
	heard := s.heard()
	for other, g := range rule.gone {
		if !g.at.After(heard) {
			delete(rule.gone, other)
		}
	}
	if rule.gone == nil {
		rule.gone = map[string]goneResult{}
	}
	rule.gone[id] = goneResult{e, s.clock.Now()}
}

// dropRule forgets a rule.
func (s *Sim) dropRule(r *regionState, rule *configRule) {
	delete(r.rules, rule.Name)
	delete(r.config.tags, rule.ARN)
	heard := s.heard()
	var kept []goneRule
	for _, g := range r.config.goneRules {
		if g.at.After(heard) {
			kept = append(kept, g)
		}
	}
	r.config.goneRules = append(kept, goneRule{rule, s.clock.Now()})
}

// resultsAt gives the verdicts as they were, by resource.
func (rule *configRule) resultsAt(until time.Time) []*evaluation {
	var out []*evaluation
	add := func(e *evaluation) {
		for e != nil && e.Recorded.After(until) {
			e = e.before
		}
		if e != nil {
			out = append(out, e)
		}
	}
	for _, e := range rule.results {
		add(e)
	}
	for _, g := range rule.gone {
		if g.at.After(until) {
			add(g.last)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return itemKey(out[i].ResourceType, out[i].ResourceID) < itemKey(out[j].ResourceType, out[j].ResourceID)
	})
	return out
}

// ruleAt is a rule with its verdicts as they were.
type ruleAt struct {
	rule    *configRule
	results []*evaluation
}

// rulesAt gives the rules that had verdicts, by name.
func (r *regionState) rulesAt(until time.Time) []ruleAt {
	var out []ruleAt
	there := map[string]bool{}
	add := func(rule *configRule) {
		if results := rule.resultsAt(until); len(results) > 0 && !there[rule.Name] {
			there[rule.Name] = true
			out = append(out, ruleAt{rule, results})
		}
	}
	for _, rule := range r.rules {
		add(rule)
	}
	for _, g := range r.config.goneRules {
		if g.at.After(until) {
			add(g.rule)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].rule.Name < out[j].rule.Name })
	return out
}

// itemsAt gives the newest items as they were, by type and id.
func (c *configState) itemsAt(until time.Time) []configItem {
	var out []configItem
	for _, key := range sortedKeys(c.items) {
		history := c.items[key]
		for i := len(history) - 1; i >= 0; i-- {
			if history[i].Captured.After(until) {
				continue
			}
			if history[i].Status != "ResourceDeleted" {
				out = append(out, history[i])
			}
			break
		}
	}
	return out
}
