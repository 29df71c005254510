package simaws

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

func TestTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client, ctx := p.sdk(), context.Background()
		put := &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{ConfigRuleName: aws.String("r"), Source: &types.Source{Owner: "AWS", SourceIdentifier: aws.String("IAM_PASSWORD_POLICY")}},
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}}
		accept(t, func() error { _, err := client.PutConfigRule(ctx, put); return err })
		put.Tags[0].Value = aws.String("red") // ignored: the rule is there
		accept(t, func() error { _, err := client.PutConfigRule(ctx, put); return err })
		arn := aws.String(p.r.rules["r"].ARN)
		tags := func() map[string]string {
			out, err := client.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: arn})
			if err != nil {
				t.Fatal(err)
			}
			m := map[string]string{}
			for _, x := range out.Tags {
				m[*x.Key] = *x.Value
			}
			return m
		}
		if got := tags(); len(got) != 1 || got["team"] != "blue" {
			t.Errorf("%v", got)
		}
		accept(t, func() error {
			_, err := client.TagResource(ctx, &configservice.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
			return err
		})
		accept(t, func() error {
			_, err := client.UntagResource(ctx, &configservice.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team", "absent"}})
			return err
		})
		if got := tags(); len(got) != 1 || got["a"] != "b" {
			t.Errorf("%v", got)
		}
		refuse(t, "ResourceNotFoundException: ResourceArn 'arn:x' does not exist", func() error {
			_, err := client.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: aws.String("arn:x")})
			return err
		})

		// A rule that is being deleted is there for a while and can be neither put nor deleted.
		remove := &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String("r")}
		accept(t, func() error { _, err := client.DeleteConfigRule(ctx, remove); return err })
		out, err := client.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
		if err != nil || len(out.ConfigRules) != 1 || out.ConfigRules[0].ConfigRuleState != "DELETING" {
			t.Errorf("%+v, %v", out, err)
		}
		refuse(t, "ResourceInUseException", func() error { _, err := client.PutConfigRule(ctx, put); return err })
		refuse(t, "ResourceInUseException", func() error { _, err := client.DeleteConfigRule(ctx, remove); return err })
		p.pass(time.Minute)
		refuse(t, "NoSuchConfigRuleException", func() error { _, err := client.DeleteConfigRule(ctx, remove); return err })
		refuse(t, "ResourceNotFoundException", func() error {
			_, err := client.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: arn})
			return err
		})
	})
}

func TestServiceLinkedRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client, ctx := p.sdk(), context.Background()
		put := &configservice.PutServiceLinkedConfigurationRecorderInput{ServicePrincipal: aws.String("observabilityadmin.amazonaws.com")}
		made, err := client.PutServiceLinkedConfigurationRecorder(ctx, put)
		if err != nil || *made.Name != "AWSConfigurationRecorderForObservabilityAdmin" {
			t.Fatalf("%+v, %v", made, err)
		}
		refuse(t, "ConflictException", func() error { _, err := client.PutServiceLinkedConfigurationRecorder(ctx, put); return err })
		for filter, want := range map[string]int{"": 2, "INTERNAL": 1, "*": 2, "P*": 1} {
			in := &configservice.ListConfigurationRecordersInput{}
			if filter != "" {
				in.Filters = []types.ConfigurationRecorderFilter{{FilterName: "recordingScope", FilterValue: []string{filter}}}
			}
			if out, err := client.ListConfigurationRecorders(ctx, in); err != nil || len(out.ConfigurationRecorderSummaries) != want {
				t.Errorf("%q: %+v, %v", filter, out, err)
			}
		}
		name := made.Name
		refuse(t, "UnmodifiableEntityException", func() error {
			_, err := client.StopConfigurationRecorder(ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: name})
			return err
		})
		refuse(t, "ConflictException", func() error {
			_, err := client.AssociateResourceTypes(ctx, &configservice.AssociateResourceTypesInput{ConfigurationRecorderArn: made.Arn, ResourceTypes: []types.ResourceType{"AWS::EC2::Subnet"}})
			return err
		})
		refuse(t, "ValidationException", func() error {
			_, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{ConfigurationRecorderNames: []string{"rollout"}, Arn: made.Arn})
			return err
		})
		remove := &configservice.DeleteServiceLinkedConfigurationRecorderInput{ServicePrincipal: put.ServicePrincipal}
		accept(t, func() error { _, err := client.DeleteServiceLinkedConfigurationRecorder(ctx, remove); return err })
		refuse(t, "NoSuchConfigurationRecorderException", func() error { _, err := client.DeleteServiceLinkedConfigurationRecorder(ctx, remove); return err })

		// The customer's recorder records everything: its types cannot be changed one by one.
		arn := aws.String(p.s.recorderARN(p.r, p.r.recorder))
		associate := &configservice.AssociateResourceTypesInput{ConfigurationRecorderArn: arn, ResourceTypes: []types.ResourceType{"AWS::EC2::Subnet"}}
		refuse(t, "ValidationException", func() error { _, err := client.AssociateResourceTypes(ctx, associate); return err })
		p.r.recorder.AllSupported, p.r.recorder.ResourceTypes = false, []string{"AWS::EC2::VPC"}
		out, err := client.AssociateResourceTypes(ctx, associate)
		if err != nil || len(out.ConfigurationRecorder.RecordingGroup.ResourceTypes) != 2 {
			t.Errorf("%+v, %v", out, err)
		}
		refuse(t, "already associated", func() error { _, err := client.AssociateResourceTypes(ctx, associate); return err })
		accept(t, func() error {
			_, err := client.DisassociateResourceTypes(ctx, &configservice.DisassociateResourceTypesInput{ConfigurationRecorderArn: arn, ResourceTypes: associate.ResourceTypes})
			return err
		})
		if p.r.recorder.records("AWS::EC2::Subnet") {
			t.Error("still recorded")
		}
	})
}
