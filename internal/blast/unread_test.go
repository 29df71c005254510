package blast

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/stackset"
	"rollout/templates"
)

// What cannot be read is unknown, with what AWS said: the groups that nobody is seen to
// lean on, Config's findings where the service says nothing, and an account as a whole.
func TestWhatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, simaws.Options{Empty: true, Accounts: 12}, "default-security-group", home, other)
		s.d.Accounts = s.d.Accounts[:3]
		for _, a := range s.d.Accounts {
			for _, region := range s.d.Regions {
				s.sim.SetGroups(a.ID, region, true)
			}
			s.sim.UseGroups(a.ID, other, true)
		}
		s.deploy(stackset.RemediationOff)
		plan := s.plan()
		half, blind, closed := s.d.Accounts[0].ID, s.d.Accounts[1].ID, s.d.Accounts[2].ID
		s.sim.DenyAction(half, "ecs:ListClusters")
		s.sim.DenyAction(blind, "ec2:DescribeSecurityGroups")
		for _, role := range awsapi.DefaultRoleNames {
			s.sim.RemoveRole(closed, role)
		}
		r, err := Read(t.Context(), s.session, plan, nil)
		if err != nil {
			t.Fatal(err)
		}
		counted := map[string]int{}
		for _, one := range r.Resources {
			counted[one.AccountID]++
			used := one.Region == other
			switch one.AccountID {
			case half:
				want := map[bool]Verdict{true: NotSafe, false: Unknown}[used]
				if one.Verdict != want || one.WouldChange == used || !strings.Contains(one.Reason, "ecs:ListClusters: AccessDeniedException: ") {
					t.Errorf("%+v", one)
				}
			case blind:
				if one.Verdict != Unknown || !one.WouldChange || !strings.Contains(one.Reason, "ec2:DescribeSecurityGroups: UnauthorizedOperation: ") || !strings.HasPrefix(one.Source, "AWS Config") {
					t.Errorf("%+v", one)
				}
			default:
				t.Errorf("%+v", one)
			}
		}
		if counted[half] < 2 || counted[blind] < 2 {
			t.Errorf("found %v", counted)
		}
		said := map[string]int{}
		for _, u := range r.Unread {
			if u.Template != "default-security-group-enforce" || u.Said == "" {
				t.Errorf("%+v", u)
			}
			said[u.AccountID]++
		}
		if said[half] != 0 || said[blind] != 2 || said[closed] != 2 {
			t.Errorf("not read: %+v", r.Unread)
		}
		for _, p := range r.Places {
			if p.Evaluated != (p.AccountID != closed) || p.Evaluated != (p.Why == "") {
				t.Errorf("%+v", p)
			}
		}
		for i := 1; i < len(r.Resources); i++ {
			if rank(r.Resources[i-1]) > rank(r.Resources[i]) {
				t.Errorf("%+v comes before %+v", r.Resources[i-1], r.Resources[i])
			}
		}
	})
}

// Which rule gives the verdict in a place, or why none does.
func TestWhereARuleIsEvaluated(t *testing.T) {
	onChange := templates.Rule{Name: "ours", Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", ResourceTypes: []string{typeGroup}}
	byClock := templates.Rule{Name: "ours", Identifier: "IAM_PASSWORD_POLICY"}
	all := stackset.RecordingGroup{RecordingGroup: &types.RecordingGroup{AllSupported: true}}
	some := stackset.RecordingGroup{RecordingGroup: &types.RecordingGroup{ResourceTypes: []types.ResourceType{typeBucket}}}
	on, off, narrow := &stackset.Recorder{Recording: true, Group: all}, &stackset.Recorder{Group: all}, &stackset.Recorder{Recording: true, Group: some}
	own := stackset.RuleFact{Rule: "ours", Name: "ours", Equal: true}
	changed := stackset.RuleFact{Rule: "ours", Name: "ours"}
	equal, earlier, others := stackset.RuleFact{Rule: "ours", Name: "b", Equal: true}, stackset.RuleFact{Rule: "ours", Name: "a", Equal: true}, stackset.RuleFact{Rule: "theirs", Name: "theirs", Equal: true}
	for name, test := range map[string]struct {
		rule  templates.Rule
		facts *stackset.RegionFacts
		want  string // the name, or with a colon before it why not
	}{
		"ours":                            {onChange, &stackset.RegionFacts{Recorder: on, Rules: []stackset.RuleFact{equal, own}}, "ours"},
		"the first equal one":             {onChange, &stackset.RegionFacts{Recorder: on, Rules: []stackset.RuleFact{equal, earlier}}, "a"},
		"equal to ours, which is changed": {onChange, &stackset.RegionFacts{Recorder: on, Rules: []stackset.RuleFact{changed, equal}}, "b"},
		"ours, changed":                   {onChange, &stackset.RegionFacts{Recorder: on, Rules: []stackset.RuleFact{changed}}, ": rule ours is there with other parameters"},
		"none":                            {onChange, &stackset.RegionFacts{Recorder: on, Rules: []stackset.RuleFact{others}}, ": rule ours is not there, nor an equal one"},
		"no recorder":                     {onChange, &stackset.RegionFacts{Rules: []stackset.RuleFact{own}}, ": there is no recorder"},
		"recorder off":                    {onChange, &stackset.RegionFacts{Recorder: off, Rules: []stackset.RuleFact{own}}, ": the recorder is off"},
		"not recorded":                    {onChange, &stackset.RegionFacts{Recorder: narrow, Rules: []stackset.RuleFact{own}}, ": the recorder leaves out " + typeGroup},
		"by the clock":                    {byClock, &stackset.RegionFacts{Recorder: off, Rules: []stackset.RuleFact{own}}, "ours"},
		"unread":                          {onChange, &stackset.RegionFacts{Gap: stackset.Gap{Text: "AccessDenied"}, Recorder: on, Rules: []stackset.RuleFact{own}}, ": preflight could not read AWS Config: AccessDenied"},
		"no preflight":                    {onChange, nil, ": preflight did not look there"},
	} {
		got, why := sourceOf(test.rule, test.facts)
		if got == "" {
			got = ": " + why
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// When a rule was evaluated, or why it counts as not evaluated.
func TestWhenARuleWasEvaluated(t *testing.T) {
	early, late := aws.Time(time.Unix(1000, 0)), aws.Time(time.Unix(2000, 0))
	for name, test := range map[string]struct {
		state types.ConfigRuleEvaluationStatus
		when  *time.Time
		why   string
	}{
		"never":            {types.ConfigRuleEvaluationStatus{LastSuccessfulInvocationTime: early}, nil, "rule r has not been evaluated yet"},
		"once":             {types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastSuccessfulEvaluationTime: early}, early, ""},
		"nothing in scope": {types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastSuccessfulInvocationTime: late}, late, ""},
		"failed since":     {types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastSuccessfulEvaluationTime: early, LastFailedEvaluationTime: late, LastErrorCode: aws.String("X"), LastErrorMessage: aws.String("y")}, nil, "rule r failed: X: y"},
		"failed before":    {types.ConfigRuleEvaluationStatus{FirstEvaluationStarted: true, LastSuccessfulEvaluationTime: late, LastFailedEvaluationTime: early}, late, ""},
	} {
		when, why := evaluationOf("r", test.state, nil)
		if why != test.why || !when.Equal(aws.ToTime(test.when)) {
			t.Errorf("%s: %s %q", name, when, why)
		}
	}
}
