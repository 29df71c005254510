package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollout/internal/terminal"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

type explainJSON struct {
	Account  explainedAccountJSON `json:"account"`
	Selected bool                 `json:"selected"`
	Reason   string               `json:"reason"`
	Regions  []string             `json:"regions"`
	Sets     []explainedSetJSON   `json:"sets"`
	Changes  []explainedPlanJSON  `json:"changes"`
	Cells    []explainedCellJSON  `json:"cells"`
	Findings []explainedFoundJSON `json:"findings"`
	Warnings []string             `json:"warnings"`
}

type explainedAccountJSON struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	State      string `json:"state"`
	OUPath     string `json:"ou_path"`
	Management bool   `json:"management"`
}

type explainedSetJSON struct {
	StackSet       string                  `json:"stack_set"`
	Template       string                  `json:"template"`
	Outdated       bool                    `json:"template_outdated"`
	Parameters     []explainedValueJSON    `json:"parameters"`
	AutoDeployment explainedAutoJSON       `json:"auto_deployment"`
	Instances      []explainedInstanceJSON `json:"instances"`
}

type explainedAutoJSON struct {
	Enabled bool   `json:"enabled"`
	Retain  bool   `json:"retain_stacks"`
	Meaning string `json:"meaning"`
}

type explainedInstanceJSON struct {
	Region    string                 `json:"region"`
	Status    string                 `json:"status"`
	Detailed  string                 `json:"detailed_status"`
	Reason    string                 `json:"reason"`
	StackID   string                 `json:"stack_id"`
	Overrides []explainedValueJSON   `json:"overrides"`
	Operation explainedOperationJSON `json:"last_operation"`
	// Drift is what the last detection said, at Checked.
	Drift   string `json:"drift_status"`
	Checked string `json:"drift_checked"`
}

type explainedValueJSON struct {
	Parameter string `json:"parameter"`
	Value     string `json:"value"`
	Reason    string `json:"reason"`
}

type explainedOperationJSON struct {
	ID     string `json:"operation_id"`
	Action string `json:"action"`
	Status string `json:"status"`
	Begun  string `json:"begun"`
	Ended  string `json:"ended"`
	Reason string `json:"reason"` // AWS's, also why it could not be read
}

type explainedPlanJSON struct {
	StackSet string `json:"stack_set"`
	Region   string `json:"region"`
	Action   string `json:"action"`
	Reason   string `json:"reason"`
}

type explainedCellJSON struct {
	Region        string `json:"region"`
	Rule          string `json:"rule"`
	Status        string `json:"status"`
	NonCompliant  int    `json:"non_compliant_resources"`
	Remediation   string `json:"remediation"`
	LastEvaluated string `json:"last_evaluated"`
	Detail        string `json:"detail"`
	SourceRule    string `json:"source_rule"`
}

type explainedFoundJSON struct {
	Region      string `json:"region"`
	Rule        string `json:"rule"`
	Type        string `json:"resource_type"`
	ID          string `json:"resource_id"`
	Annotation  string `json:"annotation"`
	Remediation string `json:"remediation_status"`
}

// embedded is the template of a set as this program has it.
func embedded(name string) (templates.Template, bool) {
	i := slices.IndexFunc(templates.All(), func(t templates.Template) bool { return t.Name == name })
	if i < 0 {
		return templates.Template{}, false
	}
	return templates.All()[i], true
}

// above are the ids of the OUs above an account, the root first.
func above(a *orgs.Account) []string {
	var out []string
	for ou := a.OU; ou != nil; ou = ou.Parent {
		out = append(out, ou.ID)
	}
	slices.Reverse(out)
	return out
}

func explanationShape(e *explanation) explainJSON {
	out := explainJSON{
		Account:  explainedAccountJSON{e.account.ID, e.account.Name, e.account.Email, e.account.State, e.account.OUPath(), e.account.Management},
		Selected: e.decision.Selected, Reason: e.decision.Reason, Regions: e.regions,
		Sets: []explainedSetJSON{}, Changes: []explainedPlanJSON{}, Cells: []explainedCellJSON{}, Findings: []explainedFoundJSON{}, Warnings: append([]string{}, e.warnings...),
	}
	for _, s := range e.sets {
		t, known := embedded(s.Template)
		row := explainedSetJSON{StackSet: s.Name, Template: s.Template, Outdated: known && t.SHA256() != s.SHA256, Parameters: []explainedValueJSON{}, Instances: []explainedInstanceJSON{}}
		for _, key := range sortedNames(s.Parameters) {
			why := "not known: this rollout has no such template"
			if known {
				why = stackset.ParameterReason(e.bare, t, s.Automatic, key, s.Parameters[key])
			}
			row.Parameters = append(row.Parameters, explainedValueJSON{key, s.Parameters[key], why})
		}
		row.AutoDeployment = explainedAutoJSON{s.Auto.Enabled, s.Auto.Retain, s.Auto.Coming(above(e.account))}
		if e.account.Management {
			row.AutoDeployment.Meaning = "never: StackSets does not deploy to the management account, where plain stacks stand for its instances"
		}
		for _, i := range e.shown(s) {
			instance := explainedInstanceJSON{Region: i.Region, Status: i.Status, Detailed: i.DetailedStatus, Reason: i.Reason, StackID: i.StackID, Overrides: []explainedValueJSON{},
				Drift: string(cmp.Or(i.Drift, stackset.DriftNotChecked)), Checked: stampOf(i.DriftChecked)}
			for _, key := range sortedNames(i.Overrides) {
				instance.Overrides = append(instance.Overrides, explainedValueJSON{key, i.Overrides[key], stackset.OverrideReason(t, key, i.Overrides[key])})
			}
			instance.Operation = explainedOperationJSON{i.LastOperation, i.Last.Action, i.Last.Status, stampOf(i.Last.Created), stampOf(i.Last.Ended), i.Last.StatusReason}
			row.Instances = append(row.Instances, instance)
		}
		out.Sets = append(out.Sets, row)
	}
	if e.plan != nil {
		for _, c := range e.plan.Changes {
			out.Changes = append(out.Changes, explainedPlanJSON{c.StackSet, c.Region, string(c.Action), c.Reason})
		}
	}
	for _, c := range e.cells {
		out.Cells = append(out.Cells, explainedCellJSON{c.Region, c.Rule.Name, string(c.Status), c.NonCompliantResources, c.Remediation, stampOf(c.LastEvaluated), c.Detail, c.SourceRule})
	}
	for _, f := range e.findings {
		out.Findings = append(out.Findings, explainedFoundJSON{f.Region, f.Rule.Name, f.ResourceType, f.ResourceID, f.Annotation, f.RemediationStatus})
	}
	return out
}

// shown are the instances that an explanation is about: of the Region asked for, and
// what the account has once.
func (e *explanation) shown(s stackset.AccountSet) []stackset.AccountInstance {
	t, known := embedded(s.Template)
	return slices.DeleteFunc(slices.Clone(s.Instances), func(i stackset.AccountInstance) bool {
		return !slices.Contains(e.regions, i.Region) && (!known || t.Scope == templates.ScopeRegional)
	})
}

// mostFindings is how many resources are named; the JSON has all.
const mostFindings = 20

func (j *job) showExplanation(e *explanation) error {
	w := j.streams.out
	out := terminal.New(w, terminal.Options{NoColor: j.NoColor})
	a := e.account
	fmt.Fprintf(w, "%s  %s  %s  %s\n", out.Paint(terminal.Bold, a.ID), terminal.Clean(a.Name), terminal.Clean(orWord(a.OUPath(), "(root)")), a.State)
	in := out.Paint(terminal.Green, "in")
	if !e.decision.Selected {
		in = out.Paint(terminal.Yellow, "out")
	}
	fmt.Fprintf(w, "%s: %s\n", in, terminal.Clean(e.decision.Reason))
	shape := explanationShape(e)
	for _, s := range shape.Sets {
		if len(s.Instances) > 0 {
			showExplainedSet(w, out, s)
		}
	}
	if e.plan != nil {
		who := "A deploy"
		if !e.decision.Selected {
			who = "A deploy that takes the account in"
		}
		fmt.Fprintf(w, "\n%s would now, in %s:\n", who, strings.Join(e.regions, ", "))
		var rows [][]string
		for _, c := range shape.Changes {
			reason := c.Reason
			if reason == "" && c.Action == string(stackset.None) {
				reason = "it is as it should be"
			}
			rows = append(rows, []string{"  " + c.Action, c.StackSet, c.Region, reason})
		}
		if len(rows) == 0 {
			fmt.Fprintln(w, "  do nothing here")
		} else if err := terminal.Table(w, []string{"  ACTION", "STACKSET", "REGION", "REASON"}, rows); err != nil {
			return err
		}
	}
	if err := showExplainedCells(w, e.cells, shape.Findings); err != nil {
		return err
	}
	for _, warning := range e.warnings {
		fmt.Fprintf(w, "%s %s\n", out.Paint(terminal.Yellow, "warning:"), terminal.Clean(warning))
	}
	return nil
}
