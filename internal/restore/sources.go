package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/templates"
)

const exemptTag = templates.ExemptTag

// mostImage bounds what is read of one object: a group has a few hundred rules at most.
const mostImage = 1 << 20

// fromObject reads the newest before-image of the group.
func (c clients) fromObject(ctx context.Context, p Place, r Request) (Image, error) {
	prefix := templates.BeforePrefix(p.AccountID, p.Region) + r.GroupID + "/"
	var newest *s3types.Object
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: aws.String(p.Bucket), Prefix: aws.String(prefix), ExpectedBucketOwner: aws.String(p.AccountID)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Image{}, fmt.Errorf("list s3://%s/%s: %w", p.Bucket, prefix, err)
		}
		for _, o := range page.Contents {
			at := aws.ToTime(o.LastModified)
			if (r.Before.IsZero() || at.Before(r.Before)) && (newest == nil || at.After(aws.ToTime(newest.LastModified))) {
				newest = &o
			}
		}
	}
	if newest == nil {
		return Image{}, errNone(fmt.Sprintf("s3://%s/%s has nothing%s", p.Bucket, prefix, until(r.Before)))
	}
	where := "s3://" + p.Bucket + "/" + aws.ToString(newest.Key)
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(p.Bucket), Key: newest.Key, ExpectedBucketOwner: aws.String(p.AccountID)})
	if err != nil {
		return Image{}, fmt.Errorf("read %s: %w", where, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, mostImage+1))
	if err != nil {
		return Image{}, fmt.Errorf("read %s: %w", where, err)
	}
	var before templates.Before
	switch err := json.Unmarshal(text, &before); {
	case len(text) > mostImage:
		return Image{}, fmt.Errorf("%s has more than %d bytes: it is no before-image", where, mostImage)
	case err != nil:
		return Image{}, fmt.Errorf("%s is no before-image: %w", where, err)
	case before.Version != 1 || before.GroupID != r.GroupID || before.AccountID != p.AccountID || before.Region != p.Region:
		return Image{}, fmt.Errorf("%s is of version %d, group %s, account %s, %s: not of this group", where, before.Version, before.GroupID, before.AccountID, before.Region)
	}
	image := Image{Source: FromObject, Where: where, Taken: aws.ToTime(newest.LastModified)}
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
	in := &configservice.GetResourceConfigHistoryInput{ResourceType: configtypes.ResourceTypeSecurityGroup, ResourceId: aws.String(r.GroupID), Limit: 100}
	if !r.Before.IsZero() {
		in.LaterTime = aws.Time(r.Before)
	}
	var next time.Time // when the item after this one was captured
	pages := configservice.NewGetResourceConfigHistoryPaginator(c.config, in)
	items := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Image{}, fmt.Errorf("read AWS Config's history of %s: %w", r.GroupID, err)
		}
		for _, item := range page.ConfigurationItems {
			items++
			captured := aws.ToTime(item.ConfigurationItemCaptureTime)
			rules, err := itemRules(aws.ToString(item.Configuration))
			if err != nil {
				return Image{}, fmt.Errorf("AWS Config's item of %s from %s: %w", r.GroupID, captured.UTC().Format(time.RFC3339), err)
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
	in := &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyResourceName, AttributeValue: aws.String(r.GroupID)}}}
	if !r.Before.IsZero() {
		in.EndTime = aws.Time(r.Before)
	}
	image := Image{Source: FromCloudTrail}
	session, seen := "", 0
	var ids []string
	for pages := cloudtrail.NewLookupEventsPaginator(c.trail, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Image{}, fmt.Errorf("look up CloudTrail's events of %s: %w", r.GroupID, err)
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
