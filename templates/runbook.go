package templates

// The steps in which an automation of default-security-group-enforce can end. SSM
// calls all of them but a failure Success; the last step's name says which.
const (
	StepLeaveInUse   = "LeaveInUse"   // left: something leans on the group
	StepLeaveExempt  = "LeaveExempt"  // left: tagged rollout-exempt, or another account's
	StepAlreadyEmpty = "AlreadyEmpty" // nothing to do
	StepVerify       = "Verify"       // its rules were taken away
)

// ExemptTag is the key of the tag that keeps a resource from being changed,
// whatever its value. It is a constant: an IAM condition key cannot hold a
// parameter.
const ExemptTag = "rollout-exempt"
