package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/awsapi"
	"rollout/internal/doctor"
	"rollout/internal/simaws"
	"rollout/templates"
)

// delegate makes the member account an administrator of StackSets that may enter the
// others, and has commands run from there.
func (th *theater) delegate() {
	th.t.Helper()
	account := th.member().ID
	if _, err := organizations.NewFromConfig(th.operator()).RegisterDelegatedAdministrator(th.t.Context(), &organizations.RegisterDelegatedAdministratorInput{
		AccountId: &account, ServicePrincipal: aws.String("member.org.stacksets.cloudformation.amazonaws.com")}); err != nil {
		th.t.Fatal(err)
	}
	th.play(act{name: "reader", before: [][]string{words([]string{"deploy", "--template", "rollout-reader", "--parameter", "TrustedAccountId=" + account}, chosen, forReal)}})
	cfg := th.operator()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(th.operator()), "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole"))
	th.home, th.admin = account, &cfg
}

// A delegated administrator's identity needs to ask who is one, and reads its own
// account with its own credentials.
func TestPoliciesOfADelegatedAdministrator(t *testing.T) {
	in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Restorers: restoreRoles, Delegated: true, Own: true}
	for command, args := range map[string][]string{
		"status": {"status"}, "doctor": {"doctor"}, "drift": {"drift"}, "explain": {"explain", "MEMBER"},
		"plan": words([]string{"plan"}, chosen), "report": words([]string{"report", "--out", "REPORT"}, chosen),
	} {
		t.Run(command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := newTheater(t, simaws.Options{})
				th.play(act{before: deployed})
				th.delegate()
				whole := doctor.Policy(named(command), in)
				if status, said := th.run(&whole, args...); status != exitDone || refused(said) {
					t.Fatalf("exit status %d with the whole policy\n%s", status, said)
				}
				called := th.calls.actions()
				if extra := slices.DeleteFunc(called, func(a string) bool { return slices.Contains(named(command)[0].Actions(in), a) }); len(extra) > 0 {
					t.Errorf("called %v beside what the policy allows", extra)
				}
				less := without(whole, "organizations:ListDelegatedAdministrators")
				if status, said := th.run(&less, args...); !strings.Contains(said, "not a delegated administrator") && !strings.Contains(said, "perform: organizations:ListDelegatedAdministrators") {
					t.Errorf("without asking who is an administrator: exit status %d\n%s", status, said)
				}
				if command != "report" {
					return
				}
				// What it may not read in its own account is a gap of that account.
				less = without(whole, "config:DescribeConfigRules")
				if status, said := th.run(&less, args...); status != exitPartial || !strings.Contains(said, string("ACCESS_DENIED")) {
					t.Errorf("without reading its own rules: exit status %d\n%s", status, said)
				}
			})
		})
	}
}

// The management account is read with the identity's own credentials.
func TestPolicyOfAReportOnTheManagementAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		th.play(act{before: deployed})
		in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames}
		args := []string{"report", "--out", "REPORT", "--region", "us-east-1", "--include-management"}
		narrow := doctor.Policy(named("report"), in)
		if status, said := th.run(&narrow, args...); status != exitPartial || !strings.Contains(said, "ACCESS_DENIED") {
			t.Errorf("without its own reads: exit status %d\n%s", status, said)
		}
		in.Own = true
		whole := doctor.Policy(named("report"), in)
		if status, said := th.run(&whole, args...); status != exitDone {
			t.Errorf("exit status %d with the whole policy\n%s", status, said)
		}
	})
}

// A member account that administers nothing is told so, and how that is changed; with
// AWS's refusals where it may not look.
func TestDoctorInAMemberAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, simaws.Options{})
		cfg := th.operator()
		th.home = th.member().ID
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(th.operator()), "arn:aws:iam::"+th.home+":role/OrganizationAccountAccessRole"))
		th.admin = &cfg
		everything := templates.Policy{Version: "2012-10-17", Statement: []templates.Statement{{Effect: "Allow", Action: []string{"*"}, Resource: []string{"*"}}}}
		status, said := th.run(&everything, "doctor")
		for _, want := range []string{"error    call-as", "AccessDeniedException", "register-delegated-administrator --service-principal member.org.stacksets.cloudformation.amazonaws.com --account-id " + th.home, "warning  roles", "Account used is not a delegated administrator"} {
			if status != exitFailed || !strings.Contains(said, want) {
				t.Errorf("exit status %d without %q\n%s", status, want, said)
			}
		}
		if status, said = th.run(&everything, "doctor", "--activate", "--yes"); status != exitFailed || !strings.Contains(said, "is not the management account") {
			t.Errorf("exit status %d\n%s", status, said)
		}
	})
}

// named is the one command of a name.
func named(command string) []doctor.Command {
	return slices.DeleteFunc(doctor.Commands(), func(c doctor.Command) bool { return c.Name != command })
}

// One policy for several commands allows no more than theirs together.
func TestAPolicyForSeveralCommandsIsTheirUnion(t *testing.T) {
	in := doctor.PolicyInput{Partition: "aws-cn", StackSets: []string{"x"}, Roles: []string{"r"}, Restorers: []string{"s"}}
	actions := func(p templates.Policy) (out []string) {
		for _, s := range p.Statement {
			out = append(out, s.Action...)
			for _, r := range s.Resource {
				if r != "*" && !strings.HasPrefix(r, "arn:aws-cn:") {
					t.Errorf("%s: %s is of another partition", s.Sid, r)
				}
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	var want []string
	for _, c := range doctor.Commands() {
		want = append(want, c.Actions(in)...)
	}
	slices.Sort(want)
	if got := actions(doctor.Policy(doctor.Commands(), in)); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("%v\nwant %v", got, slices.Compact(want))
	}
}

// What goes to the management account by plain stacks is made with the identity's own
// rights: the policy for the command and the one for the templates together are enough.
func TestPolicyOfADeployToTheManagementAccount(t *testing.T) {
	in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Own: true}
	target := []string{"--account", "management", "--include-management", "--region", "us-east-1"}
	template, err := templates.Lookup(templates.DefaultSecurityGroup)
	if err != nil {
		t.Fatal(err)
	}
	made, _ := templates.ExecutionPolicy(template.Chain())
	policy := func(command string) templates.Policy {
		p := doctor.Policy(named(command), in)
		p.Statement = append(p.Statement, made.Statement...)
		return p
	}
	for command, args := range map[string][]string{
		"deploy":  words([]string{"deploy"}, target, forReal),
		"remove":  words([]string{"remove", "--max-deletions", "100%"}, target[:3], []string{"--yes"}),
		"explain": {"explain", "management"},
	} {
		t.Run(command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := newTheater(t, simaws.Options{})
				if command != "deploy" {
					th.play(act{before: [][]string{words([]string{"deploy"}, target, forReal)}})
				}
				whole := policy(command)
				if status, said := th.run(&whole, args...); status != exitDone || refused(said) {
					t.Errorf("exit status %d with the whole policy\n%s", status, said)
				}
				called := th.calls.actions()
				if extra := slices.DeleteFunc(called, func(a string) bool {
					return slices.Contains(named(command)[0].Actions(in), a) || slices.ContainsFunc(made.Statement, func(s templates.Statement) bool { return slices.Contains(s.Action, a) })
				}); len(extra) > 0 {
					t.Errorf("called %v beside what the policies allow", extra)
				}
			})
		})
	}
}

// Without each action on the management account's plain stacks, the commands that look at
// them say which it is.
func TestPoliciesForPlainStacksAreTheLeast(t *testing.T) {
	in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Own: true}
	there := act{before: [][]string{words([]string{"deploy", "--account", "management", "--include-management", "--region", "us-east-1", "--remediation", "manual"}, forReal)}, after: foreign}
	template, err := templates.Lookup("default-security-group-enforce")
	if err != nil {
		t.Fatal(err)
	}
	made, _ := templates.ExecutionPolicy(template.Chain())
	for command, args := range map[string][]string{
		"drift":  {"drift", "--include-management"},
		"status": {"status", "--include-management"},
		"disarm": {"disarm", "--yes"},
	} {
		t.Run(command, func(t *testing.T) {
			whole := doctor.Policy(named(command), in)
			whole.Statement = append(whole.Statement, made.Statement...)
			a := there
			a.args = args
			status, said, called := perform(t, a, &whole)
			if status != exitDone || refused(said) {
				t.Fatalf("exit status %d with the whole policy\n%s", status, said)
			}
			for _, action := range []string{"BatchDescribeTypeConfigurations", "DeleteStack", "DescribeStackDriftDetectionStatus", "DescribeStacks", "DetectStackDrift", "DetectStackResourceDrift", "GetTemplate", "ListStacks"} {
				action = "cloudformation:" + action
				if !slices.Contains(named(command)[0].Actions(in), action) {
					continue
				}
				if !slices.Contains(called, action) && !slices.Contains(unnamed, action) {
					t.Errorf("%s is allowed and was not called", action)
				}
				less := without(whole, action)
				status, said, _ := perform(t, a, &less)
				if missed := missing(action, status, said); missed != "" || status == exitDone {
					t.Errorf("without %s: exit status %d: %s", action, status, missed)
				}
			}
		})
	}
}

// What a plain stack of an earlier version has is read to say what its update adds; who
// may not read it is told so, and the plan goes on.
func TestPolicyOfAPlanForAnOlderPlainStack(t *testing.T) {
	in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Own: true}
	older := act{args: words([]string{"plan", "--account", "management", "--include-management", "--region", "us-east-1", "--template", "ebs-encryption"}), after: func(th *theater) {
		_, err := cloudformation.NewFromConfig(th.operator()).CreateStack(th.t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("rollout-ebs-encryption"), TemplateBody: aws.String(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`),
			Tags: []cfntypes.Tag{{Key: aws.String("rollout:template"), Value: aws.String("ebs-encryption")}}})
		if err != nil {
			th.t.Fatal(err)
		}
		time.Sleep(time.Minute)
	}}
	whole := doctor.Policy(named("plan"), in)
	status, said, called := perform(t, older, &whole)
	if status != exitDone || refused(said) || !slices.Contains(called, "cloudformation:GetTemplate") {
		t.Fatalf("exit status %d with the whole policy, called %v\n%s", status, called, said)
	}
	less := without(whole, "cloudformation:GetTemplate")
	status, said, _ = perform(t, older, &less)
	if missed := missing("cloudformation:GetTemplate", status, said); missed != "" || status != exitDone {
		t.Error(missed)
	}
}
