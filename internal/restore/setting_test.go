package restore

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/internal/simaws"
	"rollout/templates"
)

// bench is an account of a simulation, and a place in it.
type bench struct {
	sim     *simaws.Sim
	place   Place
	ec2     *ec2.Client
	buckets *s3.Client
	iam     *iam.Client
}

func newBench(t *testing.T) bench {
	t.Helper()
	sim := simaws.New(simaws.Options{Empty: true})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	for _, a := range sim.Accounts() {
		if a.State == "ACTIVE" && !a.Management && sim.HasRole(a.ID, "OrganizationAccountAccessRole") {
			cfg := enter(t, server.URL, a.ID)
			in := func(region string) aws.Config { c := cfg.Copy(); c.Region = region; return c }
			p := Place{AccountID: a.ID, Region: "us-east-1", HomeRegion: "us-east-1", Bucket: "kept", Config: in, PathStyle: true}
			return bench{sim, p, ec2.NewFromConfig(cfg), p.s3("us-east-1"), iam.NewFromConfig(cfg)}
		}
	}
	t.Fatal("no account can be entered")
	return bench{}
}

// read runs the kind of a before-image.
func (b bench) read(t *testing.T, before templates.Before, source Source) (*Setting, error) {
	t.Helper()
	s := &Setting{Place: b.place, Kind: before.Kind, Source: source, Resource: before.InstanceID + before.SnapshotID + before.BucketName}
	return s, settingKinds[before.Kind](t.Context(), s, before)
}

func block(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, part := range blockParts {
		set[part] = false
	}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// A snapshot is made public only as it was left, and not where sharing is blocked.
func TestSnapshotShares(t *testing.T) {
	b := newBench(t)
	was := func(id string, users ...string) templates.Before {
		list := []map[string]string{{"Group": "all"}}
		for _, u := range users {
			list = append(list, map[string]string{"UserId": u})
		}
		return templates.Before{Kind: templates.BeforeSnapshot, SnapshotID: id, CreateVolumePermissions: list}
	}
	left := b.sim.KeepSnapshot(b.place.AccountID, "us-east-1", "444455556666")
	public := b.sim.KeepSnapshot(b.place.AccountID, "us-east-1", "all")
	for name, test := range map[string]struct {
		before templates.Before
		source Source
		want   string
	}{
		"as it was left":              {was(left, "444455556666"), FromObject, "share " + left + " with everybody"},
		"as it was before":            {was(public), FromObject, ""},
		"an account was added":        {was(left), FromObject, "shared with: 444455556666"},
		"CloudTrail knows the public": {was(left), FromCloudTrail, "share " + left + " with everybody"},
		"it is gone":                  {was("snap-00000000000000000"), FromObject, "InvalidSnapshot.NotFound"},
	} {
		s, err := b.read(t, test.before, test.source)
		text := strings.Join(s.Changes, "; ")
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, test.want) || (test.want == "") != (text == "") {
			t.Errorf("%s: %q, want %q", name, text, test.want)
		}
		if err == nil && len(s.Changes) > 0 && len(s.Public) == 0 {
			t.Errorf("%s: it does not say what becomes public", name)
		}
		var drift *DriftError
		if (name == "an account was added") != errors.As(err, &drift) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.ec2.EnableSnapshotBlockPublicAccess(t.Context(), &ec2.EnableSnapshotBlockPublicAccessInput{State: ec2types.SnapshotBlockPublicAccessStateBlockNewSharing}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.read(t, was(left, "444455556666"), FromObject); err == nil || !strings.Contains(err.Error(), "public sharing of snapshots is blocked in this Region (block-new-sharing)") {
		t.Errorf("blocked: %v", err)
	}
}

// A bucket's restore says what the public gets, keeps the bucket's tags, and stops where
// it cannot exempt.
func TestPublicAccessBlock(t *testing.T) {
	b := newBench(t)
	account := b.place.AccountID
	closed := &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)}
	put := func(name string, spec simaws.BucketSpec) {
		t.Helper()
		b.sim.PutBucket(account, "us-east-1", name, spec)
		if _, err := b.buckets.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: &name, PublicAccessBlockConfiguration: closed}); err != nil {
			t.Fatal(err)
		}
	}
	put("plain", simaws.BucketSpec{})
	put("public", simaws.BucketSpec{Public: true, Listed: true})
	put("exempt", simaws.BucketSpec{Exempt: true})
	b.sim.PutBucket(account, "us-east-1", "open", simaws.BucketSpec{})
	b.sim.PutBucket(account, "eu-west-1", "far", simaws.BucketSpec{})
	const atOnce, tagFirst = "that holds at once", "rollout-exempt first"
	for name, test := range map[string]struct {
		bucket        string
		was           map[string]bool
		want, lacking string
	}{
		"all parts were off":       {"plain", block(), "on: none", atOnce},
		"there was none":           {"plain", nil, "none of its own", atOnce},
		"its policy is public":     {"public", block("IgnorePublicAcls"), "the policy of public lets the public in, and that holds at once", "access control list of public"},
		"its list is public":       {"public", block("RestrictPublicBuckets"), "the access control list of public grants READ to AllUsers, and that holds at once", "the policy of public lets"},
		"it gets the tag":          {"plain", block(), tagFirst, ""},
		"it has the tag":           {"exempt", block(), "Block Public Access of exempt", tagFirst},
		"as before, in other form": {"open", block(), "", ""},
		"in another Region":        {"far", block(), "give that with --region", ""},
		"it is gone":               {"gone", block(), "NoSuchBucket", ""},
	} {
		s, err := b.read(t, templates.Before{Kind: templates.BeforePublicAccessBlock, BucketName: test.bucket, PublicAccessBlock: test.was}, FromObject)
		text := strings.Join(append(s.Changes, s.Public...), "; ")
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, test.want) || (test.want == "") != (text == "") || test.lacking != "" && strings.Contains(text, test.lacking) {
			t.Errorf("%s: %q, want %q and not %q", name, text, test.want, test.lacking)
		}
	}
	name := aws.String("plain")
	if _, err := b.buckets.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: name, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}}}); err != nil {
		t.Fatal(err)
	}
	s, err := b.read(t, templates.Before{Kind: templates.BeforePublicAccessBlock, BucketName: "plain"}, FromObject)
	if err != nil {
		t.Fatal(err)
	}
	if exempted, err := s.Apply(t.Context(), "restored by a test"); err != nil || !exempted {
		t.Fatalf("%v, %v", exempted, err)
	}
	tags, err := b.buckets.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: name})
	if err != nil || fmt.Sprint(*tags.TagSet[0].Key, *tags.TagSet[0].Value, *tags.TagSet[1].Key, *tags.TagSet[1].Value) != "rollout-exemptrestored by a testteamweb" {
		t.Errorf("tags %+v, %v", tags, err)
	}
}

// Where the resource cannot be exempted nothing is put back.
func TestNotExemptedNotRestored(t *testing.T) {
	done := false
	s := &Setting{Kind: "k", Resource: "r", Changes: []string{"x"}, do: func(context.Context) error { done = true; return nil },
		exempt: func(context.Context, string) error { return errors.New("no such right") }}
	if exempted, err := s.Apply(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no such right; nothing was put back") || exempted || done {
		t.Errorf("%v, %v, done %v", exempted, err, done)
	}
}

// An instance's other options are not touched, and not overlooked.
func TestMetadataOptions(t *testing.T) {
	b := newBench(t)
	was := func(id string, pairs ...any) templates.Before {
		set := map[string]any{"HttpTokens": "optional"}
		for i := 0; i < len(pairs); i += 2 {
			set[pairs[i].(string)] = pairs[i+1]
		}
		return templates.Before{Kind: templates.BeforeMetadataOptions, InstanceID: id, MetadataOptions: set}
	}
	left := b.sim.StartInstance(b.place.AccountID, "us-east-1", "required", 0)
	before := b.sim.StartInstance(b.place.AccountID, "us-east-1", "optional", 0)
	for name, test := range map[string]struct {
		before templates.Before
		want   string
	}{
		"tokens are all that is known": {was(left), "required → optional"},
		"in EC2's names":               {was(left, "HttpEndpoint", "enabled", "HttpPutResponseHopLimit", 2, "State", "applied"), "required → optional"},
		"in Config's names":            {was(left, "httpEndpoint", "enabled", "httpPutResponseHopLimit", 2), "required → optional"},
		"as before":                    {was(before), ""},
		"changed since":                {was(left, "HttpPutResponseHopLimit", 1), "hop limit 1"},
		"the endpoint was off":         {was(left, "HttpEndpoint", "disabled"), "endpoint disabled"},
		"unreadable":                   {was(left, "HttpEndpoint", 7), "cannot be read"},
		"no such instance":             {was("i-00000000000000000"), "InvalidInstanceID.NotFound"},
	} {
		s, err := b.read(t, test.before, FromObject)
		text := strings.Join(s.Changes, "; ")
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, test.want) || (test.want == "") != (text == "") {
			t.Errorf("%s: %q, want %q", name, text, test.want)
		}
	}
}

// A password policy that somebody changed after the remediation stays.
func TestPasswordPolicyChangedSince(t *testing.T) {
	b := newBench(t)
	if _, err := b.iam.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(20), RequireSymbols: true}); err != nil {
		t.Fatal(err)
	}
	before := templates.Before{Kind: templates.BeforePasswordPolicy, PasswordPolicy: map[string]any{"MinimumPasswordLength": 8.0}, PasswordPolicySet: map[string]any{"MinimumPasswordLength": 14.0, "RequireSymbols": true, "HardExpiry": false}}
	_, err := b.read(t, before, FromObject)
	var drift *DriftError
	if !errors.As(err, &drift) || !strings.Contains(drift.Now, "20") || !strings.Contains(drift.Left, "14") || !strings.Contains(drift.Before, "8") {
		t.Errorf("%v", err)
	}
	before.PasswordPolicySet["MinimumPasswordLength"] = 20.0
	if s, err := b.read(t, before, FromObject); err != nil || len(s.Changes) != 1 {
		t.Errorf("%+v, %v", s.Changes, err)
	}
}

func TestSourcesByForm(t *testing.T) {
	for resource, want := range map[string]string{
		"sg-0123456789abcdef0": "object config cloudtrail", "i-0123456789abcdef0": "object config cloudtrail", "snap-0123456789abcdef0": "object cloudtrail",
		"a.bucket-1": "object config", "vpc-0123456789abcdef0": "object", "ebs-encryption-by-default": "object", "password-policy": "object", "AIDAEXAMPLEUSER00001": "object",
	} {
		if got := strings.Trim(fmt.Sprint(SourcesOf(resource)), "[]"); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
}

func TestRecordedBlock(t *testing.T) {
	for text, want := range map[string]string{
		"": "none of its own", "null": "none of its own",
		`{"blockPublicAcls":true,"ignorePublicAcls":false,"blockPublicPolicy":true,"restrictPublicBuckets":false}`: "on: BlockPublicAcls, BlockPublicPolicy",
		`"{\"ignorePublicAcls\":true}"`: "on: IgnorePublicAcls",
		`{"blockPublicAcls":`:           "cannot be read",
	} {
		block, err := recordedBlock(text)
		got := blockWords(block)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// A session may open something to the public only when that was asked for, and AWS takes
// no session policy of more than 2,048 characters.
func TestPolicyOfASession(t *testing.T) {
	for _, public := range []bool{false, true} {
		text := Policy(public)
		if len(text) > 2048 {
			t.Errorf("%d characters", len(text))
		}
		for _, action := range openings {
			if strings.Contains(text, `"`+action+`"`) != public {
				t.Errorf("public %v: %s", public, text)
			}
		}
	}
}
