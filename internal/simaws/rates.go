package simaws

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Rates are request rates that take the place of this simulator's: by caller's
// account and Region, by "service:Action", or "service:*" for one bucket of all its
// calls. They hold whether Throttle is on or not.
type Rates map[string]Rate

// Rate is a token bucket.
type Rate struct{ PerSecond, Burst float64 }

// of finds the rate of a call and names its bucket.
func (r Rates) of(c *call) (bucket string, found Rate, ok bool) {
	for _, name := range []string{c.Service + ":" + c.Action, c.Service + ":*"} {
		if found, ok = r[name]; ok {
			return "rate " + name + " " + c.Caller.Account + " " + c.Region, found, true
		}
	}
	return "", found, false
}

// ParseRates reads "cloudformation:DescribeStackSet=2/s:5,config:*=10/s"; without a
// burst it is the rate, at least 1.
func ParseRates(text string) (Rates, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	out := Rates{}
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		name, rate, err := parseRate(part)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%q: %s is given twice", part, name)
		}
		out[name] = rate
	}
	return out, nil
}

func parseRate(text string) (name string, rate Rate, err error) {
	name, value, _ := strings.Cut(text, "=")
	service, action, found := strings.Cut(name, ":")
	if !found || value == "" {
		return "", rate, errors.New("write a rate like cloudformation:DescribeStackSet=2/s:5 or config:*=10/s")
	}
	svc := services[service]
	if svc == nil {
		return "", rate, fmt.Errorf("there is no service %q; there are %s", service, strings.Join(sortedKeys(services), ", "))
	}
	if action != "*" && svc.ops[action] == nil {
		return "", rate, fmt.Errorf("%s has no call %q here%s", service, action, nearCall(svc, action))
	}
	number, burst, hasBurst := strings.Cut(value, ":")
	number, found = strings.CutSuffix(number, "/s")
	rate.PerSecond, err = strconv.ParseFloat(number, 64)
	if err != nil || !found || !(rate.PerSecond > 0 && rate.PerSecond <= 1e6) {
		return "", rate, fmt.Errorf("%q is not a rate above 0 like 2/s", value)
	}
	rate.Burst = max(1, rate.PerSecond)
	if hasBurst {
		if rate.Burst, err = strconv.ParseFloat(burst, 64); err != nil || !(rate.Burst >= 1 && rate.Burst <= 1e6) {
			return "", rate, fmt.Errorf("%q is not a burst of 1 or more", burst)
		}
	}
	return name, rate, nil
}
