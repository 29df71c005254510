package simaws

import (
	"slices"
)

// linkedServices are the services with a service-linked recorder, by principal,
// with the recorder's name and what it records. AWS's list is longer.
var linkedServices = map[string]struct {
	name  string
	types []string
}{
	"observabilityadmin.amazonaws.com": {"AWSConfigurationRecorderForObservabilityAdmin", []string{"AWS::EC2::Instance", "AWS::EC2::VPC", "AWS::Lambda::Function"}},
}

// whichRecorders is how the Describe calls name a recorder: by name, ARN or
// service principal, one at most.
type whichRecorders struct {
	ConfigurationRecorderNames []string
	ServicePrincipal, Arn      string
}

// pick chooses the recorder that was asked for; without one it is the
// customer-managed recorder ("if a configuration recorder is not specified, this
// operation returns details for the customer managed configuration recorder").
func (in whichRecorders) pick(s *Sim, r *regionState) ([]*configRecorder, error) {
	asked := len(in.ConfigurationRecorderNames)
	for _, text := range []string{in.ServicePrincipal, in.Arn} {
		if text != "" {
			asked++
		}
	}
	if asked > 1 {
		return nil, fail(400, "ValidationException", "You have specified more than one configuration recorder. Specify one configuration recorder and try again.")
	}
	var out []*configRecorder
	for _, rec := range r.recorders() {
		if asked == 0 && rec.ServicePrincipal == "" || slices.Contains(in.ConfigurationRecorderNames, rec.Name) ||
			in.ServicePrincipal != "" && rec.ServicePrincipal == in.ServicePrincipal || in.Arn != "" && s.recorderARN(r, rec) == in.Arn {
			out = append(out, rec)
		}
	}
	if len(out) == 0 && asked > 0 {
		name := in.ServicePrincipal + in.Arn
		if len(in.ConfigurationRecorderNames) > 0 {
			name = in.ConfigurationRecorderNames[0]
		}
		return nil, noSuchRecorder(name)
	}
	return out, nil
}

// scope is a recorder's recordingScope: internal items are not delivered.
func (r *configRecorder) scope() string {
	if r.ServicePrincipal != "" {
		return "INTERNAL"
	}
	return "PAID"
}

// listRecorders serves ListConfigurationRecorders, service-linked ones among them.
func listRecorders(s *Sim, c *call) (any, error) {
	var in struct {
		Filters []struct {
			FilterName  string
			FilterValue []string
		}
		MaxResults *int
		NextToken  string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit := 20
	if in.MaxResults != nil && *in.MaxResults != 0 {
		limit = *in.MaxResults
	}
	if limit < 0 || limit > 20 {
		return nil, fail(400, "ValidationException", "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 20")
	}
	list := []any{}
	for _, rec := range r.recorders() {
		kept := true
		for _, f := range in.Filters {
			kept = kept && anyLike(f.FilterValue, rec.scope(), false)
		}
		if !kept {
			continue
		}
		m := map[string]any{"arn": s.recorderARN(r, rec), "name": rec.Name, "recordingScope": rec.scope()}
		setText(m, "servicePrincipal", rec.ServicePrincipal)
		list = append(list, m)
	}
	return configPage("ConfigurationRecorderSummaries", list, limit, in.NextToken)
}

func putLinkedRecorder(s *Sim, c *call) (any, error) {
	var in struct {
		ServicePrincipal string
		Tags             []configTag
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	a, r := s.place(c)
	linked, known := linkedServices[in.ServicePrincipal]
	if !known {
		return nil, fail(400, "ValidationException", "The service principal "+in.ServicePrincipal+" is not valid for a service-linked configuration recorder.")
	}
	for _, rec := range r.recorders() {
		if rec.ServicePrincipal == in.ServicePrincipal {
			return nil, fail(400, "ConflictException", "A service-linked configuration recorder already exists for the service principal "+in.ServicePrincipal+".")
		}
	}
	if a.roles["AWSServiceRoleForConfig"] == nil {
		if _, err := s.addServiceLinkedRole(a, configPrincipal, ""); err != nil {
			return nil, err
		}
	}
	now := s.clock.Now()
	rec := &configRecorder{
		Name: linked.name, RoleARN: a.roles["AWSServiceRoleForConfig"].ARN, ServicePrincipal: in.ServicePrincipal, ResourceTypes: linked.types,
		Frequency: "CONTINUOUS", Recording: true, LastStatus: "Success", LastStart: now, LastStatusChanged: now,
	}
	r.config.serviceRecorders = append(r.config.serviceRecorders, rec)
	r.config.tag(s.recorderARN(r, rec), in.Tags)
	return map[string]any{"Arn": s.recorderARN(r, rec), "Name": rec.Name}, nil
}

func deleteLinkedRecorder(s *Sim, c *call) (any, error) {
	var in whichRecorders
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if (in.ServicePrincipal == "") == (in.Arn == "") {
		return nil, fail(400, "ValidationException", "Specify either Arn or ServicePrincipal, not both.")
	}
	picked, err := in.pick(s, r)
	if err != nil {
		return nil, err
	}
	rec := picked[0]
	if rec.ServicePrincipal == "" {
		return nil, noSuchRecorder(rec.Name)
	}
	arn := s.recorderARN(r, rec)
	r.config.serviceRecorders = slices.DeleteFunc(r.config.serviceRecorders, func(x *configRecorder) bool { return x == rec })
	if r.recorder == rec {
		s.recorderChanges(r)
		r.recorder = nil
	}
	delete(r.config.tags, arn)
	return map[string]any{"Arn": arn, "Name": rec.Name}, nil
}

func associateTypes(s *Sim, c *call) (any, error)    { return changeTypes(s, c, true) }
func disassociateTypes(s *Sim, c *call) (any, error) { return changeTypes(s, c, false) }

// changeTypes adds resource types to what a recorder records or takes them away:
// in the list of types, or, the other way round, in that of exclusions.
func changeTypes(s *Sim, c *call, add bool) (any, error) {
	var in struct {
		ConfigurationRecorderArn string
		ResourceTypes            []string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := whichRecorders{Arn: in.ConfigurationRecorderArn}.pick(s, r)
	if err != nil {
		return nil, err
	}
	rec := picked[0]
	if rec.ServicePrincipal != "" {
		return nil, fail(400, "ConflictException", "The requested change to the configuration recorder has been denied by its linked service.")
	}
	if rec.AllSupported {
		return nil, fail(400, "ValidationException", "The configuration recorder has a recording strategy that does not allow the association or disassociation of resource types.")
	}
	for _, t := range in.ResourceTypes {
		if rec.records(t) == add {
			return nil, fail(400, "ValidationException", "One or more of the specified resource types are already associated or disassociated with the configuration recorder: "+t+".")
		}
	}
	list, grows := &rec.ResourceTypes, add
	if len(rec.Exclusions) > 0 {
		list, grows = &rec.Exclusions, !add
	}
	if grows {
		*list = append(slices.Clone(*list), in.ResourceTypes...)
	} else {
		left := slices.DeleteFunc(slices.Clone(*list), func(t string) bool { return slices.Contains(in.ResourceTypes, t) })
		if len(left) == 0 {
			return nil, fail(400, "ValidationException", "The recording group provided is not valid: no resource type would be left in it.")
		}
		*list = left
	}
	if rec.Recording && rec.LastStatus != "Pending" {
		s.clock.after(firstRecording, func() {
			if r.recorder == rec && rec.Recording {
				s.recordAll(r)
			}
		})
	}
	return map[string]any{"ConfigurationRecorder": s.recorderShape(r, rec)}, nil
}
