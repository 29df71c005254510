package stackset

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rollout/internal/simaws"
)

// accountKinds are what an account has before anything is deployed.
var accountKinds = map[string]func(s *simaws.Sim, id, region string){
	"new":       func(*simaws.Sim, string, string) {},
	"recording": func(s *simaws.Sim, id, region string) { s.PutRecorder(id, region, simaws.RecorderSpec{}) },
	"control tower": func(s *simaws.Sim, id, region string) {
		s.PutRecorder(id, region, simaws.RecorderSpec{Name: "aws-controltower-BaselineConfigRecorder"})
		for _, action := range []string{"config:PutConfigurationRecorder", "config:DeleteConfigurationRecorder", "config:PutDeliveryChannel", "config:DeleteDeliveryChannel"} {
			s.DenyAction(id, action)
		}
	},
}

// verdictsOf counts what a report should say of the account and a rule.
func (s *stage) verdictsOf(rule string, regions []string) map[string]int {
	counted := map[string]int{}
	for _, line := range s.sim.Truth(regions) {
		if line.AccountID == s.account.ID && line.Rule == rule {
			counted[line.Status]++
		}
	}
	return counted
}

// Templates that only look, in three Regions of each kind of account: they find what is
// off, then find it on; a second plan has nothing to do; removed they leave nothing, and
// they deploy again.
func TestDetection(t *testing.T) {
	regions := []string{"ap-northeast-1", other, home}
	for _, test := range []struct {
		template string
		rules    []string // in every Region
		homeOnly []string
		set      func(s *simaws.Sim, id, region string, good bool)
	}{
		{"detection", []string{
			"rollout-guardduty-enabled-centralized", "rollout-securityhub-enabled", "rollout-inspector-ec2-scan-enabled", "rollout-inspector-ecr-scan-enabled", "rollout-inspector-lambda-standard-scan-enabled", "rollout-iam-external-access-analyzer-enabled",
		}, []string{"rollout-multi-region-cloud-trail-enabled"}, (*simaws.Sim).Detect},
		{"imds-v2", []string{"rollout-ec2-imdsv2-check"}, nil, func(s *simaws.Sim, id, region string, good bool) {
			s.EndInstances(id, region)
			s.StartInstance(id, region, map[bool]string{false: "optional", true: "required"}[good], 0)
		}},
		{"public-exposure", []string{
			"rollout-ebs-snapshot-public-restorable-check", "rollout-ebs-snapshot-block-public-access", "rollout-ssm-document-not-public", "rollout-ssm-automation-block-public-sharing",
		}, nil, (*simaws.Sim).Expose},
	} {
		for kind, prepare := range accountKinds {
			t.Run(test.template+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, simaws.Options{Empty: true, Accounts: 12})
					id := s.account.ID
					for _, region := range regions {
						prepare(s.sim, id, region)
						test.set(s.sim, id, region, false)
					}
					want := func(step, status string) {
						t.Helper()
						for _, rule := range test.rules {
							if got := s.verdictsOf(rule, regions); got[status] != len(regions) {
								t.Errorf("%s: %s is %v, want %s", step, rule, got, status)
							}
						}
						for _, rule := range test.homeOnly {
							if got := s.verdictsOf(rule, regions); fmt.Sprint(got) != fmt.Sprint(map[string]int{status: 1, "NOT_DEPLOYED": len(regions) - 1}) {
								t.Errorf("%s: %s is %v, want %s in the home Region", step, rule, got, status)
							}
						}
					}
					d := s.desired(test.template, RemediationOff, slices.Clone(regions)...)
					s.apply(s.plan(d))
					if again := s.plan(d); again.Pending() {
						t.Errorf("a second plan has something to do: %+v", again.Changes)
					}
					time.Sleep(time.Hour)
					want("deployed", "NON_COMPLIANT")
					for _, region := range regions {
						test.set(s.sim, id, region, true)
					}
					time.Sleep(26 * time.Hour)
					want("mended", "COMPLIANT")
					s.remove(test.template, slices.Clone(regions)...)
					for _, rule := range append(slices.Clone(test.rules), test.homeOnly...) {
						if got := s.verdictsOf(rule, regions); len(got) > 1 || len(got) == 1 && got["NOT_DEPLOYED"] != len(regions) {
							t.Errorf("removed: %s is %v", rule, got)
						}
					}
					s.apply(s.plan(d))
					time.Sleep(time.Hour)
					want("deployed again", "COMPLIANT")
				})
			})
		}
	}
}
