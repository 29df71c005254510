package templates

// Work is what a template's resources do and are, as far as it is paid for.
type Work struct {
	Evaluations []Evaluation
	Runbooks    []Runbook
	// Resources counts the resources of each type.
	Resources map[string]int
}

// Evaluation says when AWS Config runs a rule, and on what.
type Evaluation struct {
	Rule     string // its name, or its logical id where that is not known
	OnChange bool
	// Hours is the interval of a rule that runs by the clock, 0 for one that does not.
	Hours int
	// Types are the resource types that it reports on; none means the account. All means
	// that nobody can tell from the template.
	Types []string
	All   bool
}

// Runbook is an Automation document. Scripts are those of its steps that run a script.
type Runbook struct{ Steps, Scripts int }

// WorkWith is the work of the template's resources with these values of its parameters,
// but of those whose logical ids are left out.
func (t Template) WorkWith(values map[string]string, leaveOut func(id string) bool) Work {
	w := Work{Resources: map[string]int{}}
	if t.document == nil {
		return w
	}
	e := newEvaluation(t.document, values)
	for _, id := range t.document.ResourceOrder {
		r := t.document.Resources[id]
		if holds, known := e.condition(r.Condition); r.Condition != "" && known && !holds || leaveOut != nil && leaveOut(id) {
			continue
		}
		w.Resources[r.Type]++
		switch r.Type {
		case "AWS::Config::ConfigRule":
			w.Evaluations = append(w.Evaluations, e.evaluationOf(id, r))
		case "AWS::SSM::Document":
			if b, ok := e.runbook(r); ok {
				w.Runbooks = append(w.Runbooks, b)
			}
		}
	}
	return w
}

// Makes are the logical ids of the resources that the template makes with these values;
// one whose condition depends on what is not given is among them.
func (t Template) Makes(values map[string]string) map[string]bool {
	out := map[string]bool{}
	if t.document == nil {
		return out
	}
	e := newEvaluation(t.document, values)
	for id, r := range t.document.Resources {
		holds, known := e.condition(r.Condition)
		out[id] = r.Condition == "" || !known || holds
	}
	return out
}

// hours are Config's frequencies. A rule without one runs once a day (API reference,
// ConfigRule).
var hours = map[string]int{"One_Hour": 1, "Three_Hours": 3, "Six_Hours": 6, "Twelve_Hours": 12, "TwentyFour_Hours": 24}

func (e *evaluation) evaluationOf(id string, r Resource) Evaluation {
	rule, named := e.rule(r)
	out := Evaluation{Rule: rule.Name, Types: rule.ResourceTypes}
	if !named {
		out.Rule = id
	}
	properties, _ := e.value(r.Properties).(map[string]any)
	frequency, _ := properties["MaximumExecutionFrequency"].(string)
	known, managed := configRules()[rule.Identifier]
	switch {
	case managed:
		out.OnChange = known.onChange
		if known.periodic {
			out.Hours = every(frequency)
		}
		if len(out.Types) == 0 {
			out.Types = known.resourceTypes
		}
	default:
		source, _ := properties["Source"].(map[string]any)
		details, _ := source["SourceDetails"].([]any)
		for _, item := range details {
			detail, _ := item.(map[string]any)
			if detail["MessageType"] != "ScheduledNotification" {
				out.OnChange = true
				continue
			}
			own, _ := detail["MaximumExecutionFrequency"].(string)
			out.Hours = every(own)
		}
		out.OnChange = out.OnChange || len(details) == 0
		out.All = out.OnChange && len(out.Types) == 0
	}
	return out
}

func every(frequency string) int {
	if h, ok := hours[frequency]; ok {
		return h
	}
	return hours["TwentyFour_Hours"]
}

// runbook counts the steps of an Automation document.
func (e *evaluation) runbook(r Resource) (b Runbook, ok bool) {
	properties, _ := e.value(r.Properties).(map[string]any)
	if properties["DocumentType"] != "Automation" {
		return b, false
	}
	content := properties["Content"]
	if text, isText := content.(string); isText {
		node, err := readNode([]byte(text))
		if err != nil {
			return b, false
		}
		if content, err = readValue(node, 0); err != nil {
			return b, false
		}
	}
	document, _ := content.(map[string]any)
	steps, ok := document["mainSteps"].([]any)
	for _, item := range steps {
		step, _ := item.(map[string]any)
		b.Steps++
		if step["action"] == "aws:executeScript" {
			b.Scripts++
		}
	}
	return b, ok
}
