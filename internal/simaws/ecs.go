package simaws

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cluster is an ECS cluster with its services.
type cluster struct {
	Name     string
	Services []*ecsService
}

// ecsService is an ECS service whose tasks have interfaces of their own (awsvpc).
type ecsService struct {
	Name    string
	Created time.Time
	Desired int
	Subnets []string
	// Deployments are the groups of each, the primary one first; nil names none.
	Deployments [][]string
}

// ecsCalls are ECS's, for scripts and the wire. Members begin in lower case there.
var ecsCalls = map[string]apiCall{
	"ecs:ListClusters":     listClusters,
	"ecs:ListServices":     listServices,
	"ecs:DescribeServices": describeServices,
}

var ecsOps = map[string]handler{"ListClusters": ecsCall, "ListServices": ecsCall, "DescribeServices": ecsCall}

// ecsCall serves ECS over its JSON protocol, where a time is a number of seconds.
func ecsCall(s *Sim, c *call) (any, error) {
	out, err := jsonShared(s, c)
	if err != nil {
		return nil, err
	}
	return withSeconds(out), nil
}

func withSeconds(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[k] = withSeconds(x)
			if text, ok := x.(string); ok && timeMembers[k] {
				if at, err := time.Parse(time.RFC3339, text); err == nil {
					out[k] = float64(at.UnixMilli()) / 1000
				}
			}
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = withSeconds(t[i])
		}
		return out
	}
	return v
}

func (s *Sim) clusterARN(a *account, r *regionState, c *cluster) string {
	return "arn:" + s.world.partition + ":ecs:" + r.name + ":" + a.ID + ":cluster/" + c.Name
}

func (s *Sim) serviceARN(a *account, r *regionState, c *cluster, name string) string {
	return "arn:" + s.world.partition + ":ecs:" + r.name + ":" + a.ID + ":service/" + c.Name + "/" + name
}

func listClusters(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ecs:ListClusters", "*", nil); err != nil {
		return nil, err
	}
	var arns []string
	for _, c := range r.leanings().clusters {
		arns = append(arns, s.clusterARN(a, r, c))
	}
	return ecsPage(in, "clusterArns", arns, 100)
}

// listServices lists those of a cluster, 10 a page unless asked otherwise (API reference,
// ListServices).
func listServices(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ecs:ListServices", "*", nil); err != nil {
		return nil, err
	}
	c, err := s.clusterNamed(a, r, in)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, service := range c.Services {
		arns = append(arns, s.serviceARN(a, r, c, service.Name))
	}
	for filter, have := range map[string]string{"launchType": "FARGATE", "schedulingStrategy": "REPLICA", "resourceManagementType": "CUSTOMER"} {
		if asked := scalarOr(in[filter]); asked != "" && asked != have {
			arns = nil
		}
	}
	return ecsPage(in, "serviceArns", arns, 10)
}

// clusterNamed finds a cluster by its name or ARN; "If you do not specify a cluster, the
// default cluster is assumed" (API reference).
func (s *Sim) clusterNamed(a *account, r *regionState, in map[string]any) (*cluster, error) {
	name := orElse(scalarOr(in["cluster"]), "default")
	for _, c := range r.leanings().clusters {
		if name == c.Name || name == s.clusterARN(a, r, c) {
			return c, nil
		}
	}
	return nil, fail(http.StatusBadRequest, "ClusterNotFoundException", "Cluster not found.")
}

// describeServices describes up to 10 services of one cluster. One that is not there is no
// error but a failure, MISSING (ECS developer guide, "API failure reasons"). Each is asked
// for by itself in policies.
func describeServices(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	asked := texts(in["services"])
	switch {
	case len(asked) == 0: // boltops-tools/aws-inventory#4
		return nil, fail(http.StatusBadRequest, "InvalidParameterException", "Services cannot be empty.")
	case len(asked) > 10:
		return nil, fail(http.StatusBadRequest, "InvalidParameterException", "Services cannot have more than 10 elements.")
	}
	c, err := s.clusterNamed(a, r, in)
	if err != nil {
		return nil, err
	}
	found, failures := []any{}, []any{}
	for _, name := range asked {
		arn := name
		if !strings.HasPrefix(name, "arn:") {
			arn = s.serviceARN(a, r, c, name)
		}
		if err := check("ecs:DescribeServices", arn, nil); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(c.Services, func(service *ecsService) bool { return s.serviceARN(a, r, c, service.Name) == arn })
		if at < 0 {
			failures = append(failures, map[string]any{"arn": arn, "reason": "MISSING"})
			continue
		}
		found = append(found, s.serviceShape(a, r, c, c.Services[at]))
	}
	return map[string]any{"services": found, "failures": failures}, nil
}

func (s *Sim) serviceShape(a *account, r *regionState, c *cluster, service *ecsService) map[string]any {
	arn, created := s.serviceARN(a, r, c, service.Name), service.Created.UTC().Format(time.RFC3339)
	task := "arn:" + s.world.partition + ":ecs:" + r.name + ":" + a.ID + ":task-definition/" + service.Name + ":1"
	deployments := []any{}
	for i := range service.Deployments {
		status := "PRIMARY"
		if i > 0 {
			status = "ACTIVE"
		}
		deployments = append(deployments, map[string]any{
			"id": "ecs-svc/" + strconv.Itoa(1_000_000+i), "status": status, "taskDefinition": task, "desiredCount": service.Desired, "pendingCount": 0, "runningCount": service.Desired,
			"failedTasks": 0, "createdAt": created, "updatedAt": created, "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
			"networkConfiguration": service.network(i), "rolloutState": "COMPLETED",
		})
	}
	return map[string]any{
		"serviceArn": arn, "serviceName": service.Name, "clusterArn": s.clusterARN(a, r, c), "status": "ACTIVE", "desiredCount": service.Desired, "runningCount": service.Desired,
		"pendingCount": 0, "launchType": "FARGATE", "platformVersion": "LATEST", "platformFamily": "Linux", "taskDefinition": task, "loadBalancers": []any{}, "serviceRegistries": []any{},
		"deploymentConfiguration": map[string]any{"maximumPercent": 200, "minimumHealthyPercent": 100}, "deployments": deployments, "events": []any{}, "createdAt": created,
		"placementConstraints": []any{}, "placementStrategy": []any{}, "networkConfiguration": service.network(0), "schedulingStrategy": "REPLICA",
		"deploymentController": map[string]any{"type": "ECS"}, "enableECSManagedTags": false, "propagateTags": "NONE", "enableExecuteCommand": false,
	}
}

// network is the configuration of one of its deployments; without groups it has an empty
// list.
func (service *ecsService) network(deployment int) map[string]any {
	return map[string]any{"awsvpcConfiguration": map[string]any{
		"subnets": anyList(service.Subnets), "securityGroups": anyList(service.Deployments[deployment]), "assignPublicIp": "DISABLED",
	}}
}

// ecsPage cuts a page; "This value can be between 1 and 100" (API reference).
func ecsPage(in map[string]any, member string, arns []string, size int) (map[string]any, error) {
	if text := scalarOr(in["maxResults"]); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return nil, fail(http.StatusBadRequest, "InvalidParameterException", "maxResults must be between 1 and 100.")
		}
		size = n
	}
	from := 0
	if token := scalarOr(in["nextToken"]); token != "" {
		raw, err := base64.StdEncoding.DecodeString(token)
		at, own := strings.CutPrefix(string(raw), member+" ")
		n, wrong := strconv.Atoi(at)
		if err != nil || !own || wrong != nil || n < 0 || n > len(arns) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterException", "Invalid token.")
		}
		from = n
	}
	to := min(from+size, len(arns))
	out := map[string]any{member: anyList(arns[from:to])}
	if to < len(arns) {
		out["nextToken"] = base64.StdEncoding.EncodeToString([]byte(member + " " + strconv.Itoa(to)))
	}
	return out, nil
}
