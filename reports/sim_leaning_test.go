package reports

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/simaws"
	"rollout/templates"
)

// enforced gives an account's Region our rule with open groups, and what empties them by
// itself, as a stack of its own.
func enforced(t *testing.T, s simulation, account, region string) {
	t.Helper()
	s.PutRecorder(account, region, simaws.RecorderSpec{})
	s.SetGroups(account, region, true)
	s.PutRule(account, region, ourRule, closed.Identifier, "")
	template, err := templates.Lookup(templates.DefaultSecurityGroupEnforce)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := s.session.Enter(t.Context(), account, "")
	if err != nil {
		t.Fatal(err)
	}
	parameter := func(name, value string) cfntypes.Parameter {
		return cfntypes.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)}
	}
	if _, err := cloudformation.NewFromConfig(entry.Config(region)).CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("enforce"), TemplateBody: aws.String(string(template.Body())), Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam},
		Parameters: []cfntypes.Parameter{parameter(templates.ParameterHomeRegion, "us-east-1"), parameter("Remediation", "Automatic")},
	}); err != nil {
		t.Fatal(err)
	}
}

// Every kind of thing that leans on a group keeps the runbook from emptying it, and the
// report says who it is.
func TestReportSaysWhoLeansOnAGroup(t *testing.T) {
	regions := []string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
		"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
	}
	// Of each kind what the report says after "left as it is: in use: ", by beginning and end.
	said := map[string][2]string{
		"interface":                     {"network interface eni-", ""},
		"rule":                          {"rule of sg-", ""},
		"launch-template":               {"launch template lt-", " names it in version 1"},
		"launch-template-card":          {"launch template lt-", " names it in version 1"},
		"launch-template-by-name":       {"launch template lt-", " names default in version 1"},
		"launch-template-without-group": {"launch template lt-", " names no group in version 1"},
		"launch-template-version":       {"launch template lt-", " names it in version 2"},
		"function":                      {"function idle", ""},
		"function-version":              {"function idle", ""},
		"ecs-service":                   {"ECS service apps/idle names it, desired count 0", ""},
		"ecs-service-without-group":     {"ECS service apps/idle names no group, desired count 0", ""},
		"ecs-deployment":                {"ECS service apps/idle names it, desired count 0", ""},
		"peered-vpc":                    {"rule in vpc-", ""},
		"transit-gateway":               {"rule in vpc-", ""},
	}
	kinds := simaws.Leaners()
	if len(kinds) != len(said) || len(regions) != len(kinds)+1 {
		t.Fatalf("%d kinds, %d tried in %d Regions", len(kinds), len(said), len(regions))
	}
	synctest.Test(t, func(t *testing.T) {
		file := "management: {name: management}\nous: [{name: Workloads, accounts: [{name: prod, defaultSecurityGroupUsers: ["
		for i, kind := range kinds {
			file += fmt.Sprintf("{region: %s, kind: %s, name: idle}, ", regions[i], kind)
		}
		organization, err := simaws.ParseOrganization("file", []byte(file+"]}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		s := simulate(t, simaws.Options{Organization: organization})
		in := s.input()
		in.Accounts, in.Regions = s.under("Workloads"), regions
		for _, region := range regions {
			enforced(t, s, in.Accounts[0].ID, region)
		}
		time.Sleep(2 * time.Hour)
		got := Collect(t.Context(), s.session, in, nil)
		found := map[string]Finding{}
		for _, f := range got.Findings {
			found[f.Region] = f
		}
		if len(got.Findings) != len(regions) {
			t.Errorf("%d findings in %d Regions", len(got.Findings), len(regions))
		}
		for i, kind := range kinds {
			f, want := found[regions[i]], said[kind]
			who, left := strings.CutPrefix(f.RemediationDetail, "left as it is: in use: ")
			if !left || f.RemediationStatus != remediationNone || !strings.HasPrefix(who, want[0]) || !strings.HasSuffix(who, want[1]) {
				t.Errorf("%s: %s %q, want %q", kind, f.RemediationStatus, f.RemediationDetail, want)
			}
		}
		// Where nobody leans on the group the runbook goes on, to the bucket that is not there.
		free := found[regions[len(kinds)]]
		if free.RemediationStatus != remediationFailed || !strings.Contains(free.RemediationDetail, "NoSuchBucket") {
			t.Errorf("nobody leans on it: %s %q", free.RemediationStatus, free.RemediationDetail)
		}
	})
}

// What the caller may not read does not hide that the group was left.
func TestReasonsThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 12, Empty: true})
		in := s.input()
		in.Accounts, in.Regions = s.under("Workloads")[:1], []string{"eu-west-1"}
		account := in.Accounts[0].ID
		s.UseGroups(account, "eu-west-1", true)
		enforced(t, s, account, "eu-west-1")
		time.Sleep(2 * time.Hour)
		s.DenyAction(account, "ssm:DescribeAutomationExecutions")
		for _, f := range Collect(t.Context(), s.session, in, nil).Findings {
			if f.RemediationStatus != remediationNone || !strings.HasPrefix(f.RemediationDetail, "left as it is: in use; by whom could not be read: ssm:DescribeAutomationExecutions: ") {
				t.Errorf("%s %q", f.RemediationStatus, f.RemediationDetail)
			}
		}
	})
}
