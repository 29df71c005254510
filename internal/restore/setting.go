package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/templates"
)

// Setting is a restore of something that is no security group: what one automation set,
// put back from the object that it wrote before. Only the object knows it.
type Setting struct {
	Place
	Kind, Resource string // as the before-image has them
	Where          string
	Taken          time.Time
	// Now and Before are the setting in words; Changes is what a restore does, a line
	// each, empty when there is nothing to do.
	Now, Before string
	Changes     []string

	do func(ctx context.Context) error
	// look says how the setting is afterwards, in the words of Before.
	look func(ctx context.Context) (string, error)
}

// settingKind reads what a before-image of one kind says and what is there now.
type settingKind func(ctx context.Context, s *Setting, before templates.Before) error

// settingKinds by kind of before-image. What a kind's restore has taken again by
// itself (an automatic remediation without a tag to exempt) it refuses.
var settingKinds = map[string]settingKind{
	templates.BeforeEBSEncryption:  ebsEncryption,
	templates.BeforeFlowLogs:       flowLogs,
	templates.BeforePasswordPolicy: passwordPolicy,
	templates.BeforeAccessKeys:     accessKeys,
}

// FindSetting reads the newest before-image of a resource and what it is now. It
// changes nothing.
func FindSetting(ctx context.Context, p Place, resource string, before time.Time) (*Setting, error) {
	c := p.clients()
	object, err := c.newest(ctx, p, resource, before)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", resource, p, err)
	}
	where := "s3://" + p.Bucket + "/" + aws.ToString(object.Key)
	image, err := c.before(ctx, p, where, object)
	if err != nil {
		return nil, err
	}
	kind := settingKinds[image.KindOf()]
	if kind == nil {
		return nil, fmt.Errorf("%s is of the kind %q, which this version cannot put back", where, image.KindOf())
	}
	s := &Setting{Place: p, Kind: image.KindOf(), Resource: resource, Where: where, Taken: aws.ToTime(object.LastModified)}
	if err := kind(ctx, s, image); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", s.Kind, p, err)
	}
	return s, nil
}

// Apply puts the setting back and looks.
func (s *Setting) Apply(ctx context.Context) error {
	if len(s.Changes) == 0 {
		return nil
	}
	if err := s.do(ctx); err != nil {
		return fmt.Errorf("put %s back (%s): %w", s.Kind, s.Place, err)
	}
	now := ""
	for try := range looks {
		if err := pause(ctx, try); err != nil {
			return err
		}
		var err error
		if now, err = s.look(ctx); err != nil {
			return fmt.Errorf("look at %s after it was put back (%s): %w", s.Kind, s.Place, err)
		}
		if now == s.Before {
			return nil
		}
	}
	return fmt.Errorf("%s (%s) is %q after it was put back to %q: look at it, and run it again", s.Kind, s.Place, now, s.Before)
}

// newest is the newest before-image of a resource.
func (c clients) newest(ctx context.Context, p Place, resource string, before time.Time) (*s3types.Object, error) {
	prefix := templates.BeforePrefix(p.AccountID, p.Region) + resource + "/"
	var newest *s3types.Object
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: aws.String(p.Bucket), Prefix: aws.String(prefix), ExpectedBucketOwner: aws.String(p.AccountID)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", p.Bucket, prefix, err)
		}
		for _, o := range page.Contents {
			at := aws.ToTime(o.LastModified)
			if (before.IsZero() || at.Before(before)) && (newest == nil || at.After(aws.ToTime(newest.LastModified))) {
				newest = &o
			}
		}
	}
	if newest == nil {
		return nil, errNone(fmt.Sprintf("s3://%s/%s has nothing%s", p.Bucket, prefix, until(before)))
	}
	return newest, nil
}

// before reads a before-image; it has to be of this account and Region.
func (c clients) before(ctx context.Context, p Place, where string, object *s3types.Object) (templates.Before, error) {
	var image templates.Before
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(p.Bucket), Key: object.Key, ExpectedBucketOwner: aws.String(p.AccountID)})
	if err != nil {
		return image, fmt.Errorf("read %s: %w", where, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, mostImage+1))
	if err != nil {
		return image, fmt.Errorf("read %s: %w", where, err)
	}
	switch err := json.Unmarshal(text, &image); {
	case len(text) > mostImage:
		return image, fmt.Errorf("%s has more than %d bytes: it is no before-image", where, mostImage)
	case err != nil:
		return image, fmt.Errorf("%s is no before-image: %w", where, err)
	case image.Version != 1 || image.AccountID != p.AccountID || image.Region != p.Region:
		return image, fmt.Errorf("%s is of version %d, account %s, %s: not of this place", where, image.Version, image.AccountID, image.Region)
	}
	return image, nil
}

// disarmed refuses to put back what an automatic remediation of a rule would take again
// at once, where no tag can exempt it.
func (p Place) disarmed(ctx context.Context, rule string) error {
	out, err := configservice.NewFromConfig(p.Config(p.Region)).DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{rule}})
	if err != nil {
		return fmt.Errorf("see whether %s is enforced: %w", rule, err)
	}
	for _, r := range out.RemediationConfigurations {
		if r.Automatic {
			return fmt.Errorf("the rule %s is enforced automatically here and would take it again at once: rollout disarm first", rule)
		}
	}
	return nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func listOf(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
