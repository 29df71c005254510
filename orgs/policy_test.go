package orgs

import (
	"fmt"
	"strings"
	"testing"
)

func controlPolicy(t *testing.T, id, statements string) *ControlPolicy {
	t.Helper()
	p := ReadControlPolicy(id, id, `{"Version":"2012-10-17","Statement":`+statements+`}`)
	if p.Broken != "" {
		t.Fatal(p.Broken)
	}
	return p
}

// Statements as the Organizations user guide and its examples write them, and what
// they do to a call of StackSets' role. Each is attached to the account's OU.
func TestJudge(t *testing.T) {
	root := &OU{ID: "r-1"}
	ou := &OU{ID: "ou-1", Parent: root}
	account := &Account{ID: "111111111111", OU: ou}
	ask := Ask{Action: "config:PutConfigRule", Region: "eu-west-1", Partition: "aws", Role: "stacksets-exec-0a1b", Organization: "o-1"}
	iam := ask
	iam.Action = "iam:CreateRole"
	for name, c := range map[string]struct {
		statements string
		ask        Ask
		want       string // certain, perhaps, or nothing
	}{
		"the action":                  {`{"Effect":"Deny","Action":"config:PutConfigRule","Resource":"*"}`, ask, "certain"},
		"a wildcard, in another case": {`[{"Effect":"Deny","Action":["ec2:*","CONFIG:put*"],"Resource":["*"]}]`, ask, "certain"},
		"another action":              {`{"Effect":"Deny","Action":"config:DeleteConfigRule","Resource":"*"}`, ask, ""},
		"all but some":                {`{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*"}`, ask, "certain"},
		"all but this":                {`{"Effect":"Deny","NotAction":["iam:*","config:*"],"Resource":"*"}`, ask, ""},
		"another Region":              {`{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}}`, ask, ""},
		"this Region":                 {`{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1"]}}}`, ask, "certain"},
		"IAM is called in us-east-1":  {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}`, iam, "certain"},
		"Regions by a pattern":        {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:RequestedRegion":"eu-*"}}}`, ask, ""},
		"everyone but StackSets":      {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalARN":["arn:aws:iam::*:role/stacksets-exec-*"]}}}`, ask, ""},
		"everyone but Control Tower":  {`{"Effect":"Deny","Action":"config:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:*:iam::*:role/AWSControlTowerExecution"}}}`, ask, "certain"},
		"what Control Tower made":     {`{"Effect":"Deny","Action":"config:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/aws-control-tower":"managed-by-control-tower"}}}`, ask, ""},
		"roles of Control Tower's":    {`{"Effect":"Deny","Action":"iam:*","Resource":["arn:aws:iam::*:role/aws-controltower-*","arn:aws:iam::*:role/*AWSControlTower*"]}`, iam, ""},
		"services only":               {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}`, ask, ""},
		"another organization's":      {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`, ask, ""},
		"one that is not there":       {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalArn":"true"}}}`, ask, ""},
		"a tag nobody knows":          {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"security"}}}`, ask, "perhaps"},
		"a boundary on new roles":     {`{"Effect":"Deny","Action":"iam:CreateRole","Resource":"*","Condition":{"StringNotLike":{"iam:PermissionsBoundary":"arn:aws:iam::*:policy/b"}}}`, iam, "perhaps"},
		"unknown, but not here":       {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b","aws:RequestedRegion":"us-east-1"}}}`, ask, ""},
		"an operator nobody knows":    {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:PrincipalArn":"x"}}}`, ask, "perhaps"},
		"a resource of the service":   {`{"Effect":"Deny","Action":"*","Resource":"arn:aws:config:*:*:config-rule/*"}`, ask, "perhaps"},
		"a resource elsewhere":        {`{"Effect":"Deny","Action":"*","Resource":["arn:aws:s3:::logs-*","arn:aws:config:us-east-1:*:config-rule/*"]}`, ask, ""},
		"all resources but some":      {`{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::open/*"}`, ask, "perhaps"},
		"an allow list without it":    {`{"Effect":"Allow","Action":["ec2:*"],"Resource":"*"}`, ask, "certain"},
		"an allow list with it":       {`{"Effect":"Allow","Action":["ec2:*","config:*"],"Resource":"*"}`, ask, ""},
		"allowed under conditions":    {`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}}`, ask, "perhaps"},
		"a number for a condition":    {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":10}}}`, ask, "perhaps"},
		"for any of the values":       {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:RequestedRegion":"eu-?est-1"}}}`, ask, "certain"},
		"in any case":                 {`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"aws:RequestedRegion":"EU-WEST-1"}}}`, ask, "certain"},
		"a certain one wins":          {`[{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}},{"Sid":"B","Effect":"Deny","Action":"config:*","Resource":"*"}]`, ask, "certain"},
		"nothing but what it may say": {`[]`, ask, "certain"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := controlPolicy(t, "p-1", c.statements)
			p := &Policies{attached: map[string][]*ControlPolicy{"ou-1": {policy}}, unguarded: map[string]bool{}}
			p.unguarded["ou-1"] = strings.Contains(c.statements, "Allow") || c.statements == "[]"
			got := ""
			if d, denied := p.Judge(account, c.ask); denied {
				got = map[bool]string{true: "certain", false: "perhaps"}[d.Certain]
				if d.Target != "ou-1" || d.String() == "" || strings.HasPrefix(name, "a certain") && d.Sid != "B" {
					t.Errorf("%+v", d)
				}
			}
			if got != c.want {
				t.Errorf("got %q", got)
			}
			if _, denied := p.Judge(&Account{ID: "222222222222", OU: ou, Management: true}, c.ask); denied {
				t.Error("the management account is bound by none")
			}
			if _, denied := p.Judge(&Account{ID: "333333333333", OU: root}, c.ask); denied {
				t.Error("an account beside the OU is not bound")
			}
		})
	}
}

// A policy that cannot be read is not taken for one that allows.
func TestABrokenPolicyIsADoubt(t *testing.T) {
	for _, text := range []string{`{`, `{"Statement":3}`, `{"Statement":[{"Effect":"Deny","Condition":{"Null":{"a":{}}}}]}`} {
		p := ReadControlPolicy("p-1", "", text)
		if p.Broken == "" {
			t.Errorf("%s is taken", text)
			continue
		}
		all := &Policies{attached: map[string][]*ControlPolicy{"1": {p}}}
		if d, denied := all.Judge(&Account{ID: "1", OU: &OU{ID: "r"}}, Ask{Action: "a:B"}); !denied || d.Certain {
			t.Errorf("%+v %t", d, denied)
		}
	}
}

func TestLike(t *testing.T) {
	for pattern, texts := range map[string]map[string]bool{
		"*":              {"": true, "a": true},
		"config:Put*":    {"config:Put": true, "config:PutX": true, "config:Get": false},
		"a?c":            {"abc": true, "ac": false, "abbc": false},
		"*:role/x*":      {"arn:aws:iam::1:role/x1": true, "arn:aws:iam::1:role/y": false},
		"":               {"": true, "a": false},
		"**a**b**":       {"xaxb": true, "ba": false},
		"a*a*a*a*a*a*a*": {strings.Repeat("a", 60) + "b": true},
	} {
		for text, want := range texts {
			if got := like(pattern, text); got != want {
				t.Errorf("%q %q: %v", pattern, text, got)
			}
		}
	}
}

// Patterns are matched in time that grows with them, never beyond.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotAction":["iam:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["x",1,true]}}}}`), "a*b*c*d*?*", "aaaaaaaaaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, content []byte, pattern, text string) {
		p := ReadControlPolicy("p-1", "", string(content))
		all := &Policies{attached: map[string][]*ControlPolicy{"1": {p}}}
		d, denied := all.Judge(&Account{ID: "1", OU: &OU{ID: "r"}}, Ask{Action: "config:PutConfigRule", Region: "us-east-1", Partition: "aws"})
		if denied && fmt.Sprint(d) == "" {
			t.Error("a denial without a word")
		}
		if !strings.ContainsAny(pattern, "*?") && like(pattern, text) != (pattern == text) {
			t.Errorf("%q is like %q", pattern, text)
		}
		if !like("*"+text, text) || !like(text+"*", text) && !strings.ContainsAny(text, "*?") {
			t.Errorf("%q is not like itself", text)
		}
	})
}
