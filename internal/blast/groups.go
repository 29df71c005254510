package blast

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"rollout/templates"
)

const typeGroup = "AWS::EC2::SecurityGroup"

// defaultGroupReads are what defaultGroups reads: what the runbook of
// default-security-group-enforce does, and nothing else.
var defaultGroupReads = []string{
	"ec2:DescribeLaunchTemplateVersions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupReferences", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
	"ec2:DescribeVpcs", "ecs:DescribeServices", "ecs:ListClusters", "ecs:ListServices", "lambda:ListFunctions",
}

// defaultGroups lists the default security groups that have rules, and who leans on each.
func defaultGroups(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	api := ec2.NewFromConfig(at.cfg)
	groups, err := describeGroups(ctx, api, "group-name", "default")
	if err != nil {
		return nil, err
	}
	r := m.rules[0]
	empties := r.Values[templates.ParameterInUse] == "Empty"
	var out []Resource
	var open []*group
	seen := map[string]bool{}
	for _, g := range groups {
		id := aws.ToString(g.GroupId)
		seen[id] = true
		one := at.resource(m, r, typeGroup, id, "Amazon EC2")
		why := at.exempt(tagsOf(g.Tags), aws.ToString(g.OwnerId), "group")
		switch rules := len(g.IpPermissions) + len(g.IpPermissionsEgress); {
		case rules == 0 && one.Evaluated.IsZero():
			continue // as the rule wants it
		case why != "":
			one.Verdict, one.Reason = Safe, "left: "+why
		case rules == 0:
			one.Verdict, one.Reason = Safe, "left: it has no rules any more"
		default:
			open = append(open, &group{Resource: one, vpc: aws.ToString(g.VpcId), rules: groupWords(g)})
			continue
		}
		out = append(out, one)
	}
	for _, id := range sortedKeys(r.found) {
		if !seen[id] {
			one := at.resource(m, r, typeGroup, id, "")
			one.Verdict, one.Reason = Safe, "left: EC2 has no such default group any more"
			out = append(out, one)
		}
	}
	if len(open) == 0 {
		return out, nil
	}
	unread := at.leaning(ctx, api, open)
	for _, g := range open {
		g.decide(empties, unread)
		out = append(out, g.Resource)
	}
	return out, nil
}

// group is a default group that has rules.
type group struct {
	Resource
	vpc, rules string
	// isDefaultVPC and subnets are its VPC's: what is started without a group gets this one.
	isDefaultVPC bool
	subnets      []string
}

func (g *group) lean(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(g.Leans, text) {
		g.Leans = append(g.Leans, text)
	}
}

// decide is the runbook's decision. unread is what could not be asked: where nobody was
// seen to lean on the group, that makes it unknown.
func (g *group) decide(empties bool, unread []string) {
	users := ""
	if n := len(g.Leans); n > 0 {
		users = "in use: " + g.Leans[0]
		if n > 1 {
			users = fmt.Sprintf("%s and %d more", users, n-1)
		}
		if len(unread) > 0 {
			users += ", and not known by whom else: " + strings.Join(unread, "; ")
		}
	}
	switch {
	case len(g.Leans) > 0 && empties:
		g.Verdict, g.WouldChange, g.Reason = NotSafe, true, "InUse=Empty takes "+g.rules+", "+users
	case len(g.Leans) > 0:
		g.Verdict, g.Reason = NotSafe, "left: "+users
	case len(unread) > 0:
		g.Verdict, g.WouldChange, g.Reason = Unknown, true, "takes "+g.rules+"; not known who leans on it: "+strings.Join(unread, "; ")
	default:
		g.Verdict, g.WouldChange, g.Reason = Safe, true, "takes "+g.rules+"; nobody leans on it"
	}
}

// groupWords counts a group's rules, in words.
func groupWords(g types.SecurityGroup) string {
	count := func(list []types.IpPermission) (n int) {
		for _, p := range list {
			n += len(p.IpRanges) + len(p.Ipv6Ranges) + len(p.PrefixListIds) + len(p.UserIdGroupPairs)
		}
		return n
	}
	return fmt.Sprintf("its rules (%d inbound, %d outbound)", count(g.IpPermissions), count(g.IpPermissionsEgress))
}

func tagsOf(list []types.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

// filtered is one filter of up to 200 values (EC2 user guide, Filter considerations);
// each call does one part of a longer list.
const filtered = 200

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// describeGroups lists the groups that a filter names.
func describeGroups(ctx context.Context, api *ec2.Client, name string, values ...string) ([]types.SecurityGroup, error) {
	var out []types.SecurityGroup
	for part := range slices.Chunk(values, filtered) {
		in := &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{filter(name, part...)}, MaxResults: aws.Int32(1000)}
		for pages := ec2.NewDescribeSecurityGroupsPaginator(api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			out = append(out, page.SecurityGroups...)
		}
	}
	return out, nil
}
