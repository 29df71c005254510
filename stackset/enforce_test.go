package stackset

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/simaws"
	"rollout/templates"
)

// config is AWS Config in a Region of the stage's account.
func (s *stage) config(region string) *configservice.Client {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), s.account.ID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return configservice.NewFromConfig(entry.Config(region))
}

// remediate starts a rule's remediation on all that it finds, as a person does.
func (s *stage) remediate(region, rule string) {
	s.t.Helper()
	client := s.config(region)
	found, err := client.GetComplianceDetailsByConfigRule(s.t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{
		ConfigRuleName: aws.String(rule), ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}, Limit: 100,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var keys []types.ResourceKey
	for _, r := range found.EvaluationResults {
		q := r.EvaluationResultIdentifier.EvaluationResultQualifier
		keys = append(keys, types.ResourceKey{ResourceType: types.ResourceType(*q.ResourceType), ResourceId: q.ResourceId})
	}
	out, err := client.StartRemediationExecution(s.t.Context(), &configservice.StartRemediationExecutionInput{ConfigRuleName: aws.String(rule), ResourceKeys: keys})
	if err != nil || len(out.FailedItems) > 0 {
		s.t.Fatalf("%s in %s: %+v, %v", rule, region, out, err)
	}
}

// remediated wants every remediation of a rule to have succeeded.
func (s *stage) remediated(region, rule string) {
	s.t.Helper()
	out, err := s.config(region).DescribeRemediationExecutionStatus(s.t.Context(), &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: aws.String(rule)})
	if err != nil || len(out.RemediationExecutionStatuses) == 0 {
		s.t.Fatalf("%s in %s: %+v, %v", rule, region, out, err)
	}
	for _, e := range out.RemediationExecutionStatuses {
		if e.State != types.RemediationExecutionStateSucceeded {
			for _, step := range e.StepDetails {
				s.t.Logf("%s %s %s", *step.Name, step.State, aws.ToString(step.ErrorMessage))
			}
			s.t.Errorf("%s in %s: the remediation of %s is %s", rule, region, *e.ResourceKey.ResourceId, e.State)
		}
	}
}

// What each pair does to an account, from end to end: it is deployed in three Regions,
// Config finds what is wrong, the remediation runs, Config finds it right, and the
// simulation's truth says the same. Enforcement is then taken out, and the rules stay.
func TestEnforcement(t *testing.T) {
	regions := []string{"ap-northeast-1", other, home}
	for _, test := range []struct {
		template string
		rules    []string // the rules that are remediated
		spoil    func(s *simaws.Sim, id, region string)
		mended   func(s *simaws.Sim, id, region string) bool
	}{
		{"restrict-ssh-rdp", []string{"rollout-vpc-sg-port-restriction-check-ipv4", "rollout-vpc-sg-port-restriction-check-ipv6"},
			func(s *simaws.Sim, id, region string) {
				s.OpenPorts(id, region, "tcp", 22, 22)
				s.OpenPorts(id, region, "udp", 3389, 3389)
				s.OpenPorts(id, region, "tcp", 443, 443)
			},
			func(s *simaws.Sim, id, region string) bool {
				return !s.PortsOpen(id, region, "tcp", 22, 22) && !s.PortsOpen(id, region, "udp", 3389, 3389) && s.PortsOpen(id, region, "tcp", 443, 443)
			}},
		{"ebs-encryption", []string{"rollout-ec2-ebs-encryption-by-default"},
			func(s *simaws.Sim, id, region string) { s.EncryptByDefault(id, region, false) },
			func(s *simaws.Sim, id, region string) bool { return s.EncryptsByDefault(id, region) }},
		{"vpc-flow-logs", []string{"rollout-vpc-flow-logs-enabled"},
			func(s *simaws.Sim, id, region string) { s.DropFlowLogs(id, region) },
			func(s *simaws.Sim, id, region string) bool {
				logs := s.FlowLogs(id, region)
				return len(logs) > 0 && !slices.ContainsFunc(logs, func(to string) bool { return to != "arn:aws:s3:::"+templates.DeliveryBucketName("", id, home) })
			}},
		{"imds-v2", []string{"rollout-ec2-imdsv2-check"},
			func(s *simaws.Sim, id, region string) {
				s.StartInstance(id, region, "optional", 0)
				s.StartInstance(id, region, "required", 5)
			},
			func(s *simaws.Sim, id, region string) bool {
				tokens := s.InstanceTokens(id, region)
				return tokens["required"] == 2 && tokens["optional"] == 0
			}},
		{"public-exposure", []string{"rollout-ebs-snapshot-public-restorable-check"},
			func(s *simaws.Sim, id, region string) {
				s.KeepSnapshot(id, region, "all", "444455556666")
				s.KeepSnapshot(id, region, "all")
				s.KeepSnapshot(id, region, "444455556666")
			},
			func(s *simaws.Sim, id, region string) bool {
				shared := s.SnapshotShares(id, region)
				return shared["all"] == 0 && shared["444455556666"] == 2
			}},
	} {
		offered, err := templates.Lookup(test.template)
		if err != nil {
			t.Fatal(err)
		}
		for _, remediation := range []Remediation{RemediationManual, RemediationAutomatic} {
			if !slices.Contains(offered.Remediation(), string(remediation)) {
				continue
			}
			t.Run(test.template+"/"+string(remediation), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
					id := s.account.ID
					for _, region := range regions {
						// The groups that AWS makes have rules; what the test is about is put there anew.
						s.sim.SetGroups(id, region, false)
						test.spoil(s.sim, id, region)
					}
					verdicts := func() map[string]int {
						counted := map[string]int{}
						for _, line := range s.sim.Truth(regions) {
							if line.AccountID == id && slices.Contains(test.rules, line.Rule) {
								counted[line.Status]++
							}
						}
						return counted
					}
					all := len(test.rules) * len(regions)
					s.apply(s.plan(s.desired(test.template, RemediationOff, regions...)))
					time.Sleep(time.Hour)
					if got := verdicts(); got["NON_COMPLIANT"] != all {
						t.Fatalf("detected %v, want %d of NON_COMPLIANT", got, all)
					}
					d := s.desired(test.template, remediation, regions...)
					s.apply(s.plan(d))
					if again := s.plan(d); again.Pending() {
						t.Errorf("a second plan has something to do: %+v", again.Changes)
					}
					time.Sleep(time.Hour)
					if remediation == RemediationManual {
						if got := verdicts(); got["NON_COMPLIANT"] != all {
							t.Errorf("nobody asked, and there is %v", got)
						}
						for _, region := range regions {
							for _, rule := range test.rules {
								s.remediate(region, rule)
							}
						}
					}
					time.Sleep(26 * time.Hour) // a periodic rule looks once a day
					if got := verdicts(); got["COMPLIANT"] != all {
						t.Errorf("remediated: %v, want %d of COMPLIANT", got, all)
					}
					for _, region := range regions {
						if !test.mended(s.sim, id, region) {
							t.Errorf("%s is not as it should be", region)
						}
						for _, rule := range test.rules {
							s.remediated(region, rule)
						}
					}
					s.remove(test.template+"-enforce", regions...)
					if got := verdicts(); got["COMPLIANT"] != all {
						t.Errorf("disarmed: %v", got)
					}
				})
			})
		}
	}
}

// A VPC that is exempt, and one whose bucket is from before recording-base let flow
// logs in, get none: the first is left, the second fails and says why.
func TestFlowLogsThatAreNotMade(t *testing.T) {
	const rule = "rollout-vpc-flow-logs-enabled"
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		id := s.account.ID
		for _, region := range []string{home, other} {
			s.sim.DropFlowLogs(id, region)
		}
		s.apply(s.plan(s.desired("vpc-flow-logs", RemediationManual, home, other)))
		time.Sleep(time.Hour)
		s.sim.TagVPCs(id, home, templates.ExemptTag, "sandbox")
		s.sim.SetBucketPolicy(id, templates.DeliveryBucketName("", id, home), `{"Version":"2012-10-17","Statement":[]}`)
		for _, region := range []string{home, other} {
			s.remediate(region, rule)
		}
		time.Sleep(time.Hour)
		s.remediated(home, rule)
		out, err := s.config(other).DescribeRemediationExecutionStatus(t.Context(), &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: aws.String(rule)})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.RemediationExecutionStatuses {
			why := ""
			for _, step := range e.StepDetails {
				why += aws.ToString(step.ErrorMessage)
			}
			if e.State != types.RemediationExecutionStateFailed || !strings.Contains(why, "Please check LogDestination permission") {
				t.Errorf("%s: %s", e.State, why)
			}
		}
		for _, region := range []string{home, other} {
			if logs := s.sim.FlowLogs(id, region); len(logs) > 0 {
				t.Errorf("%s: made %v", region, logs)
			}
		}
	})
}

// Instances on which version 1 is still used, of which nothing is known or that are exempt
// stay as they are when all that Config found is to be remediated.
func TestInstancesAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
		id := s.account.ID
		s.sim.StartInstance(id, home, "optional", 0)
		s.sim.StartInstance(id, home, "optional", 40)
		s.sim.TagInstance(id, home, s.sim.StartInstance(id, home, "optional", 0), templates.ExemptTag, "until June")
		s.apply(s.plan(s.desired("imds-v2", RemediationManual, home)))
		time.Sleep(time.Hour)
		s.remediate(home, "rollout-ec2-imdsv2-check")
		time.Sleep(time.Hour)
		s.remediated(home, "rollout-ec2-imdsv2-check")
		if got := s.sim.InstanceTokens(id, home); got["required"] != 1 || got["optional"] != 2 {
			t.Errorf("instances: %v", got)
		}
	})
}
