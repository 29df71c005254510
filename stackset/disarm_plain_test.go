package stackset

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/orgs"
)

// armedPlain has the groups enforced by hand in a member account and in the management
// account, and there once more under a name of the user's.
func (s *site) armedPlain() (scope Scope) {
	s.t.Helper()
	member := s.d.Accounts[0]
	m := s.management()
	s.several("ebs-encryption")
	s.d.Remediation, s.d.StackSet = RemediationManual, "acme"
	s.apply(s.t.Context(), s.prepare())
	s.several("default-security-group")
	s.d.StackSet, s.d.Accounts = "", []*orgs.Account{m, member}
	s.apply(s.t.Context(), s.prepare())
	return Scope{Management: m.ID, On: []string{home, other}}
}

// plain are the plain stacks that are there, "name Region".
func (s *site) plain() []string {
	s.t.Helper()
	sets, problems := plainStacks(s.t.Context(), s.session, s.d.Management, []string{home, other})
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	var out []string
	for _, set := range sets {
		for at := range set.Singles {
			out = append(out, strings.TrimPrefix(set.Name, "rollout-")+" "+at.Region)
		}
	}
	slices.Sort(out)
	return out
}

// The kill switch takes out what enforces in the management account, whatever its name,
// with what StackSets deployed elsewhere; rules stay, and so does what is out of scope.
func TestDisarmTakesPlainStacksOut(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		scope := s.armedPlain()
		s.foreign("other", "", "")
		whole := s.plain()
		if len(whole) != 11 {
			t.Fatal(whole)
		}
		// One Region, one name, and no account of ours.
		narrow := scope
		narrow.Regions, narrow.StackSet = []string{other}, "acme"
		_, result, err := s.disarm("", narrow)
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, result, map[string]int{"acme-enforce delete SUCCEEDED": 1})
		elsewhere := scope
		elsewhere.Accounts = []string{"000000000000"}
		if _, result, err := s.disarm("", elsewhere); err != nil || len(result.Outcomes) > 0 {
			t.Errorf("%+v, %v", result, err)
		}

		_, result, err = s.disarm("", scope)
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, result, map[string]int{"acme-enforce delete SUCCEEDED": 1, "default-security-group-enforce delete SUCCEEDED": 4})
		left := slices.DeleteFunc(slices.Clone(whole), func(s string) bool { return strings.Contains(s, "enforce") })
		if got := s.plain(); !slices.Equal(got, left) {
			t.Errorf("left %v, want %v", got, left)
		}
	})
}

// foreign makes a stack in the management account, with a tag rollout:template or none.
func (s *site) foreign(name, template, body string) {
	s.t.Helper()
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	if template != "" {
		in.Tags = []types.Tag{{Key: aws.String(TagTemplate), Value: &template}}
	}
	if body != "" {
		in.TemplateBody = &body
	}
	if _, err := newClient(s.session, home, newPace()).CreateStack(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

// A template that this version does not have is known by its body; one that cannot be
// read is named, and so are Regions whose stacks cannot be listed.
func TestDisarmKnowsPlainStacksByTheirBodies(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		scope := s.armedPlain()
		enforcing := `{"Resources":{"Remedy":{"Type":"AWS::Config::RemediationConfiguration","Properties":{"ConfigRuleName":"` + groupRule + `x","TargetType":"SSM_DOCUMENT","TargetId":"d"}}}}`
		s.foreign("later-guard", "later-enforce", enforcing)
		s.foreign("later-rule", "later", "")
		time.Sleep(time.Minute)
		found := s.oursOf(scope)
		var names []string
		for _, set := range DisarmPlan(s.d, found.Sets, scope).Sets {
			names = append(names, set.Name)
		}
		if !slices.Contains(names, "later-guard") || slices.Contains(names, "later-rule") {
			t.Errorf("enforce: %v", names)
		}
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "GetTemplate" {
				return 403, queryError("AccessDenied", "no template")
			}
			return status, body
		}
		found, result, err := s.disarm("", scope)
		if err != nil || len(found.Plain) != 2 || !strings.Contains(found.Plain[0].Error(), "read stack later-guard in us-east-1: read its template later-enforce") {
			t.Errorf("%v, %v", found.Plain, err)
		}
		wantTally(t, result, map[string]int{"acme-enforce delete SUCCEEDED": 2, "default-security-group-enforce delete SUCCEEDED": 4})
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "DescribeStacks" {
				return 403, queryError("AccessDenied", "no list")
			}
			return status, body
		}
		if found = s.oursOf(scope); len(found.Plain) != 1 || !strings.Contains(found.Plain[0].Error(), "list the plain stacks of the management account in us-east-1, eu-west-1: ") {
			t.Errorf("%v", found.Plain)
		}
	})
}

// A Region that does not answer holds nothing up for long.
func TestDisarmDoesNotWaitForARegion(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		scope := s.armedPlain()
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "DescribeStacks" {
				time.Sleep(2 * time.Minute)
			}
			return status, body
		}
		began := time.Now()
		found := s.oursOf(scope)
		if len(found.Plain) != 1 || !strings.Contains(found.Plain[0].Error(), "in us-east-1, eu-west-1: no answer within 1m0s") || time.Since(began) > 3*time.Minute {
			t.Errorf("after %s: %v", time.Since(began), found.Plain)
		}
	})
}

func (s *site) oursOf(scope Scope) *Ours {
	s.t.Helper()
	found, err := FindOurs(s.t.Context(), s.session, OursOptions{EnforcingOnly: true, Regions: scope.On, Management: scope.Management})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// A running remediation holds a plain stack as it holds an instance, and a stack that
// comes while the switch is thrown goes too.
func TestDisarmComesBackForPlainStacks(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		scope := s.armedPlain()
		m := s.d.Management
		came := time.AfterFunc(40*time.Second, func() { // of an unknown template, while the remediation runs
			s.foreign("late-guard", "late-enforce", `{"Resources":{"Remedy":{"Type":"AWS::Config::RemediationConfiguration","Properties":{"ConfigRuleName":"`+groupRule+`","TargetType":"SSM_DOCUMENT","TargetId":"d"}}}}`)
		})
		defer came.Stop()
		defer s.remediating(m)()
		_, result, err := s.disarm("", scope)
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, result, map[string]int{"acme-enforce delete SUCCEEDED": 2, "default-security-group-enforce delete SUCCEEDED": 4, "late-guard delete SUCCEEDED": 1})
		if !slices.ContainsFunc(s.events, func(e Event) bool {
			w, ok := e.(Waiting)
			return ok && strings.Contains(w.Why, "in the management account")
		}) {
			t.Errorf("nothing was waited for: %v", s.told())
		}
	})
}
