package stackset

import (
	"maps"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/simaws"
)

// A long list is read Region by Region: the same instances, and no more calls than the
// pages of each Region and the one that showed the list to be long.
func TestInstancesAreListedRegionByRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1, simaws.Options{Accounts: 160})
		s.d.Accounts = nil
		for _, a := range s.tree.Accounts {
			if a.Active() && !a.Management {
				s.d.Accounts = append(s.d.Accounts, a)
			}
		}
		n := len(s.d.Accounts)
		if n <= instancePage || n > 2*instancePage {
			t.Fatalf("%d accounts", n)
		}
		sets := s.sets()
		s.d.Preferences = Preferences{FailureTolerance: "100%"}
		var changes []Change
		for _, a := range s.d.Accounts {
			changes = append(changes, s.change("rollout-recording-base", a, home, Create))
			for _, region := range s.d.Regions {
				changes = append(changes, s.change("rollout-recording", a, region, Create))
			}
		}
		s.apply(t.Context(), s.only(sets, changes...))

		read := func(accounts int) (map[string]map[Target]Instance, int) {
			before := s.sim.Stats().Calls["cloudformation:ListStackInstances"]
			found, err := Find(t.Context(), s.session, "", []string{home}, accounts, WantedSets(s.d))
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]map[Target]Instance{}
			for _, set := range found.Sets {
				if set.Exists {
					out[set.Name] = set.Instances
				}
			}
			return out, s.sim.Stats().Calls["cloudformation:ListStackInstances"] - before
		}
		byRegion, calls := read(n)
		// recording-base is in one Region: two pages; recording: one page, and two in each of two Regions.
		if want := 2 + 1 + 2*2; calls != want {
			t.Errorf("%d calls, %d wanted", calls, want)
		}
		if got := len(byRegion["rollout-recording"]); got != 2*n {
			t.Errorf("%d instances, %d wanted", got, 2*n)
		}
		inOne, calls := read(instancePage)
		if want := 2 + (2*n+99)/100; calls != want {
			t.Errorf("%d calls for the lists in one, %d wanted", calls, want)
		}
		if diff := gocmp.Diff(inOne, byRegion); diff != "" {
			t.Errorf("the lists differ (-in one, +by Region):\n%s", diff)
		}
		if unknown, _ := read(0); !maps.EqualFunc(unknown, byRegion, func(a, b map[Target]Instance) bool { return maps.Equal(a, b) }) {
			t.Error("the lists differ where the number of accounts is not known")
		}
	})
}
