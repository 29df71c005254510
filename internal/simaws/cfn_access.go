package simaws

import "fmt"

// handlerActions are the IAM actions behind a resource type's create, update and
// delete, as far as service control policies are likely to name them (the
// handlers' permissions in CloudFormation's resource schemas). What single properties ask
// beside them is in propertyActions; the handlers of AWS Config's types and of
// cfn_kept_types.go ask for themselves.
var handlerActions = map[string][3]string{
	"AWS::IAM::Role":              {"iam:CreateRole", "", "iam:DeleteRole"},
	"AWS::IAM::ManagedPolicy":     {"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy"},
	"AWS::IAM::ServiceLinkedRole": {"iam:CreateServiceLinkedRole", "iam:UpdateRole", "iam:DeleteServiceLinkedRole"},
	"AWS::IAM::Policy":            {"iam:PutRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"},
	"AWS::S3::Bucket":             {"s3:CreateBucket", "", "s3:DeleteBucket"},
	"AWS::S3::BucketPolicy":       {"s3:PutBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"},
	"AWS::SNS::Topic":             {"sns:CreateTopic", "sns:SetTopicAttributes", "sns:DeleteTopic"},
	"AWS::SSM::Document":          {"ssm:CreateDocument", "ssm:UpdateDocument", "ssm:DeleteDocument"},
}

// handlerAction is the action of create, update or delete; "" for a type that calls
// nothing a policy would deny.
func handlerAction(kind, verb string) string {
	return handlerActions[kind][map[string]int{"create": 0, "update": 1, "delete": 2}[verb]]
}

// policyRefusal is a refusal by a policy of the organization.
type policyRefusal struct{ text string }

func (e policyRefusal) Error() string { return e.text }

// execution is the role under which StackSets works in an account. It is bound by the
// organization's policies as every role but a service-linked one is.
func (s *Sim) execution(a *account) string { return "stacksets-exec-" + hexOf(32, a.ID, "exec") }

func (s *Sim) denyExecution(a *account, region, action, resource string) error {
	role := s.execution(a)
	if action == "" {
		return nil
	}
	c := s.boundAs(a.ID, "arn:"+s.world.partition+":iam::"+a.ID+":role/"+role, access{Action: action, Resource: resource, Context: map[string]string{"aws:requestedregion": region}})
	if c.decision == decisionAllow {
		return nil
	}
	return policyRefusal{fmt.Sprintf("User: arn:%s:sts::%s:assumed-role/%s/%s is not authorized to perform: %s on resource: %s %s",
		s.world.partition, a.ID, role, hexOf(32, a.ID, "session"), action, resource, c.why(action))}
}
