// Package restore puts back what a remediation took away or set. For a security group it
// looks for what was there in three places that last longer than the automation's own
// history: the object that the runbook wrote before it changed anything, AWS Config's
// history of the group, and CloudTrail's event history. It sets the exempt tag first,
// so that what is put back is not taken again, and looks afterwards. Of instances,
// snapshots and buckets some of these know enough too; of everything else the object alone.
//
// What somebody changed since is not overwritten (DriftError), and what opens something to
// the public says so in words (Setting.Public).
//
// It knows one account and Region at a time; whoever calls it has entered the account.
package restore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Source is a place where what was taken away can still be read.
type Source string

const (
	FromObject     Source = "object"     // the before-image in the delivery bucket
	FromConfig     Source = "config"     // AWS Config's history of the resource
	FromCloudTrail Source = "cloudtrail" // the event history of the last 90 days
)

// Sources are all of them in the order in which they are tried: the object is exact
// and says which execution wrote it, Config's items may be of a moment before, and
// CloudTrail knows only what was taken away.
func Sources() []Source { return []Source{FromObject, FromConfig, FromCloudTrail} }

// Place is the account and Region of a group, and how to reach it.
type Place struct {
	AccountID, Region, HomeRegion string
	// Bucket is the delivery bucket's name, in the home Region.
	Bucket string
	// Config is the account's SDK configuration for a Region.
	Config func(region string) aws.Config
	// PathStyle is set for an endpoint that serves every service.
	PathStyle bool
}

// clients are those of one restore, light and dropped at its end.
type clients struct {
	ec2    *ec2.Client
	config *configservice.Client
	trail  *cloudtrail.Client
	s3     *s3.Client
}

func (p Place) clients() clients {
	cfg := p.Config(p.Region)
	return clients{ec2: ec2.NewFromConfig(cfg), config: configservice.NewFromConfig(cfg), trail: cloudtrail.NewFromConfig(cfg), s3: p.s3(p.HomeRegion)}
}

func (p Place) s3(region string) *s3.Client {
	return s3.NewFromConfig(p.Config(region), func(o *s3.Options) { o.UsePathStyle = p.PathStyle })
}

// String is "account 111122223333, eu-west-1", for errors.
func (p Place) String() string { return "account " + p.AccountID + ", " + p.Region }

// Image is what a group had, as one source has it.
type Image struct {
	Source Source
	// Where says where it was read: an S3 URL, the time of Config's item, event ids.
	Where string
	// Taken is when it was taken away, as far as the source knows; else when it was there.
	Taken time.Time
	Rules []Rule
}

// Plan is what a restore of one group would do.
type Plan struct {
	Place
	GroupID, GroupName, VPCID string
	Image                     Image
	// Missing are the rules of the image that the group lacks, to be put back; Present
	// are those that it has.
	Missing, Present []Rule
	// Exempt is the value of the exempt tag that the group has, "" without the tag.
	Exempt    string
	HasExempt bool
	// Tried says of each source that did not give the image why not.
	Tried []Tried
}

// Tried is a source that could not help.
type Tried struct {
	Source Source
	Why    string
}

// Request says what to restore.
type Request struct {
	Resource string
	// Source is one source, "" for the first that has something.
	Source Source
	// Before leaves out what was there later; zero for now.
	Before time.Time
}

// groupID is EC2's form of a security group's id.
var groupID = regexp.MustCompile(`^sg-[0-9a-f]{8,17}$`)

// IsGroup says whether a resource is a security group, by its id.
func IsGroup(resource string) bool { return groupID.MatchString(resource) }

// NothingError says that no source has anything to put back.
type NothingError struct {
	Place    Place
	Resource string
	Tried    []Tried
}

func (e *NothingError) Error() string {
	text := fmt.Sprintf("nothing to put back into %s (%s)", e.Resource, e.Place)
	for i, t := range e.Tried {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		text += sep + string(t.Source) + ": " + t.Why
	}
	return text
}

// errNone is a source that was read and has nothing.
type errNone string

func (e errNone) Error() string { return string(e) }

// Find reads the group and looks for what it had. It changes nothing. The error is a
// *NothingError when every source was asked in vain.
func Find(ctx context.Context, p Place, r Request) (*Plan, error) {
	if !groupID.MatchString(r.Resource) {
		return nil, fmt.Errorf("%q is not the id of a security group, like sg-0123456789abcdef0", r.Resource)
	}
	c := p.clients()
	plan := &Plan{Place: p, GroupID: r.Resource}
	now, err := plan.read(ctx, c)
	if err != nil {
		return nil, err
	}
	sources := Sources()
	if r.Source != "" {
		sources = []Source{r.Source}
	}
	for _, source := range sources {
		image, err := c.image(ctx, p, source, r, now)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			plan.Tried = append(plan.Tried, Tried{source, reasonOf(err)})
			continue
		}
		plan.Image = image
		plan.Missing, plan.Present = compare(image.Rules, now)
		return plan, nil
	}
	return nil, &NothingError{p, r.Resource, plan.Tried}
}

func (c clients) image(ctx context.Context, p Place, source Source, r Request, now []Rule) (Image, error) {
	switch source {
	case FromObject:
		return c.fromObject(ctx, p, r)
	case FromConfig:
		return c.fromConfig(ctx, r, now)
	case FromCloudTrail:
		return c.fromTrail(ctx, r)
	}
	return Image{}, fmt.Errorf("there is no source %q", source)
}

// read fills in what the group is now and gives its rules.
func (p *Plan) read(ctx context.Context, c clients) ([]Rule, error) {
	out, err := c.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{p.GroupID}})
	if err != nil {
		return nil, fmt.Errorf("read security group %s (%s): %w", p.GroupID, p.Place, err)
	}
	if len(out.SecurityGroups) != 1 {
		return nil, fmt.Errorf("read security group %s (%s): EC2 gave %d groups", p.GroupID, p.Place, len(out.SecurityGroups))
	}
	g := out.SecurityGroups[0]
	if owner := aws.ToString(g.OwnerId); owner != "" && owner != p.AccountID {
		return nil, fmt.Errorf("security group %s (%s) belongs to account %s: restore it there", p.GroupID, p.Place, owner)
	}
	p.GroupName, p.VPCID = aws.ToString(g.GroupName), aws.ToString(g.VpcId)
	for _, t := range g.Tags {
		if aws.ToString(t.Key) == exemptTag {
			p.Exempt, p.HasExempt = aws.ToString(t.Value), true
		}
	}
	return append(rulesOf(g.IpPermissions, false), rulesOf(g.IpPermissionsEgress, true)...), nil
}

func reasonOf(err error) string {
	var none errNone
	if errors.As(err, &none) {
		return none.Error()
	}
	return plain(err)
}
