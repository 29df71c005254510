package stackset_test

import (
	"fmt"
	"slices"
	"strings"

	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

// spot is an account's Region, or "" for what the account holds in none.
type spot struct{ account, region string }

// holdings are what accounts hold of that which templates make.
type holdings map[spot][]simaws.Thing

func (e *estate) held(accounts []*orgs.Account) holdings {
	out := holdings{}
	for _, a := range accounts {
		for _, region := range everywhere {
			out[spot{a.ID, region}] = e.sim.Held(a.ID, region)
		}
	}
	return out
}

func find(list []simaws.Thing, kind, name string) *simaws.Thing {
	for i := range list {
		if list[i].Type == kind && list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// beyond are the things that other does not have.
func (h holdings) beyond(other holdings) holdings {
	out := holdings{}
	for at, things := range h {
		for _, t := range things {
			if find(other[at], t.Type, t.Name) == nil {
				out[at] = append(out[at], t)
			}
		}
	}
	return out
}

// untouched holds things that were there before to be there as they were.
func (e *estate) untouched(step string, before, now holdings) {
	e.t.Helper()
	for at, things := range before {
		for _, was := range things {
			is := find(now[at], was.Type, was.Name)
			switch {
			case is == nil:
				e.t.Errorf("%s: %s %s of %s %s is gone", step, was.Type, was.Name, e.kind(at.account), at.region)
			case is.ID != was.ID:
				e.t.Errorf("%s: %s %s of %s %s was made anew", step, was.Type, was.Name, e.kind(at.account), at.region)
			case is.Is != was.Is:
				e.t.Errorf("%s: %s %s of %s %s was\n%s\nand is\n%s", step, was.Type, was.Name, e.kind(at.account), at.region, was.Is, is.Is)
			}
		}
	}
}

const stackType = "AWS::CloudFormation::Stack"

// complete holds what the accounts have of a plan's sets to what the templates say: the
// whole of it where an instance came true, nothing of it elsewhere. Where an update
// failed or was skipped it is as it was, which is not known here.
func (e *estate) complete(step string, sets []stackset.Set, failed map[string]bool, now holdings) {
	e.t.Helper()
	for _, s := range sets {
		var there []stackset.Target
		unsure := map[string]bool{} // places, and accounts
		for target, i := range s.Instances {
			switch {
			case i.StackID == "":
			case failed[s.Name+target.AccountID+target.Region]:
				unsure[target.AccountID+target.Region], unsure[target.AccountID] = true, true
			default:
				there = append(there, target)
			}
		}
		made := map[spot]map[string]int{} // logical ids
		rules := map[spot][]string{}
		for at, things := range now {
			made[at] = map[string]int{}
			for _, t := range things {
				if t.Set != s.Name {
					continue
				}
				made[at][t.LogicalID]++
				if t.Type == "AWS::Config::ConfigRule" {
					rules[at] = append(rules[at], t.Name)
				}
				if r, known := s.Template.Document().Resources[t.LogicalID]; t.Type != stackType && (!known || r.Type != t.Type) {
					e.t.Errorf("%s: %s has %s %s, which %s does not make", step, e.kind(at.account), t.Type, t.Name, s.Name)
				}
			}
		}
		instances := map[string]int{} // by account
		for _, target := range there {
			instances[target.AccountID]++
			at := spot{target.AccountID, target.Region}
			if made[at][""] != 1 {
				e.t.Errorf("%s: %s has %d stacks of %s", step, e.place(target), made[at][""], s.Name)
			}
			var want []string
			for _, r := range s.Rules(target.Region, "aws") {
				want = append(want, r.Name)
			}
			slices.Sort(want)
			if !slices.Equal(want, rules[at]) {
				e.t.Errorf("%s: %s has of %s the rules %v, want %v", step, e.place(target), s.Name, rules[at], want)
			}
		}
		for at := range now {
			if unsure[at.account+at.region] {
				continue
			}
			n, in := 0, at.region
			if slices.Contains(there, stackset.Target{AccountID: at.account, Region: in}) {
				n = 1
			}
			if in == "" {
				n, in = instances[at.account], "no Region"
			}
			for id, r := range s.Template.Document().Resources {
				got, want := made[at][id], n
				switch {
				case r.Type == "AWS::CloudFormation::WaitConditionHandle", r.Condition != "" && got <= n:
					continue
				case strings.HasPrefix(r.Type, "AWS::IAM::") != (at.region == ""):
					want = 0
				}
				if got != want {
					e.t.Errorf("%s: %s holds %s %s of %s %d times in %s, want %d", step, e.kind(at.account), r.Type, id, s.Name, got, in, want)
				}
			}
		}
	}
}

// retained holds what is left of our stacks to be what the templates retain, and gives
// its types.
func (e *estate) retained(deployed, left holdings) []string {
	e.t.Helper()
	var types []string
	for at, things := range left {
		for _, t := range things {
			if t.Set != "" {
				e.t.Errorf("%s: %s %s is left with a stack", e.kind(at.account), t.Type, t.Name)
			}
			was := find(deployed[at], t.Type, t.Name)
			if was == nil {
				e.t.Errorf("%s: %s %s is there after the removal and was not before it", e.kind(at.account), t.Type, t.Name)
				continue
			}
			if was.Set == "" && t.Type == "AWS::IAM::ServiceLinkedRole" {
				continue // a service made it for itself, as Access Analyzer does
			}
			template, err := templates.Lookup(strings.TrimSuffix(strings.TrimPrefix(was.Set, "rollout-"), "-automatic"))
			if err != nil || !strings.HasPrefix(template.Document().Resources[was.LogicalID].DeletionPolicy, "Retain") {
				e.t.Errorf("%s: %s %s of %q is left in %q", e.kind(at.account), t.Type, t.Name, was.Set, at.region)
			}
			types = append(types, t.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// generated names are those that CloudFormation makes of a stack's name and chance; some
// physical ids are ARNs of such names.
func generated(name string) bool {
	return strings.HasPrefix(name, "StackSet-") || strings.HasPrefix(name, "arn:") && strings.Contains(name, ":StackSet-")
}

// plainly gives things without what differs from one deployment to the next: generated
// names and identities. Stacks are left out unless asked for.
func (h holdings) plainly(stacks bool) map[spot][]string {
	out := map[spot][]string{}
	names := map[string][][2]string{} // by account: old, new
	for at, things := range h {
		for _, t := range things {
			if generated(t.Name) {
				names[at.account] = append(names[at.account], [2]string{t.Name, fmt.Sprintf("<%s %s %s>", t.Set, t.LogicalID, t.Type)})
			}
		}
	}
	for at, things := range h {
		list := names[at.account]
		// A stack's name is the beginning of the others.
		slices.SortFunc(list, func(x, y [2]string) int { return len(y[0]) - len(x[0]) })
		var pairs []string
		for _, n := range list {
			pairs = append(pairs, n[0], n[1])
		}
		replace := strings.NewReplacer(pairs...)
		for _, t := range things {
			if t.Type != stackType || stacks {
				out[at] = append(out[at], t.Type+" "+replace.Replace(t.Name)+" "+replace.Replace(t.Is))
			}
		}
		slices.Sort(out[at])
	}
	return out
}

// same holds accounts to what was to be in them, by whatever names.
func (e *estate) same(step string, want, got map[spot][]string) {
	e.t.Helper()
	for at := range want {
		for _, line := range want[at] {
			if !slices.Contains(got[at], line) {
				e.t.Errorf("%s: %s %s has no longer\n%.600s", step, e.kind(at.account), at.region, line)
			}
		}
		for _, line := range got[at] {
			if !slices.Contains(want[at], line) {
				e.t.Errorf("%s: %s %s has\n%.600s", step, e.kind(at.account), at.region, line)
			}
		}
	}
}
