package simaws

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseFaults reads "throttle=0.1,organizations:ListAccounts:error=0.5,config:*:slow=0.02:2s".
func ParseFaults(text string) (Faults, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out Faults
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		r, err := parseFault(part)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		for _, o := range out {
			if o.Kind == r.Kind && o.Service == r.Service && o.Action == r.Action {
				return nil, fmt.Errorf("%q: %s is given twice for the same calls", part, r.Kind)
			}
		}
		out = append(out, r)
	}
	for _, at := range out {
		sum := 0.0
		for _, kind := range faultKinds {
			if kind != FaultSlow {
				sum += out.rule(kind, at.Service, at.Action).Share
			}
		}
		if sum > 1+1e-9 {
			return nil, fmt.Errorf("the shares of %s add up to %.4g; a call fails in one way, so 1 is the most", at.calls(), sum)
		}
	}
	return out, nil
}

// calls names the calls of a rule.
func (r FaultRule) calls() string {
	switch {
	case r.Service == "":
		return "all calls"
	case r.Action == "":
		return r.Service + ":*"
	}
	return r.Service + ":" + r.Action
}

func parseFault(text string) (r FaultRule, err error) {
	left, right, found := strings.Cut(text, "=")
	if !found {
		return r, errors.New("write a kind and a share, like throttle=0.1 or config:*:slow=0.02:2s")
	}
	names := strings.Split(left, ":")
	r.Kind = FaultKind(names[len(names)-1])
	if !slices.Contains(faultKinds, r.Kind) {
		return r, fmt.Errorf("there is no fault %q; there are throttle, error, reset, cut, slow, expired and clock", r.Kind)
	}
	switch len(names) {
	case 1:
	case 3:
		svc := services[names[0]]
		if svc == nil {
			return r, fmt.Errorf("there is no service %q; there are %s", names[0], strings.Join(sortedKeys(services), ", "))
		}
		r.Service = names[0]
		if names[1] != "*" {
			if svc.ops[names[1]] == nil {
				return r, fmt.Errorf("%s has no call %q here%s", names[0], names[1], nearCall(svc, names[1]))
			}
			r.Action = names[1]
		}
	default:
		return r, errors.New("name calls as service:Action or service:*, like organizations:ListAccounts:error=0.5")
	}
	share, by, hasBy := strings.Cut(right, ":")
	if r.Share, err = strconv.ParseFloat(share, 64); err != nil || !(r.Share >= 0 && r.Share <= 1) {
		return r, fmt.Errorf("%q is not a share from 0 to 1", share)
	}
	switch {
	case r.Kind == FaultSlow && !hasBy:
		return r, errors.New("say for how long, like slow=0.05:3s")
	case r.Kind != FaultSlow && r.Kind != FaultClock && hasBy:
		return r, fmt.Errorf("%s has no duration; only slow and clock have", r.Kind)
	case r.Kind == FaultClock && !hasBy:
		r.By = 10 * time.Minute
	case hasBy:
		if r.By, err = time.ParseDuration(by); err != nil {
			return r, fmt.Errorf("%q is not a duration like 3s", by)
		}
		if r.Kind == FaultSlow && (r.By <= 0 || r.By > time.Hour) {
			return r, fmt.Errorf("%q: an answer is late by more than 0s, at most 1h", by)
		}
		if r.Kind == FaultClock && (r.By.Abs() <= 5*time.Minute || r.By.Abs() > 24*time.Hour) {
			return r, fmt.Errorf("%q: AWS allows clocks to differ by 5m; write more, at most 24h, like 10m or -10m", by)
		}
	}
	return r, nil
}

// nearCall helps with a call's capitals.
func nearCall(svc *service, name string) string {
	for _, known := range sortedKeys(svc.ops) {
		if strings.EqualFold(known, name) {
			return "; there is " + known
		}
	}
	return ""
}
