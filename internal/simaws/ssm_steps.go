package simaws

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

const diagnosis = " Please refer to Automation Service Troubleshooting Guide for more diagnosis details."

// executing is how SSM words a failure of an API step; seen in
// DescribeRemediationExecutionStatus.
func executing(why string) string {
	return "Step fails when it is Execute/Cancelling action. " + strings.TrimSuffix(why, ".") + "." + diagnosis
}

// act runs the action of a step. waited is how long the step has been running.
func (run *automationRun) act(step runbookStep, in map[string]any, waited time.Duration) outcome {
	switch step.action {
	case "aws:executeAwsApi":
		value, failure := run.api(in)
		return outcome{value: value, takes: apiStep, failure: failure}
	case "aws:assertAwsResourceProperty":
		value, failure := run.api(in)
		if failure == "" && !desired(value, in) {
			failure = executing(fmt.Sprintf("Property value from the API output is not equal to any of the desired values. Desired: %s, selector: %s",
				textOf(in["DesiredValues"]), textOf(in["PropertySelector"])))
		}
		return outcome{value: value, takes: apiStep, failure: failure}
	case "aws:waitForAwsResourceProperty":
		value, failure := run.api(in)
		if failure == "" && desired(value, in) {
			return outcome{value: value, takes: apiStep}
		}
		limit := step.timeout
		if limit == 0 {
			limit = standardWait
		}
		if waited.Seconds() >= limit/run.s.speed() {
			return outcome{failure: "Step timed out while step is verifying the resource property."}
		}
		return outcome{again: true, takes: pollInterval}
	case "aws:executeScript":
		limit := step.timeout
		if limit == 0 {
			limit = standardScript
		}
		value, slept, failure := run.script(in)
		if slept.Seconds() > limit {
			return outcome{takes: time.Duration(limit) * time.Second, failure: "Step timed out while step is executing the script."}
		}
		return outcome{value: value, takes: scriptStep + slept, failure: failure}
	case "aws:branch":
		return run.branch(step)
	case "aws:sleep":
		return run.sleep(step, in)
	}
	return outcome{failure: executing("The action " + step.action + " is not simulated")}
}

// sleep waits for a while or for a time, and no longer than the step may last.
func (run *automationRun) sleep(step runbookStep, in map[string]any) outcome {
	d, ok := isoDuration(textOf(in["Duration"]))
	if at, err := time.Parse(time.RFC3339, textOf(in["Timestamp"])); !ok && err == nil {
		d, ok = max(0, at.Sub(run.s.clock.Now())), true
	}
	if !ok {
		return outcome{failure: executing("The Duration " + textOf(in["Duration"]) + " is not an ISO 8601 duration")}
	}
	if limit := time.Duration(step.timeout * float64(time.Second)); limit > 0 && d > limit {
		return outcome{takes: limit, failure: "Step timed out while step is sleeping."}
	}
	return outcome{takes: d}
}

// speed divides durations.
func (s *Sim) speed() float64 {
	if s.clock == nil || s.clock.speed <= 0 {
		return 1
	}
	return s.clock.speed
}

// stepWords are the inputs of API steps that are not members of the call.
var stepWords = map[string]bool{"Service": true, "Api": true, "PropertySelector": true, "DesiredValues": true}

// api makes the call of a step.
func (run *automationRun) api(in map[string]any) (any, string) {
	members := map[string]any{}
	for k, v := range in {
		if !stepWords[k] {
			members[k] = v
		}
	}
	service, op := textOf(in["Service"]), textOf(in["Api"])
	if op == "" || service == "" {
		return nil, executing("Service and Api are required")
	}
	op = pascal(op)
	out, err := run.call(run.start.region, service, op, members)
	if err != nil {
		return nil, executing(botoError(op, err))
	}
	return out, ""
}

// botoError words an error as botocore's ClientError does.
func botoError(op string, err error) string {
	var api *apiError
	if errors.As(err, &api) {
		return fmt.Sprintf("An error occurred (%s) when calling the %s operation: %s", api.Code, op, api.Message)
	}
	return err.Error()
}

// call makes an API call as the run's role.
func (run *automationRun) call(r *regionState, service, op string, in map[string]any) (map[string]any, error) {
	as := run.as
	if as == nil {
		as = func(x access) error {
			return fail(400, "AccessDeniedException", "User: "+run.start.by+" is not authorized to perform: "+x.Action+" on resource: "+x.Resource)
		}
	}
	out, err := run.s.apiDo(as, run.start.account, r, service, op, in)
	if err != nil {
		var api *apiError
		if svc := services[service]; svc != nil && errors.As(err, &api) && api.Code == "AccessDenied" {
			return nil, denial(svc, err)
		}
		return nil, err
	}
	if service == "ec2" {
		run.s.trail(run.start.account, r, cmp.Or(run.assumed, run.start.by), op, in)
	}
	plain, _ := plainJSON(out).(map[string]any)
	return plain, nil
}

// automationRole lets SSM assume a role: it must be there and its trust policy
// must allow ssm.amazonaws.com for this account and execution. What it may do is
// said by its own policies, call by call.
func (s *Sim) automationRole(a *account, r *regionState, execution, arn string) (authorizer, error) {
	cannot := invalidParameters("The defined assume role is unable to be assumed.")
	prefix := "arn:" + s.world.partition + ":iam::" + a.ID + ":role/"
	if !strings.HasPrefix(arn, prefix) {
		return nil, cannot
	}
	role := a.roles[arn[strings.LastIndex(arn, "/")+1:]]
	if role == nil || role.ARN != "" && role.ARN != arn {
		return nil, cannot
	}
	context := map[string]string{
		"aws:sourceaccount": a.ID,
		"aws:sourcearn":     "arn:" + s.world.partition + ":ssm:" + r.name + ":" + a.ID + ":automation-execution/" + execution,
	}
	if !allowsService(role.Trust, "ssm.amazonaws.com", "sts:AssumeRole", "", context) {
		return nil, cannot
	}
	who := caller{
		Account: a.ID, Role: role, UserID: role.ID + ":Automation-" + execution,
		ARN: "arn:" + s.world.partition + ":sts::" + a.ID + ":assumed-role/" + role.Name + "/Automation-" + execution,
	}
	return func(x access) error {
		if a.roles[role.Name] != role {
			return fail(400, "AccessDenied", "The role "+arn+" was deleted while the automation ran.")
		}
		return s.allowed(who, x)
	}, nil
}

// desired compares the selected property with the desired values.
func desired(value any, in map[string]any) bool {
	have, ok := selectPath(value, textOf(in["PropertySelector"]))
	list, _ := in["DesiredValues"].([]any)
	for _, want := range list {
		if ok && textOf(want) == textOf(have) {
			return true
		}
	}
	return false
}

// isoDuration reads PnDTnHnMnS.
func isoDuration(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(text, "P")
	if !ok || rest == "" || len(text) > 40 {
		return 0, false
	}
	if days, tail, found := strings.Cut(rest, "D"); found {
		n, ok := number(days)
		if !ok || n < 0 || n > 366 {
			return 0, false
		}
		d, ok := time.Duration(0), true
		if tail != "" {
			d, ok = isoDuration("P" + tail)
		}
		return time.Duration(n*24*float64(time.Hour)) + d, ok
	}
	rest, ok = strings.CutPrefix(rest, "T")
	if !ok || rest == "" || strings.Trim(rest, "0123456789.HMS") != "" {
		return 0, false
	}
	d, err := time.ParseDuration(strings.ToLower(rest))
	return d, err == nil && d >= 0
}

// pascal turns describe_security_groups into DescribeSecurityGroups; a name
// that is so already stays.
func pascal(name string) string {
	if !strings.Contains(name, "_") {
		if name == "" {
			return name
		}
		return strings.ToUpper(name[:1]) + name[1:]
	}
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
