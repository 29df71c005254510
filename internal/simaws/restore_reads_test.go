package simaws

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What was taken out of a group can be read back from the event history, minutes later.
func TestEventHistoryHasWhatWasRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 3, Empty: true})
		cfg := sdk(s, "us-east-1")
		api, trail := ec2.NewFromConfig(cfg), cloudtrail.NewFromConfig(cfg)
		groups, err := api.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
		if err != nil || len(groups.SecurityGroups) == 0 {
			t.Fatal(groups, err)
		}
		g := groups.SecurityGroups[0]
		if _, err := api.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: g.IpPermissions}); err != nil {
			t.Fatal(err)
		}
		look := func(in cloudtrail.LookupEventsInput) []types.Event {
			out, err := trail.LookupEvents(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			return out.Events
		}
		byGroup := cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyResourceName, AttributeValue: g.GroupId}}}
		if early := look(byGroup); len(early) != 0 {
			t.Errorf("%d events at once", len(early))
		}
		time.Sleep(trailDelay)
		events := look(byGroup)
		if len(events) != 1 || *events[0].EventName != "RevokeSecurityGroupIngress" || *events[0].ReadOnly != "false" {
			t.Fatalf("%+v", events)
		}
		var record struct {
			RequestParameters struct {
				GroupID       string
				IPPermissions struct {
					Items []struct {
						IPProtocol string
						Groups     struct{ Items []struct{ GroupID string } }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(*events[0].CloudTrailEvent), &record); err != nil {
			t.Fatal(err)
		}
		p := record.RequestParameters
		if p.GroupID != *g.GroupId || len(p.IPPermissions.Items) != len(g.IpPermissions) || p.IPPermissions.Items[0].IPProtocol != *g.IpPermissions[0].IpProtocol {
			t.Errorf("%+v of %s", p, *events[0].CloudTrailEvent)
		}
		for name, in := range map[string]cloudtrail.LookupEventsInput{
			"another group": {LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyResourceName, AttributeValue: aws.String("sg-0")}}},
			"before it":     {EndTime: aws.Time(time.Now().Add(-time.Hour))},
			"another name":  {LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("AuthorizeSecurityGroupIngress")}}},
		} {
			if got := look(in); len(got) != 0 {
				t.Errorf("%s: %d events", name, len(got))
			}
		}
		_, err = trail.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)})
		if code(err) != "InvalidMaxResultsException" {
			t.Errorf("51 results: %v", err)
		}
		time.Sleep(trailKept)
		if old := look(byGroup); len(old) != 0 {
			t.Errorf("%d events after 90 days", len(old))
		}
	})
}

// The events of what a restore looks for beside groups: shares of snapshots and metadata
// options, with tags by which they are exempt.
func TestEventsOfSnapshotsAndInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Accounts: 3, Empty: true})
		cfg := sdk(s, "us-east-1")
		api, trail := ec2.NewFromConfig(cfg), cloudtrail.NewFromConfig(cfg)
		a := s.world.accounts[s.world.management]
		set := s.settings(a, a.region("us-east-1"))
		set.keep(&snapshot{ID: "snap-00000001", Shared: []string{"all"}})
		set.put(&instance{ID: "i-00000001", State: "running", Metadata: newMetadata("optional")})
		if _, err := api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{"snap-00000001", "i-00000001"}, Tags: []ec2types.Tag{{Key: aws.String("rollout-exempt"), Value: aws.String("x")}}}); err != nil {
			t.Fatal(err)
		}
		if set.snapshots["snap-00000001"].Tags["rollout-exempt"] != "x" || set.instances["i-00000001"].Tags["rollout-exempt"] != "x" {
			t.Error("the tags are not there")
		}
		if _, err := api.ModifySnapshotAttribute(t.Context(), &ec2.ModifySnapshotAttributeInput{SnapshotId: aws.String("snap-00000001"), Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission,
			OperationType: ec2types.OperationTypeRemove, GroupNames: []string{"all"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := api.ModifyInstanceMetadataOptions(t.Context(), &ec2.ModifyInstanceMetadataOptionsInput{InstanceId: aws.String("i-00000001"), HttpTokens: ec2types.HttpTokensStateRequired}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(trailDelay)
		for name, want := range map[string]string{
			"ModifySnapshotAttribute":       `{"attributeType":"CREATE_VOLUME_PERMISSION","createVolumePermission":{"remove":{"items":[{"group":"all"}]}},"snapshotId":"snap-00000001"}`,
			"ModifyInstanceMetadataOptions": `{"ModifyInstanceMetadataOptionsRequest":{"HttpTokens":"required","InstanceId":"i-00000001"}}`,
		} {
			out, err := trail.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &name}}})
			if err != nil || len(out.Events) != 1 {
				t.Fatal(name, out, err)
			}
			var record struct{ RequestParameters json.RawMessage }
			if err := json.Unmarshal([]byte(*out.Events[0].CloudTrailEvent), &record); err != nil || string(record.RequestParameters) != want {
				t.Errorf("%s: %s, %v; want %s", name, record.RequestParameters, err, want)
			}
		}
	})
}

func TestObjectsAreListedAndRead(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	api := s3.NewFromConfig(sdk(s, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	s.world.accounts[s.world.management].buckets = map[string]*bucket{"mine": {Name: "mine", Owner: s.world.management, Region: "us-east-1",
		Objects: map[string][]byte{"a/1": []byte("one"), "a/2": []byte("two"), "a/3 x": []byte("three"), "b": []byte("other")}}}
	var keys []string
	for pages := s3.NewListObjectsV2Paginator(api, &s3.ListObjectsV2Input{Bucket: aws.String("mine"), Prefix: aws.String("a/"), MaxKeys: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	if strings.Join(keys, ",") != "a/1,a/2,a/3 x" {
		t.Errorf("listed %v", keys)
	}
	out, err := api.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("mine"), Key: aws.String("a/3 x")})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(out.Body); err != nil || string(body) != "three" {
		t.Errorf("%q, %v", body, err)
	}
	for key, want := range map[string]string{"nothing": "NoSuchKey"} {
		if _, err := api.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("mine"), Key: &key}); code(err) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := api.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("nobodys"), Key: aws.String("x")}); code(err) != "NoSuchBucket" {
		t.Errorf("no bucket: %v", err)
	}
}

func TestTagsOfGroups(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	api := ec2.NewFromConfig(sdk(s, "us-east-1"))
	groups, err := api.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	id := *groups.SecurityGroups[0].GroupId
	tag := ec2types.Tag{Key: aws.String("rollout-exempt"), Value: aws.String("because")}
	if _, err := api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag}}); err != nil {
		t.Fatal(err)
	}
	has := func() string {
		out, err := api.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range out.SecurityGroups[0].Tags {
			if *tag.Key == "rollout-exempt" {
				return *tag.Value
			}
		}
		return ""
	}
	if has() != "because" {
		t.Errorf("the tag is %q", has())
	}
	for name, want := range map[string]string{"aws:x": "InvalidParameterValue", strings.Repeat("k", 129): "InvalidParameterValue"} {
		if _, err := api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: &name, Value: aws.String("")}}}); code(err) != want {
			t.Errorf("%.9s: %v", name, err)
		}
	}
	if _, err := api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{"sg-0"}, Tags: []ec2types.Tag{tag}}); code(err) != "InvalidID" {
		t.Errorf("no group: %v", err)
	}
	if _, err := api.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: tag.Key}}}); err != nil || has() != "" {
		t.Errorf("deleted: %v, %q", err, has())
	}
}
