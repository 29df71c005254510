package stackset

// JSONFinding is one finding of a plan. Of what it is about, stack_set, account_id and
// region are "" where it is several or the whole run.
type JSONFinding struct {
	Severity  Severity    `json:"severity"`
	Code      string      `json:"code"`
	StackSet  string      `json:"stack_set"`
	AccountID string      `json:"account_id"`
	Region    string      `json:"region"`
	Text      string      `json:"text"`
	Remedy    string      `json:"remedy"`
	StackSets []string    `json:"stack_sets"`
	Places    []JSONPlace `json:"places"`
}

// JSONPlace is an account and the Regions in which a finding holds there: none where it
// is about the account, and no account where it is about Regions.
type JSONPlace struct {
	AccountID string   `json:"account_id"`
	Regions   []string `json:"regions"`
}

func (f Finding) json() JSONFinding {
	out := JSONFinding{f.Severity, f.Code, f.StackSet, f.AccountID, f.Region, f.Text, f.Remedy, append([]string{}, f.StackSets...), []JSONPlace{}}
	for _, p := range f.Places { // sorted by account
		if n := len(out.Places); n == 0 || out.Places[n-1].AccountID != p.AccountID {
			out.Places = append(out.Places, JSONPlace{p.AccountID, []string{}})
		}
		if p.Region != "" {
			last := &out.Places[len(out.Places)-1]
			last.Regions = append(last.Regions, p.Region)
		}
	}
	return out
}
