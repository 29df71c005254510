package simaws

import (
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// s3Body is an answer of S3 with a body.
type s3Body struct {
	header http.Header
	body   []byte
	status int // 0 for 200
}

// put writes an object.
func (b *bucket) put(key string, body []byte, now time.Time) {
	if b.Objects == nil {
		b.Objects = map[string][]byte{}
	}
	if b.written == nil {
		b.written = map[string]time.Time{}
	}
	b.Objects[key], b.written[key] = body, now
}

// s3Target splits the path of a request in path style.
func s3Target(r *http.Request) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return bucket, key
}

// s3Bucket finds a bucket of the caller's account for an action.
func (s *Sim) s3Bucket(c *call, action, name, resource string) (*bucket, error) {
	if err := s.allowed(c.Caller, access{Action: action, Resource: "arn:" + s.world.partition + ":s3:::" + resource, Context: map[string]string{"aws:requestedregion": c.Region}}); err != nil {
		return nil, err
	}
	b := s.world.accounts[c.Caller.Account].buckets[name]
	switch {
	case b == nil && s.world.globalBuckets[name] != nil:
		return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
	case b == nil:
		return nil, fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	if owner := c.Request.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != b.Owner {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	if b.Region != c.Region {
		return nil, redirected(b)
	}
	return b, nil
}

// redirected is the answer in a Region where the bucket is not.
func redirected(b *bucket) error {
	e := fail(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	e.Extra = map[string]any{"x-amz-bucket-region": b.Region}
	return e
}

// etag is the MD5 digest of what was put whole (S3 API reference, Object).
func etag(body []byte) string { return fmt.Sprintf("\"%x\"", md5.Sum(body)) }

// getObject serves GetObject without ranges, conditions and versions.
func getObject(s *Sim, c *call) (any, error) {
	name, key := s3Target(c.Request)
	b, err := s.s3Bucket(c, "s3:GetObject", name, name+"/"+key)
	if err != nil {
		return nil, err
	}
	body, ok := b.Objects[key]
	if !ok {
		return nil, fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return s3Body{header: http.Header{
		"Content-Type": {"binary/octet-stream"}, "Content-Length": {strconv.Itoa(len(body))}, "Etag": {etag(body)},
		"Last-Modified": {b.written[key].UTC().Format(http.TimeFormat)},
	}, body: body}, nil
}

// listObjects serves ListObjectsV2 with Prefix, StartAfter, MaxKeys and its tokens.
func listObjects(s *Sim, c *call) (any, error) {
	name, _ := s3Target(c.Request)
	b, err := s.s3Bucket(c, "s3:ListBucket", name, name)
	if err != nil {
		return nil, err
	}
	q := c.Request.URL.Query()
	limit := 1000
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, fail(http.StatusBadRequest, "InvalidArgument", "Provided max-keys not an integer or within integer range")
		}
		limit = min(n, 1000)
	}
	after := q.Get("continuation-token") // the last key before
	if after == "" {
		after = q.Get("start-after")
	}
	type content struct {
		Key          string
		LastModified string
		ETag         string
		Size         int
		StorageClass string
	}
	answer := struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Name, Prefix          string
		KeyCount, MaxKeys     int
		IsTruncated           bool
		Contents              []content
		NextContinuationToken string `xml:",omitempty"`
	}{Name: name, Prefix: q.Get("prefix"), MaxKeys: limit}
	keys := slices.DeleteFunc(sortedKeys(b.Objects), func(k string) bool { return !strings.HasPrefix(k, answer.Prefix) || k <= after && after != "" })
	for _, k := range keys {
		if len(answer.Contents) == limit {
			answer.IsTruncated = true
			break
		}
		answer.Contents = append(answer.Contents, content{k, b.written[k].UTC().Format("2006-01-02T15:04:05.000Z"), etag(b.Objects[k]), len(b.Objects[k]), "STANDARD"})
	}
	answer.KeyCount = len(answer.Contents)
	if answer.IsTruncated && limit > 0 {
		answer.NextContinuationToken = answer.Contents[limit-1].Key
	}
	body, err := xml.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return s3Body{header: http.Header{"Content-Type": {"application/xml"}}, body: append([]byte(xml.Header), body...)}, nil
}
