package stackset

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"rollout/templates"
)

// RemoveOptions guard a removal.
type RemoveOptions struct {
	// MaxDeletions is how many instances of each set may be deleted, "N" or "P%"
	// of those it has (default 5%).
	MaxDeletions string
	// Stay are templates that were asked for only as part of something larger, and
	// that others stand on: they stay, and the plan says so.
	Stay []templates.Template
}

// TooManyError is a removal that deletes more than is allowed.
type TooManyError struct {
	StackSet          string
	Deletes, Of, Most int
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("this would delete %d of the %d instances of stack set %s, and %d are allowed: --max-deletions %d (or a percentage) allows it", e.Deletes, e.Of, e.StackSet, e.Most, e.Deletes)
}

var shareForm = regexp.MustCompile(`^(\d{1,9}|\d{1,3}%)?$`)

// RemovePlan deletes the instances of the asked templates' sets in the chosen
// accounts and Regions, in the reverse of the deploy order, what enforces first.
// Needs stay, unless they are asked for themselves.
func RemovePlan(d Desired, sets []Set, o RemoveOptions) (*Plan, error) {
	if !shareForm.MatchString(o.MaxDeletions) {
		return nil, fmt.Errorf("max-deletions %q is neither a number nor a percentage", o.MaxDeletions)
	}
	plan := &Plan{Desired: d}
	for _, s := range sets { // in deploy order: Apply deletes in the reverse
		if asked := names(d.Templates); slices.Contains(asked, s.Template.Name) || slices.Contains(asked, s.Template.Enforces) {
			plan.Sets = append(plan.Sets, s)
		}
	}
	plan.Changes = deletions(d, plan.Sets, "removed")
	var left findings
	for _, c := range plan.Changes {
		if c.Action == Skip {
			left.add(c.unreached())
		}
	}
	plan.Findings = left.sorted()
	plan.findComingBack()
	if len(o.Stay) > 0 {
		plan.Find(Finding{Code: "needs-stay", Text: fmt.Sprintf("What other templates stand on stays, with the records that it keeps: %s.", list(names(o.Stay))),
			Remedy: fmt.Sprintf("To take it out as well, afterwards: rollout remove --template %s, with the same selection.", strings.Join(names(o.Stay), ","))})
	}
	for _, s := range plan.Sets {
		n := 0
		for _, c := range plan.Changes {
			if c.StackSet == s.Name && c.Action == Delete {
				n++
			}
		}
		most := allowed(o.MaxDeletions, s.size())
		if n > most {
			return nil, &TooManyError{s.Name, n, s.size(), most}
		}
	}
	plan.Hash = plan.hash(plan.Steps(ApplyOptions{}))
	return plan, nil
}

// allowed reads "N" or "P%" of a number of instances; the default is 5 %, and at
// least one.
func allowed(text string, of int) int {
	count, percentage := share(text, 5)
	if count != nil {
		return int(*count)
	}
	return max(1, of*int(*percentage)/100)
}

// unreached is what is found of a deletion that cannot be.
func (c Change) unreached() (Finding, Place) {
	return Finding{Code: "account-unreached", StackSet: c.StackSet, Text: "Instances of {sets} in {places} stay, since StackSets cannot reach the account, which is " + orNone(c.Account.State) + "."}, In(c.Account, c.Region)
}

// deletions are those of the chosen accounts' instances, in the Regions given or in all.
func deletions(d Desired, sets []Set, reason string) []Change {
	var out []Change
	for _, s := range sets {
		for _, a := range d.Accounts {
			var regions []string
			places := slices.Collect(maps.Keys(s.Instances))
			for t := range s.Singles {
				if _, ours := s.At(t); ours {
					places = append(places, t)
				}
			}
			for _, t := range places {
				if t.AccountID == a.ID && (len(d.Regions) == 0 || slices.Contains(d.Regions, t.Region)) {
					regions = append(regions, t.Region)
				}
			}
			slices.Sort(regions)
			for _, region := range regions {
				c := Change{StackSet: s.Name, Template: s.Template.Name, Target: Target{a.ID, region}, Account: a, Action: Delete, Reason: reason, Single: a.Management}
				if _, why := unfit(d, a); why != "" {
					c.Action, c.Reason = Skip, why+": StackSets cannot reach it"
				}
				out = append(out, c)
			}
		}
	}
	return out
}
