package simaws

import (
	"encoding/base64"
	"strconv"
)

// cloudformationOps are the calls served, by name.
var cloudformationOps = map[string]handler{
	"CreateStackSet":                    createStackSet,
	"UpdateStackSet":                    updateStackSet,
	"DeleteStackSet":                    deleteStackSet,
	"DescribeStackSet":                  describeStackSet,
	"ListStackSets":                     listStackSets,
	"CreateStackInstances":              createStackInstances,
	"UpdateStackInstances":              updateStackInstances,
	"DeleteStackInstances":              deleteStackInstances,
	"ListStackInstances":                listStackInstances,
	"DescribeStackInstance":             describeStackInstance,
	"DescribeStackSetOperation":         describeOperation,
	"ListStackSetOperations":            listOperations,
	"ListStackSetOperationResults":      listResults,
	"StopStackSetOperation":             stopOperation,
	"ListStackSetAutoDeploymentTargets": listAutoDeployment,
	"DescribeOrganizationsAccess":       describeAccess,
	"ActivateOrganizationsAccess":       activateAccess,
	"DeactivateOrganizationsAccess":     deactivateAccess,
	"ValidateTemplate":                  validateTemplate,
	"GetTemplateSummary":                templateSummary,
	"DescribeStacks":                    describeStacks,
	"ListStacks":                        listStacks,
	"DescribeStackResources":            describeStackResources,
	"DescribeStackEvents":               describeStackEvents,
	"GetTemplate":                       getTemplate,
	"DescribeType":                      describeType,
	"CreateStack":                       createStack,
	"UpdateStack":                       updateStack,
	"CancelUpdateStack":                 cancelUpdate,
	"RollbackStack":                     rollbackStack,
	"ContinueUpdateRollback":            continueRollback,
	"UpdateTerminationProtection":       updateProtection,
	"SetStackPolicy":                    setStackPolicy,
	"GetStackPolicy":                    getStackPolicy,
	"DescribeStackResource":             describeStackResource,
	"ListStackResources":                listStackResources,
	"CreateChangeSet":                   createChangeSet,
	"DescribeChangeSet":                 describeChangeSet,
	"ListChangeSets":                    listChangeSets,
	"DeleteChangeSet":                   deleteChangeSet,
	"ExecuteChangeSet":                  executeChangeSet,
	"ListExports":                       listExports,
	"ListImports":                       listImports,
	"DescribeAccountLimits":             describeAccountLimits,
	"DeleteStack":                       deleteStack,
	"ImportStacksToStackSet":            importStacks,
	"DetectStackDrift":                  detectStackDrift,
	"DetectStackResourceDrift":          detectResourceDrift,
	"DescribeStackDriftDetectionStatus": describeDetection,
	"DescribeStackResourceDrifts":       describeResourceDrifts,
	"DetectStackSetDrift":               detectSetDrift,
	"ListStackInstanceResourceDrifts":   listInstanceDrifts,
}

func createStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "CREATE") }
func updateStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "UPDATE") }
func deleteStackInstances(s *Sim, c *call) (any, error) { return instancesCall(s, c, "DELETE") }

func instancesCall(s *Sim, c *call, action string) (any, error) {
	set, err := s.set(c)
	if err != nil {
		return nil, err
	}
	retain, given := c.Form.boolean("RetainStacks")
	if err := s.trusted(); err != nil {
		return nil, err
	}
	if action == "DELETE" && !given {
		return nil, validation("1 validation error detected: Value at 'retainStacks' failed to satisfy constraint: Member must not be null")
	}
	targets, ous, err := s.targets(c, set, action)
	if err != nil {
		return nil, err
	}
	if action == "CREATE" {
		if err := s.roomFor(set, targets); err != nil {
			return nil, err
		}
	}
	overrides, keep, err := set.readOverrides(c.Form)
	if err != nil {
		return nil, err
	}
	op, err := s.newOperation(c, set, action, ous)
	if err != nil {
		return nil, err
	}
	op.Retain, op.overrides, op.keepOverrides = retain, overrides, keep
	// A list replaces the overrides, an empty one takes them away, none leaves them.
	op.hasOverrides = action != "DELETE" && (len(overrides)+len(keep) > 0 || c.Form.has("ParameterOverrides"))
	s.queue(set, op, targets)
	return operationAnswer(op), nil
}

// readOverrides reads ParameterOverrides; keep are those with UsePreviousValue.
func (set *stackSet) readOverrides(f query) (values map[string]string, keep []string, err error) {
	values = map[string]string{}
	for _, p := range f.structs("ParameterOverrides") {
		key := p.str("ParameterKey")
		if _, ok := set.doc.Parameters[key]; !ok {
			return nil, nil, validation("Parameters: [" + key + "] do not exist in the template")
		}
		if previous, _ := p.boolean("UsePreviousValue"); previous {
			if p.has("ParameterValue") {
				return nil, nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", key)
			}
			keep = append(keep, key)
			continue
		}
		values[key] = p.str("ParameterValue")
	}
	return values, keep, checkParameters(set.doc, effective(set.doc, set.Parameters, values))
}

// cfnPage cuts a page of at most 100 by NextToken.
func cfnPage[T any](c *call, list []T) ([]T, string, error) {
	size, from := 100, 0
	if n, ok := c.Form.integer("MaxResults"); ok {
		if n < 1 || n > 100 {
			return nil, "", validation("1 validation error detected: Value '" + c.Form.str("MaxResults") + "' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100")
		}
		size = n
	}
	if t := c.Form.str("NextToken"); t != "" {
		text, err := base64.RawURLEncoding.DecodeString(t)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return nil, "", validation("Invalid NextToken")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	token := ""
	if to < len(list) {
		token = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return list[from:to], token, nil
}
