package templates

// entries is the catalog in deploy order, without the bodies.
func entries() []Template {
	return []Template{
		{
			Name:  RecordingBase,
			Title: "What AWS Config needs once in an account",
			Description: "The bucket that AWS Config delivers to and that keeps what remediations took away, with its policy, " +
				"and on request Config's two service-linked roles. Bucket, policy and roles outlive the stack.",
			Scope: ScopeHome,
			Grade: 1,
		},
		{
			Name:  Recording,
			Title: "AWS Config's recorder and delivery channel",
			Description: "Switches AWS Config on in one account and Region, for where nothing records yet. Recorder and channel " +
				"go with the stack; what they delivered stays.",
			Scope:    ScopeRegional,
			Needs:    []string{RecordingBase},
			Grade:    1,
			controls: recordingControls(),
		},
		{
			Name:  DefaultSecurityGroup,
			Title: "VPC default security groups are closed",
			Description: "Checks that the default security group of every VPC has no rules. The Config rule alone: nothing in it " +
				"can change the account.",
			Scope:      ScopeRegional,
			Needs:      []string{Recording},
			EnforcedBy: DefaultSecurityGroupEnforce,
			Rules: []Rule{{
				Name:          "rollout-vpc-default-security-group-closed",
				Identifier:    "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
				Title:         "VPC default security groups have no rules",
				ResourceTypes: []string{"AWS::EC2::SecurityGroup"},
				Controls:      defaultSecurityGroupControls(),
			}},
		},
		{
			Name:  DefaultSecurityGroupEnforce,
			Title: "Empty the default security groups found open",
			Description: "Takes the rules out of default security groups that are not compliant, and keeps a copy of them. Groups " +
				"that something leans on, or that have the tag rollout-exempt, are left.",
			Scope:    ScopeRegional,
			Needs:    []string{DefaultSecurityGroup, RecordingBase},
			Enforces: DefaultSecurityGroup,
			Grade:    3,
		},
	}
}
