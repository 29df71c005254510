package orgs

import (
	"slices"
	"testing"
)

// Statements as the data perimeter examples and Control Tower's controls write them, and
// what they do to a call of StackSets' role, attached to the account's OU as a resource
// control policy.
func TestJudgeResourcePolicies(t *testing.T) {
	root := &OU{ID: "r-1"}
	ou := &OU{ID: "ou-1", Parent: root}
	account := &Account{ID: "111111111111", OU: ou}
	ask := func(action string) Ask {
		return Ask{Action: action, Region: "eu-west-1", Partition: "aws", Role: "stacksets-exec-0a1b", Organization: "o-1"}
	}
	deny := func(actions, rest string) string {
		return `{"Effect":"Deny","Principal":"*","Action":` + actions + `,` + rest + `}`
	}
	all := func(condition string) string { return `"Resource":"*","Condition":{` + condition + `}` }
	for name, c := range map[string]struct{ statement, action, want string }{
		"the action":                       {deny(`"s3:CreateBucket"`, all(``)), "s3:CreateBucket", "certain"},
		"event rules have such policies":   {deny(`"events:*"`, all(``)), "events:PutRule", "certain"},
		"rules of AWS Config have none":    {deny(`"config:*"`, all(``)), "config:PutConfigRule", ""},
		"retiring a grant is never denied": {deny(`"kms:*"`, all(``)), "kms:RetireGrant", ""},
		"principals of others":             {deny(`"s3:*"`, all(`"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`)), "s3:CreateBucket", ""},
		"another organization":             {deny(`"s3:*"`, all(`"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-2"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`)), "s3:CreateBucket", "certain"},
		"services of others":               {deny(`"s3:*"`, all(`"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-1"},"Null":{"aws:SourceAccount":"false"}`)), "s3:CreateBucket", ""},
		"who has no source":                {deny(`"s3:*"`, all(`"Null":{"aws:SourceAccount":"true"}`)), "s3:CreateBucket", "certain"},
		"an absent key, all of it":         {deny(`"s3:*"`, all(`"ForAllValues:StringLike":{"aws:SourceOrgPaths":"o-1/*"}`)), "s3:CreateBucket", "certain"},
		"an absent key, any of it":         {deny(`"s3:*"`, all(`"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-1/*"}`)), "s3:CreateBucket", ""},
		"another account's principals":     {deny(`"s3:*"`, all(`"StringNotEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}`)), "s3:CreateBucket", ""},
		"a variable that is not known":     {deny(`"s3:*"`, all(`"StringNotEquals":{"aws:PrincipalOrgID":"${aws:PrincipalTag/org}"}`)), "s3:CreateBucket", "perhaps"},
		"a variable that is not there":     {deny(`"s3:*"`, all(`"StringEquals":{"aws:PrincipalOrgID":"${aws:SourceOrgID}"}`)), "s3:CreateBucket", ""},
		"OUs by their path":                {deny(`"s3:*"`, all(`"ForAnyValue:StringLike":{"aws:ResourceOrgPaths":"o-1/r-1/ou-1/*"}`)), "s3:CreateBucket", "certain"},
		"other OUs":                        {deny(`"s3:*"`, all(`"ForAnyValue:StringLike":{"aws:ResourceOrgPaths":"o-1/r-1/ou-2/*"}`)), "s3:CreateBucket", ""},
		"without TLS":                      {deny(`"s3:*"`, all(`"BoolIfExists":{"aws:SecureTransport":"false"}`)), "s3:CreateBucket", ""},
		"TLS that no endpoint takes":       {deny(`"s3:*"`, all(`"NumericLessThan":{"s3:TlsVersion":["1.2"]}`)), "s3:CreateBucket", ""},
		"TLS that one may not speak":       {deny(`"s3:*"`, all(`"NumericLessThan":{"s3:TlsVersion":"1.3"}`)), "s3:CreateBucket", "perhaps"},
		"buckets by name":                  {deny(`"s3:*"`, `"Resource":"arn:aws:s3:::logs-*"`), "s3:CreateBucket", "perhaps"},
		"another account's queues":         {deny(`"sqs:*"`, `"Resource":"arn:aws:sqs:*:222222222222:*"`), "sqs:CreateQueue", ""},
		"this account's queues":            {deny(`"sqs:*"`, `"Resource":"arn:aws:sqs:*:111111111111:*"`), "sqs:CreateQueue", "perhaps"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := controlPolicy(t, "p-1", c.statement)
			policy.Resource, policy.Targets = true, []Attachment{{"ou-1", "Workloads"}}
			p := newPolicies(policy)
			d, denied := p.Judge(account, ask(c.action))
			got := ""
			if denied {
				got = map[bool]string{true: "certain", false: "perhaps"}[d.Certain]
			}
			if got != c.want || denied && d.String() != "with an explicit deny in a resource control policy: p-1 (p-1) of ou-1" {
				t.Errorf("%q: %s", got, d)
			}
			if c.want != "" && len(policy.Denying(ask(c.action))) == 0 {
				t.Error("the policy denies nothing")
			}
			if _, denied := p.Judge(&Account{ID: "222222222222", OU: ou, Management: true}, ask(c.action)); denied {
				t.Error("what is in the management account is bound by none")
			}
		})
	}
}

func newPolicies(list ...*ControlPolicy) *Policies {
	p := &Policies{attached: map[string][]*ControlPolicy{}, resource: map[string][]*ControlPolicy{}, unguarded: map[string]bool{}, personal: map[string]bool{}}
	p.add(list)
	return p
}

// Accounts of an OU are judged once for all of them, unless a policy names accounts or
// looks at them.
func TestPlaceOfPersonalPolicies(t *testing.T) {
	ou := &OU{ID: "ou-1", Parent: &OU{ID: "r-1"}}
	first, second := &Account{ID: "111111111111", OU: ou}, &Account{ID: "222222222222", OU: ou}
	ask := Ask{Action: "config:PutConfigRule", Region: "eu-west-1", Partition: "aws", Role: "r"}
	for condition, alike := range map[string]bool{
		`"StringEquals":{"aws:RequestedRegion":"eu-west-1"}`:                      true,
		`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/r"}`:                  true,
		`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/r"}`:       false,
		`"StringEquals":{"AWS:PrincipalAccount":["111111111111"]}`:                false,
		`"StringEquals":{"aws:PrincipalArn":"${aws:PrincipalAccount}"}`:           false,
		`"StringNotEquals":{"aws:ResourceAccount":["333333333333"]}`:              false,
		`"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/*"}`: false,
	} {
		policy := controlPolicy(t, "p-1", `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{`+condition+`}}`)
		policy.Targets = []Attachment{{"r-1", "Root"}}
		p := newPolicies(policy)
		if got := p.Place(first) == p.Place(second); got != alike {
			t.Errorf("%s: accounts are taken for alike: %t", condition, got)
		}
		_, one := p.Judge(first, ask)
		_, other := p.Judge(second, ask)
		if alike && one != other {
			t.Errorf("%s: %t and %t in accounts that are taken for alike", condition, one, other)
		}
	}
}

// What allow lists leave out at a level is lacking there, whatever other levels allow.
func TestRestricted(t *testing.T) {
	list := controlPolicy(t, "p-1", `[{"Effect":"Allow","Action":["ec2:*","s3:Get*"],"Resource":"*"},{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}},{"Effect":"Allow","NotAction":["s3:*","iam:*","config:*","ec2:*"],"Resource":"*"}]`)
	list.Targets = []Attachment{{"ou-1", "Workloads"}, {"ou-2", "Sandbox"}}
	p := newPolicies(list)
	p.unguarded["ou-1"] = true
	if got := p.Restricted(); len(got) != 1 || got[0].String() != "Workloads (ou-1)" {
		t.Errorf("restricted are %v", got)
	}
	var lacks []string
	for _, action := range []string{"config:PutConfigRule", "ec2:DescribeVpcs", "iam:CreateRole", "s3:CreateBucket", "s3:GetObject", "ssm:CreateDocument"} {
		if !p.Allowed("ou-1", Ask{Action: action, Partition: "aws"}) {
			lacks = append(lacks, action)
		}
		if !p.Allowed("ou-2", Ask{Action: action, Partition: "aws"}) {
			t.Errorf("%s is not allowed where FullAWSAccess is", action)
		}
	}
	if want := []string{"config:PutConfigRule", "iam:CreateRole", "s3:CreateBucket"}; !slices.Equal(lacks, want) {
		t.Errorf("lacking are %v, want %v", lacks, want)
	}
}
