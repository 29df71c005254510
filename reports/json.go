package reports

import (
	"encoding/json"
	"io"

	"rollout/templates"
)

// The shape of report.json; docs/schemas/report.schema.json describes it. Texts are
// as AWS gave them: nothing is made safe for spreadsheets here.
type jsonReport struct {
	Version  int           `json:"version"`
	Run      jsonRun       `json:"run"`
	Totals   jsonTotals    `json:"totals"`
	Rules    []jsonRule    `json:"rules"`
	Accounts []jsonAccount `json:"accounts"`
	Cells    []jsonCell    `json:"cells"`
	Findings []jsonFinding `json:"findings"`
}

type jsonRun struct {
	Tool           string   `json:"tool"`
	Run            string   `json:"run"`
	Command        string   `json:"command"`
	Started        string   `json:"started"`
	Ended          string   `json:"ended"`
	OrganizationID string   `json:"organization_id"`
	Management     string   `json:"management_account_id"`
	Caller         string   `json:"caller"`
	HomeRegion     string   `json:"home_region"`
	Regions        []string `json:"regions"`
	Templates      []string `json:"templates"`
	StackSet       string   `json:"stack_set"`
	Remediation    string   `json:"remediation"`
	Simulated      bool     `json:"simulated"`
	Selection      string   `json:"selection"`
	Notes          []string `json:"notes"`
}

type jsonTotals struct {
	Totals
	CoveragePercent   string `json:"coverage_percent"`
	CoverageOnPercent string `json:"coverage_percent_without_regions_off"`
	CompliancePercent string `json:"compliance_percent"`
	Findings          int    `json:"findings"`
}

type jsonRule struct {
	Name          string   `json:"name"`
	Identifier    string   `json:"identifier"`
	Title         string   `json:"title"`
	ResourceTypes []string `json:"resource_types"`
	Controls      []string `json:"controls"`
}

type jsonAccount struct {
	ID     string     `json:"account_id"`
	Name   string     `json:"account_name"`
	OUPath string     `json:"ou_path"`
	State  string     `json:"account_state"`
	Totals jsonTotals `json:"totals"`
}

type jsonCell struct {
	AccountID      string `json:"account_id"`
	Region         string `json:"region"`
	Rule           string `json:"rule"`
	Status         Status `json:"status"`
	Resources      int    `json:"non_compliant_resources"`
	InstanceStatus string `json:"instance_status"`
	InstanceReason string `json:"instance_reason"`
	Remediation    string `json:"remediation"`
	LastEvaluated  string `json:"last_evaluated"`
	Detail         string `json:"detail"`
	SourceRule     string `json:"source_rule"`
}

type jsonFinding struct {
	AccountID         string `json:"account_id"`
	Region            string `json:"region"`
	Rule              string `json:"rule"`
	ResourceType      string `json:"resource_type"`
	ResourceID        string `json:"resource_id"`
	Status            Status `json:"status"`
	Annotation        string `json:"annotation"`
	RemediationStatus string `json:"remediation_status"`
	RemediationDetail string `json:"remediation_detail"`
	LastEvaluated     string `json:"last_evaluated"`
	Exception         string `json:"exception"`
}

func writeJSON(w io.Writer, r *Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(toJSON(r))
}

func toJSON(r *Report) jsonReport {
	s := Summarize(r)
	out := jsonReport{
		Version: 1,
		Run: jsonRun{
			Tool: r.Run.Tool, Run: r.Run.Run, Command: r.Run.Command, Started: stamp(r.Run.Started), Ended: stamp(r.Run.Ended),
			OrganizationID: r.Run.OrganizationID, Management: r.Run.Management, Caller: r.Run.Caller, HomeRegion: r.Run.HomeRegion,
			Regions: never(r.Run.Regions), Templates: never(r.Run.Templates), StackSet: r.Run.StackSet, Remediation: r.Run.Remediation,
			Simulated: r.Run.Simulated, Selection: r.Run.Selection, Notes: never(r.Run.Notes),
		},
		Totals: toTotals(s.Totals), Rules: []jsonRule{}, Accounts: []jsonAccount{}, Cells: []jsonCell{}, Findings: []jsonFinding{},
	}
	out.Totals.Findings = len(r.Findings)
	for _, rule := range r.Rules {
		out.Rules = append(out.Rules, jsonRule{Name: rule.Name, Identifier: rule.Identifier, Title: rule.Title, ResourceTypes: never(rule.ResourceTypes), Controls: controlList(rule.Controls)})
	}
	findings := map[string]int{}
	for _, f := range r.Findings {
		findings[f.Account.ID]++
		out.Findings = append(out.Findings, jsonFinding{
			AccountID: f.Account.ID, Region: f.Region, Rule: f.Rule.Name, ResourceType: f.ResourceType, ResourceID: f.ResourceID, Status: f.Status,
			Annotation: f.Annotation, RemediationStatus: f.RemediationStatus, RemediationDetail: f.RemediationDetail, LastEvaluated: stamp(f.LastEvaluated), Exception: f.Exception,
		})
	}
	for _, a := range s.Accounts {
		t := toTotals(a.Totals)
		t.Findings = findings[a.Account.ID]
		out.Accounts = append(out.Accounts, jsonAccount{ID: a.Account.ID, Name: a.Account.Name, OUPath: a.Account.OUPath(), State: a.Account.State, Totals: t})
	}
	for _, c := range r.Cells {
		out.Cells = append(out.Cells, jsonCell{
			AccountID: c.Account.ID, Region: c.Region, Rule: c.Rule.Name, Status: c.Status, Resources: c.NonCompliantResources, InstanceStatus: c.InstanceStatus,
			InstanceReason: c.InstanceReason, Remediation: c.Remediation, LastEvaluated: stamp(c.LastEvaluated), Detail: c.Detail, SourceRule: c.SourceRule,
		})
	}
	return out
}

func toTotals(t Totals) jsonTotals {
	if t.ByStatus == nil {
		t.ByStatus = map[Status]int{}
	}
	return jsonTotals{Totals: t, CoveragePercent: percent(t.Coverage()), CoverageOnPercent: percent(t.CoverageOn()), CompliancePercent: percent(t.Compliance())}
}

func controlList(controls []templates.Control) []string {
	out := []string{}
	for _, c := range controls {
		out = append(out, c.String())
	}
	return out
}

// never gives an empty list for nil, which JSON would show as null.
func never(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
