package templates

// The steps in which the automations of -enforce templates can end. SSM calls all of
// them but a failure Success; the last step's name says which. Each document has
// those that apply to it.
const (
	StepLeaveInUse      = "LeaveInUse"      // left: something leans on the group
	StepLeaveExempt     = "LeaveExempt"     // left: tagged rollout-exempt, or another account's
	StepLeaveWide       = "LeaveWide"       // left: only rules for more than SSH and RDP let everybody in
	StepLeaveUnseen     = "LeaveUnseen"     // left: nothing is known of how the instance is used
	StepAlreadyRequired = "AlreadyRequired" // nothing to do: the instance requires IMDSv2, or ends
	StepAlreadyPrivate  = "AlreadyPrivate"  // nothing to do: no snapshot is public
	StepAlreadyEmpty    = "AlreadyEmpty"    // nothing to do: the group has no rules
	StepAlreadyClosed   = "AlreadyClosed"   // nothing to do: no rule lets everybody in to SSH or RDP
	StepAlreadyLogged   = "AlreadyLogged"   // nothing to do: the VPC has a flow log of the traffic
	StepAlreadyOn       = "AlreadyOn"       // nothing to do: the setting is on
	StepAlreadyBlocked  = "AlreadyBlocked"  // nothing to do: the bucket blocks public access
	StepAlreadyInactive = "AlreadyInactive" // nothing to do: no active access key is due
	StepAlreadyStrict   = "AlreadyStrict"   // nothing to do: the setting is as strict as asked, or stricter
	StepVerify          = "Verify"          // it was changed, and was seen to be
)

// Left says of the step in which an automation ended that the resource was left as it
// is although it is not compliant.
func Left(step string) bool {
	return step == StepLeaveInUse || step == StepLeaveExempt || step == StepLeaveWide || step == StepLeaveUnseen
}

// ExemptTag is the key of the tag that keeps a resource from being changed,
// whatever its value. It is a constant: an IAM condition key cannot hold a
// parameter.
const ExemptTag = "rollout-exempt"
