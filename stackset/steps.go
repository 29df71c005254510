package stackset

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Step is one call that a run makes to change something. All but CreateStackSet
// start an operation.
type Step struct {
	StackSet string
	Call     string // of the CloudFormation API
	// OUs and Accounts are the deployment targets: of these accounts those that are
	// under these OUs. Both are empty where no instance is worked on.
	OUs, Accounts []string
	Regions       []string
	Overrides     map[string]string
	Retain        bool // of a delete: leaves the stacks behind
	Instances     int
	// Auto is the automatic deployment that a set is made with or gets; "" for none. An
	// UpdateStackSet with it takes no targets, so it goes through all instances.
	Auto string
	Wave int // in a plan with waves: 1, or 2 for what waits until the first was watched
}

// Filter is the AccountFilterType of the deployment targets, "" where none are given.
func (s Step) Filter() string {
	if len(s.OUs) == 0 || len(s.Accounts) == 0 {
		return ""
	}
	return string(types.AccountFilterTypeIntersection)
}

// Steps are the calls that carry the plan out, in order, where every need comes true
// and nothing fails; those of sets that need none of each other are made side by
// side. Apply groups instances by the same functions.
func (p *Plan) Steps(o ApplyOptions) []Step {
	var out []Step
	sets, later := slices.Clone(p.Sets), p.later()
	for wave := range p.waves() {
		begin := len(out)
		for i := range slices.Backward(sets) {
			s := &sets[i]
			for _, b := range deleteBatches(p, s, o, ofWave(p.actions(s.Name, Delete), later, wave)) {
				out = append(out, step(*s, "DeleteStackInstances", b))
			}
			out = append(out, singleSteps(*s, ofWave(p.singles(s.Name, Delete), later, wave))...)
			if s.AutoChanges() && !s.AutoWant.Enabled {
				out = append(out, p.autoStep(*s))
				s.AutoWas = s.AutoWant
			}
		}
		for i := range sets {
			out = append(out, p.changeSteps(&sets[i], later, wave)...)
		}
		for i := begin; i < len(out) && later != nil; i++ {
			out[i].Wave = wave + 1
		}
	}
	return out
}

// changeSteps are the calls of a wave that make and change a set and its instances. The
// set is then as they leave it, so that a later wave makes none of them again.
func (p *Plan) changeSteps(s *Set, later map[key]bool, wave int) []Step {
	of := func(action Action) []Change { return ofWave(p.actions(s.Name, action), later, wave) }
	again, creates, updates := of(Recreate), of(Create), of(Update)
	out := singleSteps(*s, ofWave(p.singles(s.Name, Create, Update, Recreate), later, wave))
	if s.AutoChanges() && s.AutoWant.Enabled {
		out = append(out, p.autoStep(*s))
		s.AutoWas = s.AutoWant
	}
	if len(again)+len(creates)+len(updates) == 0 {
		return out
	}
	if !s.Exists {
		made := Step{StackSet: s.Name, Call: "CreateStackSet"}
		if s.AutoWant.Enabled {
			made.Auto = s.AutoWant.String()
		}
		out = append(out, made)
		s.Exists, s.AutoWas = true, s.AutoWant
	}
	for _, b := range letGoBatches(p, s, again) {
		out = append(out, step(*s, "DeleteStackInstances", b))
	}
	left := *s
	if len(again) > 0 {
		left.Instances = maps.Clone(s.Instances)
	}
	for _, c := range again {
		delete(left.Instances, c.Target)
		c.Action = Create
		creates = append(creates, c)
	}
	first, rest := pioneer(&left, updates, creates)
	for _, b := range group(first, p.Desired, &left) {
		out = append(out, step(*s, "CreateStackInstances", b))
		updates, creates = first, rest
	}
	batches := group(updates, p.Desired, &left)
	if s.Outdated != "" {
		if len(batches) == 0 && len(left.Instances) > 0 {
			return out // the creates are skipped: see applier.define
		}
		var define batch
		define, batches = defining(batches)
		out = append(out, step(*s, "UpdateStackSet", define))
		s.Outdated = ""
	}
	for _, b := range batches {
		out = append(out, step(*s, "UpdateStackInstances", b))
	}
	for _, b := range group(creates, p.Desired, &left) {
		out = append(out, step(*s, "CreateStackInstances", b))
	}
	return out
}

func step(s Set, call string, b batch) Step {
	return Step{StackSet: s.Name, Call: call, OUs: b.ous, Accounts: b.accounts, Regions: b.regions, Overrides: b.overrides, Retain: b.retain, Instances: len(b.changes)}
}

// actions are the changes of a set's instances of one action.
func (p *Plan) actions(set string, action Action) []Change {
	var out []Change
	for _, c := range p.Changes {
		if c.StackSet == set && c.Action == action && !c.Single {
			out = append(out, c)
		}
	}
	return out
}

// deleteBatches are the operations that delete instances of a set.
func deleteBatches(p *Plan, s *Set, o ApplyOptions, changes []Change) []batch {
	var let, gone []Change
	loses := len(changes) > 0 && s.losesData()
	for _, c := range changes {
		auto := o.RetainAuto || c.Orphan
		if o.Retain || auto && (loses || s.Instances[c.Target].Status == "INOPERABLE") {
			let = append(let, c)
		} else {
			gone = append(gone, c)
		}
	}
	wholeLet, let := wholeOUs(p, s, let)
	for i := range wholeLet {
		wholeLet[i].retain = true
	}
	whole, gone := wholeOUs(p, s, gone)
	return slices.Concat(wholeLet, letGoBatches(p, s, let), whole, group(gone, p.Desired, s))
}

// letGoBatches are operations that delete instances and leave their stacks behind.
func letGoBatches(p *Plan, s *Set, changes []Change) []batch {
	batches := group(changes, p.Desired, s)
	for i := range batches {
		batches[i].retain = true
	}
	return batches
}

// What an operation takes, as users report it: some seconds until it begins, then
// instance after instance in as many accounts at a time as StackSets works on. AWS
// publishes neither; the hundred is the user guide's of 2023.
const (
	operationBegins  = 15 * time.Second
	instanceTakes    = time.Minute
	accountsTogether = 100
)

// Estimate is how long the operations of the steps take together, roughly. Those of one
// set run one after another where they touch the same instances, so they are added up;
// of sets that are worked on side by side the longest counts. Waiting for Config's
// verdicts comes on top.
func (p *Plan) Estimate(steps []Step) time.Duration {
	bySet := map[string]time.Duration{}
	for _, s := range steps {
		if s.Instances == 0 {
			continue
		}
		count, percent := share(p.Desired.Preferences.MaxConcurrent, 100)
		together := len(s.Accounts)
		if count != nil {
			together = int(*count)
		} else if percent != nil {
			together = len(s.Accounts) * int(*percent) / 100
		}
		together = max(1, min(together, accountsTogether, len(s.Accounts)))
		rounds := (len(s.Accounts) + together - 1) / together
		if len(s.Accounts) == 0 { // it goes through all instances of the set
			rounds = (s.Instances + accountsTogether - 1) / accountsTogether
		}
		bySet[s.StackSet] += operationBegins + time.Duration(rounds)*instanceTakes
	}
	var sum time.Duration
	for _, level := range levels(p.Sets) {
		var longest time.Duration
		for _, i := range level {
			longest = max(longest, bySet[p.Sets[i].Name])
		}
		sum += longest
	}
	return sum
}
