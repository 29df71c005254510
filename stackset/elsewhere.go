package stackset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// elsewherePatience is how long the other Regions may keep the home Region waiting.
const elsewherePatience = 20 * time.Second

// elsewhere looks into other Regions for sets of ours that enforce: a set is seen in
// its own Region only. There the names' endings decide what is described. Whatever
// cannot be seen in time is a warning.
func (f *finder) elsewhere(ctx context.Context, regions []string) *Ours {
	out := &Ours{}
	ctx, cancel := context.WithTimeout(ctx, elsewherePatience)
	defer cancel()
	regions = slices.DeleteFunc(slices.Clone(regions), func(r string) bool { return r == f.s.HomeRegion })
	type answer struct {
		sets []Elsewhere
		err  error
	}
	unseen := map[string][]string{} // Regions by what was said
	for region, a := range fanout.Ordered(ctx, regions, 8, func(ctx context.Context, region string) (a answer) {
		client := newClient(f.s, region, newPace())
		names, err := f.managed(ctx, client, fewTries)
		if err != nil {
			return answer{err: err}
		}
		for _, name := range names {
			if !hintsEnforcement(name) {
				continue
			}
			set, err := client.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(name), CallAs: f.callAs}, fewTries)
			if awsapi.Code(err) == "StackSetNotFoundException" || err == nil && set.StackSet == nil {
				continue
			}
			if err != nil {
				return answer{err: err}
			}
			if made := tagValue(set.StackSet.Tags, TagTemplate); enforcesByName(made) {
				a.sets = append(a.sets, Elsewhere{name, made, region})
			}
		}
		return a
	}) {
		if a.err != nil {
			why := sentence(awsapi.Text(a.err))
			if ctx.Err() != nil {
				why = fmt.Sprintf("no answer within %s", elsewherePatience)
			}
			unseen[strings.ReplaceAll(why, region, "(Region)")] = append(unseen[strings.ReplaceAll(why, region, "(Region)")], region)
			continue
		}
		out.Elsewhere = append(out.Elsewhere, a.sets...)
	}
	for why, where := range unseen {
		out.Warnings = append(out.Warnings, fmt.Sprintf("Whether stack sets that enforce live in %s could not be seen: %s. To look there: rollout status --home-region REGION.", some(where), why))
	}
	slices.Sort(out.Warnings)
	slices.SortFunc(out.Elsewhere, func(a, b Elsewhere) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.StackSet, b.StackSet))
	})
	return out
}

// enforcesByName says whether the template of a tag enforces; one that this version
// does not know may.
func enforcesByName(template string) bool {
	if template == "" {
		return false
	}
	t, err := templates.Lookup(template)
	return err != nil || t.Remediates
}
