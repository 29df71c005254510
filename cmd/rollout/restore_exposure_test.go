package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/internal/simaws"
)

// exposed is a resource that a remediation by hand changes, and how to see and set it.
type exposed struct {
	id, rule  string
	key       types.ResourceKey // what the rule finds: the resource, or its account
	public    bool              // a restore opens it to the public
	sources   []string          // beside the object
	remedied  func() bool
	untag     func() error
	alter     func() error // what somebody changes later
	alteredIs string       // in the words of the refusal
}

// exposures are an instance, a snapshot and a bucket of an account as somebody once left
// them.
func exposures(t *testing.T, r *rehearsal, account string) []exposed {
	t.Helper()
	const region, bucket = "us-east-1", "downloads-of-old"
	cfg := r.member(account)
	api, objects := ec2.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := api.DisableSnapshotBlockPublicAccess(t.Context(), &ec2.DisableSnapshotBlockPublicAccessInput{}); err != nil {
		t.Fatal(err)
	}
	machine := r.sim.StartInstance(account, region, "optional", 0)
	shot := r.sim.KeepSnapshot(account, region, "all", "444455556666")
	r.sim.PutBucket(account, region, bucket, simaws.BucketSpec{})
	untag := func(id string) func() error {
		return func() error {
			_, err := api.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String("rollout-exempt")}}})
			return err
		}
	}
	return []exposed{
		{
			id: machine, rule: "rollout-ec2-imdsv2-check", key: types.ResourceKey{ResourceType: "AWS::EC2::Instance", ResourceId: &machine}, sources: []string{"config", "cloudtrail"}, untag: untag(machine),
			remedied: func() bool {
				out, err := api.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{machine}})
				return err == nil && out.Reservations[0].Instances[0].MetadataOptions.HttpTokens == ec2types.HttpTokensStateRequired
			},
			alter: func() error {
				_, err := api.ModifyInstanceMetadataOptions(t.Context(), &ec2.ModifyInstanceMetadataOptionsInput{InstanceId: &machine, HttpTokens: "required", HttpPutResponseHopLimit: aws.Int32(7)})
				return err
			},
			alteredIs: "hop limit 7",
		},
		{
			id: shot, rule: "rollout-ebs-snapshot-public-restorable-check", key: types.ResourceKey{ResourceType: "AWS::::Account", ResourceId: &account}, public: true, sources: []string{"cloudtrail"}, untag: untag(shot),
			remedied: func() bool {
				out, err := api.DescribeSnapshotAttribute(t.Context(), &ec2.DescribeSnapshotAttributeInput{SnapshotId: &shot, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission})
				return err == nil && !slices.ContainsFunc(out.CreateVolumePermissions, func(p ec2types.CreateVolumePermission) bool { return p.Group == "all" })
			},
			alter: func() error {
				_, err := api.ModifySnapshotAttribute(t.Context(), &ec2.ModifySnapshotAttributeInput{SnapshotId: &shot, CreateVolumePermission: &ec2types.CreateVolumePermissionModifications{
					Remove: []ec2types.CreateVolumePermission{{Group: "all"}, {UserId: aws.String("444455556666")}}}})
				return err
			},
			alteredIs: "shared with: none",
		},
		{
			id: bucket, rule: "rollout-s3-bucket-level-public-access-prohibited", key: types.ResourceKey{ResourceType: "AWS::S3::Bucket", ResourceId: aws.String(bucket)}, public: true, sources: []string{"config"},
			remedied: func() bool { return r.sim.BucketBlocks(account, bucket) },
			untag: func() error {
				_, err := objects.DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: aws.String(bucket)})
				return err
			},
			alter: func() error {
				_, err := objects.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: aws.String(bucket), PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true)}})
				return err
			},
			alteredIs: "on: BlockPublicAcls, IgnorePublicAcls",
		},
	}
}

// remediate starts the remediation of a resource by hand and gives the step that said
// what it came to.
func remediate(t *testing.T, api *configservice.Client, e exposed) (lastStep string) {
	t.Helper()
	if _, err := api.StartRemediationExecution(t.Context(), &configservice.StartRemediationExecutionInput{ConfigRuleName: &e.rule, ResourceKeys: []types.ResourceKey{e.key}}); err != nil {
		t.Fatalf("%s: %v", e.rule, err)
	}
	for range 200 { // the automation takes its time
		out, err := api.DescribeRemediationExecutionStatus(t.Context(), &configservice.DescribeRemediationExecutionStatusInput{ConfigRuleName: &e.rule, ResourceKeys: []types.ResourceKey{e.key}})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range out.RemediationExecutionStatuses {
			switch one.State {
			case types.RemediationExecutionStateSucceeded:
				for _, s := range one.StepDetails {
					if s.State == types.RemediationExecutionStepStateSucceeded {
						lastStep = aws.ToString(s.Name)
					}
				}
				return lastStep
			case types.RemediationExecutionStateFailed:
				t.Fatalf("%s failed: %+v", e.rule, one.StepDetails)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the remediation of %s does not end", e.id)
	return ""
}

// found says whether the rule finds the resource, in the end.
func found(t *testing.T, api *configservice.Client, e exposed) bool {
	t.Helper()
	for range 200 {
		// In AWS a rule that was just evaluated may refuse another turn.
		_, err := api.StartConfigRulesEvaluation(t.Context(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{e.rule}})
		var busy *types.LimitExceededException
		if err != nil && !errors.As(err, &busy) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		out, err := api.GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: &e.rule, ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range out.EvaluationResults {
			if *x.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId == *e.key.ResourceId {
				return true
			}
		}
	}
	return false
}

// What remediations by hand took away comes back by name from each source that knows it,
// is exempt before that, is found by its rule again and not taken again: instances'
// metadata options, snapshots' and buckets' public access. The role made for it can do
// that and, until it is told, cannot open anything to the public.
func TestRestoreOfExposures(t *testing.T) {
	r := rehearse(t)
	account := r.accounts(1, "Workloads/")[0]
	at := []string{"--account", account, "--region", "us-east-1"}
	list := exposures(t, r, account)
	r.rollout(exitDone, append([]string{"deploy", "--template", "imds-v2,public-exposure,s3-encryption,rollout-operator", "--remediation", "manual", "--yes"}, at...)...)
	config := configservice.NewFromConfig(r.member(account))
	for _, e := range list {
		if !found(t, config, e) {
			t.Fatalf("%s: the rule does not find it", e.id)
		}
		if step := remediate(t, config, e); step != "Verify" || !e.remedied() {
			t.Fatalf("%s ended in %s, and is it remedied: %v", e.id, step, e.remedied())
		}
		if !e.public {
			continue
		}
		_, stderr := r.rollout(exitFailed, append([]string{"restore", "--yes", "--resource", e.id, "--public", e.id}, at...)...)
		if !strings.Contains(stderr, "as rollout-operator") || !strings.Contains(stderr, "nothing was put back") || !e.remedied() {
			t.Errorf("%s, by a role that may not: %s", e.id, stderr)
		}
		if step := remediate(t, config, e); step == "LeaveExempt" {
			t.Errorf("%s was exempted", e.id)
		}
	}
	r.rollout(exitDone, append([]string{"deploy", "--template", "rollout-operator", "--parameter", "RestorePublicAccess=true", "--yes"}, at...)...)
	// One that is not named for the public holds up all, one that nobody knows does not.
	several := list[0].id + "," + list[1].id + "," + list[2].id + ",snap-00000000"
	_, stderr := r.rollout(exitFailed, append([]string{"restore", "--yes", "--resource", several, "--public", list[1].id}, at...)...)
	if !strings.Contains(stderr, "nothing to put back into snap-00000000") || !strings.Contains(stderr, "--public "+list[2].id) || !list[0].remedied() || !list[1].remedied() || !list[2].remedied() {
		t.Errorf("several at once: %s", stderr)
	}
	if _, stderr := r.rollout(exitFailed, append([]string{"restore", "--resource", list[0].id, "--public", list[1].id}, at...)...); !strings.Contains(stderr, "it is not among --resource") {
		t.Errorf("another's --public: %s", stderr)
	}
	for _, e := range list {
		t.Run(e.rule, func(t *testing.T) {
			one := append([]string{"restore", "--resource", e.id}, at...)
			for _, source := range append([]string{"object"}, e.sources...) {
				if !e.remedied() { // the first time it is, from above
					if step := remediate(t, config, e); step != "Verify" || !e.remedied() {
						t.Fatalf("it ended in %s, and is it remedied: %v", step, e.remedied())
					}
				}
				if source == "cloudtrail" {
					time.Sleep(100 * time.Millisecond) // ten simulated minutes
				}
				from := append(slices.Clone(one), "--from", source)
				if e.public {
					// A --yes says nothing about that.
					if _, stderr := r.rollout(exitFailed, append(from, "--yes")...); !strings.Contains(stderr, "would be opened to the public") || !strings.Contains(stderr, "--public "+e.id) || !e.remedied() {
						t.Errorf("without --public:\n%s", stderr)
					}
					from = append(from, "--public", e.id)
				}
				if _, stderr := r.rollout(exitFailed, from...); !strings.Contains(stderr, "nothing was changed") || !e.remedied() {
					t.Errorf("without --yes:\n%s", stderr)
				}
				from = append(from, "--yes")
				stdout, stderr := r.rollout(exitDone, append(from, "--output", "json")...)
				if !strings.Contains(stderr, "as rollout-operator") {
					t.Errorf("another role: %s", stderr)
				}
				var rows []restoredJSON
				if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
					t.Fatal(err)
				}
				if len(rows) != 1 || rows[0].Source != source || !rows[0].Exempted || len(rows[0].Changes) != 2 || (len(rows[0].Public) > 0) != e.public || e.remedied() {
					t.Errorf("from %s: %s, and is it remedied: %v", source, stdout, e.remedied())
				}
				if stdout, _ := r.rollout(exitDone, from...); !strings.Contains(stdout, "nothing to do") {
					t.Errorf("from %s, again: %s", source, stdout)
				}
				if !found(t, config, e) {
					t.Errorf("from %s: the rule does not find it again", source)
				}
				if step := remediate(t, config, e); step != "LeaveExempt" || e.remedied() {
					t.Errorf("from %s: then the remediation ended in %s", source, step)
				}
				if err := e.untag(); err != nil {
					t.Fatal(err)
				}
			}
			if kept, _ := r.rollout(exitDone, append([]string{"restore"}, at...)...); !strings.Contains(kept, e.id) {
				t.Errorf("the list lacks it:\n%s", kept)
			}
			// What somebody changed since is not overwritten.
			if err := e.alter(); err != nil {
				t.Fatal(err)
			}
			if _, stderr := r.rollout(exitFailed, append(one, "--yes", "--from", "object")...); !strings.Contains(stderr, "somebody changed it since") || !strings.Contains(stderr, e.alteredIs) {
				t.Errorf("changed since:\n%s", stderr)
			}
		})
	}
}
