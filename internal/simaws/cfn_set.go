package simaws

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
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
	Auto             autoDeployment
	Managed          bool // ManagedExecution.Active
	OUs              []string
	// deployed are the Regions of each root or OU that the set was deployed to.
	deployed map[string]map[string]bool

	instances map[target]*stackInstance
	// inOrder are the instances by account, then Region; nil when it has to be
	// sorted again.
	inOrder []*stackInstance
	ops     []*operation // oldest first
}

type target struct{ account, region string }

type stackInstance struct {
	target
	OU, StackID, StackName string
	Status, Detailed       string
	Reason                 string
	LastOperation          string
	Overrides              map[string]string
	// drift is what the operation of that id found, nil when it could not look.
	drift          *stackDrift
	driftOperation string
}

func (set *stackSet) arn(s *Sim) string {
	return "arn:" + s.world.partition + ":cloudformation:" + set.Region + ":" + s.world.management + ":stackset/" + set.ID
}

// sorted gives the instances by account, then Region. It is kept until an instance
// comes or goes: a set of 100,000 is listed in a thousand pages.
func (set *stackSet) sorted() []*stackInstance {
	if set.inOrder != nil || len(set.instances) == 0 {
		return set.inOrder
	}
	set.inOrder = make([]*stackInstance, 0, len(set.instances))
	for _, i := range set.instances {
		set.inOrder = append(set.inOrder, i)
	}
	slices.SortFunc(set.inOrder, func(a, b *stackInstance) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.region, b.region))
	})
	return set.inOrder
}

func (set *stackSet) add(i *stackInstance) {
	set.instances[i.target], set.inOrder = i, nil
}

func (set *stackSet) drop(t target) {
	delete(set.instances, t)
	set.inOrder = nil
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
	case s.allowed(c.Caller, access{Action: "organizations:ListDelegatedAdministrators", Resource: "*", Context: map[string]string{}}) != nil:
		// StackSets asks as the caller, and a caller that may not ask reads as one that
		// is none (hashicorp/terraform-provider-aws#32536, #37069).
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
		if set := s.named(c.Region, name); set != nil {
			return set, nil
		}
	}
	return nil, fail(http.StatusNotFound, "StackSetNotFoundException", "StackSet "+name+" not found")
}

var (
	setName     = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)
	operationID = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$`)
)

// readTags reads Tags: at most 50, none of AWS's own.
func readTags(f query) (map[string]string, error) {
	out := map[string]string{}
	for _, q := range f.structs("Tags") {
		key := q.str("Key")
		if key == "" || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, validation("Tag keys must not be empty and must not begin with aws:")
		}
		out[key] = q.str("Value")
	}
	if len(out) > 50 {
		return nil, validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	return out, nil
}

// body reads and checks the template of a call.
func (s *Sim) body(c *call) (string, *templates.Document, error) {
	text := c.Form.str("TemplateBody")
	if c.Form.has("TemplateURL") {
		if text != "" {
			return "", nil, validation("Either Template URL or Template Body must be specified, not both.")
		}
		var err error
		if text, err = s.objectAt(c, "TemplateURL", c.Form.str("TemplateURL")); err != nil {
			return "", nil, err
		}
	}
	if text == "" {
		return "", nil, validation("Either Template URL or Template Body must be specified.")
	}
	doc, err := readTemplate(text)
	return text, doc, err
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
		return nil, errSelfManaged
	}
	if !s.owns(c) {
		return nil, validation("You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set")
	}
	if err := s.trusted(); err != nil {
		return nil, err
	}
	if err := serviceManaged(f); err != nil {
		return nil, err
	}
	if err := s.mayTag(c, "TagResource", f.sub("Tags").any()); err != nil {
		return nil, err
	}
	text, doc, err := s.bodyOrStack(c)
	if err != nil {
		return nil, err
	}
	if !f.sub("AutoDeployment").any() {
		return nil, validation("AutoDeployment must be set for SERVICE_MANAGED stack sets")
	}
	parameters, err := readParameters(f, "Parameters", nil)
	if err != nil {
		return nil, err
	}
	if err := checkParameters(doc, parameters); err != nil {
		return nil, err
	}
	capabilities := f.list("Capabilities")
	if err := checkCapabilities(doc, capabilities); err != nil {
		return nil, err
	}
	tags, err := readTags(f)
	if err != nil {
		return nil, err
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
	if most := s.administrators(c.Region, QuotaStackSets); s.activeSets(c.Region) >= most {
		return nil, fail(http.StatusBadRequest, "LimitExceededException", fmt.Sprintf("You have reached the limit of stack sets: %d.", most))
	}
	managed, _ := f.sub("ManagedExecution").boolean("Active")
	auto, err := s.readAutoDeployment(f, nil)
	if err != nil {
		return nil, err
	}
	set := &stackSet{
		Name: name, ID: name + ":" + s.ids.uuid(), Region: c.Region, Status: "ACTIVE", Description: f.str("Description"), Body: text, doc: doc,
		Parameters: parameters, Tags: tags, Capabilities: capabilities, Token: token, Auto: auto, Managed: managed,
		instances: map[target]*stackInstance{}, deployed: map[string]map[string]bool{},
	}
	s.world.stackSets[set.ID] = set
	return struct{ StackSetId string }{set.ID}, nil
}

// Quotas of the CloudFormation user guide: sets of an administrator, instances of a
// set, queued operations of a set. The first two can be raised.
const (
	maxStackSets      = 1000
	maxStackInstances = 100000
	maxQueued         = 10000
)

// activeSets counts the sets of a Region, in each of which the quota is its own.
func (s *Sim) activeSets(region string) (n int) {
	for _, set := range s.world.stackSets {
		if set.Status == "ACTIVE" && set.Region == region {
			n++
		}
	}
	return n
}

// roomFor says whether a set may have instances at these targets too.
func (s *Sim) roomFor(set *stackSet, targets []target) error {
	fresh := 0
	for _, t := range targets {
		if set.instances[t] == nil {
			fresh++
		}
	}
	if most := s.administrators(set.Region, QuotaStackInstances); len(set.instances)+fresh > most {
		return fail(http.StatusBadRequest, "LimitExceededException", fmt.Sprintf("You have reached the limit of stack instances in a stack set: %d.", most))
	}
	return nil
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
	s.independent(set)
	return struct{}{}, nil
}

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
