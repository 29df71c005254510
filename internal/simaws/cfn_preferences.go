package simaws

import "math"

// preferences are an operation's OperationPreferences.
type preferences struct {
	tolerance, concurrent             int // -1: not given
	tolerancePercent, concurrentShare int
	soft, parallel                    bool
	order                             []string
}

func readPreferences(q query) (preferences, error) {
	p := preferences{tolerance: -1, concurrent: -1, tolerancePercent: -1, concurrentShare: -1}
	for _, m := range []struct {
		name, member string
		low, high    int
		into         *int
	}{
		{"FailureToleranceCount", "failureToleranceCount", 0, math.MaxInt32, &p.tolerance},
		{"FailureTolerancePercentage", "failureTolerancePercentage", 0, 100, &p.tolerancePercent},
		{"MaxConcurrentCount", "maxConcurrentCount", 1, math.MaxInt32, &p.concurrent},
		{"MaxConcurrentPercentage", "maxConcurrentPercentage", 1, 100, &p.concurrentShare},
	} {
		if !q.has(m.name) {
			continue
		}
		n, ok := q.integer(m.name)
		switch {
		case !ok || n < m.low:
			return p, invalid("1 validation error detected: Value '%s' at 'operationPreferences.%s' failed to satisfy constraint: Member must have value greater than or equal to %d", q.str(m.name), m.member, m.low)
		case n > m.high:
			return p, invalid("1 validation error detected: Value '%s' at 'operationPreferences.%s' failed to satisfy constraint: Member must have value less than or equal to %d", q.str(m.name), m.member, m.high)
		}
		*m.into = n
	}
	if p.tolerance >= 0 && p.tolerancePercent >= 0 || p.concurrent >= 0 && p.concurrentShare >= 0 {
		return p, validation("Specify either a count or a percentage, not both, in OperationPreferences")
	}
	p.soft = q.str("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE"
	p.parallel = q.str("RegionConcurrencyType") == "PARALLEL"
	p.order = q.list("RegionOrder")
	return p, nil
}

// tolerated and window follow "Choosing the Concurrency Mode for CloudFormation
// StackSets": both count accounts in one Region, percentages round down, and the
// window never falls below one.
func (p preferences) tolerated(total int) int {
	if p.tolerance >= 0 {
		return p.tolerance
	}
	return total * max(p.tolerancePercent, 0) / 100
}

func (p preferences) window(total, failures int) int {
	size := 1
	if p.concurrent >= 0 {
		size = p.concurrent
	} else if p.concurrentShare >= 0 {
		size = total * p.concurrentShare / 100
	}
	if !p.soft {
		size = min(size, p.tolerated(total)+1-failures)
	}
	return max(size, 1)
}
