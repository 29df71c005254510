package simaws

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
)

// s3Subresources are the calls about a bucket's settings: the word of the query, then
// the method (S3 API reference).
var s3Subresources = map[string]map[string]string{
	"publicAccessBlock": {http.MethodGet: "GetPublicAccessBlock", http.MethodPut: "PutPublicAccessBlock", http.MethodDelete: "DeletePublicAccessBlock"},
	"tagging":           {http.MethodGet: "GetBucketTagging", http.MethodPut: "PutBucketTagging", http.MethodDelete: "DeleteBucketTagging"},
	"policy":            {http.MethodGet: "GetBucketPolicy", http.MethodPut: "PutBucketPolicy", http.MethodDelete: "DeleteBucketPolicy"},
	"encryption":        {http.MethodGet: "GetBucketEncryption", http.MethodPut: "PutBucketEncryption", http.MethodDelete: "DeleteBucketEncryption"},
	"policyStatus":      {http.MethodGet: "GetBucketPolicyStatus"},
	"acl":               {http.MethodGet: "GetBucketAcl"},
	"website":           {http.MethodGet: "GetBucketWebsite"},
}

// s3Action names the call of a request in path style; what is not served has a name
// that no call has.
func s3Action(r *http.Request) string {
	_, key := s3Target(r)
	q := r.URL.Query()
	for word, calls := range s3Subresources {
		if q.Has(word) && key == "" {
			return calls[r.Method]
		}
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/":
		return "ListBuckets"
	case r.Method == http.MethodHead && key == "":
		return "HeadBucket"
	case r.Method == http.MethodGet && key == "" && q.Get("list-type") == "2":
		return "ListObjectsV2"
	case r.Method == http.MethodGet && key != "" && !q.Has("tagging") && !q.Has("acl"):
		return "GetObject"
	}
	return ""
}

// s3Root is the element of an answer; those without one have an empty body, and
// GetBucketPolicy the policy itself.
var s3Root = map[string]string{
	"GetPublicAccessBlock": "PublicAccessBlockConfiguration", "GetBucketTagging": "Tagging", "GetBucketPolicyStatus": "PolicyStatus", "GetBucketAcl": "AccessControlPolicy",
	"GetBucketWebsite": "WebsiteConfiguration", "GetBucketEncryption": "ServerSideEncryptionConfiguration",
}

// s3NoContent are the calls that AWS answers with 204 (samples of the API reference).
var s3NoContent = map[string]bool{
	"DeletePublicAccessBlock": true, "PutBucketTagging": true, "DeleteBucketTagging": true, "PutBucketPolicy": true, "DeleteBucketPolicy": true, "DeleteBucketEncryption": true,
}

// s3Setting serves a call about a bucket's settings in REST-XML; scripts share what it does.
func s3Setting(s *Sim, c *call) (any, error) {
	name, _ := s3Target(c.Request)
	a := s.world.accounts[c.Caller.Account]
	in, err := s3Members(c.Action, c.Body)
	if err != nil {
		return nil, err
	}
	in["Bucket"] = name
	if owner := c.Request.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" {
		in["ExpectedBucketOwner"] = owner
	}
	who := func(x access) error { return denial(services["s3"], s.allowed(c.Caller, x)) }
	if b := a.buckets[name]; b != nil && b.Region != c.Region {
		return nil, redirected(b)
	}
	out, err := s.apiDo(who, a, a.region(c.Region), "s3", c.Action, in)
	if err != nil {
		return nil, err
	}
	if c.Action == "GetBucketPolicy" {
		return s3Body{header: http.Header{"Content-Type": {"application/json"}}, body: []byte(scalarOr(out["Policy"]))}, nil
	}
	root := s3Root[c.Action]
	if root == "" {
		answer := s3Body{header: http.Header{}}
		if s3NoContent[c.Action] {
			answer.status = http.StatusNoContent
		}
		return answer, nil
	}
	if inner, ok := out[root].(map[string]any); ok {
		out = inner
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<" + root + ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	writeS3(&b, out)
	b.WriteString("</" + root + ">")
	return s3Body{header: http.Header{"Content-Type": {"application/xml"}}, body: b.Bytes()}, nil
}

// s3Lists are the elements of S3's lists: around the list, "" for none, and one of it
// (botocore's locationName values).
var s3Lists = map[string][2]string{"TagSet": {"TagSet", "Tag"}, "Grants": {"AccessControlList", "Grant"}, "Rules": {"", "Rule"}}

// writeS3 writes members in S3's XML. A grantee says by an attribute what it is.
func writeS3(b *bytes.Buffer, members map[string]any) {
	for _, name := range sortedKeys(members) {
		switch v := members[name].(type) {
		case map[string]any:
			open := name
			if kind := scalarOr(v["Type"]); name == "Grantee" {
				open += ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="` + kind + `"`
				v = without(v, "Type")
			}
			b.WriteString("<" + open + ">")
			writeS3(b, v)
			b.WriteString("</" + name + ">")
		case []any:
			around := s3Lists[name]
			if around[0] != "" {
				b.WriteString("<" + around[0] + ">")
			}
			for _, item := range v {
				m, _ := item.(map[string]any)
				b.WriteString("<" + around[1] + ">")
				writeS3(b, m)
				b.WriteString("</" + around[1] + ">")
			}
			if around[0] != "" {
				b.WriteString("</" + around[0] + ">")
			}
		default:
			b.WriteString("<" + name + ">" + escape(scalar(v)) + "</" + name + ">")
		}
	}
}

func without(members map[string]any, name string) map[string]any {
	out := map[string]any{}
	for k, v := range members {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// s3Members reads the body of a call that writes.
func s3Members(action string, body []byte) (map[string]any, error) {
	malformed := fail(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	in := map[string]any{}
	switch action {
	case "PutBucketPolicy":
		in["Policy"] = string(body)
	case "PutPublicAccessBlock":
		var sent struct {
			XMLName xml.Name `xml:"PublicAccessBlockConfiguration"`
			Parts   []struct {
				XMLName xml.Name
				Value   string `xml:",chardata"`
			} `xml:",any"`
		}
		if xml.Unmarshal(body, &sent) != nil {
			return nil, malformed
		}
		parts := map[string]any{}
		for _, p := range sent.Parts {
			parts[p.XMLName.Local] = strings.EqualFold(p.Value, "true")
		}
		in["PublicAccessBlockConfiguration"] = parts
	case "PutBucketTagging":
		var sent struct {
			XMLName xml.Name                      `xml:"Tagging"`
			Tags    []struct{ Key, Value string } `xml:"TagSet>Tag"`
		}
		if xml.Unmarshal(body, &sent) != nil {
			return nil, malformed
		}
		list := []any{}
		for _, t := range sent.Tags {
			list = append(list, map[string]any{"Key": t.Key, "Value": t.Value})
		}
		in["Tagging"] = map[string]any{"TagSet": list}
	case "PutBucketEncryption":
		var sent struct {
			XMLName xml.Name `xml:"ServerSideEncryptionConfiguration"`
			Rules   []struct {
				Default struct{ SSEAlgorithm, KMSMasterKeyID string } `xml:"ApplyServerSideEncryptionByDefault"`
			} `xml:"Rule"`
		}
		if xml.Unmarshal(body, &sent) != nil || len(sent.Rules) != 1 {
			return nil, malformed
		}
		in["ServerSideEncryptionConfiguration"] = map[string]any{"Rules": []any{map[string]any{"ApplyServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": sent.Rules[0].Default.SSEAlgorithm}}}}
	}
	return in, nil
}
