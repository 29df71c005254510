package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// shut says whether nothing can be done in a place, and why. An account that cannot be
// entered can still be deployed to, and so can a Region that is denied to the role that
// read, where StackSets' own role is exempt.
func (p *planner) shut(a *orgs.Account, f *AccountFacts, region string, action Action) (v verdict, yes bool) {
	r := f.Regions[region]
	switch {
	case p.d.RegionsOff[region]:
		return skip("region-off-management", "Region %s is off in the management account", region).saying("the Region is off in the management account, to which the stack sets belong"), true
	case r == nil:
	case r.Off:
		return skip("region-off", "Region %s is off in this account", region).saying("the Region is off in the account"), true
	case r.Gap.Class == awsapi.ClassPolicyDenied && !f.Gap.Is():
		if p.facts.Policies.Unread() != "" {
			return skip("region-denied", "a service control policy denies Region %s", region).saying("a service control policy denies the Region: %s", r.Gap.Text), true
		}
		call := "cloudformation:CreateStack"
		if action == Update {
			call = "cloudformation:UpdateStack"
		}
		if d, denied := p.facts.Policies.Judge(a, p.ask(call, region)); denied && d.Certain {
			return deniedBy(call, d), true
		}
	}
	return v, false
}

// recording decides on recorder and channel: only where an account has none.
func (p *planner) recording(a *orgs.Account, region string, f *AccountFacts) verdict {
	s := p.set(templates.Recording)
	if s.Name == "" {
		return verdict{}
	}
	r, by := f.Regions[region], p.governs(a)
	if v, ok := p.existing(s, a, region, f); ok {
		return p.ours(s, a, region, f, v, by)
	}
	if v, yes := p.shut(a, f, region, Create); yes {
		return v
	}
	switch {
	case f.Gap.Is():
		return f.closed()
	case r == nil:
		return skip("recorder-unread", "the Region was not read")
	case r.Gap.Is():
		return skip("recorder-unread", "the Region could not be read: %s", r.Gap.Text)
	case r.Recorder != nil:
		return p.theirs(a, region, r.Recorder)
	case r.Channel != "":
		return skip("channel-without-recorder", "a delivery channel (%s) is there without a recorder, and an account can have only one: delete it, or make its recorder", r.Channel).
			saying("the delivery channel %s is there without a recorder, and a second one cannot be made", r.Channel)
	case by.records:
		return toEnrol(region, f, by)
	case f.Released != "":
		return skip("tower-released", "rollout's recorder was taken out for %s and is not put back: enrol the account, or rollout release --for %s --undo --account %s", f.Released, f.Released, a.ID).
			saying("rollout's recorder was taken out for %s (tag %s of the account)", f.Released, TagReleased)
	}
	reason := "records " + recordedIn(s.Want).in(region, p.d.HomeRegion).String()
	if !slices.Contains(p.d.Regions, region) {
		reason += fmt.Sprintf(" in the home Region, which --region does not name, for %s", p.d.recordsAtHome())
	}
	if by.without {
		reason += "; " + by.by + " without AWS Config, so that nobody else records here"
		p.find(Finding{Code: "tower-without-config", Text: "Control Tower governs {places} without AWS Config, so rollout records there."}, In(a, region))
	}
	if gone := p.since(a, region, f); gone != "" {
		reason += "; " + gone
		p.find(Finding{Code: "recorder-left", Text: "The recorder beside which rollout deployed rules to {places} is gone; rollout's own comes in its place."}, In(a, region))
	}
	return verdict{action: Create, reason: reason, there: true}
}

// unmade says whether a recorder would find no role to work with: it is missing, and
// recording-base, which is there, does not make it.
func (p *planner) unmade(f *AccountFacts, base verdict) bool {
	return f.ConfigRole == Absent && base.there && base.overrides[templates.ParameterCreateConfigServiceLinkedRole] != "true"
}

// ourRecorder is the name that the template recording gives its recorder.
const ourRecorder = "rollout"

// ours is a place with a stack instance of recording. What preflight saw there is
// held against it: StackSets does not know when a recorder was stopped or deleted.
func (p *planner) ours(s Set, a *orgs.Account, region string, f *AccountFacts, v verdict, by governed) verdict {
	r := f.Regions[region]
	if r == nil || r.Off || r.Gap.Is() {
		return v
	}
	if at, is := p.conflict(a, region, f, v, by); is {
		return at
	}
	switch {
	case v.action == Update && s.Outdated == "" && r.Recorder != nil:
		// An earlier run changed the set for other accounts.
		wanted := recordedIn(s.Want).in(region, p.d.HomeRegion)
		if more := r.Recorder.Group.LeavesOut(slices.Sorted(maps.Keys(wanted.types))); more != nil {
			v.reason += "; records " + some(more) + " as well"
		}
	case v.action != None:
	case r.Recorder == nil:
		p.find(Finding{Code: "recorder-gone", Text: "The recorder of {places} is gone although its stack instance is there: somebody deleted it."}, In(a, region))
		v.reason = "the stack instance is there, but its recorder is gone: no results expected"
	case !r.Recorder.Recording:
		p.warnStopped(a, region, r.Recorder)
		v.reason = "the recorder is stopped: no results expected"
	}
	return v
}

func (p *planner) warnStopped(a *orgs.Account, region string, r *Recorder) {
	p.find(Finding{Code: "recorder-stopped", Text: "The recorder " + r.Name + " of {places} is stopped: no verdict can be trusted there until somebody starts it."}, In(a, region))
}

// theirs is an account that has a recorder already, which is left as it is.
func (p *planner) theirs(a *orgs.Account, region string, r *Recorder) verdict {
	whose, f := "the account's own recorder "+r.Name+" is there", Finding{Code: "recorder-own", Text: "In {places} the account's own recorder " + r.Name + " is used as it is."}
	switch {
	case r.tower():
		whose, f = "Control Tower's recorder "+r.Name+" is there", Finding{Code: "recorder-tower", Text: "In {places} Control Tower's recorder " + r.Name + " is used as it is."}
	case r.Name == ourRecorder:
		whose, f = "rollout's own recorder is there, kept from an earlier deployment", Finding{Code: "recorder-kept", Text: "In {places} a recorder of rollout is there without a stack instance, kept from an earlier deployment; it is used as it is."}
	}
	p.find(f, In(a, region))
	if !r.Recording {
		p.warnStopped(a, region, r)
		return verdict{action: None, reason: whose + ", but stopped: no results expected", there: true}
	}
	var missing []string
	for _, s := range p.plan.Sets {
		if s.Template.Enforces != "" || !slices.Contains(p.regions[s.Template.Name], region) {
			continue
		}
		for _, rule := range p.rulesIn(s, region) {
			missing = append(missing, r.Group.LeavesOut(rule.ResourceTypes)...)
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	if missing != nil {
		p.find(Finding{Code: "recorder-leaves-out", Text: "The recorder " + r.Name + " of {places} does not record " + list(missing) + ": no results are expected there."}, In(a, region))
		return verdict{action: None, reason: whose + ", but leaves out " + list(missing) + ": no results expected", there: true}
	}
	return verdict{action: None, reason: whose, there: true}
}

// base decides on what an account has once. records says that a recorder of ours is
// there or will be in one of its Regions.
func (p *planner) base(a *orgs.Account, f *AccountFacts, records bool) verdict {
	s := p.set(templates.RecordingBase)
	if s.Name == "" {
		return verdict{}
	}
	enforce := p.enforces()
	if v, ok := p.existing(s, a, p.d.HomeRegion, f); ok {
		return p.baseThere(s, a, f, v, records)
	}
	if !records && !enforce && !p.leanOnBase() {
		return verdict{} // nothing of ours in the account leans on it
	}
	overrides := map[string]string{}
	var missing []string
	if f.ConfigRole == Absent && records {
		overrides["CreateConfigServiceLinkedRole"] = "true"
		missing = append(missing, "AWSServiceRoleForConfig")
	}
	if f.RemediationRole == Absent && enforce {
		overrides["CreateRemediationServiceLinkedRole"] = "true"
		missing = append(missing, "AWSServiceRoleForConfigRemediation")
	}
	unseen := f.BucketGap.Is() && f.Bucket == Unknown
	if v, yes := p.shut(a, f, p.d.HomeRegion, Create); yes && !f.Gap.Is() {
		if at := f.Regions[p.d.HomeRegion]; at.Off || !unseen || len(missing) > 0 || s.hollow(Target{a.ID, p.d.HomeRegion}) {
			return v
		}
		// With the bucket, nothing would have to be made here, and the other Regions get theirs.
		return bucketUnread(f.BucketName, f.BucketGap.Text+"; where it is not, it cannot be made: "+v.reason)
	}
	switch {
	case f.Gap.Is():
		return f.closed()
	case unseen:
		return bucketUnread(f.BucketName, f.BucketGap.Text)
	}
	p.rolesUnread(a, f, records)
	if f.Bucket == Present {
		p.find(Finding{Code: "bucket-kept", StackSet: s.Name, Text: "The bucket " + f.BucketName + " of {places}, kept from an earlier deployment, is used as it is."}, In(a, p.d.HomeRegion))
		if len(missing) == 0 && !s.hollow(Target{a.ID, p.d.HomeRegion}) {
			return verdict{action: None, reason: "the bucket " + f.BucketName + ", kept from an earlier deployment, is used, and the roles are there", there: true}
		}
		// The bucket outlives its stack; the template has a switch for that case.
		overrides["CreateDeliveryBucket"] = "false"
		reason := "the bucket " + f.BucketName + ", kept from an earlier deployment, is used"
		if len(missing) > 0 {
			reason = "makes " + list(missing) + "; " + reason
		}
		return verdict{action: Create, reason: reason, there: true, overrides: overrides}
	}
	reason := "makes the bucket " + f.BucketName
	if len(missing) > 0 {
		reason += " and " + list(missing)
	} else {
		overrides = nil
	}
	if !slices.Contains(p.d.Regions, p.d.HomeRegion) {
		reason += " in the home Region, which --region does not name"
	}
	return verdict{action: Create, reason: reason, there: true, overrides: overrides}
}

func bucketUnread(name, why string) verdict {
	return skip("bucket-unread", "whether the bucket %s is there could not be seen: %s", name, why)
}

// leanOnBase says whether a template of the run needs recording-base for itself,
// whoever records, or nothing else is asked for.
func (p *planner) leanOnBase() bool {
	return p.onlyBase() || slices.ContainsFunc(p.plan.Sets, func(s Set) bool {
		return s.Template.Enforces == "" && s.Template.Name != templates.Recording && slices.Contains(s.Template.Needs, templates.RecordingBase)
	})
}

// onlyBase says whether recording-base is all that a run asks for.
func (p *planner) onlyBase() bool {
	return len(p.d.Templates) == 1 && p.d.Templates[0].Name == templates.RecordingBase
}

// standing decides on a template of rules, or any other that stands by itself.
func (p *planner) standing(s Set, a *orgs.Account, region string, f *AccountFacts, done verdicts) verdict {
	v, ok := p.existing(s, a, region, f)
	if r := f.Regions[region]; ok && v.action == Update && r != nil && !r.Gap.Is() && r.Recorder == nil && len(p.rulesIn(s, region)) > 0 {
		// AWS Config takes no rule, nor a change of one, without a recorder.
		if why, c := p.unmet(s.Template, region, done); why != "" {
			return after(c, why)
		}
	}
	if ok && (v.action == None || v.action == Skip) {
		return v
	}
	if v, yes := p.shut(a, f, region, Create); yes && !ok {
		return v
	}
	if v, yes := p.taken(s, In(a, region), f); yes {
		return v
	}
	if ok {
		return v
	}
	rules := p.rulesIn(s, region)
	if r := f.Regions[region]; r == nil || f.Gap.Is() || r.Gap.Is() {
		// Where nothing could be read, rules may find a recorder all the same.
		if why, c := p.unmet(s.Template, region, done); why != "" && len(rules) == 0 {
			return after(c, why)
		}
		return verdict{action: Create, reason: "what is there could not be read", there: true}
	} else if len(rules) > 0 {
		own, equal, taken := rulesThere(rules, r)
		if taken != "" {
			return skip("rule-name-taken", "a rule called %s is there that checks something else or is left over from a part of this template: delete it first", taken).
				saying("a rule called %s is there that checks something else or is left over from a part of this template", taken)
		}
		if own != "" && s.onlyRules(region, p.d.Partition) {
			p.find(Finding{Code: "rule-kept", StackSet: s.Name, Text: "In {places} the rule " + own + " is there without a stack instance, left by an earlier deployment; it is used as it is."}, In(a, region))
			return verdict{action: None, reason: "the rule " + own + " is there without a stack instance, left by an earlier deployment", there: true}
		}
		if own != "" {
			return skip("rule-left-over", "the rule %s is there without a stack instance, left by an earlier deployment, and the template has more than rules: delete it first", own).
				saying("the rule %s is there without a stack instance, left by an earlier deployment, and the template has more than rules", own)
		}
		if equal != "" && s.onlyRules(region, p.d.Partition) && p.d.ReuseExisting && !p.enforced(s.Template) {
			p.find(Finding{Code: "rule-equal", StackSet: s.Name, Text: "In {places} the equal rule " + equal + " gives the verdict, so none is added."}, In(a, region))
			return verdict{action: None, reason: "the equal rule " + equal + " gives the verdict"}
		}
	}
	if why, c := p.unmet(s.Template, region, done); why != "" {
		return after(c, why)
	}
	if k, kept := s.Template.Keeps, f.Kept[s.Template.Name]; k != nil {
		switch kept.Presence {
		case Present: // it outlives its stack; the template has a switch for that case
			p.find(Finding{Code: "bucket-kept", StackSet: s.Name, Text: "The bucket " + kept.Name + " of {places}, kept from an earlier deployment, is used as it is."}, In(a, region))
			return verdict{action: Create, reason: "the bucket " + kept.Name + ", kept from an earlier deployment, is used as it is", there: true, overrides: map[string]string{k.Switch: "false"}}
		case Unknown:
			return bucketUnread(kept.Name, orNone(kept.Gap.Text))
		}
	}
	return verdict{action: Create, there: true}
}

// rulesThere looks for rules of ours: all of them under their own names (own), all
// of them under others (equal), or a name of ours that is taken, so that the stack
// could not make its rule.
func rulesThere(rules []templates.Rule, r *RegionFacts) (own, equal, taken string) {
	var owns, equals, foreign []string
	for _, rule := range rules {
		named, other := false, false
		for _, fact := range r.Rules {
			switch {
			case fact.Rule != rule.Name:
			case fact.Own() && !fact.Equal:
				foreign = append(foreign, fact.Name)
			case fact.Own() && !named:
				named = true
				owns = append(owns, fact.Name)
			case !fact.Own() && fact.Equal && !other:
				other = true
				equals = append(equals, fact.Name)
			}
		}
	}
	switch {
	case len(foreign) > 0:
		taken = strings.Join(foreign, ", ")
	case len(owns) == len(rules):
		own = strings.Join(owns, ", ")
	default:
		taken = strings.Join(owns, ", ")
	}
	if len(equals) == len(rules) {
		equal = strings.Join(equals, ", ")
	}
	return own, equal, taken
}

// enforces says whether this run enforces anything.
func (p *planner) enforces() bool { return enforces(p.d, p.plan.Sets) }

// enforced says whether this run enforces what a template finds.
func (p *planner) enforced(t templates.Template) bool {
	return slices.ContainsFunc(p.plan.Sets, func(s Set) bool { return s.Template.Enforces == t.Name && !p.notWanted(s) })
}

// enforcement decides on a set that enforces. nothing is true when there is
// nothing to say.
func (p *planner) enforcement(s Set, a *orgs.Account, region string, f *AccountFacts, done verdicts) (v verdict, nothing bool) {
	mode := "manual"
	if s.Automatic {
		mode = "automatic"
	}
	v, there := p.existing(s, a, region, f)
	if p.notWanted(s) {
		if !there {
			return v, !s.hollow(Target{a.ID, region})
		}
		wanted := p.d.Mode(s.Template)
		if wanted == RemediationOff {
			return verdict{action: None, reason: fmt.Sprintf("enforced (%s) since an earlier run; rollout disarm takes it away", mode), there: true}, false
		}
		// Deletes come first, so without the other one the place would be disarmed.
		twin := p.twin(s)
		other, _ := p.enforcement(twin, a, region, f, done)
		if other = p.permitted(twin, a, region, other); other.action == Skip {
			return verdict{action: None, reason: fmt.Sprintf("stays %s, since %s enforcement cannot be there: %s", mode, wanted, other.reason), there: true}, false
		}
		return verdict{action: Delete, reason: fmt.Sprintf("enforcement changes from %s to %s", mode, wanted)}, false
	}
	if there && (v.action == None || v.action == Skip) {
		return v, false
	}
	if v, yes := p.shut(a, f, region, Create); yes && !there {
		return v, false
	}
	if v, yes := p.taken(s, In(a, region), f); yes {
		return v, false
	}
	if there {
		return v, false
	}
	if why, c := p.unmet(s.Template, region, done); why != "" {
		return after(c, why), false
	}
	twin := p.twin(s)
	if gone := p.permitted(twin, a, region, verdict{action: Delete}); gone.action == Skip {
		return after(gone.cause, fmt.Sprintf("enforcement of %s is there and cannot be taken out: %s", twin.Name, gone.reason)), false
	}
	return verdict{action: Create, there: true}, false
}

// twin is the other set of the same enforce template.
func (p *planner) twin(s Set) Set {
	for _, t := range p.plan.Sets {
		if t.Template.Name == s.Template.Name && t.Automatic != s.Automatic {
			return t
		}
	}
	return Set{Template: s.Template, Automatic: !s.Automatic}
}

// warnings says what holds for the whole run.
func (p *planner) warnings() {
	if p.facts.LeftOut {
		p.find(Finding{Code: "preflight-left-out", Text: "Preflight was left out: what accounts and Regions have already, what is off or denied there and what service control policies deny is not looked at, and recording is planned only where it is already."})
	}
	p.aggregated()
	for _, t := range p.d.Templates {
		if mode := p.d.Mode(t); mode == RemediationManual && p.d.Remediation == RemediationAutomatic {
			p.find(Finding{Code: "no-automatic", Text: fmt.Sprintf("Template %s offers no automatic remediation: what it finds is remediated by hand.", t.Name)})
		}
	}
	roles := map[string]int{}
	for _, f := range p.facts.Accounts {
		if f.Role != "" && f.Role != "rollout-reader" {
			roles[f.Role]++
		}
	}
	for role, n := range roles {
		p.find(Finding{Code: "role-broad", Text: fmt.Sprintf("%s read through the role %s, which may do more than read; each session is narrowed to the reads by a session policy.", count(n, "account")+were(n), role)})
	}
}

func were(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}
