package simaws

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Automatic deployment: a set follows the accounts that join, move and leave (user
// guide, "Enable or disable automatic deployments for StackSets in AWS Organizations").

// Quotas of StackSet dependencies (AWS DevOps blog, "Take fine-grained control of your
// AWS CloudFormation StackSets Deployment with StackSet Dependencies").
const (
	maxDependencies        = 10
	maxDependenciesAccount = 100
)

// autoDeployment is the member of that name.
type autoDeployment struct {
	Enabled, Retain bool
	DependsOn       []string // ARNs
}

func (a autoDeployment) shape() autoDeploymentShape {
	shape := autoDeploymentShape{Enabled: a.Enabled, RetainStacksOnAccountRemoval: a.Retain}
	if len(a.DependsOn) > 0 {
		shape.DependsOn = &memberList{a.DependsOn}
	}
	return shape
}

// readAutoDeployment reads and checks the member for a set that is or will be self.
func (s *Sim) readAutoDeployment(f query, self *stackSet) (autoDeployment, error) {
	q := f.sub("AutoDeployment")
	enabled, _ := q.boolean("Enabled")
	retain, retainGiven := q.boolean("RetainStacksOnAccountRemoval")
	out := autoDeployment{Enabled: enabled, Retain: retain, DependsOn: q.list("DependsOn")}
	if !enabled {
		if retainGiven && retain {
			return out, validation("RetainStacksOnAccountRemoval can only be specified when AutoDeployment is enabled")
		}
		if len(out.DependsOn) > 0 {
			return out, validation("DependsOn can only be specified when AutoDeployment is enabled")
		}
		return out, nil
	}
	if len(out.DependsOn) > maxDependencies {
		return out, fail(400, "LimitExceededException", "A StackSet can depend on 10 StackSets at most")
	}
	all := len(out.DependsOn)
	for _, set := range s.world.stackSets {
		if set.Status == "ACTIVE" && set != self {
			all += len(set.Auto.DependsOn)
		}
	}
	if all > maxDependenciesAccount {
		return out, fail(400, "LimitExceededException", "An account can have 100 StackSet dependencies at most")
	}
	for _, arn := range out.DependsOn {
		on := s.setByARN(arn)
		if on == nil {
			return out, validation("StackSet " + arn + " in DependsOn does not exist")
		}
		if on == self || self != nil && s.dependsOn(on, self, nil) {
			return out, validation("DependsOn forms a cycle with StackSet " + arn)
		}
	}
	return out, nil
}

func (s *Sim) setByARN(arn string) *stackSet {
	for _, set := range s.world.stackSets {
		if set.Status == "ACTIVE" && set.arn(s) == arn {
			return set
		}
	}
	return nil
}

// dependsOn follows DependsOn from one set to another.
func (s *Sim) dependsOn(from, to *stackSet, seen []*stackSet) bool {
	for _, arn := range from.Auto.DependsOn {
		on := s.setByARN(arn)
		if on == nil || slices.Contains(seen, on) {
			continue
		}
		if on == to || s.dependsOn(on, to, append(seen, on)) {
			return true
		}
	}
	return false
}

// deploysTo notes that a set was deployed to OUs in Regions. "Automatic deployments do
// not consider account level targeting filters", so neither does this.
func (set *stackSet) deploysTo(ous, regions []string) {
	for _, id := range ous {
		if set.deployed[id] == nil {
			set.deployed[id] = map[string]bool{}
		}
		for _, region := range regions {
			set.deployed[id][region] = true
		}
	}
}

// leaves forgets OUs and Regions that a set was taken away from as a whole.
func (set *stackSet) leaves(op *operation, regions []string) {
	if op.Action != "DELETE" || len(op.accounts) > 0 || op.accountsURL != "" {
		return
	}
	for _, id := range op.ouIDs {
		for _, region := range regions {
			delete(set.deployed[id], region)
		}
		if len(set.deployed[id]) == 0 {
			delete(set.deployed, id)
		}
	}
}

// follow is told of every account that stands elsewhere than before. StackSets learns
// of it some time later, from Organizations' events.
func (s *Sim) follow(a *account, _, _ string) {
	if a.ID == s.world.management {
		return
	}
	s.clock.after(spread(20*time.Second, 60*time.Second, "auto", a.ID), func() { s.autoDeploy(a) })
}

// autoDeploy compares what an account has by each set with what it should have where
// it stands now: first what goes, then what comes, those that others depend on first.
func (s *Sim) autoDeploy(a *account) {
	sets := make([]*stackSet, 0, len(s.world.stackSets))
	for _, set := range s.world.stackSets {
		if set.Status == "ACTIVE" && set.Auto.Enabled {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(x, y *stackSet) int {
		return cmp.Or(strings.Compare(x.Region, y.Region), strings.Compare(x.Name, y.Name))
	})
	created := map[*stackSet]*operation{}
	for _, set := range sets {
		wanted, has := s.wantedBy(set, a), set.due(a.ID)
		var gone, missing []target
		for _, region := range sortedKeys(has) {
			t := target{a.ID, region}
			if ou, stays := wanted[region]; !stays {
				gone = append(gone, t)
			} else if i := set.instances[t]; i != nil {
				i.OU = ou
			}
		}
		ous := map[string]string{}
		for _, region := range sortedKeys(wanted) {
			if !has[region] {
				missing = append(missing, target{a.ID, region})
				ous[a.ID] = wanted[region]
			}
		}
		if len(gone) > 0 {
			op := s.autoOperation("DELETE")
			op.Retain = set.Auto.Retain
			s.queue(set, op, gone)
		}
		if len(missing) > 0 {
			op := s.autoOperation("CREATE")
			op.ous = ous
			created[set] = op
			s.queue(set, op, missing)
		}
	}
	for set, op := range created {
		for other, first := range created {
			if other != set && s.dependsOn(set, other, nil) {
				op.after = append(op.after, first)
			}
		}
	}
}

// due are the Regions in which an account has an instance once all is done that runs or
// waits: it may leave before what its coming began has ended, and the other way round.
func (set *stackSet) due(account string) map[string]bool {
	out := map[string]bool{}
	for _, i := range set.sorted() {
		if i.account == account {
			out[i.region] = true
		}
	}
	for _, op := range set.ops {
		if !op.active() || op.Action != "CREATE" && op.Action != "DELETE" {
			continue
		}
		for _, item := range op.items {
			switch {
			case item.account != account || item.Status != "PENDING" && item.Status != "RUNNING":
			case op.Action == "CREATE":
				out[item.region] = true
			default:
				delete(out, item.region)
			}
		}
	}
	return out
}

// autoOperation is an operation without preferences: they "do not apply to automatic
// deployments" (API reference, StackSetOperationPreferences), Regions come one by one.
func (s *Sim) autoOperation(action string) *operation {
	prefs, _ := readPreferences(query{})
	return &operation{ID: s.ids.uuid(), Action: action, Created: s.clock.Now(), prefs: prefs, auto: true}
}

// wantedBy gives the Regions that a set has for an account where it stands, with the
// id that the set was deployed to.
func (s *Sim) wantedBy(set *stackSet, a *account) map[string]string {
	wanted := map[string]string{}
	if s.world.accounts[a.ID] == nil {
		return wanted // it has left
	}
	for _, id := range s.world.ancestors(a.ParentID) {
		for region := range set.deployed[id] {
			if _, nearer := wanted[region]; !nearer {
				wanted[region] = id
			}
		}
	}
	return wanted
}
