package stackset

import (
	"fmt"
	"slices"
	"strings"

	"rollout/templates"
)

// AutoDeployment says what StackSets does by itself when accounts come and go.
type AutoDeployment struct {
	Enabled bool
	// Retain says that the stacks of an account that leaves stay there.
	Retain bool
	// DependsOn are the ARNs of the sets that have to be done first in an account.
	DependsOn []string
	// Targets are the Regions of each OU (or the root) that is watched, by its id.
	Targets map[string][]string
	// Unread says that the targets could not be asked for.
	Unread bool
}

// AutoDeploy is what a run says of automatic deployment. The zero value says nothing:
// every set keeps what it has.
type AutoDeploy struct {
	// All covers every template of the run that may be deployed automatically, but not
	// recording; Names cover those templates. Of the templates asked for, those that are
	// not covered are switched off; what they need is switched off by nobody.
	All   bool
	Names []string
	// Off covers nothing.
	Off bool
}

// Says says whether a run says anything of automatic deployment.
func (a AutoDeploy) Says() bool { return a.All || a.Off || len(a.Names) > 0 }

// AutoWish is how a set's automatic deployment is, or is to be.
type AutoWish struct {
	Enabled, Retain bool
	// After are the sets of the run that have to be done first in an account.
	After []string
	// Others are the ARNs of other sets for which it waits: somebody's own wish, which
	// stays.
	Others []string
}

// same compares without regard to order.
func (w AutoWish) same(v AutoWish) bool {
	sorted := func(s []string) []string { return slices.Sorted(slices.Values(s)) }
	return w.Enabled == v.Enabled && w.Retain == v.Retain && slices.Equal(sorted(w.After), sorted(v.After)) && slices.Equal(sorted(w.Others), sorted(v.Others))
}

// String says it in a few words.
func (w AutoWish) String() string {
	if !w.Enabled {
		return "off"
	}
	text := "on"
	if before := slices.Concat(w.After, w.Others); len(before) > 0 {
		text += " after " + list(before)
	}
	if w.Retain {
		return text + ", stacks stay when an account leaves"
	}
	return text + ", stacks are deleted when an account leaves"
}

// autoNow is how a set's automatic deployment was found.
func autoNow(s Set, sets []Set) AutoWish {
	out := AutoWish{Enabled: s.Auto.Enabled, Retain: s.Auto.Retain}
	for _, arn := range s.Auto.DependsOn {
		if i := slices.IndexFunc(sets, func(other Set) bool { return other.Exists && other.ARN == arn }); i >= 0 {
			out.After = append(out.After, sets[i].Name)
		} else {
			out.Others = append(out.Others, arn)
		}
	}
	return out
}

// neverAutomatic says why a template is not deployed automatically, "" where it may be.
func neverAutomatic(t templates.Template) string {
	switch {
	case t.Enforces != "" || t.Remediates:
		return "it changes what is in an account, and enforcement is never deployed automatically"
	case t.Scope == templates.ScopeSingle:
		return "it goes to one account, and automatic deployment takes every account that joins"
	}
	return ""
}

// checkAuto refuses names that are no templates of the run, or that may not be deployed
// automatically.
func checkAuto(d Desired) error {
	all := templates.Together(d.Templates)
	if d.Auto.Off && (d.Auto.All || len(d.Auto.Names) > 0) {
		return &RefusedError{"--auto-deploy=off switches it off, and --auto-deploy was given beside it: leave one of them out"}
	}
	for _, name := range d.Auto.Names {
		i := slices.IndexFunc(all, func(t templates.Template) bool { return t.Name == name })
		if i < 0 {
			hint := ""
			if near := templates.Nearest(name, names(all)); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return &RefusedError{fmt.Sprintf("--auto-deploy=%s: no template of this run is called so; there are %s%s", name, list(names(all)), hint)}
		}
		if why := neverAutomatic(all[i]); why != "" {
			return &RefusedError{fmt.Sprintf("--auto-deploy=%s: %s", name, why)}
		}
	}
	return nil
}

// covers says whether a run wants a template deployed automatically. says is false where
// a set is left as it is: without the option, and for what is needed and not covered.
// That recording is on somebody named it once, and --auto-deploy alone does not undo it.
func (d Desired) covers(t templates.Template) (on, says bool) {
	asked := slices.ContainsFunc(d.Templates, func(a templates.Template) bool { return a.Name == t.Name || a.Name == t.Enforces })
	switch {
	case !d.Auto.Says():
		return false, false
	case neverAutomatic(t) != "":
		return false, asked
	case slices.Contains(d.Auto.Names, t.Name):
		return true, true
	case d.Auto.All && t.Name == templates.Recording:
		return false, false
	case d.Auto.All:
		return true, true
	}
	return false, asked
}

// follow works out how automatic deployment of each set is to be, once it is known which
// sets there will be.
func (p *planner) follow() {
	sets := p.plan.Sets
	for i := range sets {
		s := &sets[i]
		s.AutoWas = autoNow(*s, sets)
		s.AutoWant = s.AutoWas
		on, says := p.d.covers(s.Template)
		if says && !on {
			s.AutoWant = AutoWish{}
		}
		if on {
			s.AutoWant = AutoWish{Enabled: p.willBe(*s), Retain: s.losesData() || len(s.Template.Document().LosesData()) > 0}
		}
	}
	for i := range sets { // what is needed comes before what needs it
		s := &sets[i]
		if on, _ := p.d.covers(s.Template); on && s.AutoWant.Enabled {
			s.AutoWant.Others = s.AutoWas.Others
			for _, need := range s.Template.Needs {
				if other := p.set(need); other.AutoWant.Enabled {
					s.AutoWant.After = append(s.AutoWant.After, other.Name)
				}
			}
		}
		if !s.AutoChanges() {
			continue
		}
		if outside := p.retried(*s); outside > 0 {
			s.AutoHeld = fmt.Sprintf("to change it updates every instance of the set, and %s outside this run %s OUTDATED and would be updated too", count(outside, "stack instance"), isAre(outside))
			p.find(Finding{Code: "auto-held", StackSet: s.Name, Text: fmt.Sprintf("Automatic deployment of stack set %s stays %s and does not become %s: %s.", s.Name, s.AutoWas, s.AutoWant, s.AutoHeld)})
			s.AutoWant = s.AutoWas
		}
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// willBe says whether a set is there once the plan is carried out.
func (p *planner) willBe(s Set) bool {
	return s.Exists || slices.ContainsFunc(p.plan.Changes, func(c Change) bool {
		return c.StackSet == s.Name && c.Action == Create && !c.Single
	})
}

// retried counts the instances outside the run that an update of the whole set would
// change: those that an update passed by, or that failed. One that is INOPERABLE takes
// no update (user guide, stack instance status codes).
func (p *planner) retried(s Set) int {
	chosen := map[string]bool{}
	for _, a := range p.d.Accounts {
		chosen[a.ID] = true
	}
	n := 0
	for t, i := range s.Instances {
		in := chosen[t.AccountID] && slices.Contains(p.regions[s.Template.Name], t.Region)
		if !in && i.Status == "OUTDATED" && i.DetailedStatus != "SKIPPED_SUSPENDED_ACCOUNT" {
			n++
		}
	}
	return n
}

// AutoChanges says whether a plan changes the automatic deployment of a set that is
// there. A new set is made with it.
func (s *Set) AutoChanges() bool { return s.Exists && !s.AutoWant.same(s.AutoWas) }

// AutoText says in words what becomes of a set's automatic deployment, "" where it is
// off and stays so.
func (s *Set) AutoText() string {
	switch {
	case !s.AutoWas.Enabled && !s.AutoWant.Enabled:
		return ""
	case s.AutoWant.same(s.AutoWas):
		return s.AutoWas.String() + " (stays)"
	}
	return strings.Join([]string{s.AutoWas.String(), s.AutoWant.String()}, " → ")
}
