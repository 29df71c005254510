package simaws

// serviceRules are the managed rules that ask whether something is on in an account; all
// are periodic. What they ask of is a flag here, but for S3's account settings.
var serviceRules = map[string]managedRule{
	// "Checks if the required public access block settings are configured at the account
	// level." (s3-account-level-public-access-blocks-periodic)
	"S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC": {
		periodic: true,
		parameters: []ruleParameter{
			{name: "IgnorePublicAcls", oneOf: trueOrFalse, standard: "True"}, {name: "BlockPublicPolicy", oneOf: trueOrFalse, standard: "True"},
			{name: "BlockPublicAcls", oneOf: trueOrFalse, standard: "True"}, {name: "RestrictPublicBuckets", oneOf: trueOrFalse, standard: "True"},
		},
		look: func(s *Sim, a *account, _ *regionState, p ruleValues) []finding {
			return onAccount(a, s.baseline(a).publicBlock.meets(p), "")
		},
	},
	// "Checks if the root user access key is available. The rule is COMPLIANT if the user
	// access key does not exist." (iam-root-access-key-check)
	"IAM_ROOT_ACCESS_KEY_CHECK": {periodic: true, look: func(s *Sim, a *account, _ *regionState, _ ruleValues) []finding {
		return onAccount(a, !s.baseline(a).rootKey, "")
	}},
	// "The rule is NON_COMPLIANT if AWS Security Hub is not enabled." (securityhub-enabled)
	"SECURITYHUB_ENABLED": {periodic: true, look: func(s *Sim, a *account, r *regionState, _ ruleValues) []finding {
		return onAccount(a, s.settings(a, r).securityHub, "")
	}},
	// "Checks if Amazon GuardDuty is enabled in your AWS account and AWS Region. If you
	// provide an AWS account for centralization, the rule evaluates the GuardDuty results in
	// the centralized account." (guardduty-enabled-centralized)
	"GUARDDUTY_ENABLED_CENTRALIZED": {
		periodic: true, parameters: []ruleParameter{{name: "CentralMonitoringAccount"}},
		look: func(s *Sim, a *account, r *regionState, p ruleValues) []finding {
			set, central := s.settings(a, r), p["CentralMonitoringAccount"]
			return onAccount(a, set.guardDuty && (central == "" || central == a.ID || central == set.guardDutyAdmin), "")
		},
	},
}

var trueOrFalse = []string{"True", "False"}
