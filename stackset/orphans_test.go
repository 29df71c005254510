package stackset

import (
	"errors"
	"maps"
	"testing"

	"rollout/orgs"
	"rollout/templates"
)

// A selection that shrinks deletes nothing by itself: what is outside is shown. Only
// pruning deletes it, as much as is allowed, and never what templates need.
func TestAShrinkingSelectionDeletesNothing(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		all := s.d.Accounts
		s.d.Walked = map[string]*orgs.Account{}
		for _, a := range all {
			s.d.Walked[a.ID] = a
		}
		s.d.Accounts, s.d.Regions = all[:3], []string{home}
		plan := func() *Plan {
			t.Helper()
			p, err := MakePlan(s.d, s.sets(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}

		p := plan()
		if p.Pending() {
			t.Errorf("changes: %+v", p.actions("rollout-default-security-group", Delete))
		}
		why := map[string]int{}
		for _, o := range p.Orphans {
			if o.StackSet != "rollout-default-security-group" || o.Account == nil {
				t.Errorf("orphan %+v", o)
			}
			why[o.Why]++
		}
		if want := map[string]int{"the account is not chosen": 2, "the Region is not chosen": 3}; !maps.Equal(why, want) {
			t.Errorf("orphans %v", why)
		}

		s.d.Prune = true
		p = plan()
		var many *TooManyError
		if err := p.CheckPruning(); !errors.As(err, &many) || many.Deletes != 5 || many.Of != 8 || many.Most != 1 {
			t.Errorf("got %v", err)
		}
		s.d.MaxDeletions = "5"
		p = plan()
		if err := p.CheckPruning(); err != nil || len(p.Orphans) > 0 {
			t.Errorf("%v, orphans %v", err, p.Orphans)
		}
		wantTally(t, s.apply(t.Context(), p), map[string]int{"default-security-group delete SUCCEEDED": 5})
		if n := len(s.instances("rollout-recording")); n != 8 {
			t.Errorf("recording has %d instances: what the template needs was pruned", n)
		}
		if p = plan(); p.Pending() || len(p.Orphans) > 0 {
			t.Errorf("again: %+v", p.Changes)
		}
	})
}

// An orphan in an account that StackSets cannot reach is skipped; one of an account
// that the walk did not come by is deleted by its OU.
func TestPruningByTheAccount(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		all := s.d.Accounts
		s.d.Accounts, s.d.Prune, s.d.MaxDeletions = all[:1], true, "100%"
		s.sim.SetState(all[1].ID, "SUSPENDED")
		all[1].State = "SUSPENDED"
		s.d.Walked = map[string]*orgs.Account{all[1].ID: all[1]}
		p, err := MakePlan(s.d, s.sets(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.actions("rollout-default-security-group", Skip); len(got) != 2 || got[0].AccountID != all[1].ID {
			t.Errorf("skipped %+v", got)
		}
		wantTally(t, s.apply(t.Context(), p), map[string]int{"default-security-group delete SUCCEEDED": 2})
	})
}

// What would take data with it stays in the account as a stack, unless told otherwise.
func TestPruningLeavesData(t *testing.T) {
	d, err := templates.Parse([]byte(`{"Resources":{"B":{"Type":"AWS::S3::Bucket"},"K":{"Type":"AWS::KMS::Key","DeletionPolicy":"Retain"},"T":{"Type":"AWS::SNS::Topic"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.LosesData(); len(got) != 1 || got[0] != "B" {
		t.Errorf("it loses %v", got)
	}
	for _, template := range templates.All() {
		if got := template.Document().LosesData(); got != nil {
			t.Errorf("%s loses %v", template.Name, got)
		}
	}
	target := Target{"1", home}
	set := Set{Name: "x", Deployed: `{"Resources":{"B":{"Type":"AWS::S3::Bucket"}}}`, Instances: map[Target]Instance{target: {OU: "ou-1"}}}
	change := Change{StackSet: "x", Target: target, Action: Delete, Orphan: true}
	if b := deleteBatches(&Plan{}, &set, ApplyOptions{}, []Change{change}); len(b) != 1 || !b[0].retain {
		t.Errorf("%+v", b)
	}
	change.Orphan = false
	if b := deleteBatches(&Plan{}, &set, ApplyOptions{}, []Change{change}); len(b) != 1 || b[0].retain {
		t.Errorf("%+v", b)
	}
	if b := deleteBatches(&Plan{}, &set, ApplyOptions{RetainAuto: true}, []Change{change}); len(b) != 1 || !b[0].retain {
		t.Errorf("%+v", b)
	}
}
