package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// recorderInput is a ConfigurationRecorder as PutConfigurationRecorder and
// CloudFormation (with capital letters) send it.
type recorderInput struct {
	Name, RoleARN, ServicePrincipal string
	RecordingGroup                  *struct {
		AllSupported               *bool
		IncludeGlobalResourceTypes bool
		ResourceTypes              []string
		ExclusionByResourceTypes   *struct{ ResourceTypes []string }
		RecordingStrategy          *struct{ UseOnly string }
	}
	RecordingMode *struct {
		RecordingFrequency     string
		RecordingModeOverrides []recordingOverride
	}
}

// recordingOverride gives some resource types another frequency.
type recordingOverride struct {
	Description        string   `json:"description,omitempty"`
	ResourceTypes      []string `json:"resourceTypes"`
	RecordingFrequency string   `json:"recordingFrequency"`
}

// frequencyOf says how often a type is recorded.
func (r *configRecorder) frequencyOf(resourceType string) string {
	for _, o := range r.Overrides {
		if slices.Contains(o.ResourceTypes, resourceType) {
			return o.RecordingFrequency
		}
	}
	return r.Frequency
}

// recorders gives the customer-managed recorder and the service-linked ones.
func (r *regionState) recorders() []*configRecorder {
	var out []*configRecorder
	if r.recorder != nil {
		out = append(out, r.recorder)
	}
	return append(out, r.config.serviceRecorders...)
}

func noSuchRecorder(name string) error {
	return fail(400, "NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified name '"+name+"'.")
}

func (s *Sim) recorderARN(r *regionState, rec *configRecorder) string {
	return "arn:" + s.world.partition + ":config:" + r.name + ":" + r.account + ":configuration-recorder/" + rec.Name + "/" + stableID(r.account, r.name, rec.Name)
}

// stableID is an id of 16 lower-case letters and digits that the same parts
// always give.
func stableID(parts ...string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, 16)
	for i := range id {
		d := spread(0, time.Duration(len(alphabet))*time.Hour, append(parts, string(rune('a'+i)))...)
		id[i] = alphabet[int(d/time.Hour)%len(alphabet)]
	}
	return string(id)
}

func describeRecorders(s *Sim, c *call) (any, error) {
	var in whichRecorders
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := in.pick(s, r)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, rec := range picked {
		list = append(list, s.recorderShape(r, rec))
	}
	return map[string]any{"ConfigurationRecorders": list}, nil
}

func (s *Sim) recorderShape(r *regionState, rec *configRecorder) map[string]any {
	group := map[string]any{
		"allSupported": rec.AllSupported, "includeGlobalResourceTypes": rec.IncludeGlobal,
		"resourceTypes": orEmpty(rec.ResourceTypes), "exclusionByResourceTypes": map[string]any{"resourceTypes": orEmpty(rec.Exclusions)},
		"recordingStrategy": map[string]any{"useOnly": rec.strategy()},
	}
	m := map[string]any{
		"arn": s.recorderARN(r, rec), "name": rec.Name, "roleARN": rec.RoleARN, "recordingGroup": group, "recordingScope": rec.scope(),
		"recordingMode": map[string]any{"recordingFrequency": orElse(rec.Frequency, "CONTINUOUS"), "recordingModeOverrides": notNil(rec.Overrides)},
	}
	setText(m, "servicePrincipal", rec.ServicePrincipal)
	return m
}

func (r *configRecorder) strategy() string {
	switch {
	case r.AllSupported:
		return "ALL_SUPPORTED_RESOURCE_TYPES"
	case len(r.Exclusions) > 0:
		return "EXCLUSION_BY_RESOURCE_TYPES"
	}
	return "INCLUSION_BY_RESOURCE_TYPES"
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func orElse(text, standard string) string {
	if text == "" {
		return standard
	}
	return text
}

func describeRecorderStatus(s *Sim, c *call) (any, error) {
	var in whichRecorders
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := in.pick(s, r)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, rec := range picked {
		m := map[string]any{"arn": s.recorderARN(r, rec), "name": rec.Name, "recording": rec.Recording, "lastStatus": orElse(rec.LastStatus, "Pending")}
		setTime(m, "lastStartTime", rec.LastStart)
		setTime(m, "lastStopTime", rec.LastStop)
		setTime(m, "lastStatusChangeTime", rec.LastStatusChanged)
		setText(m, "lastErrorCode", rec.LastErrorCode)
		setText(m, "lastErrorMessage", rec.LastErrorMessage)
		setText(m, "servicePrincipal", rec.ServicePrincipal)
		list = append(list, m)
	}
	return map[string]any{"ConfigurationRecordersStatus": list}, nil
}

func putRecorderCall(s *Sim, c *call) (any, error) {
	var in struct {
		ConfigurationRecorder *recorderInput
		Tags                  []configTag
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if in.ConfigurationRecorder == nil {
		return nil, missing("configurationRecorder")
	}
	_, r := s.place(c)
	if in.ConfigurationRecorder.ServicePrincipal != "" {
		return nil, fail(400, "UnmodifiableEntityException", "The requested operation is not valid. You cannot use the PutConfigurationRecorder operation to create or update a service-linked configuration recorder.")
	}
	in.ConfigurationRecorder.Name = orElse(in.ConfigurationRecorder.Name, "default")
	created := r.recorder == nil || r.recorder.ServicePrincipal != ""
	if err := s.putRecorder(r, *in.ConfigurationRecorder); err != nil {
		return nil, err
	}
	if created { // "tags are added at creation and cannot be updated with this operation"
		r.config.tag(s.recorderARN(r, r.recorder), in.Tags)
	}
	return map[string]any{}, nil
}

// putRecorder creates the recorder or, under the same name, changes it. A new
// one does not record until it is started.
func (s *Sim) putRecorder(r *regionState, in recorderInput) error {
	if r.recorder != nil && r.recorder.ServicePrincipal != "" {
		r.config.serviceRecorders = append(r.config.serviceRecorders, r.recorder)
		r.recorder = nil
	}
	if in.RoleARN == "" || !strings.Contains(in.RoleARN, ":role/") {
		return fail(400, "InvalidRoleException", "You have provided a null or empty Amazon Resource Name (ARN) for the IAM role assumed by Config and used by the customer managed configuration recorder.")
	}
	if strings.HasPrefix(in.Name, "AWSConfigurationRecorder") {
		return fail(400, "InvalidConfigurationRecorderNameException", fmt.Sprintf("The configuration recorder name '%s' is not valid.", in.Name))
	}
	if r.recorder != nil && r.recorder.Name != in.Name {
		return fail(400, "MaxNumberOfConfigurationRecordersExceededException",
			fmt.Sprintf("Failed to put configuration recorder '%s' because the maximum number of configuration recorders: 1 is reached.", in.Name))
	}
	rec := configRecorder{Name: in.Name, AllSupported: true, Frequency: "CONTINUOUS", LastStatus: "Pending", made: s.clock.Now()}
	if r.recorder != nil {
		rec = *r.recorder
		rec.AllSupported, rec.IncludeGlobal, rec.ResourceTypes, rec.Exclusions, rec.Frequency = true, false, nil, nil, "CONTINUOUS"
		rec.Overrides = nil
	}
	rec.RoleARN = in.RoleARN
	if g := in.RecordingGroup; g != nil {
		rec.AllSupported = g.AllSupported != nil && *g.AllSupported
		rec.IncludeGlobal, rec.ResourceTypes = g.IncludeGlobalResourceTypes, g.ResourceTypes
		if g.ExclusionByResourceTypes != nil {
			rec.Exclusions = g.ExclusionByResourceTypes.ResourceTypes
		}
		strategy := ""
		if g.RecordingStrategy != nil {
			strategy = g.RecordingStrategy.UseOnly
		}
		switch {
		case rec.AllSupported && (len(rec.ResourceTypes) > 0 || len(rec.Exclusions) > 0),
			!rec.AllSupported && len(rec.ResourceTypes) == 0 && len(rec.Exclusions) == 0 && strategy != "ALL_SUPPORTED_RESOURCE_TYPES",
			// "Before you set this field to true, set the allSupported field to true"; with
			// exclusions it "has no impact" (API reference, includeGlobalResourceTypes).
			rec.IncludeGlobal && len(rec.ResourceTypes) > 0,
			strategy == "INCLUSION_BY_RESOURCE_TYPES" && len(rec.ResourceTypes) == 0,
			strategy == "EXCLUSION_BY_RESOURCE_TYPES" && len(rec.Exclusions) == 0:
			return fail(400, "InvalidRecordingGroupException", "The recording group provided is not valid")
		}
		if strategy == "ALL_SUPPORTED_RESOURCE_TYPES" {
			rec.AllSupported = true
		}
	}
	if m := in.RecordingMode; m != nil {
		switch m.RecordingFrequency {
		case "CONTINUOUS", "DAILY":
			rec.Frequency, rec.Overrides = m.RecordingFrequency, m.RecordingModeOverrides
		default:
			return fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at 'configurationRecorder.recordingMode.recordingFrequency' "+
				"failed to satisfy constraint: Member must satisfy enum value set: [DAILY, CONTINUOUS]", m.RecordingFrequency))
		}
	}
	s.recorderChanges(r)
	rec.changed = s.clock.Now()
	if r.recorder == nil {
		r.recorder = &rec
		return nil
	}
	*r.recorder = rec
	if rec.Recording && rec.LastStatus != "Pending" {
		s.clock.after(firstRecording, func() { // what it records now and did not before
			if r.recorder != nil && r.recorder.Recording {
				s.recordAll(r)
			}
		})
	}
	return nil
}

type recorderName struct{ ConfigurationRecorderName string }

// namedRecorder finds the customer-managed recorder of a call.
func namedRecorder(s *Sim, c *call) (*regionState, error) {
	var in recorderName
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	for _, rec := range r.recorders() {
		if rec.Name == in.ConfigurationRecorderName {
			if rec.ServicePrincipal != "" {
				return nil, fail(400, "UnmodifiableEntityException", "The requested operation is not valid. You cannot modify a service-linked configuration recorder.")
			}
			return r, nil
		}
	}
	return nil, noSuchRecorder(in.ConfigurationRecorderName)
}

func deleteRecorderCall(s *Sim, c *call) (any, error) {
	r, err := namedRecorder(s, c)
	if err != nil {
		return nil, err
	}
	delete(r.config.tags, s.recorderARN(r, r.recorder))
	s.recorderChanges(r)
	r.recorder = nil
	return map[string]any{}, nil
}

func startRecorderCall(s *Sim, c *call) (any, error) {
	r, err := namedRecorder(s, c)
	if err != nil {
		return nil, err
	}
	if r.channel == nil {
		return nil, fail(400, "NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder.")
	}
	s.startRecorder(r)
	return map[string]any{}, nil
}

func stopRecorderCall(s *Sim, c *call) (any, error) {
	r, err := namedRecorder(s, c)
	if err != nil {
		return nil, err
	}
	s.stopRecorder(r)
	return map[string]any{}, nil
}
