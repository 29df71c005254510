package templates

// iamNames are the resource types for which CloudFormation wants a capability
// acknowledged, with the property that gives such a resource a name of the
// template's choosing ("" where there is none). Source: API reference of
// CreateStackSet, Capabilities. AWS::IAM::ServiceLinkedRole is not among them.
var iamNames = map[string]string{
	"AWS::IAM::AccessKey":           "",
	"AWS::IAM::Group":               "GroupName",
	"AWS::IAM::InstanceProfile":     "InstanceProfileName",
	"AWS::IAM::ManagedPolicy":       "ManagedPolicyName",
	"AWS::IAM::Policy":              "",
	"AWS::IAM::Role":                "RoleName",
	"AWS::IAM::User":                "UserName",
	"AWS::IAM::UserToGroupAddition": "",
}

// RequiredCapabilities are the capabilities that CloudFormation asks for before it
// deploys d, whatever its conditions say: nil, CAPABILITY_IAM, or
// CAPABILITY_NAMED_IAM, which includes the former.
func RequiredCapabilities(d *Document) []string {
	var needed []string
	for _, r := range d.Resources {
		property, iam := iamNames[r.Type]
		if !iam {
			continue
		}
		if _, named := r.Properties[property]; named {
			return []string{"CAPABILITY_NAMED_IAM"}
		}
		needed = []string{"CAPABILITY_IAM"}
	}
	return needed
}
