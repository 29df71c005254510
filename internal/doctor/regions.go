package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// regions looks whether the Regions asked for are on in the account that owns the
// sets: StackSets deploys to no other (user guide, "Prerequisites").
func (e *examiner) regions(ctx context.Context) []Finding {
	const check = "regions"
	if e.knownErr != nil {
		return unread(check, "which Regions are on in account "+e.s.Account, "account:ListRegions", e.knownErr)
	}
	var on, off []string
	for _, r := range e.known {
		if r.On {
			on = append(on, r.Name)
		} else {
			off = append(off, r.Name)
		}
	}
	var out []Finding
	for _, region := range append([]string{e.s.HomeRegion}, e.o.Regions...) {
		what := "--region " + region
		if region == e.s.HomeRegion {
			what = "the home Region " + region
		}
		switch {
		case slices.Contains(off, region):
			out = append(out, one(check, Error, what+" is off in account "+e.s.Account+", and StackSets deploys to Regions that are on there", "", "switch it on: aws account enable-region --region-name "+region)...)
		case !slices.Contains(on, region):
			out = append(out, one(check, Error, what+" is no Region of partition "+e.s.Partition, "", "the Regions that are on: "+strings.Join(on, ", "))...)
		}
	}
	if len(out) > 0 {
		return out
	}
	summary := fmt.Sprintf("%d Regions are on in account %s, the home Region %s among them", len(on), e.s.Account, e.s.HomeRegion)
	if len(off) > 0 {
		summary += "; off: " + strings.Join(off, ", ")
	}
	return one(check, OK, summary, "", "")
}
