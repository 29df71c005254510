package simaws

import "time"

// periods are MaximumExecutionFrequency in hours; a rule without one runs once a day
// ("the rule defaults to TwentyFour_Hours", API reference, ConfigRule).
var periods = map[string]time.Duration{
	"One_Hour": time.Hour, "Three_Hours": 3 * time.Hour, "Six_Hours": 6 * time.Hour, "Twelve_Hours": 12 * time.Hour, "": 24 * time.Hour, "TwentyFour_Hours": 24 * time.Hour,
}

// repeat evaluates a periodic rule once every period from now on, for as long as it is
// there and not put anew.
func (s *Sim) repeat(r *regionState, rule *configRule) {
	rule.period++
	if !managedRules[rule.Identifier].periodic {
		return
	}
	mine := rule.period
	var again func()
	again = func() {
		if r.rules[rule.Name] != rule || rule.period != mine {
			return
		}
		if rule.State != "DELETING" {
			s.evaluateRule(r, rule)
		}
		s.clock.after(periods[rule.Frequency], again)
	}
	s.clock.after(periods[rule.Frequency], again)
}
