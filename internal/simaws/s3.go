package simaws

import (
	"net/http"
	"strings"
)

// s3Ops are the calls served, by name: path style only.
var s3Ops = map[string]handler{"HeadBucket": headBucket, "GetObject": getObject, "ListObjectsV2": listObjects, "ListBuckets": listBuckets}

func init() {
	for _, calls := range s3Subresources {
		for _, action := range calls {
			s3Ops[action] = s3Setting
		}
	}
}

// headBucket answers 200, 404, 403 for somebody else's bucket, and 301 with the
// Region where the bucket is (S3 API reference, HeadBucket).
func headBucket(s *Sim, c *call) (any, error) {
	name := strings.Trim(c.Request.URL.Path, "/")
	if err := s.allowed(c.Caller, access{Action: "s3:ListBucket", Resource: "arn:" + s.world.partition + ":s3:::" + name}); err != nil {
		return nil, fail(http.StatusForbidden, "Forbidden", "Forbidden")
	}
	b := s.world.accounts[c.Caller.Account].buckets[name]
	if b == nil {
		if s.world.globalBuckets[name] != nil {
			return nil, fail(http.StatusForbidden, "Forbidden", "Forbidden")
		}
		return nil, fail(http.StatusNotFound, "NotFound", "Not Found")
	}
	if owner := c.Request.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != b.Owner {
		return nil, fail(http.StatusForbidden, "Forbidden", "Forbidden")
	}
	if b.Region != c.Region {
		e := fail(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
		e.Extra = map[string]any{"x-amz-bucket-region": b.Region}
		return nil, e
	}
	return http.Header{"X-Amz-Bucket-Region": {b.Region}}, nil
}
