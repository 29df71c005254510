package restore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/internal/awsapi"
)

// Result is what a restore did.
type Result struct {
	// Exempted says that the tag was set by this restore; it was there already otherwise.
	Exempted bool
	// Restored are the rules that were put back and seen afterwards.
	Restored []Rule
}

// looks is how often the group is read again before a restore is called failed: EC2
// may answer with what was.
const looks = 5

// Apply exempts the group, puts the missing rules back and looks. Each step is
// idempotent: a restore that was interrupted is done again. reason is the value of the
// exempt tag, for whoever finds it.
func Apply(ctx context.Context, p *Plan, reason string) (Result, error) {
	var result Result
	c := p.clients()
	if !p.HasExempt {
		// First, or a remediation could take the rules again at once.
		_, err := c.ec2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{p.GroupID}, Tags: []types.Tag{{Key: aws.String(exemptTag), Value: aws.String(reason)}}})
		if err != nil {
			return result, fmt.Errorf("tag security group %s (%s) with %s: %w; nothing was put back", p.GroupID, p.Place, exemptTag, err)
		}
		result.Exempted = true
	}
	var ingress, egress []types.IpPermission
	for _, r := range p.Missing {
		if r.Egress {
			egress = append(egress, r.permission())
		} else {
			ingress = append(ingress, r.permission())
		}
	}
	if len(ingress) > 0 {
		err := settle(ctx, result.Exempted, func() error {
			_, err := c.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(p.GroupID), IpPermissions: ingress})
			return err
		})
		if err != nil {
			return result, fmt.Errorf("put %d inbound rules back into security group %s (%s): %w; it is exempt, and no rule was put back", len(ingress), p.GroupID, p.Place, err)
		}
	}
	if len(egress) > 0 {
		err := settle(ctx, result.Exempted, func() error {
			_, err := c.ec2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: aws.String(p.GroupID), IpPermissions: egress})
			return err
		})
		if err != nil {
			return result, fmt.Errorf("put %d outbound rules back into security group %s (%s): %w; it is exempt, and its %d inbound rules were put back: run it again", len(egress), p.GroupID, p.Place, err, len(ingress))
		}
	}
	left, err := p.verify(ctx, c)
	if err != nil {
		return result, err
	}
	if len(left) > 0 {
		return result, fmt.Errorf("security group %s (%s) still lacks %d of the %d rules put back: look at it, and run it again", p.GroupID, p.Place, len(left), len(p.Missing))
	}
	result.Restored = p.Missing
	return result, nil
}

// verify reads the group until it has every rule.
func (p *Plan) verify(ctx context.Context, c clients) (left []Rule, err error) {
	for try := range looks {
		if err := pause(ctx, try); err != nil {
			return nil, err
		}
		again := &Plan{Place: p.Place, GroupID: p.GroupID}
		now, err := again.read(ctx, c)
		if err != nil {
			return nil, err
		}
		if left, _ = compare(p.Missing, now); len(left) == 0 && again.HasExempt {
			return nil, nil
		}
	}
	return left, nil
}

// settle makes a call, and again for some seconds where it is denied although the tag
// that allows it was just set: rollout-operator may change exempt groups only, and IAM
// may not see a new tag at once.
func settle(ctx context.Context, tagged bool, call func() error) (err error) {
	for try := range looks {
		if err := pause(ctx, try); err != nil {
			return err
		}
		if err = call(); err == nil || !tagged || awsapi.Classify(err) != awsapi.ClassDenied {
			return err
		}
	}
	return err
}

// pause waits a second longer at each try, not before the first.
func pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	t := time.NewTimer(time.Duration(try) * time.Second)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plain is an error without the SDK's wrapping.
func plain(err error) string { return strings.TrimSuffix(awsapi.Plain(err), ".") }
