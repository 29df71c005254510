package stackset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/orgs"
	"rollout/templates"
)

// MakePlan works out what a run does, from what it wants, the sets that are there
// and what preflight found. It makes no call; the same input gives the same plan.
func MakePlan(d Desired, sets []Set, facts *Facts) (*Plan, error) {
	if err := Check(d); err != nil {
		return nil, err
	}
	if facts == nil {
		facts = &Facts{}
	}
	for stuck := map[string]string{}; ; {
		p := newPlanner(d, facts, stuck)
		plan := p.make(sets)
		if more := p.stuckSets(); len(more) > 0 {
			maps.Copy(stuck, more) // what needs these creates cannot be either
			continue
		}
		return plan, nil
	}
}

func newPlanner(d Desired, facts *Facts, stuck map[string]string) *planner {
	return &planner{d: d, facts: facts, stuck: stuck, regions: map[string][]string{}, rules: map[ruleKey][]templates.Rule{}, names: map[ruleKey][]templates.Name{}, denials: map[deniedKey]denialOf{}, deployed: map[string]*templates.Document{}}
}

func (p *planner) make(sets []Set) *Plan {
	d := p.d
	p.plan.Desired, p.plan.Facts = d, p.facts
	for _, s := range sets {
		s.Want = want(d, s.Template, s.Automatic)
		wantRecorded(d, &s)
		p.plan.Sets = append(p.plan.Sets, s)
		p.regions[s.Template.Name] = d.RegionsOf(s.Template)
	}
	for i := range p.plan.Sets {
		p.plan.Sets[i].Outdated = outdated(p.plan.Sets[i])
		if p.notWanted(p.plan.Sets[i]) {
			// Without enforcement asked for, an enforcing set is shown, not touched.
			p.plan.Sets[i].Outdated = ""
		}
	}
	lines := 0
	for _, regions := range p.regions {
		lines += len(regions)
	}
	p.plan.Changes = make([]Change, 0, lines*len(d.Accounts))
	closed := p.facts.closed()
	if closed != nil {
		p.findNoRole(closed)
	}
	for _, a := range d.Accounts {
		p.account(a, closed != nil)
	}
	if p.facts.Refused != nil {
		p.findUnseen()
	}
	p.prune()
	p.warnings()
	p.findGovernance()
	p.warnNewRegions()
	rank := map[string]int{}
	for i, s := range p.plan.Sets {
		rank[s.Name] = i
	}
	slices.SortStableFunc(p.plan.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(rank[a.StackSet], rank[b.StackSet]), cmp.Compare(path(a.Account), path(b.Account)), a.Target.Compare(b.Target))
	})
	p.plan.dropIdleUpdates()
	p.follow()
	if p.facts.Refused == nil {
		p.joining()
	}
	p.warnOutside()
	p.unlooked()
	steps := p.plan.Steps(ApplyOptions{})
	p.tolerances(steps)
	p.quotas(steps)
	p.fullBefore()
	p.full()
	p.plan.Findings = p.found.sorted()
	p.plan.EstimateCost(nil)
	p.plan.Hash = p.plan.hash(steps)
	return &p.plan
}

type planner struct {
	d     Desired
	facts *Facts
	plan  Plan
	found findings
	// regions are those of each template, rules those of each set and Region: the
	// same for every account.
	regions map[string][]string
	rules   map[ruleKey][]templates.Rule
	names   map[ruleKey][]templates.Name
	denials map[deniedKey]denialOf
	// tower are the OUs with Control Tower's recorder, nil until somebody asks.
	tower map[string]bool
	// deployed are the templates of sets that are there, parsed.
	deployed map[string]*templates.Document
	// stuck are sets in which nothing can be created, with why; see stuckSets.
	stuck map[string]string
}

type ruleKey struct{ set, region string }

// rulesIn are the rules that a set brings to a Region.
func (p *planner) rulesIn(s Set, region string) []templates.Rule {
	k := ruleKey{s.Name, region}
	rules, known := p.rules[k]
	if !known {
		rules = s.Rules(region, p.d.Partition)
		p.rules[k] = rules
	}
	return rules
}

// notWanted says whether a set enforces in a way that this run does not ask for.
func (p *planner) notWanted(s Set) bool { return notWanted(p.d, s) }

func notWanted(d Desired, s Set) bool {
	if s.Template.Enforces == "" {
		return false
	}
	switch d.Mode(s.Template) {
	case RemediationManual:
		return s.Automatic
	case RemediationAutomatic:
		return !s.Automatic
	}
	return true
}

// dropIdleUpdates leaves a set alone whose template changed while this run has no
// instance of it: nothing chosen would be updated.
func (p *Plan) dropIdleUpdates() {
	for i := range p.Sets {
		s := &p.Sets[i]
		if s.Outdated != "" && !slices.ContainsFunc(p.Changes, func(c Change) bool {
			return c.StackSet == s.Name && !c.Single && brings(c.Action)
		}) {
			s.Outdated = ""
		}
	}
}

// stuckSets are the sets whose template or parameters change while this run updates none
// of the instances that they have: to change the set would take others along, and to
// create without that would use the old template. Apply skips those creates.
func (p *planner) stuckSets() map[string]string {
	out := map[string]string{}
	for _, s := range p.plan.Sets {
		if s.Outdated == "" || recordsOnly(s) { // see pioneer
			continue
		}
		by := map[Action]int{}
		for _, c := range p.plan.Changes {
			if c.StackSet == s.Name && !c.Single {
				by[c.Action]++
			}
		}
		if by[Update] == 0 && by[Create]+by[Recreate] > 0 && len(s.Instances) > by[Recreate] {
			out[s.Name] = outdatedAlone(s.Name, s.Outdated)
		}
	}
	return out
}

// outdatedAlone says why nothing is created in a set of which nothing is updated.
func outdatedAlone(name, outdated string) string {
	return fmt.Sprintf("stack set %s is outdated (%s) and this run updates none of the instances that it has, and no others may be touched: run with a selection that has some of them first", name, outdated)
}

// warnOutside says which instances an update leaves behind: a change of a set makes
// all its instances OUTDATED, and only those of this run are updated.
func (p *planner) warnOutside() {
	for _, s := range p.plan.Sets {
		if s.Outdated == "" {
			continue
		}
		outside := len(s.Instances)
		for _, c := range p.plan.Changes {
			if _, exists := s.Instances[c.Target]; exists && c.StackSet == s.Name && c.Action != None && c.Action != Skip {
				outside--
			}
		}
		if outside > 0 {
			p.find(Finding{Code: "instances-outside", StackSet: s.Name, Text: fmt.Sprintf("Stack set %s changes (%s): %s of it outside this run will be OUTDATED until a run takes them in.", s.Name, s.Outdated, count(outside, "stack instance"))})
		}
	}
}

// verdict is what a plan says of one template in one place. there means that it is
// or will be there when the change comes true.
type verdict struct {
	action    Action
	reason    string
	there     bool
	overrides map[string]string
	// cause is of a skip, and goes on to the skips that follow from it.
	cause cause
}

// cause is why something wanted cannot be.
type cause struct {
	code string
	// text says it without what to do about it, "" where the reason is just that.
	text, remedy string
}

// skip leaves a place out, which keeps something wanted from being made. The code is
// one of Kinds.
func skip(code, format string, args ...any) verdict {
	v := verdict{action: Skip, reason: fmt.Sprintf(format, args...)}
	v.cause = cause{code: code, text: v.reason}
	return v
}

// saying gives a skip's finding another text than its reason.
func (v verdict) saying(format string, args ...any) verdict {
	v.cause.text = fmt.Sprintf(format, args...)
	return v
}

// after leaves a place out for a cause that is known from elsewhere.
func after(c cause, reason string) verdict { return verdict{action: Skip, reason: reason, cause: c} }

func (p *planner) add(s Set, a *orgs.Account, region string, v verdict) {
	if v.action == Skip {
		p.find(Finding{Code: v.cause.code, StackSet: s.Name, Text: "{sets} cannot be deployed to {places}: " + v.cause.text + ".", Remedy: v.cause.remedy}, In(a, region))
	}
	p.plan.Changes = append(p.plan.Changes, Change{
		StackSet: s.Name, Template: s.Template.Name, Target: Target{a.ID, region}, Account: a, Action: v.action, Reason: v.reason, Overrides: v.overrides, Single: a.Management,
	})
}

// verdicts are those on an account's templates, by template and Region.
type verdicts map[string]map[string]verdict

// account plans one account: what is needed decides on what needs it, and
// recording-base is there only when something needs it. noRole says that no account can be
// entered, which is said once of all.
func (p *planner) account(a *orgs.Account, noRole bool) {
	if code, why := unfit(p.d, a); why != "" {
		for _, s := range p.plan.Sets {
			for _, region := range p.regions[s.Template.Name] {
				_, exists := s.At(Target{a.ID, region})
				if s.Template.Enforces != "" && p.notWanted(s) && !exists || s.Template.Name == templates.RecordingBase && !exists && !p.onlyBase() {
					continue
				}
				p.add(s, a, region, skip(code, "%s", why))
			}
		}
		return
	}
	if p.facts.Refused != nil {
		p.unseen(a)
		return
	}
	f := p.facts.Accounts[a.ID]
	if f == nil {
		f = &AccountFacts{AccountID: a.ID}
		if p.facts.LeftOut {
			f.Gap = notLooked
		}
	}
	if f.Gap.Is() && f.Gap != notLooked && !noRole {
		p.find(Finding{Code: "account-closed", Text: "{places} cannot be entered, so what is there is not known and recording is not planned: " + f.Gap.Text + "."}, In(a, ""))
	}
	for region, r := range f.Regions {
		for name, principal := range r.Services {
			p.find(Finding{Code: "recorder-of-service", Text: "In {places} the service-linked recorder " + name + " records for " + principal + "; it is left as it is, and counts as no recorder for rules."}, In(a, region))
		}
		if _, closed := p.shut(a, f, region, Create); r.Gap.Is() && !closed && !f.Gap.Is() {
			p.find(Finding{Code: "region-unread", Text: "{places} could not be read, so what is there is not known and recording is not planned: " + r.Gap.Text + "."}, In(a, region))
		}
	}
	recording := map[string]verdict{}
	records := false
	for _, region := range p.regions[templates.Recording] {
		recording[region] = p.recording(a, region, f)
		at, set := Target{a.ID, region}, p.set(templates.Recording)
		_, ours := set.At(at)
		records = records || recording[region].there && (ours && !set.hollow(at) || recording[region].action == Create)
	}
	base := p.base(a, f, records)
	done := verdicts{}
	for _, s := range p.plan.Sets {
		for _, region := range p.regions[s.Template.Name] {
			var v verdict
			switch {
			case s.Template.Name == templates.RecordingBase:
				v = base
			case s.Template.Name == templates.Recording:
				v = recording[region]
				if v.action == Create {
					if why, c := p.unmet(s.Template, region, done); why != "" {
						v = after(c, why)
					} else if p.unmade(f, done[templates.RecordingBase][p.d.HomeRegion]) {
						v = skip("config-role-missing", "%s is missing, and recording-base, which is there already, does not make it: aws iam create-service-linked-role --aws-service-name config.amazonaws.com", configRole).
							saying("%s is missing, and recording-base, which is there already, does not make it", configRole)
					}
				}
			case s.Template.Enforces != "":
				var none bool
				if v, none = p.enforcement(s, a, region, f, done); none {
					continue
				}
			default:
				v = p.standing(s, a, region, f, done)
			}
			v = p.anew(s, a, region, f, records, v)
			if at := (Target{a.ID, region}); s.hollow(at) {
				v = p.fill(s, at, v)
			}
			v = p.permitted(s, a, region, v)
			if why := p.stuck[s.Name]; why != "" && !a.Management && (v.action == Create || v.action == Recreate) {
				v = skip("set-outdated", "%s", why)
			}
			if s.Template.Enforces == "" {
				if done[s.Template.Name] == nil {
					done[s.Template.Name] = map[string]verdict{}
				}
				done[s.Template.Name][region] = v
			}
			if v.action == "" {
				continue // not needed and nothing there: not worth a line
			}
			p.add(s, a, region, v)
		}
	}
}

// unmet says which need of a template is not there nor will be, and for what cause, ""
// when all are.
func (p *planner) unmet(t templates.Template, region string, done verdicts) (string, cause) {
	for _, need := range t.Needs {
		s, at := p.set(need), region
		if s.Name == "" {
			continue // no template that this version knows
		}
		if homeOnly(s.Template) {
			at = p.d.HomeRegion
		}
		if v := done[need][at]; !v.there {
			why, c := fmt.Sprintf("needs %s: %s", need, orNone(v.reason)), v.cause
			if c.code == "" {
				c = cause{code: "need-missing", text: why}
			}
			return why, c
		}
	}
	return "", cause{}
}

// unfit says why an account can hold no stack instance, "" when it can, and the code of
// that.
func unfit(d Desired, a *orgs.Account) (code, why string) {
	switch {
	case a.Management && a.ID != d.Management:
		return "account-management", "StackSets never deploys to the management account"
	case !a.Active():
		return "account-inactive", "account is " + orNone(a.State)
	}
	return "", ""
}

func (p *planner) set(name string) Set {
	for _, s := range p.plan.Sets {
		if s.Template.Name == name {
			return s
		}
	}
	return Set{}
}

// existing says what becomes of an instance that is there; ok is false when there
// is none, or no stack behind it. Nothing can be changed where the Region is off or denied.
func (p *planner) existing(s Set, a *orgs.Account, region string, f *AccountFacts) (v verdict, ok bool) {
	t := Target{a.ID, region}
	if s.hollow(t) {
		return v, false
	}
	if one, single := s.Singles[t]; single {
		v = one.verdict(s)
	} else if i, there := s.Instances[t]; there {
		v = state(s, i)
	} else {
		return v, false
	}
	if closed, yes := p.shut(a, f, region, v.action); yes && v.action != None {
		return closed, true
	}
	if there, _ := s.At(t); v.action == None && v.reason == "" {
		v.reason = driftReason(there)
	}
	return v, true
}

// hollow says whether an instance has no stack: its creation failed, or was never begun.
// What would keep a stack from being created there keeps this one too.
func (s Set) hollow(t Target) bool {
	i, there := s.At(t)
	return there && i.StackID == "" && i.Status != "INOPERABLE" && i.DetailedStatus != "PENDING" && i.DetailedStatus != OutcomeRunning
}

// fill says how a hollow instance gets the stack that a place is to have, or that it needs
// none. What the creation that failed was told to leave out is said anew.
func (p *planner) fill(s Set, t Target, v verdict) verdict {
	switch {
	case v.action == Create:
		old := state(s, s.Instances[t])
		if one, single := s.Singles[t]; single {
			old = one.verdict(s)
		} else {
			own := s.switches(v.overrides)
			if given := p.facts.Overrides[key{s.Name, t}].Values; own != nil {
				v.overrides = maps.Clone(given) // others are somebody else's
				if v.overrides == nil {
					v.overrides = map[string]string{}
				}
				maps.Copy(v.overrides, own)
			}
		}
		if v.action = old.action; v.reason != "" {
			v.reason = "; " + v.reason
		}
		v.reason = old.reason + v.reason
	case v.action == None:
		v.reason += "; the stack instance without a stack is of no use"
	case v.action == "":
		v = verdict{action: None, reason: "nothing needs it, and the stack instance has no stack"}
	}
	return v
}

// switches adds to overrides the values of the other switches, so that nothing of an
// earlier creation stays: nil where a template has none.
func (s Set) switches(overrides map[string]string) map[string]string {
	out := maps.Clone(overrides)
	for name, parameter := range s.Template.Document().Parameters {
		if _, given := out[name]; isSwitch(s.Template, name) && !given {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = parameter.Default
		}
	}
	return out
}

// state says what becomes of an instance by what StackSets says of it.
func state(s Set, i Instance) verdict {
	switch {
	case i.Status == "INOPERABLE":
		return verdict{action: Recreate, reason: "the instance is INOPERABLE" + because(i.Reason) + "; its stack is left behind and made anew", there: true}
	case s.Outdated != "":
		return verdict{action: Update, reason: s.Outdated, there: true}
	case i.Status == "OUTDATED" || i.DetailedStatus == "FAILED" || i.DetailedStatus == "CANCELLED" || i.DetailedStatus == "SKIPPED_SUSPENDED_ACCOUNT":
		return verdict{action: Update, reason: fmt.Sprintf("the instance is %s, %s%s", i.Status, i.DetailedStatus, because(i.Reason)), there: true}
	case i.DetailedStatus == "PENDING" || i.DetailedStatus == "RUNNING":
		return verdict{action: None, reason: "an operation is working on the instance", there: true}
	}
	return verdict{action: None, there: true}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + sentence(reason) + ")"
}

func list(names []string) string { return strings.Join(names, ", ") }
