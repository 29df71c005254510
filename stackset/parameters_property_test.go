package stackset_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

// number reads an environment variable, for those who want more of a property.
func number(t *testing.T, name string, standard uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ours are parameters that rollout sets itself.
var ours = []string{"HomeRegion", "Remediation", "CreateConfigServiceLinkedRole", "CreateRemediationServiceLinkedRole", "CreateDeliveryBucket", "CreateArchive", "RecordedGlobalTypes"}

// declared are the parameters that a run of a template takes from its user.
func declared(d stackset.Desired) map[string][]templates.Parameter {
	out := map[string][]templates.Parameter{}
	for _, t := range templates.Together(d.Templates) {
		for name, p := range t.Document().Parameters {
			if !slices.Contains(ours, name) {
				out[name] = append(out[name], p)
			}
		}
	}
	return out
}

// Whatever valid values the parameters have, a run comes true, or is refused before it
// changes anything; another run with other values replaces no rule and no recorder, and
// in the end nothing is left that is not to stay.
//
// ROLLOUT_PROPERTY_RUNS is how often each template is tried, ROLLOUT_PROPERTY_SEED from
// which seed on.
func TestAnyParameters(t *testing.T) {
	longWay(t)
	seed, runs := number(t, "ROLLOUT_PROPERTY_SEED", 1), number(t, "ROLLOUT_PROPERTY_RUNS", 2)
	for _, asked := range templates.All() {
		if asked.Enforces != "" {
			continue
		}
		for n := seed; n < seed+runs; n++ {
			t.Run(fmt.Sprintf("%s/seed %d", asked.Name, n), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { anyParameters(t, asked, rand.New(rand.NewPCG(n, uint64(len(asked.Name))))) })
			})
		}
	}
}

func anyParameters(t *testing.T, asked templates.Template, r *rand.Rand) {
	e := newEstate(t)
	accounts := []*orgs.Account{e.account("new"), e.account("recording"), e.account("Control Tower")}
	if asked.Scope == templates.ScopeSingle {
		accounts = accounts[r.IntN(len(accounts)):][:1]
		e.delegate(accounts[0])
	}
	regions := []string{home, west, optIn}
	r.Shuffle(len(regions), func(i, j int) { regions[i], regions[j] = regions[j], regions[i] })
	modes := asked.Remediation()
	d := e.desired([]templates.Template{asked}, stackset.Remediation(modes[r.IntN(len(modes))]), accounts, regions[:1+r.IntN(len(regions))]...)
	for _, a := range accounts {
		e.sim.PutLogGroup(a.ID, home, trailLogGroup)
	}
	own := e.held(accounts)
	e.sim.PutBucket(e.account("management").ID, home, central, simaws.BucketSpec{})
	e.sim.SetBucketPolicy(e.account("management").ID, central, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:*","Resource":"*"}]}`)
	seen := []holdings{}
	for range 2 {
		d.Parameters = values(t, r, d)
		said := fmt.Sprintf("%s %v in %v", d.Remediation, d.Parameters, d.Regions)
		writes := e.writes()
		if _, err := e.prepare(d); err != nil {
			if diff := cmp.Diff(writes, e.writes()); diff != "" {
				t.Errorf("%s: refused (%v) after writing:\n%s", said, err, diff)
			}
			if wrong := new(*stackset.ParameterError); !errors.As(err, wrong) {
				t.Errorf("%s: refused, and not for its parameters: %v", said, err)
			}
			continue
		}
		_, result := e.deploy(said, d, own)
		for _, o := range result.Outcomes {
			// Of parameters that are valid only a bucket can be wrong, which nobody can see
			// before who may not look into the account that has it.
			bucket := d.Parameters["DeliveryBucketName"]
			if o.Status != stackset.OutcomeSucceeded && (bucket == "" || bucket == central) {
				t.Errorf("%s: %s of %s %s: %s", said, o.StackSet, e.place(o.Target), o.Status, o.Reason)
			}
		}
		now := e.held(accounts)
		for _, before := range seen {
			e.kept(said, before, now)
		}
		seen = append(seen, now)
	}
	time.Sleep(6 * time.Hour) // while a remediation runs it cannot be taken away
	e.remove([]templates.Template{asked}, accounts)
	left := e.held(accounts)
	e.untouched("removed", own, left)
	e.retained(union(seen), left.beyond(own))
}

// central is a bucket to which all accounts may deliver.
const central = "history-of-the-organization"

// trailLogGroup is a log group that each account has in the home Region.
const trailLogGroup = "/trail"

// values are valid ones of some of the parameters of a run, and of all that have no
// default.
func values(t *testing.T, r *rand.Rand, d stackset.Desired) map[string]string {
	out := map[string]string{}
	all := declared(d)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name][0].HasDefault && r.IntN(3) == 0 {
			continue
		}
		if name == "DeliveryBucketName" && r.IntN(3) > 0 {
			out[name] = central
			continue
		}
		if name == "TrailLogGroupName" { // one that is not there fails, and nobody can see that before
			out[name] = []string{"", trailLogGroup}[r.IntN(2)]
			continue
		}
		if name == templates.ParameterRecordedTypes && r.IntN(4) > 0 {
			out[name] = recordedTypes(r, d)
			continue
		}
		for range 1000 {
			out[name] = valid(t, r, all[name][0])
			if part := strings.SplitN(out[name], ":", 6); part[0] == "arn" && r.IntN(4) > 0 {
				part[1] = d.Partition
				if part[2] == "kms" {
					part[3] = d.HomeRegion
				}
				out[name] = strings.Join(part, ":")
			}
			if !slices.ContainsFunc(all[name], func(p templates.Parameter) bool { return p.Check(out[name]) != nil }) {
				break
			}
		}
	}
	return out
}

// recordedTypes are some types, with those that any rule of the run may need.
func recordedTypes(r *rand.Rand, d stackset.Desired) string {
	list := slices.Clone([]string{"AWS::EC2::Volume", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::EC2::Subnet"}[r.IntN(4):])
	for _, t := range templates.Together(d.Templates) {
		types, _ := t.RecordedTypes(nil)
		list = append(list, types...)
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return strings.Join(list, ",")
}

// kept holds rules, recorders and remediations that are there still to be the same ones.
func (e *estate) kept(step string, before, now holdings) {
	e.t.Helper()
	for at, things := range before {
		for _, was := range things {
			if is := find(now[at], was.Type, was.Name); is != nil && is.ID != was.ID {
				e.t.Errorf("%s: %s %s of %s %s was made anew", step, was.Type, was.Name, e.kind(at.account), at.region)
			}
		}
		for _, kind := range []string{"AWS::Config::ConfigRule", "AWS::Config::ConfigurationRecorder", "AWS::Config::RemediationConfiguration"} {
			for _, was := range things {
				if was.Type == kind && find(now[at], was.Type, was.Name) == nil && was.Set != "" && !conditional(was.Set, was.LogicalID) {
					e.t.Errorf("%s: %s %s of %s %s is gone", step, was.Type, was.Name, e.kind(at.account), at.region)
				}
			}
		}
	}
}

// conditional says whether parameters decide on a resource's being.
func conditional(set, id string) bool {
	t, err := templates.Lookup(strings.TrimSuffix(strings.TrimPrefix(set, "rollout-"), "-automatic"))
	return err == nil && t.Document().Resources[id].Condition != ""
}

// union has each thing as it was first seen with a stack.
func union(list []holdings) holdings {
	out := holdings{}
	for _, h := range list {
		for at, things := range h {
			for _, t := range things {
				if there := find(out[at], t.Type, t.Name); there == nil {
					out[at] = append(out[at], t)
				} else if there.Set == "" {
					*there = t
				}
			}
		}
	}
	return out
}

// A value that a template does not allow is refused before any call, with the
// parameter's name.
func TestParametersThatAreNotAllowed(t *testing.T) {
	seed := number(t, "ROLLOUT_PROPERTY_SEED", 1)
	r := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		calls := e.sim.Stats().Calls
		refused := 0
		for _, asked := range templates.All() {
			if asked.Enforces != "" {
				continue
			}
			modes := asked.Remediation()
			d := e.desired([]templates.Template{asked}, stackset.Remediation(modes[len(modes)-1]), []*orgs.Account{e.account("new")}, home)
			good := values(t, r, d)
			all := declared(d)
			for name := range good { // ARNs of something elsewhere come by themselves
				if strings.HasPrefix(good[name], "arn:") {
					delete(good, name)
				}
			}
			try := func(name, value string) {
				t.Helper()
				d.Parameters = maps.Clone(good)
				d.Parameters[name] = value
				var wrong *stackset.ParameterError
				switch _, err := e.prepare(d); {
				case !errors.As(err, &wrong):
					t.Errorf("seed %d: %s takes %s=%.100q: %v", seed, asked.Name, name, value, err)
				case !strings.Contains(wrong.Error(), name):
					t.Errorf("seed %d: %s refuses %s=%.100q without its name: %v", seed, asked.Name, name, value, err)
				}
				refused++
			}
			for _, name := range slices.Sorted(maps.Keys(all)) {
				for _, p := range all[name] {
					for _, value := range invalid(r, p) {
						try(name, value)
					}
				}
			}
			for name, elsewhere := range map[string]string{"DeliveryKmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1", "PermissionsBoundaryArn": "arn:aws-cn:iam::111122223333:policy/b"} {
				if all[name] != nil {
					try(name, elsewhere)
				}
			}
			for _, name := range append([]string{"NoSuchParameter", "", "homeregion"}, ours...) {
				try(name, "true")
			}
		}
		if diff := cmp.Diff(calls, e.sim.Stats().Calls); diff != "" {
			t.Errorf("calls were made:\n%s", diff)
		}
		if refused < 500 {
			t.Errorf("%d values were tried", refused)
		}
	})
}
