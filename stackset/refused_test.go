package stackset

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// wantRefused holds a plan to one error of a code, and to a deploy that changes nothing.
func (s *site) wantRefused(plan *Plan, code string, as any) {
	s.t.Helper()
	have := found(plan, code)
	if len(have) != 1 || have[0].Severity != SeverityError || have[0].Remedy == "" || !strings.Contains(have[0].Text, "A deploy is refused") {
		s.t.Fatalf("%s: %+v", code, plan.Findings)
	}
	before := s.writes()
	result, err := Apply(s.t.Context(), s.session, "", plan, ApplyOptions{Run: "refused"}, nil)
	if !errors.As(err, as) || result != nil {
		s.t.Errorf("%s: error %v, result %+v", code, err, result)
	}
	if len(s.writes()) != len(before) {
		s.t.Errorf("%s: something was changed", code)
	}
}

// Trusted access that was switched off over what is there: the plan still says what would
// be done, and comes true once it is on again.
func TestPlanWithoutTrustedAccess(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.d.Accounts = all[:1]
		s.apply(t.Context(), s.prepared())
		api := newClient(s.session, "", newPace())
		s.undelegate()
		if _, err := api.DeactivateOrganizationsAccess(t.Context(), &cloudformation.DeactivateOrganizationsAccessInput{}); err != nil {
			t.Fatal(err)
		}
		s.d.Accounts = all
		plan := s.prepared()
		s.wantRefused(plan, "trusted-access-off", new(*AccessDisabledError))
		if by := byAction(plan); by[None] != 5 || by[Create] != 5 {
			t.Errorf("%v", by)
		}
		if _, err := api.ActivateOrganizationsAccess(t.Context(), &cloudformation.ActivateOrganizationsAccessInput{}); err != nil {
			t.Fatal(err)
		}
		again := s.prepared()
		if again.Refused() != nil || len(found(again, "trusted-access-off")) > 0 || Moved(plan.JSON(), again.JSON()) != nil {
			t.Errorf("refused %v, findings %+v", again.Refused(), again.Findings)
		}
		s.apply(t.Context(), again)
	})
}

// undelegate leaves StackSets no delegated administrator.
func (s *site) undelegate() {
	s.t.Helper()
	api := organizations.NewFromConfig(s.session.Own(""))
	out, err := api.ListDelegatedAdministrators(s.t.Context(), &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String(StackSetsMember)})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range out.DelegatedAdministrators {
		if _, err := api.DeregisterDelegatedAdministrator(s.t.Context(), &organizations.DeregisterDelegatedAdministratorInput{AccountId: a.Id, ServicePrincipal: aws.String(StackSetsMember)}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// byAction counts the changes of a plan by action.
func byAction(p *Plan) map[Action]int {
	out := map[Action]int{}
	for _, c := range p.Changes {
		out[c.Action]++
	}
	return out
}

func TestRemediesOfTrustedAccess(t *testing.T) {
	const management = "111111111111"
	for _, test := range []struct {
		off  AccessDisabledError
		want []string
	}{
		{AccessDisabledError{Status: "DISABLED", Region: home, Caller: management, Organization: orgs.Organization{ManagementAccount: management, FeatureSet: "ALL"}},
			[]string{"rollout doctor --activate switches it on (aws cloudformation activate-organizations-access --region " + home}},
		{AccessDisabledError{Status: "DISABLED", Region: home, Caller: "222222222222", Organization: orgs.Organization{ManagementAccount: management, FeatureSet: "ALL"}},
			[]string{"rollout doctor --activate, with credentials of management account " + management}},
		{AccessDisabledError{Status: "not enabled", Region: home}, []string{"rollout doctor --activate, with credentials of the management account,"}},
		{AccessDisabledError{Status: "DISABLED", Region: home, Caller: management, Organization: orgs.Organization{ManagementAccount: management, FeatureSet: "CONSOLIDATED_BILLING"}},
			[]string{"consolidated billing only", "aws organizations enable-all-features", "Then rollout doctor --activate"}},
		{AccessDisabledError{Status: "DISABLED_PERMANENTLY", Region: home}, []string{"Ask AWS Support"}},
	} {
		for _, want := range test.want {
			if text := test.off.Error() + " " + test.off.Remedy(); !strings.Contains(text, want) {
				t.Errorf("%q lacks %q", text, want)
			}
		}
	}
}

// An account that StackSets does not know as an administrator learns that what is there
// cannot be seen, place by place; registered, it learns what is there.
func TestPlanAsNobody(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.prepared())
		suspended := *s.d.Accounts[1]
		suspended.State = "SUSPENDED"
		s.d.Accounts[1] = &suspended
		admin := s.d.Accounts[2].ID
		prepared := func() *Plan {
			t.Helper()
			p, err := Prepare(t.Context(), s.session, PrepareInput{Desired: s.d, CallAs: types.CallAsDelegatedAdmin,
				Organization: orgs.Organization{ManagementAccount: "123456789012"}, Known: []awsapi.Region{{Name: home, On: true}, {Name: other, On: true}}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			explained(t, p)
			return p
		}
		manager := s.session
		nobody := s.delegate(admin)
		s.undelegate()
		s.session = nobody
		check := func(when string) {
			t.Helper()
			plan := prepared()
			s.wantRefused(plan, "not-delegated", new(*NotDelegatedError))
			f := found(plan, "not-delegated")[0]
			if by := byAction(plan); by[Skip] != len(plan.Changes) || len(plan.Changes) != 14 || len(f.Places) != 4 || len(f.StackSets) != 3 || len(found(plan, "account-inactive")) != 1 {
				t.Errorf("%s: %v, %+v", when, by, plan.Findings)
			}
			if !strings.Contains(f.Text, "account "+admin+" is neither") || !strings.Contains(f.Remedy, "--account-id "+admin) || !strings.Contains(f.Remedy, "123456789012") {
				t.Errorf("%s: %s %s", when, f.Text, f.Remedy)
			}
			if len(plan.Steps(ApplyOptions{})) > 0 || len(plan.Joining) > 0 || plan.Pending() {
				t.Errorf("%s: steps %v, joining %v", when, plan.Steps(ApplyOptions{}), plan.Joining)
			}
		}
		check("told at once")
		// Where only the list of sets tells: as when the first question may not be asked.
		s.answer = func(action string, status int, body string) (int, string) {
			if action != "DescribeOrganizationsAccess" {
				return status, body
			}
			return 403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not here</Message></Error></ErrorResponse>`
		}
		check("told by the list")
		s.answer, s.session = nil, manager
		s.session = s.delegate(admin)
		if plan := prepared(); plan.Refused() != nil || byAction(plan)[None] == 0 {
			t.Errorf("registered: %v, %v", plan.Refused(), byAction(plan))
		}
	})
}

// Several accounts of which none can be entered: what needs no look is planned, recording
// is not. A run that makes nothing but the role that lets one in is carried out.
func TestPlanWithoutARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2, simaws.Options{})
		for _, a := range s.d.Accounts {
			s.sim.RemoveRole(a.ID, "OrganizationAccountAccessRole")
			s.sim.RemoveRole(a.ID, "AWSControlTowerExecution")
		}
		plan := s.prepared()
		s.wantRefused(plan, "no-role", new(*NoEntryError))
		explained(t, plan)
		f := found(plan, "no-role")[0]
		if len(f.Places) != 2 || len(found(plan, "account-closed")) > 0 || !strings.Contains(f.Text, "AccessDenied") {
			t.Errorf("%+v", plan.Findings)
		}
		for _, c := range plan.Changes {
			if c.Template == templates.Recording && c.Action != Skip || c.Template == templates.DefaultSecurityGroup && c.Action == Delete {
				t.Errorf("%+v", c)
			}
		}
		guarded := s.d
		reader, err := templates.Lookup("rollout-reader")
		if err != nil {
			t.Fatal(err)
		}
		s.d.Templates, s.d.Caller = []templates.Template{reader}, s.session.Account
		plan = s.prepared()
		if plan.Refused() != nil || len(found(plan, "no-role")) != 1 {
			t.Fatalf("%v, %+v", plan.Refused(), plan.Findings)
		}
		for _, o := range s.apply(t.Context(), plan).Outcomes {
			if o.Status != OutcomeSucceeded {
				t.Errorf("%+v", o)
			}
		}
		s.d = guarded
		time.Sleep(time.Minute) // IAM is known everywhere by then
		if s.session, err = awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: s.sim.Client(), EndpointURL: "http://127.0.0.1", HomeRegion: home, Run: "again"}); err != nil {
			t.Fatal(err) // one that has not learnt yet that no role works
		}
		if plan := s.prepared(); plan.Refused() != nil || byAction(plan)[Skip] > 0 {
			t.Errorf("with the reader: %v, %+v", plan.Refused(), plan.Findings)
		}
	})
}
