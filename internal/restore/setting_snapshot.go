package restore

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/templates"
)

// everyone is EC2's name for everybody, with an account of AWS or another's.
const everyone = "all"

// snapshotShares lets everybody restore a snapshot again. Only everybody is put back:
// the remediation takes no account off it.
func snapshotShares(ctx context.Context, s *Setting, before templates.Before) error {
	api, id := ec2.NewFromConfig(s.Config(s.Region)), before.SnapshotID
	read := func(ctx context.Context) ([]string, error) {
		out, err := api.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission})
		if err != nil {
			return nil, fmt.Errorf("see with whom %s is shared: %w", id, err)
		}
		var who []string
		for _, p := range out.CreateVolumePermissions {
			who = append(who, string(p.Group)+aws.ToString(p.UserId))
		}
		slices.Sort(who)
		return who, nil
	}
	s.look = func(ctx context.Context) (string, error) {
		who, err := read(ctx)
		return shared(who), err
	}
	now, err := read(ctx)
	if err != nil {
		return err
	}
	var was []string
	for _, p := range before.CreateVolumePermissions {
		was = append(was, p["Group"]+p["UserId"])
	}
	if s.Source == FromCloudTrail { // which knows of everybody only
		was = append(was, slices.DeleteFunc(slices.Clone(now), func(who string) bool { return who == everyone })...)
	}
	slices.Sort(was)
	left := slices.DeleteFunc(slices.Clone(was), func(who string) bool { return who == everyone })
	if s.Now, s.Before = shared(now), shared(was); s.Now == s.Before {
		return nil
	}
	if err := s.drifted(shared(left)); err != nil {
		return err
	}
	block, err := api.GetSnapshotBlockPublicAccessState(ctx, &ec2.GetSnapshotBlockPublicAccessStateInput{})
	if err != nil {
		return fmt.Errorf("see whether public sharing is blocked: %w", err)
	}
	if block.State != "" && block.State != types.SnapshotBlockPublicAccessStateUnblocked {
		return fmt.Errorf("public sharing of snapshots is blocked in this Region (%s), and a restore does not open that", block.State)
	}
	found, err := api.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}})
	if err != nil {
		return fmt.Errorf("read snapshot %s: %w", id, err)
	}
	if len(found.Snapshots) != 1 {
		return fmt.Errorf("EC2 gave %d snapshots for %s", len(found.Snapshots), id)
	}
	n := found.Snapshots[0]
	what := fmt.Sprintf("%d GiB of %s, made %s", aws.ToInt32(n.VolumeSize), aws.ToString(n.VolumeId), stamp(n.StartTime))
	if text := aws.ToString(n.Description); text != "" {
		what += fmt.Sprintf(", %q", text)
	}
	s.Public = []string{
		fmt.Sprintf("everybody, in this organization or not, can make a volume of %s and read all that is on it: %s", id, what),
		"a copy that a stranger makes stays theirs, also when the snapshot is private again",
	}
	s.Changes = []string{"share " + id + " with everybody; with single accounts it is shared as it is now"}
	s.exemptUnless(api, id, n.Tags)
	s.do = func(ctx context.Context) error {
		_, err := api.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
			SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
			CreateVolumePermission: &types.CreateVolumePermissionModifications{Add: []types.CreateVolumePermission{{Group: types.PermissionGroupAll}}},
		})
		return err
	}
	return nil
}

func shared(who []string) string { return "shared with: " + listOf(who) }
