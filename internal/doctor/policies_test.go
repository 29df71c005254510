package doctor

import (
	"slices"
	"strings"
	"testing"

	"rollout/orgs"
)

func TestWhatAControlPolicyDeniesStackSets(t *testing.T) {
	actions := []string{"config:PutConfigRule", "iam:CreateRole", "cloudformation:CreateStack"}
	for _, c := range []struct {
		name, statements string
		regions          []string
		want             string // actions, by blanks
		said             string
	}{
		{"nothing", `[]`, nil, "", ""},
		{"allows only", `[{"Effect":"Allow","Action":"*","Resource":"*"}]`, nil, "", ""},
		{"one action, one statement", `{"Sid":"No","Effect":"Deny","Action":"config:putconfigrule","Resource":"*"}`, nil, "config:PutConfigRule", "statement No"},
		{"a pattern", `[{"Effect":"Deny","Action":["config:Put*","ec2:*"],"Resource":"*"}]`, nil, "config:PutConfigRule", "statement 1"},
		{"all but", `[{"Effect":"Deny","NotAction":["iam:*","cloudformation:?reateStack"],"Resource":"*"}]`, nil, "config:PutConfigRule", "statement 1"},
		{"another's actions", `[{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]`, nil, "", ""},
		{"but for StackSets", `[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ArnNotLike":{"aws:principalarn":"arn:*:iam::*:role/stacksets-exec-*"}}}]`, nil, "", ""},
		{"but for others", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/admin"]}}}]`, nil, "iam:CreateRole", `statement 1 when {"ArnNotLike"`},
		{"for others", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/admin"]}}}]`, nil, "", ""},
		{"Regions, any asked", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}]`, nil, "iam:CreateRole", "RequestedRegion"},
		{"Regions, allowed ones", `[{"Effect":"Deny","Action":"config:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}]`, []string{"eu-west-1"}, "", ""},
		{"Regions, but IAM is called in us-east-1", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}]`, []string{"eu-west-1"}, "iam:CreateRole", "RequestedRegion"},
		{"Regions, another", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:RequestedRegion":["eu-west-1"]}}}]`, []string{"eu-west-1", "us-east-1"}, "iam:CreateRole", "RequestedRegion"},
		{"Regions, denied ones", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"StringLike":{"aws:RequestedRegion":["ap-*"]}}}]`, []string{"us-east-1"}, "", ""},
		{"a condition that is not known", `[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"false"}}}]`, nil, "iam:CreateRole", "ViaAWSService"},
		{"no policy at all", `7`, nil, "what could not be read", "the policy is"},
	} {
		denied, said := denies(orgs.ReadControlPolicy("", "", `{"Version":"2012-10-17","Statement":`+c.statements+`}`), "aws", c.regions, slices.Clone(actions))
		if got := strings.Join(denied, " "); got != c.want || !strings.Contains(said, c.said) || c.said == "" && said != "" {
			t.Errorf("%s: %q, %q; want %q, %q", c.name, got, said, c.want, c.said)
		}
	}
}

func FuzzControlPolicy(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Deny","Action":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"*"}}}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":["a*b*c"]}}`)
	f.Fuzz(func(t *testing.T, content string) {
		denied, said := denies(orgs.ReadControlPolicy("", "", content), "aws", []string{"eu-west-1"}, []string{"config:PutConfigRule"})
		if len(denied) > 0 && said == "" {
			t.Errorf("%s: denied %v without a word", content, denied)
		}
	})
}
