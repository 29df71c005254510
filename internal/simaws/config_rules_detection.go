package simaws

// detecting is which services that look for attacks and mistakes are on in an account's
// Region. They are flags: the services have no calls here.
type detecting struct {
	scansInstances, scansImages, scansFunctions bool // Amazon Inspector
	analyzer                                    bool // one of the account's, for external access, that no stack made
}

// generateDetecting gives a generated account what somebody once switched on in a Region.
func generateDetecting(id, region string) detecting {
	inspected := chance(id, region, "inspector") < 0.5
	return detecting{
		scansInstances: inspected, scansImages: inspected && chance(id, region, "inspector", "images") < 0.8,
		scansFunctions: inspected && chance(id, region, "inspector", "functions") < 0.5,
		analyzer:       chance(id, region, "analyzer") < 0.45,
	}
}

// ask is a periodic rule that has one result, on the account.
func ask(on func(s *Sim, a *account, r *regionState) bool) managedRule {
	return managedRule{periodic: true, look: func(s *Sim, a *account, r *regionState, _ ruleValues) []finding {
		return onAccount(a, on(s, a, r), "")
	}}
}

// detectionRules are the managed rules that ask whether a detecting service is on; those of
// Security Hub and GuardDuty are among the service rules.
var detectionRules = map[string]managedRule{
	// "Checks if Amazon Inspector V2 EC2 scanning is activated for your single or
	// multi-account environment" (inspector-ec2-scan-enabled); its siblings alike.
	"INSPECTOR_EC2_SCAN_ENABLED": ask(func(s *Sim, a *account, r *regionState) bool { return s.settings(a, r).detects.scansInstances }),
	"INSPECTOR_ECR_SCAN_ENABLED": ask(func(s *Sim, a *account, r *regionState) bool { return s.settings(a, r).detects.scansImages }),
	"INSPECTOR_LAMBDA_STANDARD_SCAN_ENABLED": ask(func(s *Sim, a *account, r *regionState) bool {
		return s.settings(a, r).detects.scansFunctions
	}),
	// "Checks if an IAM Access Analyzer for external access is activated in your account per
	// region. The rule is NON_COMPLIANT if there are no analyzers for external access in the
	// region" (iam-external-access-analyzer-enabled).
	"IAM_EXTERNAL_ACCESS_ANALYZER_ENABLED": ask(func(s *Sim, a *account, r *regionState) bool {
		return s.settings(a, r).detects.analyzer || r.analyzers("ACCOUNT")+r.analyzers("ORGANIZATION") > 0
	}),
	// "Checks if there is at least one multi-region AWS CloudTrail trail that matches the
	// input parameters" (multi-region-cloudtrail-enabled). The trail that an account has
	// here records all management events, to nobody's bucket in particular.
	"MULTI_REGION_CLOUD_TRAIL_ENABLED": {
		periodic: true,
		parameters: []ruleParameter{
			{name: "s3BucketName"}, {name: "snsTopicArn"}, {name: "cloudWatchLogsLogGroupArn"}, {name: "includeManagementEvents", kind: "boolean"},
			{name: "readWriteType", oneOf: []string{"ALL", "READ_ONLY", "WRITE_ONLY"}},
		},
		look: func(s *Sim, a *account, _ *regionState, p ruleValues) []finding {
			named := p["s3BucketName"] + p["snsTopicArn"] + p["cloudWatchLogsLogGroupArn"]
			return onAccount(a, s.baseline(a).trail && named == "", "")
		},
	},
}
