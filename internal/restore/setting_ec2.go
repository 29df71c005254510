package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/templates"
)

// ebsEncryption puts the Region's default for new volumes back.
func ebsEncryption(ctx context.Context, s *Setting, before templates.Before) error {
	api := ec2.NewFromConfig(s.Config(s.Region))
	s.look = func(ctx context.Context) (string, error) {
		out, err := api.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
		if err != nil {
			return "", err
		}
		return onOff(aws.ToBool(out.EbsEncryptionByDefault)), nil
	}
	var err error
	if s.Now, err = s.look(ctx); err != nil {
		return err
	}
	if s.Before = onOff(before.EBSEncryption); s.Now == s.Before {
		return nil
	}
	if err := s.disarmed(ctx, "rollout-ec2-ebs-encryption-by-default"); err != nil {
		return err
	}
	s.Changes = []string{"encryption by default of new EBS volumes: " + s.Now + " → " + s.Before}
	s.do = func(ctx context.Context) error {
		if before.EBSEncryption {
			_, err := api.EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{})
			return err
		}
		_, err := api.DisableEbsEncryptionByDefault(ctx, &ec2.DisableEbsEncryptionByDefaultInput{})
		return err
	}
	return nil
}

// flowLogs takes away the flow logs that a remediation made for a VPC, which is exempt
// from then on.
func flowLogs(ctx context.Context, s *Setting, before templates.Before) error {
	api := ec2.NewFromConfig(s.Config(s.Region))
	var found []types.FlowLog
	read := func(ctx context.Context) error {
		found = nil
		pages := ec2.NewDescribeFlowLogsPaginator(api, &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: []string{before.VPCID}}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("read the flow logs of %s: %w", before.VPCID, err)
			}
			found = append(found, page.FlowLogs...)
		}
		return nil
	}
	// made are those that the remediation made and that are still there.
	made := func() []string {
		var ids []string
		for _, f := range found {
			id := aws.ToString(f.FlowLogId)
			if slices.Contains(before.FlowLogIDs, id) || len(before.FlowLogIDs) == 0 && aws.ToString(f.LogDestination) == before.LogDestination && !slices.Contains(before.FlowLogsBefore, id) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return ids
	}
	s.look = func(ctx context.Context) (string, error) {
		err := read(ctx)
		return "of the remediation: " + listOf(made()), err
	}
	var err error
	if s.Now, err = s.look(ctx); err != nil {
		return err
	}
	s.Before = "of the remediation: none"
	for _, id := range made() {
		s.Changes = append(s.Changes, "delete flow log "+id+" of "+before.VPCID+"; what it delivered stays in "+before.LogDestination)
	}
	if len(s.Changes) == 0 {
		return nil
	}
	s.exemptUnless(api, before.VPCID, nil)
	ids := made()
	s.do = func(ctx context.Context) error {
		out, err := api.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: ids})
		if err != nil {
			return err
		}
		var failed []string
		for _, u := range out.Unsuccessful {
			text := aws.ToString(u.ResourceId)
			if u.Error != nil {
				text += ": " + aws.ToString(u.Error.Message)
			}
			failed = append(failed, text)
		}
		if len(failed) > 0 {
			return fmt.Errorf("not deleted: %s", strings.Join(failed, "; "))
		}
		return nil
	}
	return nil
}
