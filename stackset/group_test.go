package stackset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/orgs"
)

// forest is a root with OUs of one account each.
func forest(ous int) (root *orgs.OU, accounts []*orgs.Account) {
	root = &orgs.OU{ID: "r-root"}
	for n := range ous {
		ou := &orgs.OU{ID: fmt.Sprintf("ou-root-%03d", n), Path: fmt.Sprint("OU", n), Parent: root}
		accounts = append(accounts, &orgs.Account{ID: fmt.Sprintf("%012d", n), OU: ou, State: "ACTIVE"})
	}
	return root, accounts
}

func shapes(batches []batch) []string {
	var out []string
	for _, b := range batches {
		out = append(out, fmt.Sprintf("%s %s %s %s %v", b.action, strings.Join(b.regions, "+"), strings.Join(b.accounts, "+"), strings.Join(b.ous, "+"), b.overrides))
	}
	return out
}

func TestGroup(t *testing.T) {
	_, accounts := forest(3)
	a, b, c := accounts[0], accounts[1], accounts[2]
	change := func(a *orgs.Account, region string, action Action, overrides ...string) Change {
		c := Change{Target: Target{a.ID, region}, Account: a, Action: action}
		for _, o := range overrides {
			k, v, _ := strings.Cut(o, "=")
			c.Overrides = map[string]string{k: v}
		}
		return c
	}
	const A, B, C = "000000000000", "000000000001", "000000000002"
	for name, test := range map[string]struct {
		changes []Change
		ous     []string
		set     Set
		want    []string
	}{
		"nothing": {},
		"one operation of the same Regions": {
			changes: []Change{change(b, "z", Create), change(a, "z", Create), change(a, "b", Create), change(b, "b", Create)},
			want:    []string{"create b+z " + A + "+" + B + " r-root map[]"},
		},
		"never the product": {
			changes: []Change{change(a, "b", Create), change(a, "z", Create), change(b, "z", Create)},
			want:    []string{"create b+z " + A + " r-root map[]", "create z " + B + " r-root map[]"},
		},
		"overrides apart": {
			changes: []Change{change(a, "z", Create, "X=1"), change(b, "z", Create), change(c, "z", Create, "X=1")},
			want:    []string{"create z " + A + "+" + C + " r-root map[X:1]", "create z " + B + " r-root map[]"},
		},
		"the chosen OU above": {
			changes: []Change{change(a, "z", Create), change(b, "z", Create)},
			ous:     []string{"ou-root-000"},
			want:    []string{"create z " + A + "+" + B + " ou-root-000+r-root map[]"},
		},
		"by what deployed it": {
			changes: []Change{change(a, "z", Update), change(b, "z", Update), change(c, "z", Update)},
			ous:     []string{"ou-root-001"},
			set: Set{Instances: map[Target]Instance{
				{A, "z"}: {OU: "ou-root-000"}, {B, "z"}: {OU: "r-root"}, {C, "z"}: {OU: "ou-root-left"}, // it was moved
			}},
			want: []string{"update z " + A + "+" + B + "+" + C + " ou-root-000+r-root map[]"},
		},
		"one account by two": {
			changes: []Change{change(a, "b", Delete), change(a, "z", Delete)},
			set:     Set{Instances: map[Target]Instance{{A, "b"}: {OU: "ou-root-000"}, {A, "z"}: {OU: "r-root"}}},
			want:    []string{"delete b " + A + " ou-root-000 map[]", "delete z " + A + " r-root map[]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := Desired{OUs: test.ous}
			if d.OUs == nil {
				d.OUs = []string{"r-root"}
			}
			if diff := gocmp.Diff(test.want, shapes(group(test.changes, d, &test.set))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// StackSets takes fifty OUs a call.
func TestGroupTakesFiftyOUs(t *testing.T) {
	_, accounts := forest(120)
	var changes []Change
	d := Desired{}
	for _, a := range accounts {
		d.OUs = append(d.OUs, a.OU.ID)
		for _, region := range []string{"b", "z"} {
			changes = append(changes, Change{Target: Target{a.ID, region}, Account: a, Action: Create})
		}
	}
	var sizes []int
	for _, b := range group(changes, d, &Set{}) {
		sizes = append(sizes, len(b.ous))
	}
	if !slices.Equal(sizes, []int{50, 50, 20}) {
		t.Errorf("OUs of the operations: %v", sizes)
	}
}

// Whatever the changes are, accounts × Regions of the operations is exactly them,
// each once.
func TestGroupReachesExactlyWhatIsPlanned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	root, accounts := forest(70)
	for range 200 {
		d := Desired{OUs: []string{root.ID}}
		s := Set{Instances: map[Target]Instance{}}
		if r.IntN(2) == 0 {
			d.OUs = nil
			for _, a := range accounts {
				d.OUs = append(d.OUs, a.OU.ID)
			}
		}
		var changes []Change
		want := map[string]int{}
		for _, a := range accounts {
			for _, region := range []string{"a", "b", "c"} {
				if r.IntN(3) == 0 {
					continue
				}
				c := Change{Target: Target{a.ID, region}, Account: a, Action: []Action{Create, Update, Delete}[r.IntN(3)]}
				if r.IntN(4) == 0 {
					c.Overrides = map[string]string{"X": fmt.Sprint(r.IntN(2))}
				}
				if c.Action != Create {
					s.Instances[c.Target] = Instance{OU: []string{root.ID, a.OU.ID}[r.IntN(2)]}
				}
				changes = append(changes, c)
				want[fmt.Sprint(c.Target, c.Action, c.Overrides)]++
			}
		}
		r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		got := map[string]int{}
		for _, b := range group(changes, d, &s) {
			if len(b.ous) > ouLimit {
				t.Fatalf("%d OUs", len(b.ous))
			}
			if len(b.changes) != len(b.accounts)*len(b.regions) {
				t.Fatalf("%d changes in %d accounts × %d Regions", len(b.changes), len(b.accounts), len(b.regions))
			}
			for _, id := range b.accounts {
				for _, region := range b.regions {
					got[fmt.Sprint(Target{id, region}, b.action, b.overrides)]++
				}
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestPreferences(t *testing.T) {
	soft, strict := types.ConcurrencyModeSoftFailureTolerance, types.ConcurrencyModeStrictFailureTolerance
	for _, test := range []struct {
		in   Preferences
		want types.StackSetOperationPreferences
	}{
		{Preferences{}, types.StackSetOperationPreferences{ConcurrencyMode: soft, MaxConcurrentPercentage: aws.Int32(100), FailureTolerancePercentage: aws.Int32(10)}},
		{Preferences{"7", "0", "strict"}, types.StackSetOperationPreferences{ConcurrencyMode: strict, MaxConcurrentCount: aws.Int32(7), FailureToleranceCount: aws.Int32(0)}},
		{Preferences{"35%", "25%", "soft"}, types.StackSetOperationPreferences{ConcurrencyMode: soft, MaxConcurrentPercentage: aws.Int32(35), FailureTolerancePercentage: aws.Int32(25)}},
	} {
		got := *preferences(test.in)
		if got.RegionConcurrencyType != types.RegionConcurrencyTypeParallel || got.ConcurrencyMode != test.want.ConcurrencyMode ||
			fmt.Sprint(aws.ToInt32(got.MaxConcurrentCount), aws.ToInt32(got.MaxConcurrentPercentage), got.FailureToleranceCount != nil, aws.ToInt32(got.FailureTolerancePercentage)) !=
				fmt.Sprint(aws.ToInt32(test.want.MaxConcurrentCount), aws.ToInt32(test.want.MaxConcurrentPercentage), test.want.FailureToleranceCount != nil, aws.ToInt32(test.want.FailureTolerancePercentage)) {
			t.Errorf("%+v: %+v", test.in, got)
		}
	}
}

func TestTokens(t *testing.T) {
	long := strings.Repeat("x", 120)
	for _, test := range []struct{ run, name, want string }{
		{"20261124T010203Z-ab12", "rollout-recording", "rollout-20261124T010203Z-ab12-rollout-recording"},
		{"é_", "a.b", "rollout----a-b"},
	} {
		if got := token(test.run, test.name); got != test.want {
			t.Errorf("token(%q, %q) = %q", test.run, test.name, got)
		}
	}
	a, b := token("r", long+"-enforce"), token("r", long+"-enforce-automatic")
	if len(a) > 128 || len(b) > 128 || a == b {
		t.Errorf("%q and %q", a, b)
	}
}
