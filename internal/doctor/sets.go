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
)

// defaultSets is how many stack sets an account can have until AWS raises it
// (CloudFormation user guide, "CloudFormation quotas"). No call tells a raised one.
const defaultSets = 1000

// stackSets looks in every Region that is on for sets of ours, since a set is seen in
// the Region where it was made alone, and counts those of the home Region.
func (e *examiner) stackSets(ctx context.Context) []Finding {
	const check = "stack-sets"
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
		case region == home && l.total*10 >= defaultSets*9:
			out = append(out, one(check, Warning, fmt.Sprintf("%d stack sets are in %s; an account can have %d unless AWS raised it", l.total, home, defaultSets), "", "ask for more in Service Quotas, or delete some")...)
		case region == home:
			out = append(out, one(check, OK, fmt.Sprintf("%d stack sets are in %s, of %d unless AWS raised it; rollout's: %s", l.total, home, defaultSets, orNone(l.ours)), "", "")...)
		case len(l.ours) > 0:
			out = append(out, one(check, Warning, fmt.Sprintf("stack sets of rollout's names are in %s: %s", region, strings.Join(l.ours, ", ")), "", "use --home-region "+region+" to work on them: a stack set cannot be moved")...)
		}
	}
	if len(refused) > 0 && ctx.Err() == nil {
		out = append(out, one(check, Warning, "whether stack sets of rollout are in "+strings.Join(refused, ", ")+" could not be seen", said, "leave it if none was made there")...)
	}
	return out
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
