package stackset

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Cause is one reason for which instances failed, with the places it struck.
type Cause struct {
	Status string // FAILED, CANCELLED or SKIPPED
	Reason string // ids and Regions taken out
	Places []Target
	Sets   []string
	Advice string // what to do about it, "" when nothing is known
}

var (
	requestIDs = regexp.MustCompile(`(?i)(Request ?Token|Request ?ID|RequestId): ?[0-9a-f-]{36}`)
	uuids      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	accountIDs = regexp.MustCompile(`\b\d{12}\b`)
	execRoles  = regexp.MustCompile(`stacksets-exec-[0-9a-f]{32}(/[\w-]+)?`)
)

// RootCauses groups what did not come true by its reason, so that four hundred
// cancelled instances do not hide the one that failed: failures first, what was
// skipped or cancelled because of them last.
func RootCauses(outcomes []Outcome) []Cause {
	byReason := map[string]*Cause{}
	for _, o := range outcomes {
		switch o.Status {
		case OutcomeFailed, OutcomeCancelled, OutcomeSkipped:
		default:
			continue
		}
		reason := normal(o.Reason, o.Region)
		k := o.Status + " " + reason
		c := byReason[k]
		if c == nil {
			c = &Cause{Status: o.Status, Reason: reason, Advice: advice(o.Reason)}
			byReason[k] = c
		}
		c.Places = append(c.Places, o.Target)
		if !slices.Contains(c.Sets, o.StackSet) {
			c.Sets = append(c.Sets, o.StackSet)
		}
	}
	rank := []string{OutcomeFailed, OutcomeSkipped, OutcomeCancelled}
	out := make([]Cause, 0, len(byReason))
	for _, c := range byReason {
		slices.SortFunc(c.Places, Target.Compare)
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.Status), slices.Index(rank, b.Status)), cmp.Compare(len(b.Places), len(a.Places)), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// Cause is why an outcome is what it is, without what differs from place to place; ""
// for what came true.
func (o Outcome) Cause() string {
	if o.Status == OutcomeSucceeded {
		return ""
	}
	return normal(o.Reason, o.Region)
}

// Cause is the reason of a change without what differs from place to place.
func (c Change) Cause() string {
	if c.Reason == "" {
		return ""
	}
	return normal(c.Reason, c.Region)
}

// normal takes out of a reason what differs from place to place.
func normal(reason, region string) string {
	text := requestIDs.ReplaceAllString(reason, "$1: …")
	text = uuids.ReplaceAllString(text, "…")
	text = execRoles.ReplaceAllString(text, "stacksets-exec-…")
	text = accountIDs.ReplaceAllString(text, "<account>")
	if region != "" {
		text = strings.ReplaceAll(text, region, "<Region>")
	}
	if text == "" {
		text = "AWS gave no reason"
	}
	return strings.Join(strings.Fields(text), " ")
}

// known are the reasons that have been met, with what to do about each.
var known = []struct{ words, advice string }{
	{"explicit deny in a service control policy", "A service control policy denies it: exempt the roles stacksets-exec-* in the policy, or leave these accounts out."},
	{"maximum number of configuration recorders", "The account has a recorder of its own that was made since the plan: run again, it will be left as it is."},
	{"maximum number of delivery channels", "The account has a delivery channel of its own: run again, it will be left as it is."},
	{"NoAvailableConfigurationRecorder", "No recorder is there: deploy with a role that can be entered, so that recording is planned (--role-name), or have a recorder made."},
	{"has been taken in this account", "The service-linked role was made since the plan: run again."},
	{"InsufficientDeliveryPolicy", "The delivery bucket does not let AWS Config write: look at its policy."},
	{"STS is not activated in this region", "The Region is off in the account: switch it on, or leave it out of --region."},
	{"should have 'stacksets-exec-", "StackSets' role is missing in the account: it may be suspended, or trusted access was never active for it."},
	{"ACCOUNT_SUSPENDED", "The account is suspended: leave it out, or have it reinstated."},
	{stacksFull, kindOf("quota-stacks").Remedy},
	{"failure tolerance has exceeded", "Cancelled because others failed: mend what failed above and run again, or raise --failure-tolerance."},
	{"User initiated", "Somebody stopped the operation: run again to go on."},
	{"already exists", "Something of this name is there already: remove or rename it, then run again."},
	{"is not authorized to perform", "A permission is missing in the account: the text names it."},
	{"RemediationInProgress", "A remediation was running: run again in a few minutes."},
	{"needs ", "Mend what it needs, then run again: only what is missing is done."},
}

func advice(reason string) string {
	for _, k := range known {
		if strings.Contains(reason, k.words) {
			return k.advice
		}
	}
	return ""
}
