package stackset

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"rollout/internal/simaws"
	"rollout/templates"
)

// inside is the SDK in an account, with all rights.
func (s *site) inside(account, region string) aws.Config {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), account, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if err != nil {
		s.t.Fatal(err)
	}
	return entry.Config(region)
}

// Names that a template of a file gives are looked for where no instance of the set is,
// with whose they are; what is taken keeps just that place from being deployed to, and a
// deploy of the rest succeeds.
func TestNamesThatAreTaken(t *testing.T) {
	inSim(t, 5, func(t *testing.T, s *site) {
		template, err := templates.Load("testdata/named.yaml")
		if err != nil {
			t.Fatal(err)
		}
		s.d.Templates = []templates.Template{template}
		role, bucket, document, foreign, free := s.d.Accounts[0].ID, s.d.Accounts[1].ID, s.d.Accounts[2].ID, s.d.Accounts[3].ID, s.d.Accounts[4].ID
		if _, err := iam.NewFromConfig(s.inside(role, home)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("audit-" + other), Description: aws.String("made by the audit team"),
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}); err != nil {
			t.Fatal(err)
		}
		s.sim.PutBucket(bucket, home, "audit-"+bucket+"-"+home, simaws.BucketSpec{})
		s.sim.PutBucket(free, home, "audit-"+foreign+"-"+home, simaws.BucketSpec{})
		if _, err := ssm.NewFromConfig(s.inside(document, home)).CreateDocument(t.Context(), &ssm.CreateDocumentInput{Name: aws.String("audit"), DocumentType: types.DocumentTypeCommand,
			Content: aws.String(`{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"look","inputs":{"runCommand":["uptime"]}}]}`)}); err != nil {
			t.Fatal(err)
		}
		plan := s.prepared()
		set := SetName(s.d, template)
		want := map[string]struct {
			account, region string
			words           []string
		}{
			"role-name-taken":     {role, other, []string{"a role called audit-eu-west-1", "made by the audit team"}},
			"bucket-name-taken":   {bucket, home, []string{"a bucket called audit-" + bucket + "-us-east-1", "the account's own"}},
			"document-name-taken": {document, home, []string{"a Systems Manager document called audit", "owned by " + document}},
			"name-unread":         {foreign, home, []string{"a bucket called audit-" + foreign + "-us-east-1"}},
		}
		for code, w := range want {
			have := found(plan, code)
			if len(have) != 1 || have[0].AccountID != w.account || have[0].Region != w.region || slices.ContainsFunc(w.words, func(word string) bool { return !strings.Contains(have[0].Text, word) }) {
				t.Errorf("%s: %+v", code, have)
			}
		}
		if have := found(plan, "names-unlooked"); len(have) != 1 || !strings.Contains(have[0].Text, "types AWS::SNS::Topic, and") {
			t.Errorf("%+v", have)
		}
		for _, c := range plan.Changes {
			if c.StackSet == set && (c.Action == Skip) != (c.Target == Target{role, other} || c.Target == Target{bucket, home} || c.Target == Target{document, home}) {
				t.Errorf("%+v", c.Target)
			}
		}
		// Somebody else's bucket is what could not be seen, and what fails.
		for _, o := range s.apply(t.Context(), plan).Outcomes {
			if o.StackSet == set && (o.Status != OutcomeSucceeded) != (o.Target == Target{foreign, home}) {
				t.Errorf("%s %s: %s %s", o.AccountID, o.Region, o.Status, o.Reason)
			}
		}
		again := s.prepared()
		for _, f := range again.Findings {
			if strings.HasSuffix(f.Code, "-taken") && (len(f.Places) != 1 || f.AccountID == free || f.AccountID == foreign) {
				t.Errorf("what the set made is taken for another's: %+v", f)
			}
		}
	})
}

// A plan costs at most five calls an account and three an account and Region; the pages
// of rules that are looked through for equal ones come on top, and so do the refusals by
// which the role is learnt. An account that records costs as many as one that does not.
func TestPreflightCalls(t *testing.T) {
	inSim(t, 8, func(t *testing.T, s *site) {
		all, err := templates.LoadAll("baseline")
		if err != nil {
			t.Fatal(err)
		}
		s.d.Templates, s.d.Remediation, s.d.ReuseExisting = all, RemediationManual, true
		for _, a := range s.d.Accounts[:4] {
			s.sim.PutRecorder(a.ID, home, simaws.RecorderSpec{Name: "default"})
		}
		count := func(when string) {
			before := s.sim.Stats().Calls
			plan := s.prepared()
			accounts, places, rules := 0, 0, 0
			for call, n := range s.sim.Stats().Calls {
				n -= before[call]
				switch service, name, _ := strings.Cut(call, ":"); {
				case name == "DescribeConfigRules":
					rules += n
				case service == "config" || service == "ssm":
					places += n
				case service == "sts" && name == "AssumeRole" || service == "account" || service == "iam" || service == "s3":
					accounts += n
				}
			}
			n := len(s.d.Accounts)
			t.Logf("%s: %d calls of %d accounts, %d and %d pages of rules of %d places, %d changes", when, accounts, n, places, rules, n*2, len(plan.Changes))
			if accounts > 5*n || places > 3*n*2 || accounts == 0 || places == 0 {
				t.Errorf("%s: %d calls of %d accounts, %d of %d places", when, accounts, n, places, n*2)
			}
		}
		s.prepared() // learns the role
		count("first")
		s.apply(t.Context(), s.prepared())
		count("again")
	})
}
