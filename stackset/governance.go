package stackset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// What Control Tower's own things are called: the recorder of an enrolled account, and
// the policies of its mandatory controls ("Guidance on creating and modifying AWS
// Control Tower resources").
const (
	towerPrefix  = "aws-controltower-"
	guardrails   = "aws-guardrails-"
	towerRole    = "AWSControlTowerExecution"
	towerRelease = "rollout release --for control-tower"
)

func (r *Recorder) tower() bool { return r != nil && strings.HasPrefix(r.Name, towerPrefix) }

// readGovernance reads what Control Tower governs. What could not be read is kept as
// what AWS said.
func readGovernance(ctx context.Context, s *awsapi.Session, known []awsapi.Region, facts *Facts) error {
	var on []string
	for _, r := range known {
		if r.On {
			on = append(on, r.Name)
		}
	}
	var err error
	if facts.Governance, err = orgs.ReadGovernance(ctx, s, on); err != nil {
		facts.GovernanceUnread = sentence(awsapi.Text(err))
	}
	return ctx.Err()
}

// governed is how an account is governed, as far as recording goes.
type governed struct {
	records bool   // Control Tower sets up the recorder
	without bool   // it is governed, and AWS Config is no part of that
	by      string // in words
}

// governs says how Control Tower governs an account: by its own word, else as its policies
// and recorders give away. Of an OU that has neither nothing can be told then.
func (p *planner) governs(a *orgs.Account) governed {
	if a.Management || a.OU == nil {
		return governed{}
	}
	if p.facts.GovernanceUnread == "" {
		by, is := p.facts.Governance.Of(a)
		if !is {
			return governed{}
		}
		return governed{by.Records, !by.Records, fmt.Sprintf("Control Tower governs the account (%s of %s)", by.Baseline, ouName(a.OU))}
	}
	switch {
	case p.facts.Policies.Attached(a.OU.ID, guardrails):
		return governed{records: true, by: fmt.Sprintf("Control Tower seems to govern the account (a policy %s… of %s)", guardrails, ouName(a.OU))}
	case p.towerOUs()[a.OU.ID]:
		return governed{records: true, by: fmt.Sprintf("Control Tower seems to govern the account (its recorder is in accounts of %s)", ouName(a.OU))}
	}
	return governed{}
}

func ouName(ou *orgs.OU) string {
	if ou.Path == "" {
		return "the root"
	}
	return ou.Path
}

// towerOUs are the OUs in whose accounts Control Tower's recorder was seen.
func (p *planner) towerOUs() map[string]bool {
	if p.tower == nil {
		p.tower = map[string]bool{}
		for _, a := range p.d.Accounts {
			if f := p.facts.Accounts[a.ID]; f != nil && a.OU != nil && f.tower() != nil {
				p.tower[a.OU.ID] = true
			}
		}
	}
	return p.tower
}

// tower are the Regions in which Control Tower records.
func (f *AccountFacts) tower() []string {
	var out []string
	for region, r := range f.Regions {
		if r.Recorder.tower() {
			out = append(out, region)
		}
	}
	slices.Sort(out)
	return out
}

// toEnrol is a place without a recorder, which is Control Tower's to make.
func toEnrol(region string, f *AccountFacts, by governed) verdict {
	if in := f.tower(); in != nil {
		return skip("tower-region", "%s, has enrolled it and records in %s, but not here: add %s to the landing zone's governed Regions", by.by, list(in), region).
			saying("%s and records in %s, but not there", by.by, list(in))
	}
	return skip("tower-enrol", "%s and has not enrolled it in this Region yet; recording is set up by that: enrol the account (or register its OU again), then run again", by.by).
		saying("%s, which sets up recording when it enrols an account, and has not enrolled it there", by.by)
}

// findGovernance says where what Control Tower governs is told by signs only, and which
// accounts' tags are not known.
func (p *planner) findGovernance() {
	if p.facts.GovernanceUnread != "" {
		p.find(Finding{Code: "tower-unread", Text: fmt.Sprintf("What Control Tower governs could not be read, so it is told by its policies (%s…) and by recorders called %s…: %s.", guardrails, towerPrefix, p.facts.GovernanceUnread)})
	}
	for _, g := range p.facts.TagsUnread {
		p.find(Finding{Code: "released-unread", Text: "Whether the recorder of {places} was taken out by rollout release could not be read, so it may be put back: " + g.Text + "."}, In(g.Account, ""))
	}
}

// conflict is a place with a stack instance of recording in which something has changed
// since: another recorder is there, or Control Tower governs the account by now. The
// instance stays as it is; ok is false where there is nothing of that.
func (p *planner) conflict(a *orgs.Account, region string, f *AccountFacts, v verdict, by governed) (verdict, bool) {
	switch r := f.Regions[region]; {
	case r.Recorder != nil && r.Recorder.Name != ourRecorder:
		theirs := p.theirs(a, region, r.Recorder)
		reason := fmt.Sprintf("in conflict: %s, and the one of rollout's stack instance is gone; the instance is left as it is (rollout remove --template recording --account %s --region %s takes it out)", theirs.reason, a.ID, region)
		found := Finding{Code: "recorder-replaced", Text: "The recorder " + r.Recorder.Name + " is in {places}, where rollout deployed its own, which is gone: its stack instances make nothing any more. Nothing is taken away."}
		return p.unchanged(a, region, v, reason, true, found), true
	case by.records && f.tower() == nil: // else it is enrolled, and this Region is none that is governed
		what := "a recorder of rollout's"
		if r.Recorder == nil {
			what = "a stack instance of rollout's recorder, which is gone,"
		}
		reason := fmt.Sprintf("in conflict: %s and cannot enrol one with %s; nothing is changed here (%s --account %s takes it out)", by.by, what, towerRelease, a.ID)
		found := Finding{Code: "tower-conflict", Text: "Control Tower governs {places} by now, and rollout's recorder is there, with which an account cannot be enrolled. Nothing is taken away."}
		return p.unchanged(a, region, v, reason, r.Recorder != nil, found), true
	}
	return v, false
}

// unchanged is what has a conflict: nothing is done, and what would have been is skipped.
func (p *planner) unchanged(a *orgs.Account, region string, v verdict, reason string, there bool, f Finding) verdict {
	if v.action == None {
		p.find(f, In(a, region))
		return verdict{action: None, reason: reason, there: there}
	}
	return verdict{action: Skip, reason: reason, there: there, cause: cause{code: f.Code, text: reason}}
}

// since says why a place that was deployed to has no recorder any more, "" where nothing
// of ours was there.
func (p *planner) since(a *orgs.Account, region string, f *AccountFacts) string {
	for _, s := range p.plan.Sets {
		if s.Template.Name == templates.Recording || !slices.Contains(s.Template.Needs, templates.Recording) {
			continue
		}
		if i, there := s.At(Target{a.ID, region}); !there || i.StackID == "" {
			continue
		}
		why := fmt.Sprintf("the recorder beside which %s was deployed is gone", s.Name)
		if p.facts.Governance != nil && f.Role == towerRole {
			why += ", and Control Tower, whose role the account has, does not govern it any more"
		}
		return why
	}
	return ""
}
