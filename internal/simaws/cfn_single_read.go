package simaws

import (
	"net/http"
	"slices"
	"strings"
)

// stackNamed finds a stack by name, or by its id, deleted ones included; nil without one.
func (s *Sim) stackNamed(c *call, name string) *stack {
	r := s.regionOf(c)
	if !strings.HasPrefix(name, "arn:") {
		return r.stacks[name]
	}
	if st := r.stacks[stackNameOf(name)]; st != nil && st.ID == name {
		return st
	}
	for _, st := range r.gone {
		if st.ID == name && !st.Deleted.Before(s.clock.ago(deletedStacks)) {
			return st
		}
	}
	return nil
}

// stackOf finds the stack of a call that cannot do without one.
func (s *Sim) stackOf(c *call) (*stack, error) {
	name := c.Form.str("StackName")
	if name == "" {
		return nil, validation("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	if st := s.stackNamed(c, name); st != nil {
		return st, nil
	}
	return nil, validation("Stack with id " + name + " does not exist")
}

type outputShape struct {
	OutputKey, OutputValue string
	Description            string `xml:",omitempty"`
	ExportName             string `xml:",omitempty"`
}

type driftShape struct {
	StackDriftStatus   string
	LastCheckTimestamp string `xml:",omitempty"`
}

// stackCommon is what both ListStacks and DescribeStacks show.
type stackCommon struct {
	StackName, StackId, StackStatus string
	StackStatusReason               string `xml:",omitempty"`
	CreationTime                    string
	LastUpdatedTime                 string `xml:",omitempty"`
	DeletionTime                    string `xml:",omitempty"`
	DriftInformation                driftShape
}

type stackSummary struct {
	stackCommon
	TemplateDescription string `xml:",omitempty"`
}

type stackShape struct {
	stackCommon
	ChangeSetId                 string           `xml:",omitempty"`
	Description                 string           `xml:",omitempty"`
	Parameters                  []stackParameter `xml:"Parameters>member"`
	Outputs                     []outputShape    `xml:"Outputs>member"`
	Tags                        []tagShape       `xml:"Tags>member"`
	Capabilities                []string         `xml:"Capabilities>member"`
	NotificationARNs            []string         `xml:"NotificationARNs>member"`
	RollbackConfiguration       struct{}
	DisableRollback             bool
	EnableTerminationProtection bool
	TimeoutInMinutes            int    `xml:",omitempty"`
	RoleARN                     string `xml:",omitempty"`
}

func (st *stack) common() stackCommon {
	return stackCommon{st.Name, st.ID, st.Status, st.Reason, iso(st.Created), iso(st.Updated), iso(st.Deleted), st.drift.shape()}
}

func (st *stack) summary() stackSummary { return stackSummary{st.common(), st.Description} }

// stackParameter is a parameter of a stack or a change set, with what the parameter of
// Systems Manager that it names had.
type stackParameter struct {
	ParameterKey, ParameterValue string
	ResolvedValue                string `xml:",omitempty"`
}

// shownParameters are a stack's parameters, defaults filled in and NoEcho ones hidden.
func (st *stack) shownParameters() (list []stackParameter) {
	if st.doc == nil {
		return nil
	}
	for _, k := range sortedKeys(st.doc.Parameters) {
		v := parameterNow(st.doc, st.Parameters, k)
		if st.doc.Parameters[k].NoEcho {
			v = hidden
		}
		list = append(list, stackParameter{k, v, st.resolved[k]})
	}
	return list
}

func tagShapes(tags map[string]string) (list []tagShape) {
	for _, k := range sortedKeys(tags) {
		list = append(list, tagShape{k, tags[k]})
	}
	return list
}

func (st *stack) shape() stackShape {
	out := stackShape{stackCommon: st.common(), Description: st.Description, Parameters: st.shownParameters(), Tags: tagShapes(st.Tags)}
	exports := map[string]string{}
	for _, e := range st.exports() {
		exports[e.output] = e.name
	}
	for _, k := range sortedKeys(st.Outputs) {
		m, _ := st.doc.Outputs[k].(map[string]any)
		description, _ := m["Description"].(string)
		out.Outputs = append(out.Outputs, outputShape{k, st.Outputs[k], description, exports[k]})
	}
	if n := st.single; n != nil {
		out.Capabilities, out.NotificationARNs, out.RoleARN, out.ChangeSetId = n.Capabilities, n.Notify, n.RoleARN, n.ChangeSet
		out.DisableRollback, out.EnableTerminationProtection = n.Disable || n.OnFailure == "DO_NOTHING", n.Protected
		out.TimeoutInMinutes = int(n.Timeout.Minutes())
	}
	return out
}

func describeStacks(s *Sim, c *call) (any, error) {
	var out struct {
		Stacks    []stackShape `xml:"Stacks>member"`
		NextToken string       `xml:",omitempty"`
	}
	if c.Form.str("StackName") != "" {
		st, err := s.stackOf(c)
		if err != nil {
			return nil, err
		}
		out.Stacks = []stackShape{st.shape()}
		return out, nil
	}
	// "This requires ListStacks and DescribeStacks permissions" (API reference).
	if err := s.alsoMay(c, "*", "ListStacks"); err != nil {
		return nil, err
	}
	stacks := s.regionOf(c).stacks
	list := []stackShape{}
	for _, name := range sortedKeys(stacks) {
		list = append(list, stacks[name].shape())
	}
	var err error
	out.Stacks, out.NextToken, err = cfnPage(c, list)
	return out, err
}

var stackStatuses = strings.Fields(`CREATE_IN_PROGRESS CREATE_FAILED CREATE_COMPLETE ROLLBACK_IN_PROGRESS ROLLBACK_FAILED ROLLBACK_COMPLETE DELETE_IN_PROGRESS DELETE_FAILED
	DELETE_COMPLETE UPDATE_IN_PROGRESS UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_COMPLETE UPDATE_FAILED UPDATE_ROLLBACK_IN_PROGRESS UPDATE_ROLLBACK_FAILED
	UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE REVIEW_IN_PROGRESS IMPORT_IN_PROGRESS IMPORT_COMPLETE IMPORT_ROLLBACK_IN_PROGRESS
	IMPORT_ROLLBACK_FAILED IMPORT_ROLLBACK_COMPLETE`)

// listStacks shows all stacks unless filtered, the newest first, deleted ones for 90
// days.
func listStacks(s *Sim, c *call) (any, error) {
	r := s.regionOf(c)
	list := []stackSummary{}
	wanted := c.Form.list("StackStatusFilter")
	for _, w := range wanted {
		if !slices.Contains(stackStatuses, w) {
			return nil, invalid("1 validation error detected: Value '[%s]' at 'stackStatusFilter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [%s]]", strings.Join(wanted, ", "), strings.Join(stackStatuses, ", "))
		}
	}
	add := func(st *stack) {
		if len(wanted) == 0 || slices.Contains(wanted, st.Status) {
			list = append(list, st.summary())
		}
	}
	for _, name := range sortedKeys(r.stacks) {
		add(r.stacks[name])
	}
	for _, st := range r.gone {
		if !st.Deleted.Before(s.clock.ago(deletedStacks)) {
			add(st)
		}
	}
	slices.SortStableFunc(list, func(a, b stackSummary) int { return strings.Compare(b.CreationTime, a.CreationTime) })
	page, next, err := cfnPage(c, list)
	return struct {
		StackSummaries []stackSummary `xml:"StackSummaries>member"`
		NextToken      string         `xml:",omitempty"`
	}{page, next}, err
}

func getTemplate(s *Sim, c *call) (any, error) {
	stage := c.Form.str("TemplateStage")
	if stage != "" && stage != "Original" && stage != "Processed" {
		return nil, invalid("1 validation error detected: Value '%s' at 'templateStage' failed to satisfy constraint: Member must satisfy enum value set: [Original, Processed]", stage)
	}
	type answer struct {
		TemplateBody    string
		StagesAvailable []string `xml:"StagesAvailable>member"`
	}
	stages := []string{"Original", "Processed"}
	if c.Form.str("ChangeSetName") != "" {
		_, set, err := s.changeSetOf(c)
		if err != nil {
			return nil, err
		}
		return answer{set.want.body, stages}, nil
	}
	st, err := s.stackOf(c)
	if err != nil {
		return nil, err
	}
	if st.doc == nil {
		return nil, validation("Stack with id " + c.Form.str("StackName") + " does not exist")
	}
	return answer{st.Body, stages}, nil
}

// describeAccountLimits answers the stacks that the account may have and AWS's default of
// the other two, which Service Quotas does not raise here.
func describeAccountLimits(s *Sim, c *call) (any, error) {
	type limit struct {
		Name  string
		Value int
	}
	return struct {
		AccountLimits []limit `xml:"AccountLimits>member"`
	}{[]limit{{"StackLimit", s.quota(c.Caller.Account, c.Region, QuotaStacks)}, {"StackOutputsLimit", 200}, {"ConcurrentResourcesLimit", 2500}}}, nil
}

func changeSetMissing(name string) error {
	return fail(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet ["+name+"] does not exist")
}
