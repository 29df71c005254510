package simaws

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"rollout/templates"
)

// knownAfterApply stands for a value that only the change itself will tell, as
// DescribeChangeSet writes it.
const knownAfterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

// resourceChange is one entry of a change set.
type resourceChange struct {
	Action, ID, Physical, Type, Replacement, Policy string
	Scope                                           []string
	Details                                         []changeDetail
	Before, After                                   map[string]any
	shownBefore, shownAfter                         map[string]any // with **** for NoEcho parameters
}

type changeDetail struct {
	Attribute, Name, Recreation, Evaluation, Source, Cause string
	Before, After                                          any
	Kind                                                   string // Add, Remove, Modify
}

// taggedTypes take the stack's tags, so that a change of tags changes them.
var taggedTypes = []string{"AWS::IAM::Role", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SSM::Document", "AWS::Config::ConfigRule", "AWS::Config::ConfigurationAggregator",
	"AWS::KMS::Key", "AWS::Events::Rule", "AWS::Logs::LogGroup", "AWS::CloudWatch::Alarm", "AWS::AccessAnalyzer::Analyzer", "AWS::SSM::Parameter"}

// preview is what a definition would do to a stack; other says that it changes
// something that is no resource, wrong why it cannot be done.
type preview struct {
	list     []resourceChange
	other    bool
	wrong    string
	resolved map[string]string
}

func (v preview) nothing() bool { return len(v.list) == 0 && !v.other && v.wrong == "" }

// preview says what a definition would do to a stack.
func (s *Sim) preview(a *account, r *regionState, st *stack, d definition) (out preview, err error) {
	next := &stack{Name: st.Name, ID: st.ID, doc: d.doc, Parameters: d.parameters, Outputs: map[string]string{}}
	p, err := s.plan(a, r.name, next)
	if err != nil {
		return out, err
	}
	out.resolved = next.resolved
	if err := s.parametersExist(a, r, d.doc, p.e.params); err != nil {
		out.wrong = reasonOf(err)
	}
	fresh := map[string]bool{} // new or replaced: its values are not known yet
	p.e.resource = func(id, attribute string) (any, error) {
		res := st.Resources[id]
		if res == nil || fresh[id] {
			return knownAfterApply, nil
		}
		if attribute == "" {
			return res.PhysicalID, nil
		}
		if v, ok := res.Attributes[attribute]; ok {
			return v, nil
		}
		return knownAfterApply, nil
	}
	tagged := !maps.Equal(st.Tags, d.tags)
	modified := map[string]bool{}
	for _, id := range p.order {
		template := d.doc.Resources[id]
		after, err := p.e.object(template.Properties)
		if err != nil {
			return out, err
		}
		shown := p.masked(template.Properties)
		if shown == nil {
			shown = after
		}
		before := st.Resources[id]
		if before == nil || before.PhysicalID == "" || before.Status == "DELETE_COMPLETE" {
			fresh[id] = true
			out.list = append(out.list, resourceChange{Action: "Add", ID: id, Type: template.Type, After: after, shownAfter: shown})
			continue
		}
		c := resourceChange{Action: "Modify", ID: id, Physical: before.PhysicalID, Type: template.Type, Before: before.Properties, After: after, shownBefore: before.shown(), shownAfter: shown, Replacement: "False"}
		h := resourceTypes[template.Type]
		if before.Type != template.Type {
			c.Replacement, fresh[id] = "True", true
		}
		c.compare(h, st, d, fresh)
		if tagged && slices.Contains(taggedTypes, template.Type) {
			c.Details = append(c.Details, changeDetail{Attribute: "Tags", Recreation: "Never", Evaluation: "Static", Source: "DirectModification", Kind: "Modify"})
		}
		if old, ok := st.doc.Resources[id]; ok {
			if old.DeletionPolicy != template.DeletionPolicy {
				c.attribute("DeletionPolicy", old.DeletionPolicy, template.DeletionPolicy)
			}
			if old.UpdateReplacePolicy != template.UpdateReplacePolicy {
				c.attribute("UpdateReplacePolicy", old.UpdateReplacePolicy, template.UpdateReplacePolicy)
			}
			if !reflect.DeepEqual(old.Metadata, template.Metadata) {
				c.attribute("Metadata", old.Metadata, template.Metadata)
			}
		}
		for _, x := range c.Details {
			if !slices.Contains(c.Scope, x.Attribute) {
				c.Scope = append(c.Scope, x.Attribute)
			}
			switch {
			case x.Recreation == "Always" && x.Evaluation == "Static":
				c.Replacement = "True"
			case x.Recreation != "" && x.Recreation != "Never" && c.Replacement == "False":
				c.Replacement = "Conditional"
			}
		}
		if c.Replacement != "False" {
			fresh[id] = true
			c.Policy = "ReplaceAndDelete"
			if strings.HasPrefix(template.UpdateReplacePolicy, "Retain") {
				c.Policy = "ReplaceAndRetain"
			}
		}
		if len(c.Details) > 0 || c.Replacement == "True" {
			modified[id] = true
			out.list = append(out.list, c)
		}
	}
	for _, id := range st.Order {
		res := st.Resources[id]
		if res == nil || res.PhysicalID == "" || res.Status == "DELETE_COMPLETE" || slices.Contains(p.order, id) {
			continue
		}
		policy := "Delete"
		if strings.HasPrefix(res.DeletionPolicy, "Retain") {
			policy = "Retain"
		}
		out.list = append(out.list, resourceChange{Action: "Remove", ID: id, Physical: res.PhysicalID, Type: res.Type, Policy: policy, Before: res.Properties, shownBefore: res.shown()})
	}
	for _, name := range sortedKeys(d.doc.Outputs) {
		p.output(next, name)
	}
	out.other = tagged || !maps.Equal(st.Outputs, next.Outputs) || st.doc != nil && !reflect.DeepEqual(st.doc.Outputs, d.doc.Outputs)
	if n := st.single; n != nil && st.doc != nil {
		out.other = out.other || d.role != "" && d.role != n.RoleARN || strings.HasSuffix(st.Status, "_FAILED")
	}
	slices.SortStableFunc(out.list, func(a, b resourceChange) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (c *resourceChange) attribute(name string, before, after any) {
	c.Details = append(c.Details, changeDetail{Attribute: name, Recreation: "Never", Evaluation: "Static", Source: "DirectModification", Before: before, After: after, Kind: kindOf(before, after)})
}

func kindOf(before, after any) string {
	switch {
	case before == nil || before == "":
		return "Add"
	case after == nil || after == "":
		return "Remove"
	}
	return "Modify"
}

// compare finds the properties that differ, and why.
func (c *resourceChange) compare(h resourceHandler, st *stack, d definition, fresh map[string]bool) {
	names := map[string]bool{}
	for n := range c.Before {
		names[n] = true
	}
	for n := range c.After {
		names[n] = true
	}
	for _, n := range sortedKeys(names) {
		before, after := c.Before[n], c.After[n]
		if reflect.DeepEqual(before, after) {
			continue
		}
		x := changeDetail{Attribute: "Properties", Name: n, Recreation: "Never", Evaluation: "Static", Source: "DirectModification", Before: c.shownBefore[n], After: c.shownAfter[n], Kind: kindOf(before, after)}
		switch {
		case h.update == nil || slices.Contains(h.createOnly, n):
			x.Recreation = "Always"
		case h.replaces != nil && h.replaces(c.Before, c.After):
			x.Recreation = "Conditionally"
		}
		written := d.doc.Resources[c.ID].Properties[n]
		var old any
		if st.doc != nil {
			old = st.doc.Resources[c.ID].Properties[n]
		}
		causes := 0
		for _, ref := range referredNames(written) {
			y := x
			y.Cause = ref
			if _, ok := d.doc.Parameters[ref]; ok {
				if parameterNow(st.doc, st.Parameters, ref) == parameterNow(d.doc, d.parameters, ref) {
					continue
				}
				y.Source = "ParameterReference"
			} else if fresh[ref] {
				y.Source, y.Evaluation = "ResourceReference", "Dynamic"
			} else {
				continue
			}
			causes++
			c.Details = append(c.Details, y)
		}
		switch {
		case causes == 0:
		case reflect.DeepEqual(old, written) && !slices.ContainsFunc(c.Details, func(y changeDetail) bool { return y.Name == n && y.Source == "ParameterReference" }):
			continue // the reference alone
		default:
			// A value that a parameter changes is also a change of the template
			// that is only known as it runs (user guide, "Example change sets").
			x.Evaluation = "Dynamic"
		}
		c.Details = append(c.Details, x)
	}
}

func parameterNow(doc *templates.Document, values map[string]string, name string) string {
	if v, ok := values[name]; ok || doc == nil {
		return v
	}
	return doc.Parameters[name].Default
}
