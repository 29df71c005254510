package simaws

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// linkedTask is one DeleteServiceLinkedRole.
type linkedTask struct {
	role, status, reason string // SUCCEEDED, IN_PROGRESS, FAILED
	usage                []linkedUsage
}

type linkedUsage struct {
	Region    string
	Resources []string `xml:"Resources>member"`
}

func deleteServiceLinkedRole(s *Sim, c *call) (any, error) {
	a, name := s.iamAccount(c), c.Form.str("RoleName")
	r := a.roles[name]
	if r == nil || r.ServiceName == "" {
		return nil, noSuchRole(name)
	}
	type answer struct{ DeletionTaskId string }
	for _, id := range sortedKeys(a.linkedTasks) {
		if t := a.linkedTasks[id]; t.role == name && t.status == "IN_PROGRESS" {
			return answer{id}, nil // the earlier request's, while it is under way
		}
	}
	id := "task" + r.Path + name + "/" + s.ids.uuid()
	t := &linkedTask{role: name, status: "IN_PROGRESS"}
	if a.linkedTasks == nil {
		a.linkedTasks = map[string]*linkedTask{}
	}
	a.linkedTasks[id] = t
	s.clock.after(spread(2*time.Second, 10*time.Second, id), func() {
		if t.usage = s.linkedUse(a, r); len(t.usage) > 0 {
			t.status, t.reason = "FAILED", "A service-linked role deletion failed because the role is used by resources of the service."
			return
		}
		t.status = "SUCCEEDED"
		delete(a.roles, name)
	})
	return answer{id}, nil
}

// linkedUse is what keeps a service-linked role from going: AWS Config's recorders,
// remediation configurations, analyzers, and StackSets' trusted access.
func (s *Sim) linkedUse(a *account, r *iamRole) (used []linkedUsage) {
	for _, region := range sortedKeys(a.regions) {
		state, u := a.regions[region], linkedUsage{Region: region}
		arn := "arn:" + s.world.partition + ":config:" + region + ":" + a.ID + ":"
		switch r.ServiceName {
		case "config.amazonaws.com":
			if rec := state.recorder; rec != nil && strings.HasSuffix(rec.RoleARN, "/"+r.Name) {
				u.Resources = append(u.Resources, arn+"configuration-recorder/"+rec.Name)
			}
		case "remediation.config.amazonaws.com":
			for _, name := range sortedKeys(state.rules) {
				if state.rules[name].remediation != nil {
					u.Resources = append(u.Resources, state.rules[name].remediation.ARN)
				}
			}
		case analyzerService:
			for _, name := range sortedKeys(state.kept["AWS::AccessAnalyzer::Analyzer"]) {
				u.Resources = append(u.Resources, "arn:"+s.world.partition+":access-analyzer:"+region+":"+a.ID+":analyzer/"+name)
			}
		}
		if len(u.Resources) > 0 {
			used = append(used, u)
		}
	}
	if r.ServiceName == stackSetsPrincipal && s.world.stackSetsAccess == "ENABLED" {
		used = append(used, linkedUsage{Region: s.opts.Home, Resources: []string{r.ARN}})
	}
	return slices.Clip(used)
}

func serviceLinkedRoleDeletion(s *Sim, c *call) (any, error) {
	t := s.iamAccount(c).linkedTasks[c.Form.str("DeletionTaskId")]
	if t == nil {
		return nil, fail(http.StatusNotFound, "NoSuchEntity", "The deletion task "+c.Form.str("DeletionTaskId")+" cannot be found.")
	}
	type reason struct {
		Reason        string
		RoleUsageList []linkedUsage `xml:"RoleUsageList>member"`
	}
	out := struct {
		Status string
		Reason *reason `xml:",omitempty"`
	}{Status: t.status}
	if t.status == "FAILED" {
		out.Reason = &reason{t.reason, t.usage}
	}
	return out, nil
}
