package simaws

import (
	"net/http"
	"regexp"
	"slices"
	"sort"
	"time"

	"rollout/templates"
)

// stackSet is a service-managed StackSet. It lives in the management account, in
// the Region in which it was made, also when a delegated administrator made it.
type stackSet struct {
	Name, ID, Region string
	Status           string // ACTIVE, DELETED
	Description      string
	Body             string
	doc              *templates.Document
	Parameters       map[string]string
	Tags             map[string]string
	Capabilities     []string
	Token            string
	AutoDeploy       bool
	RetainOnRemoval  bool
	Managed          bool // ManagedExecution.Active
	OUs, Regions     []string

	instances map[target]*stackInstance
	ops       []*operation // oldest first
}

type target struct{ account, region string }

type stackInstance struct {
	target
	OU, StackID, StackName string
	Status, Detailed       string
	Reason                 string
	LastOperation          string
	Overrides              map[string]string
}

func (set *stackSet) arn(s *Sim) string {
	return "arn:" + s.world.partition + ":cloudformation:" + set.Region + ":" + s.world.management + ":stackset/" + set.ID
}

// sorted gives the instances by account, then Region.
func (set *stackSet) sorted() []*stackInstance {
	out := make([]*stackInstance, 0, len(set.instances))
	for _, i := range set.instances {
		out = append(out, i)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].account != out[j].account {
			return out[i].account < out[j].account
		}
		return out[i].region < out[j].region
	})
	return out
}

func validation(message string) *apiError {
	return fail(http.StatusBadRequest, "ValidationError", message)
}

const stackSetsPrincipal = "member.org.stacksets.cloudformation.amazonaws.com"

// administrator checks CallAs: the management account calls as itself, a
// delegated administrator has to say so on every call.
func (s *Sim) administrator(c *call) error {
	as := c.Form.str("CallAs")
	switch {
	case as == "" || as == "SELF":
	case as != "DELEGATED_ADMIN":
		return validation("1 validation error detected: Value '" + as + "' at 'callAs' failed to satisfy constraint: Member must satisfy enum value set: [SELF, DELEGATED_ADMIN]")
	case !slices.Contains(s.world.delegated[c.Caller.Account], stackSetsPrincipal):
		return validation("Account used is not a delegated administrator")
	}
	return nil
}

// owns says whether a call reaches the sets of the management account.
func (s *Sim) owns(c *call) bool {
	if c.Form.str("CallAs") == "DELEGATED_ADMIN" {
		return slices.Contains(s.world.delegated[c.Caller.Account], stackSetsPrincipal)
	}
	return c.Caller.Account == s.world.management
}

// set finds an active set by name or id in the Region of the call.
func (s *Sim) set(c *call) (*stackSet, error) {
	if err := s.administrator(c); err != nil {
		return nil, err
	}
	name := c.Form.str("StackSetName")
	if s.owns(c) {
		for _, set := range s.world.stackSets {
			if set.Status == "ACTIVE" && set.Region == c.Region && (set.Name == name || set.ID == name || set.arn(s) == name) {
				return set, nil
			}
		}
	}
	return nil, fail(http.StatusNotFound, "StackSetNotFoundException", "StackSet "+name+" not found")
}

var (
	setName     = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)
	operationID = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$`)
)

// pairs reads Parameters or Tags.
func pairs(list []query, key, value string) map[string]string {
	out := map[string]string{}
	for _, q := range list {
		out[q.str(key)] = q.str(value)
	}
	return out
}

// body reads and checks the template of a call.
func (s *Sim) body(c *call) (string, *templates.Document, error) {
	text := c.Form.str("TemplateBody")
	if text == "" {
		return "", nil, validation("Either Template URL or Template Body must be specified.")
	}
	if len(text) > 51200 {
		return "", nil, validation("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200")
	}
	doc, err := templates.Parse([]byte(text))
	if err != nil {
		return "", nil, validation("Template format error: " + err.Error())
	}
	if len(doc.Resources) == 0 {
		return "", nil, validation("Template format error: At least one Resources member must be defined.")
	}
	if doc.Transform != nil {
		return "", nil, validation("Transforms are not supported for service-managed stack sets")
	}
	return text, doc, nil
}

// iamTypes need a capability (CloudFormation API reference, CreateStackSet).
var iamTypes = []string{"AWS::IAM::AccessKey", "AWS::IAM::Group", "AWS::IAM::InstanceProfile", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::UserToGroupAddition"}

func checkCapabilities(doc *templates.Document, given []string) error {
	need := ""
	for _, id := range doc.ResourceOrder {
		r := doc.Resources[id]
		if !slices.Contains(iamTypes, r.Type) {
			continue
		}
		if need == "" {
			need = "CAPABILITY_IAM"
		}
		for _, name := range []string{"RoleName", "UserName", "GroupName", "InstanceProfileName", "ManagedPolicyName"} {
			if r.Properties[name] != nil {
				need = "CAPABILITY_NAMED_IAM"
			}
		}
	}
	if need == "" || slices.Contains(given, need) || slices.Contains(given, "CAPABILITY_NAMED_IAM") {
		return nil
	}
	return fail(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : ["+need+"]")
}

func createStackSet(s *Sim, c *call) (any, error) {
	if err := s.administrator(c); err != nil {
		return nil, err
	}
	f := c.Form
	name := f.str("StackSetName")
	if !setName.MatchString(name) {
		return nil, validation("1 validation error detected: Value '" + name + "' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*")
	}
	if f.str("PermissionModel") != "SERVICE_MANAGED" {
		return nil, validation("the simulated CloudFormation serves SERVICE_MANAGED stack sets only")
	}
	if !s.owns(c) {
		return nil, validation("You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set")
	}
	if s.world.stackSetsAccess != "ENABLED" {
		return nil, validation("You must enable organizations access to operate a service managed stack set")
	}
	text, doc, err := s.body(c)
	if err != nil {
		return nil, err
	}
	if !f.sub("AutoDeployment").any() {
		return nil, validation("AutoDeployment must be set for SERVICE_MANAGED stack sets")
	}
	parameters := pairs(f.structs("Parameters"), "ParameterKey", "ParameterValue")
	if _, err := parameterValues(doc, parameters); err != nil {
		return nil, err
	}
	capabilities := f.list("Capabilities")
	if err := checkCapabilities(doc, capabilities); err != nil {
		return nil, err
	}
	tags := pairs(f.structs("Tags"), "Key", "Value")
	if len(tags) > 50 {
		return nil, validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	token := f.str("ClientRequestToken")
	for _, old := range s.world.stackSets {
		if old.Status == "ACTIVE" && old.Region == c.Region && old.Name == name {
			if token != "" && token == old.Token {
				if old.Body != text {
					return nil, fail(http.StatusConflict, "CreatedButModifiedException", "StackSet "+name+" exists, but has been changed")
				}
				return struct{ StackSetId string }{old.ID}, nil
			}
			return nil, fail(http.StatusConflict, "NameAlreadyExistsException", "StackSet with name "+name+" already exists")
		}
	}
	auto := f.sub("AutoDeployment")
	managed, _ := f.sub("ManagedExecution").boolean("Active")
	enabled, _ := auto.boolean("Enabled")
	retain, _ := auto.boolean("RetainStacksOnAccountRemoval")
	set := &stackSet{
		Name: name, ID: name + ":" + s.ids.uuid(), Region: c.Region, Status: "ACTIVE", Description: f.str("Description"), Body: text, doc: doc,
		Parameters: parameters, Tags: tags, Capabilities: capabilities, Token: token, AutoDeploy: enabled, RetainOnRemoval: retain, Managed: managed,
		instances: map[target]*stackInstance{},
	}
	s.world.stackSets[set.ID] = set
	return struct{ StackSetId string }{set.ID}, nil
}

func deleteStackSet(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		// Deleting a set that is not there succeeds (API reference, DeleteStackSet).
		if e, ok := err.(*apiError); ok && e.Code == "StackSetNotFoundException" {
			return struct{}{}, nil
		}
		return nil, err
	}
	if set.busy() != nil {
		return nil, s.inProgress(set)
	}
	if len(set.instances) > 0 {
		return nil, fail(http.StatusConflict, "StackSetNotEmptyException", "StackSet is not empty")
	}
	set.Status = "DELETED"
	return struct{}{}, nil
}

// updateStackSet changes the definition, marks every instance OUTDATED when
// template or parameters changed, and updates the targeted ones, or all when none
// is named (API reference, UpdateStackSet).
func updateStackSet(s *Sim, c *call) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	f := c.Form
	text, doc := set.Body, set.doc
	if previous, _ := f.boolean("UsePreviousTemplate"); !previous {
		if text, doc, err = s.body(c); err != nil {
			return nil, err
		}
	} else if f.has("TemplateBody") {
		return nil, validation("You must specify only one of the following parameters: TemplateBody, TemplateURL, or set the UsePreviousTemplate to true.")
	}
	parameters := map[string]string{}
	for _, p := range f.structs("Parameters") {
		key := p.str("ParameterKey")
		if previous, _ := p.boolean("UsePreviousValue"); previous {
			if v, ok := set.Parameters[key]; ok {
				parameters[key] = v
			}
			continue
		}
		parameters[key] = p.str("ParameterValue")
	}
	if _, err := parameterValues(doc, parameters); err != nil {
		return nil, err
	}
	capabilities := f.list("Capabilities")
	if err := checkCapabilities(doc, capabilities); err != nil {
		return nil, err
	}
	targets, ous, err := s.targets(c, set, "UPDATE")
	if err != nil {
		return nil, err
	}
	op, existing, err := s.newOperation(c, set, "UPDATE", ous)
	if err != nil || existing {
		return operationAnswer(op), err
	}
	changed := text != set.Body || !equalTexts(parameters, set.Parameters)
	if changed {
		for _, i := range set.instances {
			i.Status = "OUTDATED"
		}
	}
	set.Body, set.doc, set.Parameters, set.Capabilities = text, doc, parameters, capabilities
	if f.has("Tags.member.1.Key") || f.has("Tags") {
		set.Tags = pairs(f.structs("Tags"), "Key", "Value")
	}
	if auto := f.sub("AutoDeployment"); auto.any() {
		set.AutoDeploy, _ = auto.boolean("Enabled")
		set.RetainOnRemoval, _ = auto.boolean("RetainStacksOnAccountRemoval")
	}
	if managed := f.sub("ManagedExecution"); managed.any() && set.busy() == nil {
		set.Managed, _ = managed.boolean("Active")
	}
	if f.has("Description") {
		set.Description = f.str("Description")
	}
	if !f.sub("DeploymentTargets").any() && len(f.list("Regions")) == 0 {
		targets = nil
		for _, i := range set.sorted() {
			targets = append(targets, i.target)
		}
	}
	op.wholeSet = changed
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}

func equalTexts(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
