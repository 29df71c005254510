package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rollout/templates"
)

// Kept is a resource of which the delivery bucket has before-images.
type Kept struct {
	Resource string
	Newest   time.Time
	Images   int
}

// List gives the resources of a place of which there are before-images, the newest
// first. What only Config or CloudTrail remember is not in it.
func List(ctx context.Context, p Place) ([]Kept, error) {
	prefix := templates.BeforePrefix(p.AccountID, p.Region)
	byName := map[string]*Kept{}
	pages := s3.NewListObjectsV2Paginator(p.clients().s3, &s3.ListObjectsV2Input{Bucket: aws.String(p.Bucket), Prefix: aws.String(prefix), ExpectedBucketOwner: aws.String(p.AccountID)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s (%s): %w", p.Bucket, prefix, p, err)
		}
		for _, o := range page.Contents {
			resource, _, ok := strings.Cut(strings.TrimPrefix(aws.ToString(o.Key), prefix), "/")
			if !ok {
				continue
			}
			k := byName[resource]
			if k == nil {
				k = &Kept{Resource: resource}
				byName[resource] = k
			}
			k.Images++
			if at := aws.ToTime(o.LastModified); at.After(k.Newest) {
				k.Newest = at
			}
		}
	}
	list := []Kept{}
	for _, k := range byName {
		list = append(list, *k)
	}
	slices.SortFunc(list, func(a, b Kept) int {
		if c := b.Newest.Compare(a.Newest); c != 0 {
			return c
		}
		return strings.Compare(a.Resource, b.Resource)
	})
	return list, nil
}
