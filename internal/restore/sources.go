package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

const exemptTag = templates.ExemptTag

// fromObject reads the newest before-image of the group.
func (c clients) fromObject(ctx context.Context, p Place, r Request) (Image, error) {
	object, err := c.newest(ctx, p, r.Resource, r.Before)
	if err != nil {
		return Image{}, err
	}
	where := "s3://" + p.Bucket + "/" + aws.ToString(object.Key)
	before, err := c.before(ctx, p, where, object)
	if err != nil {
		return Image{}, err
	}
	if before.GroupID != r.Resource {
		return Image{}, fmt.Errorf("%s is of group %s, not of this one", where, before.GroupID)
	}
	image := Image{Source: FromObject, Where: where, Taken: aws.ToTime(object.LastModified)}
	if image.Rules, err = both(before.IPPermissions, before.IPPermissionsEgress); err != nil {
		return Image{}, fmt.Errorf("%s: %w", where, err)
	}
	if len(image.Rules) == 0 {
		return Image{}, errNone(where + " has no rules")
	}
	return image, nil
}

func both(ingress, egress []json.RawMessage) ([]Rule, error) {
	in, err := decodeRules(ingress, false)
	if err != nil {
		return nil, err
	}
	out, err := decodeRules(egress, true)
	return append(in, out...), err
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " before " + t.UTC().Format(time.RFC3339)
}

// fromConfig reads Config's items of the group, newest first, up to the first that has
// a rule which the group lacks now.
func (c clients) fromConfig(ctx context.Context, r Request, now []Rule) (Image, error) {
	in := &configservice.GetResourceConfigHistoryInput{ResourceType: configtypes.ResourceTypeSecurityGroup, ResourceId: aws.String(r.Resource), Limit: 100}
	if !r.Before.IsZero() {
		in.LaterTime = aws.Time(r.Before)
	}
	var next time.Time // when the item after this one was captured
	pages := configservice.NewGetResourceConfigHistoryPaginator(c.config, in)
	items := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Image{}, fmt.Errorf("read AWS Config's history of %s: %w", r.Resource, err)
		}
		for _, item := range page.ConfigurationItems {
			items++
			captured := aws.ToTime(item.ConfigurationItemCaptureTime)
			rules, err := itemRules(aws.ToString(item.Configuration))
			if err != nil {
				return Image{}, fmt.Errorf("AWS Config's item of %s from %s: %w", r.Resource, captured.UTC().Format(time.RFC3339), err)
			}
			if missing, _ := compare(rules, now); len(missing) > 0 {
				image := Image{Source: FromConfig, Where: "the item that AWS Config captured at " + captured.UTC().Format(time.RFC3339), Taken: next, Rules: rules}
				if next.IsZero() {
					image.Taken = captured
				}
				return image, nil
			}
			next = captured
		}
	}
	return Image{}, errNone(fmt.Sprintf("none of its %d items%s has a rule that the group lacks", items, until(r.Before)))
}

// itemRules reads the configuration of an item; that of a deleted group is empty.
func itemRules(text string) ([]Rule, error) {
	if strings.TrimSpace(text) == "" || text == "null" {
		return nil, nil
	}
	var configuration struct{ IPPermissions, IPPermissionsEgress []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &configuration); err != nil {
		return nil, fmt.Errorf("its configuration cannot be read: %w", err)
	}
	return both(configuration.IPPermissions, configuration.IPPermissionsEgress)
}

// automationSession is how Systems Manager calls the session of a role that it assumes
// for an automation.
const automationSession = "Automation-"

// fromTrail reads what automations revoked: the events of the newest one. Anybody
// else's changes are not taken for remediation.
func (c clients) fromTrail(ctx context.Context, r Request) (Image, error) {
	in := &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyResourceName, AttributeValue: aws.String(r.Resource)}}}
	if !r.Before.IsZero() {
		in.EndTime = aws.Time(r.Before)
	}
	image := Image{Source: FromCloudTrail}
	session, seen := "", 0
	var ids []string
	for pages := cloudtrail.NewLookupEventsPaginator(c.trail, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Image{}, fmt.Errorf("look up CloudTrail's events of %s: %w", r.Resource, err)
		}
		for _, e := range page.Events {
			name, user := aws.ToString(e.EventName), aws.ToString(e.Username)
			if !strings.HasPrefix(name, "RevokeSecurityGroup") {
				continue
			}
			seen++
			if !strings.HasPrefix(user, automationSession) || session != "" && user != session {
				continue
			}
			rules, failed, err := revoked(aws.ToString(e.CloudTrailEvent), name == "RevokeSecurityGroupEgress")
			if err != nil {
				return Image{}, fmt.Errorf("CloudTrail's event %s: %w", aws.ToString(e.EventId), err)
			}
			if failed {
				continue
			}
			session = user
			image.Rules = append(image.Rules, rules...)
			ids = append(ids, aws.ToString(e.EventId))
			if image.Taken.IsZero() {
				image.Taken = aws.ToTime(e.EventTime)
			}
		}
	}
	if len(image.Rules) == 0 {
		return Image{}, errNone(fmt.Sprintf("no automation revoked a rule in the last 90 days%s (%d revokes by others)", until(r.Before), seen))
	}
	slices.Sort(ids)
	image.Where = "CloudTrail's events " + strings.Join(ids, ", ") + " of " + session
	return image, nil
}

// revoked are the rules of one event, and whether AWS refused it.
func revoked(text string, egress bool) (rules []Rule, failed bool, err error) {
	var record struct {
		ErrorCode         string
		RequestParameters struct {
			IPPermissions struct{ Items []json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return nil, false, fmt.Errorf("it cannot be read: %w", err)
	}
	rules, err = decodeRules(record.RequestParameters.IPPermissions.Items, egress)
	return rules, record.ErrorCode != "", err
}
