package stackset

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// ReadTargets asks which OUs the sets watch that deploy automatically. What could not be
// asked is a finding.
func ReadTargets(ctx context.Context, s *awsapi.Session, callAs types.CallAs, sets []Set) ([]Finding, error) {
	return readTargets(ctx, s, PrepareInput{CallAs: callAs}, sets)
}

// wholeOUs takes out of the deletions of a set those that are all that an OU has of it
// in a Region, where the set watches the OU: they are one deletion of the OU, without
// accounts. StackSets drops an OU as a target only then; by accounts it would stay one,
// and who is moved there would get the instance back.
func wholeOUs(p *Plan, s *Set, changes []Change) (whole []batch, rest []Change) {
	if !s.Auto.Enabled || len(changes) == 0 {
		return nil, changes
	}
	gone := map[Target]Change{}
	for _, c := range changes {
		gone[c.Target] = c
	}
	emptied := s.emptied(p, gone)
	byRegions := map[string][]string{} // OUs
	for _, ou := range slices.Sorted(maps.Keys(emptied)) {
		k := strings.Join(slices.Sorted(maps.Keys(emptied[ou])), " ")
		byRegions[k] = append(byRegions[k], ou)
	}
	for _, k := range slices.Sorted(maps.Keys(byRegions)) {
		for ous := range slices.Chunk(byRegions[k], ouLimit) {
			b := batch{action: Delete, regions: strings.Fields(k), ous: ous}
			for _, ou := range ous {
				for _, region := range b.regions {
					for _, t := range emptied[ou][region] {
						b.changes = append(b.changes, gone[t])
						delete(gone, t)
					}
				}
			}
			whole = append(whole, b)
		}
	}
	return whole, slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { _, left := gone[c.Target]; return !left })
}

// emptied are the instances of each watched OU and Region of which all are gone. An OU
// under which an instance stands that was deployed by another, or that the walk does not
// place there, is not among them: a deletion of the OU might not reach it, or reach more.
func (s *Set) emptied(p *Plan, gone map[Target]Change) map[string]map[string][]Target {
	type place struct{ ou, region string }
	have, mixed := map[place][]Target{}, map[place]bool{}
	for t, i := range s.Instances {
		var above []string
		if a := p.Desired.Walked[t.AccountID]; a != nil {
			above = aboveOU(a.OU)
		}
		if !slices.Contains(above, i.OU) {
			mixed[place{i.OU, t.Region}] = true
		}
		for _, ou := range above {
			k := place{ou, t.Region}
			if _, goes := gone[t]; !goes || ou != i.OU {
				mixed[k] = true
			}
			have[k] = append(have[k], t)
		}
	}
	out := map[string]map[string][]Target{}
	for ou, regions := range s.Auto.Targets {
		for _, region := range regions {
			k := place{ou, region}
			if len(have[k]) == 0 || mixed[k] {
				continue
			}
			if out[ou] == nil {
				out[ou] = map[string][]Target{}
			}
			slices.SortFunc(have[k], Target.Compare)
			out[ou][region] = have[k]
		}
	}
	return out
}

// findComingBack says which removed instances automatic deployment would bring back.
func (p *Plan) findComingBack() {
	for i := range p.Sets {
		s := &p.Sets[i]
		changes := p.actions(s.Name, Delete)
		if !s.Auto.Enabled || len(changes) == 0 {
			continue
		}
		if why := neverAutomatic(s.Template); why != "" {
			p.Find(Finding{Code: "auto-never", StackSet: s.Name, Text: "{sets} deploys automatically to accounts that join or are moved, which rollout never asks for: " + why + "."})
		}
		_, rest := wholeOUs(p, s, changes)
		var places []Place
		for _, c := range rest {
			name := ""
			if c.Account != nil {
				name = c.Account.Name
			}
			places = append(places, Place{c.Target, name})
		}
		if len(places) > 0 {
			p.Find(Finding{Code: "auto-comes-back", StackSet: s.Name, Text: "{sets} deploys automatically, and others keep instances under the same OUs: {places} would get it back when moved, even from one OU that it watches to another."}, places...)
		}
	}
}
