package simaws

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// bucketList is the answer of ListBuckets.
type bucketList struct {
	XMLName           xml.Name       `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Buckets           []listedBucket `xml:"Buckets>Bucket"`
	ContinuationToken string         `xml:",omitempty"`
	OwnerID           string         `xml:"Owner>ID"`
	Prefix            string         `xml:",omitempty"`
}

type listedBucket struct {
	Name         string
	CreationDate string
	BucketRegion string `xml:",omitempty"`
	BucketArn    string `xml:",omitempty"`
}

// listBuckets lists the caller's buckets by name, 10,000 a page at most. Where they are it
// says to requests with a parameter only. A Region's own buckets are listed by its own
// endpoint: "Requests made to a Regional endpoint that is different from the bucket-region
// parameter are not supported" (S3 API reference, ListBuckets).
func listBuckets(s *Sim, c *call) (any, error) {
	if err := s.allowed(c.Caller, access{Action: "s3:ListAllMyBuckets", Resource: "*", Context: map[string]string{"aws:requestedregion": c.Region}}); err != nil {
		return nil, denial(services["s3"], err)
	}
	q := c.Request.URL.Query()
	region, prefix, size := q.Get("bucket-region"), q.Get("prefix"), 10000
	if text := q.Get("max-buckets"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > size {
			return nil, fail(http.StatusBadRequest, "InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000")
		}
		size = n
	}
	if region != "" && region != c.Region {
		return nil, fail(http.StatusBadRequest, "InvalidArgument", "Argument value "+region+" is not a valid AWS Region for this endpoint")
	}
	after, err := base64.StdEncoding.DecodeString(q.Get("continuation-token"))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
	}
	told := region != "" || prefix != "" || q.Has("max-buckets") || q.Has("continuation-token")
	out := bucketList{OwnerID: hexOf(64, c.Caller.Account, "canonical"), Prefix: prefix}
	a := s.world.accounts[c.Caller.Account]
	for _, name := range sortedKeys(a.buckets) {
		b := a.buckets[name]
		if name <= string(after) || !strings.HasPrefix(name, prefix) || region != "" && b.Region != region {
			continue
		}
		if len(out.Buckets) == size {
			out.ContinuationToken = base64.StdEncoding.EncodeToString([]byte(out.Buckets[size-1].Name))
			break
		}
		one := listedBucket{Name: name, CreationDate: bucketsSince.Format(time.RFC3339)}
		if told {
			one.BucketRegion, one.BucketArn = b.Region, "arn:"+s.world.partition+":s3:::"+name
		}
		out.Buckets = append(out.Buckets, one)
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return nil, err
	}
	return s3Body{header: http.Header{"Content-Type": {"application/xml"}}, body: append([]byte(xml.Header), body...)}, nil
}

// bucketsSince stands for when any bucket was made: nothing here asks.
var bucketsSince = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
