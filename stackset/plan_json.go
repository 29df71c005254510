package stackset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"rollout/internal/cost"
	"rollout/templates"
)

// JSONPlan is the shape of `rollout plan --output json`, and of a plan that is kept.
type JSONPlan struct {
	Changes []JSONChange `json:"changes"`
	// Findings are worst first; Warnings are the texts of the errors and warnings.
	Findings   []JSONFinding `json:"findings"`
	Warnings   []string      `json:"warnings"`
	Sets       []JSONSet     `json:"stack_sets"`
	Operations []JSONStep    `json:"operations"`
	// Joining is what an account gets that joins, OU by OU.
	Joining []JSONJoining `json:"joining"`
	// Orphans are instances outside the selection, which stay.
	Orphans []JSONOrphan `json:"orphans"`
	// Waves are those of sets that enforce automatically, in a few accounts first.
	Waves []JSONWave `json:"waves,omitempty"`
	// Calls counts the calls that change something, by service and call; polls and
	// reads come on top.
	Calls map[string]int `json:"calls"`
	// Seconds is about how long the operations take.
	Seconds int `json:"estimated_seconds"`
	// Cost is what the plan adds to the bill.
	Cost *cost.Estimate `json:"cost,omitempty"`
	Hash string         `json:"hash"`
}

// JSONChange is one change of a plan.
type JSONChange struct {
	StackSet    string            `json:"stack_set"`
	AccountID   string            `json:"account_id"`
	Region      string            `json:"region"`
	Action      Action            `json:"action"`
	Reason      string            `json:"reason"`
	AccountName string            `json:"account_name"`
	OUPath      string            `json:"ou_path"`
	Template    string            `json:"template"`
	Overrides   map[string]string `json:"overrides,omitempty"`
}

// JSONOrphan is one stack instance outside the selection.
type JSONOrphan struct {
	StackSet    string `json:"stack_set"`
	AccountID   string `json:"account_id"`
	Region      string `json:"region"`
	Reason      string `json:"reason"`
	AccountName string `json:"account_name"`
	OUPath      string `json:"ou_path"`
}

// JSONSet is one StackSet of a plan.
type JSONSet struct {
	Name     string `json:"name"`
	Template string `json:"template"`
	Exists   bool   `json:"exists"`
	// SHA256 is of the template that the run brings, DeployedSHA256 of the one that
	// is there, "" where none is.
	SHA256         string `json:"sha256"`
	DeployedSHA256 string `json:"deployed_sha256"`
	Outdated       string `json:"outdated"`
	// AutoDeployment is what StackSets does by itself when accounts come and go.
	AutoDeployment JSONAuto `json:"auto_deployment"`
	// Diff is what an update changes in each stack; of a set that is updated only.
	Diff *JSONDiff `json:"diff,omitempty"`
}

// JSONAuto is a set's automatic deployment as it is and as it will be.
type JSONAuto struct {
	From JSONAutoSetting `json:"from"`
	To   JSONAutoSetting `json:"to"`
	// Held says why a change that was asked for is not made.
	Held string `json:"held,omitempty"`
}

// JSONAutoSetting is one state of automatic deployment; sets of the run are named, others
// by their ARNs.
type JSONAutoSetting struct {
	Enabled   bool     `json:"enabled"`
	Retain    bool     `json:"retain_stacks_on_account_removal"`
	DependsOn []string `json:"depends_on"`
}

// JSONDiff is what an update of a set changes.
type JSONDiff struct {
	Parameters []JSONParameter `json:"parameters"`
	Resources  []JSONResource  `json:"resources"`
	Unread     string          `json:"unread,omitempty"`
}

// JSONParameter is a parameter whose value changes; that of a NoEcho one is not shown.
type JSONParameter struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// JSONResource is a resource that an update adds, removes or modifies.
type JSONResource struct {
	LogicalID   string                `json:"logical_id"`
	Type        string                `json:"type"`
	Action      string                `json:"action"`
	Replacement templates.Replacement `json:"replacement"`
	Properties  []string              `json:"properties"`
	Retained    bool                  `json:"retained"`
	Note        string                `json:"note,omitempty"`
	Regions     []string              `json:"regions"`
}

// JSONJoining is what an account gets of one set that joins an OU.
type JSONJoining struct {
	OU        string   `json:"ou_id"`
	Path      string   `json:"ou_path"`
	StackSet  string   `json:"stack_set"`
	Template  string   `json:"template"`
	Regions   []string `json:"regions"`
	Automatic bool     `json:"automatic"`
	After     []string `json:"after"`
	Fails     string   `json:"fails"`
	NextRun   bool     `json:"next_run"`
	Why       string   `json:"why"`
}

// JSONStep is one call of a plan that changes something.
type JSONStep struct {
	Call      string            `json:"call"`
	StackSet  string            `json:"stack_set"`
	OUs       []string          `json:"organizational_unit_ids"`
	Accounts  []string          `json:"accounts"`
	Filter    string            `json:"account_filter_type,omitempty"`
	Regions   []string          `json:"regions"`
	Overrides map[string]string `json:"overrides,omitempty"`
	Retain    bool              `json:"retain_stacks,omitempty"`
	// Auto is the automatic deployment that a set is made with or gets.
	Auto      string `json:"auto_deployment,omitempty"`
	Instances int    `json:"instances"`
	// Wave is 1 for what is done first and 2 for what waits, in a plan with waves.
	Wave int `json:"wave,omitempty"`
}

// JSONWave is how a set that enforces automatically goes out: to the first accounts, and
// when these and those from before have been watched, to the others.
type JSONWave struct {
	StackSet string   `json:"stack_set"`
	First    []string `json:"first"`
	Before   []string `json:"before"`
	Later    []string `json:"later"`
}

// JSON is the plan in the shape that others rely on.
func (p *Plan) JSON() JSONPlan {
	steps := p.Steps(ApplyOptions{})
	out := JSONPlan{
		Changes: []JSONChange{}, Findings: []JSONFinding{}, Warnings: append([]string{}, p.Warnings()...), Sets: []JSONSet{}, Operations: []JSONStep{}, Joining: []JSONJoining{}, Orphans: []JSONOrphan{}, Calls: map[string]int{},
		Seconds: int(p.Estimate(steps).Seconds()), Cost: p.Cost, Hash: p.Hash,
	}
	for _, c := range p.Changes {
		j := JSONChange{StackSet: c.StackSet, AccountID: c.AccountID, Region: c.Region, Action: c.Action, Reason: c.Reason, Template: c.Template, Overrides: c.Overrides}
		if c.Account != nil {
			j.AccountName, j.OUPath = c.Account.Name, c.Account.OUPath()
		}
		out.Changes = append(out.Changes, j)
	}
	for _, f := range p.Findings {
		out.Findings = append(out.Findings, f.json())
	}
	for _, s := range p.Sets {
		out.Sets = append(out.Sets, JSONSet{s.Name, s.Template.Name, s.Exists, s.Template.SHA256(), s.SHA256, s.Outdated, JSONAuto{s.AutoWas.json(), s.AutoWant.json(), s.AutoHeld}, p.Diff(s).json()})
	}
	for _, o := range p.Orphans {
		out.Orphans = append(out.Orphans, o.json())
	}
	for _, row := range p.Joining {
		out.Joining = append(out.Joining, JSONJoining{row.OU, row.Path, row.StackSet, row.Template, append([]string{}, row.Regions...), row.Automatic, append([]string{}, row.After...), row.Fails, row.NextRun, row.Why})
	}
	for _, w := range p.Waves {
		out.Waves = append(out.Waves, JSONWave{w.StackSet, append([]string{}, w.First...), append([]string{}, w.Before...), append([]string{}, w.Later...)})
	}
	for _, s := range steps {
		out.Operations = append(out.Operations, JSONStep{s.Call, s.StackSet, append([]string{}, s.OUs...), append([]string{}, s.Accounts...), s.Filter(), append([]string{}, s.Regions...), s.Overrides, s.Retain, s.Auto, s.Instances, s.Wave})
		out.Calls["cloudformation:"+s.Call]++
	}
	return out
}

func (w AutoWish) json() JSONAutoSetting {
	return JSONAutoSetting{w.Enabled, w.Retain, append(append([]string{}, w.After...), w.Others...)}
}

func (d SetDiff) json() *JSONDiff {
	if len(d.Parameters)+len(d.Resources) == 0 && d.Unread == "" {
		return nil
	}
	out := &JSONDiff{Parameters: []JSONParameter{}, Resources: []JSONResource{}, Unread: d.Unread}
	for _, p := range d.Parameters {
		out.Parameters = append(out.Parameters, JSONParameter(p))
	}
	for _, r := range d.Resources {
		out.Resources = append(out.Resources, JSONResource{r.LogicalID, r.Type, r.Action, r.Replacement, append([]string{}, r.Properties...), r.Retained, r.Note, r.Regions})
	}
	return out
}

// hash identifies all that a plan would do: the sets with their ids, templates,
// parameters and tags, every change, and the operations with their targets.
func (p *Plan) hash(steps []Step) string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	say := func(v ...any) { encoder.Encode(v) } //nolint:errcheck // a hash takes everything
	for _, s := range p.Sets {
		say(s.Name, s.Exists, s.ID, s.SHA256, s.Template.SHA256(), s.Parameters, s.Want, s.AutoWas, s.AutoWant)
	}
	for _, c := range p.Changes {
		say(c.StackSet, c.AccountID, path(c.Account), c.Region, c.Action, c.Overrides)
	}
	for _, s := range steps {
		say(s)
	}
	say(p.Desired.Preferences)
	for _, k := range slices.Sorted(maps.Keys(p.Desired.Tags)) {
		say(k, p.Desired.Tags[k])
	}
	return hex.EncodeToString(h.Sum(nil))
}
