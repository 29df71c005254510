package stackset

import (
	"rollout/orgs"
	"rollout/templates"
)

// Enforced is one place that a set's enforcement is in, or would come to.
type Enforced struct {
	Set     Set
	Account *orgs.Account
	Region  string
}

// Remediations are those that a set brings to a Region with its parameter values.
func (s Set) Remediations(region, partition string) []templates.Attached {
	return s.Template.AttachedWith(s.values(region, partition))
}

// Enforcement lists where this plan has enforcement, in the order of its changes: what it
// brings, and what is there and stays. Of a plan that brings none it is where manual
// enforcement would come to, worked out from the same facts.
func (p *Plan) Enforcement() ([]Enforced, error) {
	type key struct {
		template string
		Target
	}
	seen := map[key]bool{}
	var out []Enforced
	collect := func(p *Plan) {
		sets := map[string]Set{}
		for _, s := range p.Sets {
			sets[s.Name] = s
		}
		for _, c := range p.Changes {
			s := sets[c.StackSet]
			k := key{c.Template, c.Target}
			if s.Template.Enforces == "" || c.Account == nil || c.Action == Skip || c.Action == Delete || seen[k] {
				continue
			}
			seen[k] = true
			out = append(out, Enforced{s, c.Account, c.Region})
		}
	}
	collect(p)
	if p.Desired.Remediation != RemediationOff && p.Desired.Remediation != "" {
		return out, nil
	}
	d := p.Desired
	if d.Remediation = RemediationManual; checkRemediation(d) != nil {
		return out, nil // nothing of this run has a remediation
	}
	would, err := MakePlan(d, p.Sets, p.Facts)
	if err != nil {
		return nil, err
	}
	collect(would)
	return out, nil
}
