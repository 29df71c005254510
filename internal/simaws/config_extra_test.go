package simaws

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

func TestRetention(t *testing.T) {
	p := newPlace(t)
	client, ctx := p.sdk(), context.Background()
	names := []string{"default"}
	refuse(t, "NoSuchRetentionConfigurationException", func() error {
		_, err := client.DescribeRetentionConfigurations(ctx, &configservice.DescribeRetentionConfigurationsInput{RetentionConfigurationNames: names})
		return err
	})
	for _, days := range []int32{30, 2557} {
		accept(t, func() error {
			_, err := client.PutRetentionConfiguration(ctx, &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: aws.Int32(days)})
			return err
		})
		out, err := client.DescribeRetentionConfigurations(ctx, &configservice.DescribeRetentionConfigurationsInput{})
		if err != nil || len(out.RetentionConfigurations) != 1 || *out.RetentionConfigurations[0].Name != "default" || *out.RetentionConfigurations[0].RetentionPeriodInDays != days {
			t.Errorf("%+v, %v", out, err)
		}
	}
	remove := &configservice.DeleteRetentionConfigurationInput{RetentionConfigurationName: aws.String("default")}
	accept(t, func() error { _, err := client.DeleteRetentionConfiguration(ctx, remove); return err })
	refuse(t, "NoSuchRetentionConfigurationException", func() error { _, err := client.DeleteRetentionConfiguration(ctx, remove); return err })
}

// TestSnapshot: the file is where Config puts it, and a bucket that went shows in
// the channel's status.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		client, ctx := p.sdk(), context.Background()
		in := &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("rollout")}
		refuse(t, "NoAvailableConfigurationRecorderException", func() error { _, err := client.DeliverConfigSnapshot(ctx, in); return err })
		p.recording()
		refuse(t, "NoSuchDeliveryChannelException", func() error {
			_, err := client.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("other")})
			return err
		})
		p.pass(5 * time.Minute)
		made, err := client.DeliverConfigSnapshot(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		p.pass(time.Minute)
		found := 0
		for key, body := range p.a.buckets[testBucket].Objects {
			if !strings.HasPrefix(key, "AWSLogs/"+testAccount+"/Config/"+testRegion+"/") {
				continue
			}
			found++
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			// The group, its VPC, and the account’s block of public snapshots.
			var file struct {
				ConfigSnapshotID   string
				ConfigurationItems []struct{ ResourceID string }
			}
			if err := json.NewDecoder(r).Decode(&file); err != nil || file.ConfigSnapshotID != *made.ConfigSnapshotId || len(file.ConfigurationItems) != 4 || !strings.HasSuffix(key, "_"+*made.ConfigSnapshotId+".json.gz") {
				t.Errorf("%s: %+v, %v", key, file, err)
			}
		}
		if found != 1 {
			t.Errorf("%d snapshots", found)
		}
		status := func() *types.ConfigExportDeliveryInfo {
			out, err := client.DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{})
			if err != nil {
				t.Fatal(err)
			}
			return out.DeliveryChannelsStatus[0].ConfigSnapshotDeliveryInfo
		}
		if got := status(); got.LastStatus != "Success" || got.LastSuccessfulTime == nil {
			t.Errorf("%+v", got)
		}
		delete(p.a.buckets, testBucket)
		accept(t, func() error { _, err := client.DeliverConfigSnapshot(ctx, in); return err })
		p.pass(time.Minute)
		if got := status(); got.LastStatus != "Failure" || aws.ToString(got.LastErrorCode) != "NoSuchBucketException" {
			t.Errorf("%+v", got)
		}
		p.s.stopRecorder(p.r)
		refuse(t, "NoRunningConfigurationRecorderException", func() error { _, err := client.DeliverConfigSnapshot(ctx, in); return err })
	})
}

func TestDeleteResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		rule := p.rule()
		client, ctx := p.sdk(), context.Background()
		p.pass(5 * time.Minute)
		in := &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String(testRule)}
		accept(t, func() error { _, err := client.DeleteEvaluationResults(ctx, in); return err })
		refuse(t, "ResourceInUseException", func() error { _, err := client.DeleteEvaluationResults(ctx, in); return err })
		p.pass(time.Minute)
		if got := p.s.ruleWord(p.r, rule); got != "INSUFFICIENT_DATA" || rule.State != "ACTIVE" {
			t.Errorf("%s, %s", got, rule.State)
		}
		accept(t, func() error {
			_, err := client.StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{testRule}})
			return err
		})
		p.pass(time.Minute)
		if got := p.s.ruleWord(p.r, rule); got != "NON_COMPLIANT" {
			t.Errorf("%s", got)
		}
		refuse(t, "NoSuchConfigRuleException", func() error {
			_, err := client.DeleteEvaluationResults(ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String("absent")})
			return err
		})
		text := "rule x {}"
		accept(t, func() error {
			_, err := client.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: aws.String("guard"),
				Source: &types.Source{Owner: "CUSTOM_POLICY", CustomPolicyDetails: &types.CustomPolicyDetails{PolicyRuntime: aws.String("guard-2.x.x"), PolicyText: &text}}}})
			return err
		})
		if out, err := client.GetCustomRulePolicy(ctx, &configservice.GetCustomRulePolicyInput{ConfigRuleName: aws.String("guard")}); err != nil || aws.ToString(out.PolicyText) != text {
			t.Errorf("%+v, %v", out, err)
		}
		refuse(t, "NoSuchConfigRuleException", func() error {
			_, err := client.GetCustomRulePolicy(ctx, &configservice.GetCustomRulePolicyInput{ConfigRuleName: aws.String(testRule)})
			return err
		})
	})
}
