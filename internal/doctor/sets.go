package doctor

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/stackset"
)

// stackSets looks in every Region that is on for sets of ours, since a set is seen in
// the Region where it was made alone, and counts those of the home Region.
func (e *examiner) stackSets(ctx context.Context) []Finding {
	const check = "stack-sets"
	quotas, about := e.quotas(ctx)
	most := quotas.Sets
	home := e.s.HomeRegion
	asked := []string{home}
	known := e.known
	if e.knownErr != nil {
		known = awsapi.KnownRegions(e.s.Partition)
	}
	for _, r := range known {
		if r.On && r.Name != home {
			asked = append(asked, r.Name)
		}
	}
	type listed struct {
		ours  []string
		total int
		err   error
	}
	var out []Finding
	var refused []string
	said := ""
	for region, l := range fanout.Ordered(ctx, asked, 8, func(ctx context.Context, region string) listed {
		var l listed
		pages := cloudformation.NewListStackSetsPaginator(cloudformation.NewFromConfig(e.s.Own(region)), &cloudformation.ListStackSetsInput{
			Status: types.StackSetStatusActive, CallAs: e.report.CallAs, MaxResults: aws.Int32(100),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				l.err = err
				return l
			}
			for _, s := range page.Summaries {
				l.total++
				if name := aws.ToString(s.StackSetName); e.ours(name) {
					l.ours = append(l.ours, name)
				}
			}
		}
		slices.Sort(l.ours)
		return l
	}) {
		switch {
		case l.err != nil && region == home:
			f := unread(check, "the stack sets of "+home, "cloudformation:ListStackSets", l.err)
			if awsapi.Code(l.err) == "ValidationError" {
				f[0].Status, f[0].Do = Error, "StackSets must know this account as its administrator, and this identity must be allowed organizations:ListDelegatedAdministrators"
			}
			return f
		case l.err != nil:
			refused, said = append(refused, region), awsapi.Text(l.err)
		case region == home && l.total*10 >= most.Value*9:
			out = append(out, one(check, Warning, fmt.Sprintf("%d stack sets are in %s; the account can have %d", l.total, home, most.Value), "", "ask for more in Service Quotas (AWS CloudFormation, "+most.Code+"), or delete some")...)
		case region == home:
			out = append(out, one(check, OK, fmt.Sprintf("%d stack sets are in %s, of %d; rollout's: %s", l.total, home, most.Value, orNone(l.ours)), "", "")...)
		case len(l.ours) > 0:
			out = append(out, one(check, Warning, fmt.Sprintf("stack sets of rollout's names are in %s: %s", region, strings.Join(l.ours, ", ")), "", "use --home-region "+region+" to work on them: a stack set cannot be moved")...)
		}
	}
	if len(refused) > 0 && ctx.Err() == nil {
		out = append(out, one(check, Warning, "whether stack sets of rollout are in "+strings.Join(refused, ", ")+" could not be seen", said, "leave it if none was made there")...)
	}
	return append(out, about...)
}

// quotas reads what the account can have of stack sets in the home Region, and says so.
func (e *examiner) quotas(ctx context.Context) (stackset.Quotas, []Finding) {
	const check = "quotas"
	q := stackset.ReadQuotas(ctx, e.s, e.report.CallAs, func(stackset.Quota) bool { return true })
	said := fmt.Sprintf("%d stack sets (%s), %d instances in a set (%s) and %d of them worked on at a time (%s)", q.Sets.Value, q.Sets.Code, q.Instances.Value, q.Instances.Code, q.AtOnce.Value, q.AtOnce.Code)
	for _, one := range []stackset.Quota{q.Sets, q.Instances, q.AtOnce} {
		if one.Gap.Is() {
			do := "try again later"
			if one.Gap.Class == awsapi.ClassDenied {
				do = "allow this identity servicequotas:GetServiceQuota (rollout doctor --policy doctor prints all it needs)"
			}
			return q, []Finding{{Check: check, Status: Warning, Summary: "what AWS CloudFormation's quotas are in " + e.s.HomeRegion + " could not be read; by default they are " + said, Said: one.Gap.Text, Do: do}}
		}
	}
	if !q.Sets.Read {
		return q, one(check, OK, q.Sets.Unread+"; by default they are "+said, "", "")
	}
	return q, one(check, OK, "in "+e.s.HomeRegion+" the account can have "+said, "", "")
}

// ours says whether a name is that of one of the sets in question.
func (e *examiner) ours(name string) bool {
	return slices.ContainsFunc(e.o.StackSets, func(pattern string) bool { ok, err := path.Match(pattern, name); return ok && err == nil })
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
