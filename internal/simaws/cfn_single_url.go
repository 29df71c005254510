package simaws

import (
	"net/url"
	"regexp"
	"strings"
)

// s3Hosts are the endpoints of S3 that such a URL may name, after the bucket in
// virtual-hosted style.
var s3Hosts = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com$`)

const s3More = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"

// objectAt reads a template or a policy from the buckets of the caller's account.
func (s *Sim) objectAt(c *call, member, at string) (string, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" {
		return "", validation(member + " must be a supported URL.")
	}
	m := s3Hosts.FindStringSubmatch(u.Host)
	if m == nil {
		return "", validation(member + " must be a supported URL.")
	}
	name, key := m[1], strings.TrimPrefix(u.Path, "/")
	if name == "" {
		name, key, _ = strings.Cut(key, "/")
	}
	if name == "" || key == "" {
		return "", validation(member + " must reference a valid S3 object to which you have access.")
	}
	b := s.world.accounts[c.Caller.Account].buckets[name]
	if b == nil {
		if s.world.globalBuckets[name] != nil {
			return "", validation("S3 error: Access Denied" + s3More)
		}
		return "", validation("S3 error: The specified bucket does not exist" + s3More)
	}
	body, ok := b.Objects[key]
	if !ok {
		return "", validation("S3 error: The specified key does not exist." + s3More)
	}
	return string(body), nil
}
