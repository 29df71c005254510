package simaws

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed config_identifiers.txt
var managedIdentifiers string

// triggers are what makes a managed rule run: c for changes of resources, p for a
// period, by identifier (the developer guide's list of managed rules).
var triggers = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(managedIdentifiers) {
		id, kinds, _ := strings.Cut(strings.TrimSpace(line), "\t")
		out[id] = kinds
	}
	return out
})

// managedRule is a managed rule that the simulator really evaluates. Other
// identifiers that AWS knows are accepted and stay without results.
//
// A rule of configuration changes looks at recorded items, by verdict. A rule that
// is periodic only asks the services themselves, by look, whether or not a recorder
// runs ("Periodic: AWS Config continues to run evaluations at the frequency that you
// specify", developer guide, evaluations when the configuration recorder is turned
// off). A rule of both kinds looks at items, also once every period.
type managedRule struct {
	types             []string // the recorded types that changes-triggered rules look at
	changes, periodic bool
	parameters        []ruleParameter
	verdict           func(item configItem, p ruleValues) (compliance, annotation string)
	// holds is how long a periodic rule says again what it said; 0 for most.
	holds time.Duration
	look  func(s *Sim, a *account, r *regionState, p ruleValues) []finding
}

// finding is a periodic rule's verdict on one resource.
type finding struct{ resourceType, id, compliance, annotation string }

// typeAccount is the type of results about the account as such.
const typeAccount = "AWS::::Account"

// onAccount is a verdict on the account.
func onAccount(a *account, compliant bool, annotation string) []finding {
	if compliant {
		return []finding{{typeAccount, a.ID, "COMPLIANT", ""}}
	}
	return []finding{{typeAccount, a.ID, "NON_COMPLIANT", annotation}}
}

// managedRules by identifier.
var managedRules = map[string]managedRule{}

func init() {
	for _, some := range []map[string]managedRule{groupRules, accountRules, flowLogRules, serviceRules, userRules, detectionRules, instanceRules, exposureRules, bucketRules} {
		maps.Copy(managedRules, some)
	}
}

// listening are the types whose changes make the rule look.
func (rule *configRule) listening() []string {
	managed := managedRules[rule.Identifier]
	if !managed.changes {
		return nil
	}
	if len(rule.ScopeTypes) == 0 {
		return managed.types
	}
	var out []string
	for _, t := range managed.types {
		if slices.Contains(rule.ScopeTypes, t) {
			out = append(out, t)
		}
	}
	return out
}

// inScope says whether changes of a type make the rule look.
func (rule *configRule) inScope(resourceType string) bool {
	return slices.Contains(rule.listening(), resourceType)
}
