package stackset

import (
	"fmt"
	"maps"
	"slices"
)

// iamRegions are the Regions in which AWS Config records IAM users, groups, roles and
// policies: those where it was available before February 2022 (developer guide,
// Recording AWS Resources, Global Resources, which names the others up to its day;
// Regions launched since are newer still).
var iamRegions = []string{
	"af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
	"ca-central-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3",
	"me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
}

// warnNewRegions says which rules about IAM live where AWS Config records none of it. A
// rule that runs on changes gets none there. One that runs by the clock is run in all
// Regions as soon as one records IAM (developer guide, at each of these rules).
func (p *planner) warnNewRegions() {
	onChange, byClock := map[string][]string{}, map[string][]string{}
	for _, s := range p.plan.Sets {
		for _, region := range p.regions[s.Template.Name] {
			if slices.Contains(iamRegions, region) || !slices.ContainsFunc(p.plan.Changes, func(c Change) bool {
				return c.StackSet == s.Name && c.Region == region && c.Action != Skip && c.Action != Delete
			}) {
				continue
			}
			for _, rule := range p.rulesIn(s, region) {
				switch {
				case !rule.LooksAtIAM():
				case rule.ByClockOnly():
					byClock[region] = append(byClock[region], rule.Name)
				default:
					onChange[region] = append(onChange[region], rule.Name)
				}
			}
		}
	}
	const none = "AWS Config records no IAM users, groups, roles or policies in %s, as in all Regions newer than February 2022: "
	for _, region := range slices.Sorted(maps.Keys(onChange)) {
		p.find(Finding{Code: "iam-not-recorded", Text: fmt.Sprintf(none+"no results are expected of %s there.", region, list(onChange[region]))}, Place{Target: Target{Region: region}})
	}
	for _, region := range slices.Sorted(maps.Keys(byClock)) {
		p.find(Finding{Code: "iam-not-recorded", Text: fmt.Sprintf(none+"%s may give none there either, unless another Region of the account records them.", region, list(byClock[region]))}, Place{Target: Target{Region: region}})
	}
}
