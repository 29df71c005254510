package simaws

import (
	"slices"
	"time"
)

const typeUser = "AWS::IAM::User"

// credentialReport is how long a credential report is used again: "Re-evaluating this
// rule within 4 hours of the first evaluation will have no effect on the results"
// (iam-user-unused-credentials-check).
const credentialReport = 4 * time.Hour

// userRules are the managed rules about IAM users and what is attached to whom. All are
// periodic.
var userRules = map[string]managedRule{
	// "Checks if active IAM access keys are rotated (changed) within the number of days
	// specified in maxAccessKeyAge. The rule is NON_COMPLIANT if access keys are not
	// rotated within the specified time period." (access-keys-rotated)
	"ACCESS_KEYS_ROTATED": {
		periodic: true, parameters: []ruleParameter{{name: "maxAccessKeyAge", kind: "int", standard: "90", required: true}},
		look: onUsers(func(u *iamUser, p ruleValues, now time.Time) bool {
			days, _ := p.number("maxAccessKeyAge")
			return !slices.ContainsFunc(u.Keys, func(k *accessKey) bool { return k.Active && older(k.Created, days, now) })
		}),
	},
	// "Checks if your IAM users have passwords or active access keys that have not been
	// used within the specified number of days you provided. The rule is NON_COMPLIANT if
	// there are inactive accounts not recently used." (iam-user-unused-credentials-check)
	"IAM_USER_UNUSED_CREDENTIALS_CHECK": {
		periodic: true, parameters: []ruleParameter{{name: "maxCredentialUsageAge", kind: "int", standard: "90", required: true}}, holds: credentialReport,
		look: onUsers(func(u *iamUser, p ruleValues, now time.Time) bool {
			days, _ := p.number("maxCredentialUsageAge")
			if !u.Password.IsZero() && older(later(u.Password, u.PasswordUsed), days, now) {
				return false
			}
			return !slices.ContainsFunc(u.Keys, func(k *accessKey) bool { return k.Active && older(later(k.Created, k.Used), days, now) })
		}),
	},
	// "Checks whether the IAM policy ARN is attached to an IAM user, or an IAM group with
	// one or more IAM users, or an IAM role with one or more trusted entity."
	// (iam-policy-in-use) Only roles have policies here.
	"IAM_POLICY_IN_USE": {
		periodic: true, parameters: []ruleParameter{{name: "policyARN", required: true}, {name: "policyUsageType", oneOf: []string{"IAM_USER", "IAM_GROUP", "IAM_ROLE", "ANY"}, standard: "ANY"}},
		look: func(_ *Sim, a *account, _ *regionState, p ruleValues) []finding {
			usage, used := p["policyUsageType"], false
			for _, r := range a.roles {
				trusted := slices.ContainsFunc(r.Trust.Statement, func(st policyStatement) bool { return len(st.Principals) > 0 })
				used = used || trusted && slices.Contains(r.Managed, p["policyARN"])
			}
			return onAccount(a, used && (usage == "ANY" || usage == "IAM_ROLE"), "")
		},
	},
}

// onUsers gives a verdict on each IAM user, by its id. There is none unless AWS::IAM::User
// is recorded somewhere in the account: "If you record a global IAM resource type in at
// least one Region, periodic rules that report compliance on the global IAM resource type
// will run evaluations in all Regions where the periodic rule is added".
func onUsers(passes func(u *iamUser, p ruleValues, now time.Time) bool) func(*Sim, *account, *regionState, ruleValues) []finding {
	return func(s *Sim, a *account, _ *regionState, p ruleValues) []finding {
		if !s.recordsAnywhere(a, typeUser) {
			return nil
		}
		var out []finding
		users := s.users(a)
		for _, name := range sortedKeys(users) {
			word := "COMPLIANT"
			if !passes(users[name], p, s.clock.Now()) {
				word = "NON_COMPLIANT"
			}
			out = append(out, finding{typeUser, users[name].ID, word, ""})
		}
		return out
	}
}

// recordsAnywhere says whether a type is recorded in a Region of the account.
func (s *Sim) recordsAnywhere(a *account, resourceType string) bool {
	for _, name := range append(slices.Clone(s.world.enabledRegions), s.world.optInRegions...) {
		if r := a.known(name); r != nil && r.recording(resourceType) {
			return true
		}
	}
	return false
}

func older(t time.Time, days int, now time.Time) bool {
	return now.Sub(t) > time.Duration(days)*24*time.Hour
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
