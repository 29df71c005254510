package simaws

// accountRules are the managed rules about settings of an account. All are periodic and
// give one result, on the account.
var accountRules = map[string]managedRule{
	// "Checks if the account password policy for IAM users meets the specified
	// requirements indicated in the parameters. The rule is NON_COMPLIANT if the account
	// password policy does not meet the specified requirements." (iam-password-policy)
	// Its page gives MaxPasswordAge a default of 90, yet those who want no expiry leave it
	// out (ministryofjustice/modernisation-platform-terraform-baselines#14).
	"IAM_PASSWORD_POLICY": {
		periodic: true,
		parameters: []ruleParameter{
			{name: "RequireUppercaseCharacters", kind: "boolean", standard: "true"}, {name: "RequireLowercaseCharacters", kind: "boolean", standard: "true"},
			{name: "RequireSymbols", kind: "boolean", standard: "true"}, {name: "RequireNumbers", kind: "boolean", standard: "true"},
			{name: "MinimumPasswordLength", kind: "int", standard: "14"}, {name: "PasswordReusePrevention", kind: "int", standard: "24"}, {name: "MaxPasswordAge", kind: "int"},
		},
		look: func(s *Sim, a *account, _ *regionState, p ruleValues) []finding {
			return onAccount(a, s.baseline(a).password.meets(p), "")
		},
	},
	// "Checks if Amazon EBS encryption is enabled by default." (ec2-ebs-encryption-by-default)
	"EC2_EBS_ENCRYPTION_BY_DEFAULT": {periodic: true, look: func(s *Sim, a *account, r *regionState, _ ruleValues) []finding {
		return onAccount(a, s.settings(a, r).encryptEBS, "")
	}},
}

// meets says whether a password policy is at least as strict as asked. No policy is not.
func (p *passwordPolicy) meets(want ruleValues) bool {
	if p == nil {
		return false
	}
	for name, has := range map[string]bool{
		"RequireUppercaseCharacters": p.RequireUppercaseCharacters, "RequireLowercaseCharacters": p.RequireLowercaseCharacters,
		"RequireSymbols": p.RequireSymbols, "RequireNumbers": p.RequireNumbers,
	} {
		if want.flag(name) && !has {
			return false
		}
	}
	length, _ := want.number("MinimumPasswordLength")
	reuse, _ := want.number("PasswordReusePrevention")
	age, aged := want.number("MaxPasswordAge")
	return p.MinimumPasswordLength >= length && p.PasswordReusePrevention >= reuse && (!aged || p.MaxPasswordAge > 0 && p.MaxPasswordAge <= age)
}
