package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/templates"
)

// mostImage bounds what is read of one object: a group has a few hundred rules at most.
const mostImage = 1 << 20

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
