package restore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/templates"
)

const tokensOptional, tokensRequired = "optional", "required"

// options are an instance's metadata options; a zero member is one that a source does
// not know. The names are EC2's and Config's, which differ by case only.
type options struct {
	HTTPTokens, HTTPEndpoint, HTTPProtocolIPv6, InstanceMetadataTags string
	HTTPPutResponseHopLimit                                          int32
}

func optionsOf(recorded map[string]any) (o options, err error) {
	text, err := json.Marshal(recorded)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return o, fmt.Errorf("its metadata options cannot be read: %w", err)
	}
	return o, nil
}

func optionsNow(o *types.InstanceMetadataOptionsResponse) options {
	if o == nil {
		return options{}
	}
	return options{
		HTTPTokens: string(o.HttpTokens), HTTPEndpoint: string(o.HttpEndpoint), HTTPProtocolIPv6: string(o.HttpProtocolIpv6),
		InstanceMetadataTags: string(o.InstanceMetadataTags), HTTPPutResponseHopLimit: aws.ToInt32(o.HttpPutResponseHopLimit),
	}
}

// over takes from now what is not known.
func (o options) over(now options) options {
	return options{
		cmp.Or(o.HTTPTokens, now.HTTPTokens), cmp.Or(o.HTTPEndpoint, now.HTTPEndpoint), cmp.Or(o.HTTPProtocolIPv6, now.HTTPProtocolIPv6),
		cmp.Or(o.InstanceMetadataTags, now.InstanceMetadataTags), cmp.Or(o.HTTPPutResponseHopLimit, now.HTTPPutResponseHopLimit),
	}
}

func (o options) String() string {
	return fmt.Sprintf("tokens %s, endpoint %s, hop limit %d, IPv6 %s, tags %s", o.HTTPTokens, o.HTTPEndpoint, o.HTTPPutResponseHopLimit, o.HTTPProtocolIPv6, o.InstanceMetadataTags)
}

// metadataOptions lets an instance answer requests without a token again.
func metadataOptions(ctx context.Context, s *Setting, before templates.Before) error {
	api := ec2.NewFromConfig(s.Config(s.Region))
	read := func(ctx context.Context) (types.Instance, error) {
		out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{before.InstanceID}})
		if err != nil {
			return types.Instance{}, fmt.Errorf("read instance %s: %w", before.InstanceID, err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				return i, nil
			}
		}
		return types.Instance{}, fmt.Errorf("EC2 knows no instance %s", before.InstanceID)
	}
	s.look = func(ctx context.Context) (string, error) {
		i, err := read(ctx)
		return optionsNow(i.MetadataOptions).String(), err
	}
	instance, err := read(ctx)
	if err != nil {
		return err
	}
	now := optionsNow(instance.MetadataOptions)
	was, err := optionsOf(before.MetadataOptions)
	if err != nil {
		return err
	}
	was = was.over(now)
	left := was
	left.HTTPTokens = tokensRequired
	s.Now, s.Before = now.String(), was.String()
	if now == was {
		return nil
	}
	if instance.State != nil && (instance.State.Name == types.InstanceStateNameTerminated || instance.State.Name == types.InstanceStateNameShuttingDown) {
		return fmt.Errorf("the instance is %s", instance.State.Name)
	}
	if err := s.drifted(left.String()); err != nil {
		return err
	}
	s.Changes = []string{"metadata of " + before.InstanceID + " without a token (IMDSv1): " + now.HTTPTokens + " → " + was.HTTPTokens + "; what else was set stays"}
	s.exemptUnless(api, before.InstanceID, instance.Tags)
	s.do = func(ctx context.Context) error {
		in := &ec2.ModifyInstanceMetadataOptionsInput{InstanceId: &before.InstanceID, HttpTokens: types.HttpTokensState(was.HTTPTokens)}
		if now.HTTPEndpoint == string(types.InstanceMetadataEndpointStateEnabled) {
			// EC2 has refused HttpTokens without it, though it is on.
			in.HttpEndpoint = types.InstanceMetadataEndpointStateEnabled
		}
		_, err := api.ModifyInstanceMetadataOptions(ctx, in)
		return err
	}
	return nil
}

// exemptUnless has the tag set first, if a resource of EC2 lacks it.
func (s *Setting) exemptUnless(api *ec2.Client, id string, tags []types.Tag) {
	for _, t := range tags {
		if aws.ToString(t.Key) == exemptTag {
			return
		}
	}
	s.exempt = func(ctx context.Context, reason string) error {
		_, err := api.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String(exemptTag), Value: &reason}}})
		return err
	}
	s.firstExempt(id)
}
