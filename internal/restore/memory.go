package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/templates"
)

// memory is what a source knows of a setting: as a before-image, wherever it is from.
type memory struct {
	before templates.Before
	where  string
	taken  time.Time
}

// The forms of resources of which more than the object knows what they were.
var (
	instanceID = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	snapshotID = regexp.MustCompile(`^snap-[0-9a-f]{8,17}$`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	vpcID      = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
)

// SourcesOf are the sources that may know what a resource was like, in the order in
// which they are asked. AWS Config records neither snapshots nor the account's settings,
// and CloudTrail says of a bucket what was set, not what was there.
func SourcesOf(resource string) []Source {
	switch {
	case IsGroup(resource), instanceID.MatchString(resource):
		return []Source{FromObject, FromConfig, FromCloudTrail}
	case snapshotID.MatchString(resource):
		return []Source{FromObject, FromCloudTrail}
	case isBucket(resource):
		return []Source{FromObject, FromConfig}
	}
	return []Source{FromObject}
}

// isBucket says whether a resource is a bucket, by its form and by being nothing else.
func isBucket(resource string) bool {
	other := resource == templates.BeforeEBSEncryption || resource == templates.BeforePasswordPolicy || vpcID.MatchString(resource) || IsGroup(resource) || instanceID.MatchString(resource) || snapshotID.MatchString(resource)
	return bucketName.MatchString(resource) && !other
}

// remember asks one source about a resource that is no security group.
func (c clients) remember(ctx context.Context, p Place, source Source, r Request) (memory, error) {
	switch {
	case source == FromObject:
		return c.settingFromObject(ctx, p, r)
	case source == FromConfig && instanceID.MatchString(r.Resource):
		return c.optionsFromConfig(ctx, r)
	case source == FromConfig && isBucket(r.Resource):
		return c.blockFromConfig(ctx, r)
	case source == FromCloudTrail && instanceID.MatchString(r.Resource):
		return c.optionsFromTrail(ctx, r)
	case source == FromCloudTrail && snapshotID.MatchString(r.Resource):
		return c.shareFromTrail(ctx, r)
	}
	return memory{}, errNone("knows nothing of " + r.Resource)
}

// settingFromObject reads the newest before-image, which has to be of this resource.
func (c clients) settingFromObject(ctx context.Context, p Place, r Request) (memory, error) {
	object, err := c.newest(ctx, p, r.Resource, r.Before)
	if err != nil {
		return memory{}, err
	}
	m := memory{where: "s3://" + p.Bucket + "/" + aws.ToString(object.Key), taken: aws.ToTime(object.LastModified)}
	if m.before, err = c.before(ctx, p, m.where, object); err != nil {
		return memory{}, err
	}
	for _, named := range []string{m.before.InstanceID, m.before.SnapshotID, m.before.BucketName, m.before.VPCID, m.before.UserID} {
		if named != "" && named != r.Resource {
			return memory{}, fmt.Errorf("%s is of %s, not of this resource", m.where, named)
		}
	}
	return m, nil
}

// itemsOf reads AWS Config's items of a resource, newest first, up to the first that
// pick takes; next is when the item after it was captured, about when it changed.
func (c clients) itemsOf(ctx context.Context, kind configtypes.ResourceType, r Request, pick func(item configtypes.ConfigurationItem) (bool, error)) (item configtypes.ConfigurationItem, next time.Time, err error) {
	in := &configservice.GetResourceConfigHistoryInput{ResourceType: kind, ResourceId: aws.String(r.Resource), Limit: 100}
	if !r.Before.IsZero() {
		in.LaterTime = aws.Time(r.Before)
	}
	items := 0
	for pages := configservice.NewGetResourceConfigHistoryPaginator(c.config, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return item, next, fmt.Errorf("read AWS Config's history of %s: %w", r.Resource, err)
		}
		for _, item := range page.ConfigurationItems {
			items++
			found, err := pick(item)
			if err != nil {
				return item, next, fmt.Errorf("AWS Config's item of %s from %s: %w", r.Resource, stamp(item.ConfigurationItemCaptureTime), err)
			}
			if found {
				if next.IsZero() {
					next = aws.ToTime(item.ConfigurationItemCaptureTime)
				}
				return item, next, nil
			}
			next = aws.ToTime(item.ConfigurationItemCaptureTime)
		}
	}
	return item, next, errNone(fmt.Sprintf("none of its %d items%s is of before a remediation", items, until(r.Before)))
}

// optionsFromConfig takes the newest item with which no token was required.
func (c clients) optionsFromConfig(ctx context.Context, r Request) (memory, error) {
	m := memory{before: templates.Before{Kind: templates.BeforeMetadataOptions, InstanceID: r.Resource}}
	item, taken, err := c.itemsOf(ctx, configtypes.ResourceTypeInstance, r, func(item configtypes.ConfigurationItem) (bool, error) {
		var configuration struct{ MetadataOptions map[string]any }
		if text := aws.ToString(item.Configuration); text != "" && text != "null" {
			if err := json.Unmarshal([]byte(text), &configuration); err != nil {
				return false, fmt.Errorf("its configuration cannot be read: %w", err)
			}
		}
		options, err := optionsOf(configuration.MetadataOptions)
		m.before.MetadataOptions = configuration.MetadataOptions
		return options.HTTPTokens == tokensOptional, err
	})
	m.where, m.taken = "the item that AWS Config captured at "+stamp(item.ConfigurationItemCaptureTime), taken
	return m, err
}

// blockFromConfig takes the newest item in which not everything was blocked.
func (c clients) blockFromConfig(ctx context.Context, r Request) (memory, error) {
	m := memory{before: templates.Before{Kind: templates.BeforePublicAccessBlock, BucketName: r.Resource}}
	item, taken, err := c.itemsOf(ctx, configtypes.ResourceTypeBucket, r, func(item configtypes.ConfigurationItem) (bool, error) {
		if strings.HasPrefix(string(item.ConfigurationItemStatus), "ResourceDeleted") {
			return false, nil
		}
		block, err := recordedBlock(item.SupplementaryConfiguration["PublicAccessBlockConfiguration"])
		m.before.PublicAccessBlock = block
		return !sameBlock(block, blockedAll()), err
	})
	m.where, m.taken = "the item that AWS Config captured at "+stamp(item.ConfigurationItemCaptureTime), taken
	return m, err
}

// recordedBlock reads a bucket's block from an item's supplement; nil where it had none.
// Some supplements are JSON within JSON.
func recordedBlock(text string) (map[string]bool, error) {
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	if text == "" || text == "null" {
		return nil, nil
	}
	var recorded struct{ BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool }
	if err := json.Unmarshal([]byte(text), &recorded); err != nil {
		return nil, fmt.Errorf("its public access block cannot be read: %w", err)
	}
	return map[string]bool{
		"BlockPublicAcls": recorded.BlockPublicAcls, "IgnorePublicAcls": recorded.IgnorePublicAcls,
		"BlockPublicPolicy": recorded.BlockPublicPolicy, "RestrictPublicBuckets": recorded.RestrictPublicBuckets,
	}, nil
}

// eventOf is the newest event of a name that an automation caused, that AWS did not
// refuse and that pick takes by its request. Events are looked for by name: whether one
// names its resource differs from call to call.
func (c clients) eventOf(ctx context.Context, r Request, name string, pick func(parameters json.RawMessage) (bool, error)) (memory, error) {
	in := &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String(name)}}}
	if !r.Before.IsZero() {
		in.EndTime = aws.Time(r.Before)
	}
	for pages := cloudtrail.NewLookupEventsPaginator(c.trail, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return memory{}, fmt.Errorf("look up CloudTrail's events %s: %w", name, err)
		}
		for _, e := range page.Events {
			if !strings.HasPrefix(aws.ToString(e.Username), automationSession) {
				continue
			}
			var record struct {
				ErrorCode         string
				RequestParameters json.RawMessage
			}
			err := json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record)
			found := false
			if err == nil && record.ErrorCode == "" {
				found, err = pick(record.RequestParameters)
			}
			if err != nil {
				return memory{}, fmt.Errorf("CloudTrail's event %s cannot be read: %w", aws.ToString(e.EventId), err)
			}
			if found {
				return memory{where: "CloudTrail's event " + aws.ToString(e.EventId) + " of " + aws.ToString(e.Username), taken: aws.ToTime(e.EventTime)}, nil
			}
		}
	}
	return memory{}, errNone(fmt.Sprintf("no automation did a %s of it in the last 90 days%s", name, until(r.Before)))
}

// optionsFromTrail knows that a token was not required: there are two values, and the
// event says that the other was set. What it did not set is as it was.
func (c clients) optionsFromTrail(ctx context.Context, r Request) (memory, error) {
	m, err := c.eventOf(ctx, r, "ModifyInstanceMetadataOptions", func(parameters json.RawMessage) (bool, error) {
		type request struct{ InstanceID, HTTPTokens string }
		var p struct {
			request
			ModifyInstanceMetadataOptionsRequest request
		}
		err := json.Unmarshal(parameters, &p)
		if p.InstanceID == "" {
			p.request = p.ModifyInstanceMetadataOptionsRequest
		}
		return p.InstanceID == r.Resource && p.HTTPTokens == tokensRequired, err
	})
	m.before = templates.Before{Kind: templates.BeforeMetadataOptions, InstanceID: r.Resource, MetadataOptions: map[string]any{"HttpTokens": tokensOptional}}
	return m, err
}

// shareFromTrail knows that everybody was among those with whom a snapshot was shared.
func (c clients) shareFromTrail(ctx context.Context, r Request) (memory, error) {
	m, err := c.eventOf(ctx, r, "ModifySnapshotAttribute", func(parameters json.RawMessage) (bool, error) {
		var p struct {
			SnapshotID             string
			CreateVolumePermission struct {
				Remove struct {
					Items []struct{ Group, Groups string }
				}
			}
		}
		err := json.Unmarshal(parameters, &p)
		everybody := false
		for _, i := range p.CreateVolumePermission.Remove.Items {
			everybody = everybody || i.Group == everyone || i.Groups == everyone
		}
		return p.SnapshotID == r.Resource && everybody, err
	})
	m.before = templates.Before{Kind: templates.BeforeSnapshot, SnapshotID: r.Resource, CreateVolumePermissions: []map[string]string{{"Group": everyone}}}
	return m, err
}
