package stackset

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/templates"
)

// automatic says of each set that is there how its automatic deployment is, read anew.
func (s *site) automatic() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	sets := s.sets()
	for _, set := range sets {
		if set.Exists {
			out[strings.TrimPrefix(set.Name, "rollout-")] = autoNow(set, sets).String()
		}
	}
	return out
}

func (s *site) wantAutomatic(want map[string]string) {
	s.t.Helper()
	have := s.automatic()
	for name, text := range want {
		if have[name] != text {
			s.t.Errorf("automatic deployment of %s: %q, want %q", name, have[name], text)
		}
	}
}

const (
	on          = "on, stacks are deleted when an account leaves"
	onAfterBase = "on after rollout-recording-base, stacks are deleted when an account leaves"
	onAfterRec  = "on after rollout-recording, stacks are deleted when an account leaves"
)

// asked says what the option came to, set by set: a run, and what stands afterwards.
func TestAutomaticDeploymentIsSwitched(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		base, rec, dsg := "recording-base", "recording", "default-security-group"
		for i, step := range []struct {
			why     string
			auto    AutoDeploy
			changed int // UpdateStackSet calls
			want    map[string]string
		}{
			{"new sets, without the option", AutoDeploy{}, 0, map[string]string{base: "off", rec: "off", dsg: "off"}},
			{"alone: not recording", AutoDeploy{All: true}, 2, map[string]string{base: on, rec: "off", dsg: on}},
			{"the same again changes nothing", AutoDeploy{All: true}, 0, map[string]string{base: on, rec: "off", dsg: on}},
			{"recording named beside it: the set that waits for it changes too", AutoDeploy{All: true, Names: []string{rec}}, 2, map[string]string{base: on, rec: onAfterBase, dsg: onAfterRec}},
			{"alone again: recording stays", AutoDeploy{All: true}, 0, map[string]string{base: on, rec: onAfterBase, dsg: onAfterRec}},
			{"without the option everything stays", AutoDeploy{}, 0, map[string]string{base: on, rec: onAfterBase, dsg: onAfterRec}},
			{"off takes what was asked for and not what it needs", AutoDeploy{Off: true}, 1, map[string]string{base: on, rec: onAfterBase, dsg: "off"}},
			{"a name switches on and nothing else", AutoDeploy{Names: []string{dsg}}, 1, map[string]string{base: on, rec: onAfterBase, dsg: onAfterRec}},
			{"another name switches off what was asked for", AutoDeploy{Names: []string{base}}, 1, map[string]string{base: on, rec: onAfterBase, dsg: "off"}},
		} {
			s.d.Auto = step.auto
			before := s.writes()["UpdateStackSet"]
			p := s.prepared()
			if p.Pending() != (i == 0 || step.changed > 0) {
				t.Errorf("%s: pending is %v", step.why, p.Pending())
			}
			if p.Pending() {
				s.apply(t.Context(), p) // holds the calls to those foretold
			}
			if n := s.writes()["UpdateStackSet"] - before; n != step.changed {
				t.Errorf("%s: %d updates, want %d", step.why, n, step.changed)
			}
			s.wantAutomatic(step.want)
		}
	})
}

// New sets are made with it, those that others wait for first.
func TestNewSetsFollow(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Auto = AutoDeploy{All: true, Names: []string{templates.Recording}}
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.prepared())
		s.wantAutomatic(map[string]string{"recording-base": on, "recording": onAfterBase, "default-security-group": onAfterRec, "default-security-group-enforce": "off"})
		if n := s.writes()["UpdateStackSet"]; n != 0 {
			t.Errorf("%d updates", n)
		}
	})
}

// Somebody else's wishes: what a set waits for besides stays; enforcement that follows
// is switched off as soon as a run says anything.
func TestWhatOthersSetForAutomaticDeployment(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.prepared())
		client := newClient(s.session, "", newPace())
		made, err := client.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String("theirs"), PermissionModel: "SERVICE_MANAGED",
			TemplateBody: aws.String(`{"Resources":{"H":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`), AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}})
		if err != nil || made == nil {
			t.Fatal(err)
		}
		theirs, err := client.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: aws.String("theirs")})
		if err != nil {
			t.Fatal(err)
		}
		arn := *theirs.StackSet.StackSetARN
		for _, name := range []string{"default-security-group", "default-security-group-enforce"} {
			s.switchOn("rollout-"+name, arn)
		}
		s.d.Auto = AutoDeploy{All: true}
		s.apply(t.Context(), s.prepared())
		s.wantAutomatic(map[string]string{"default-security-group": "on after " + arn + ", stacks are deleted when an account leaves", "default-security-group-enforce": "off"})
	})
}

// switchOn switches automatic deployment of a set on past rollout.
func (s *site) switchOn(name string, depends ...string) {
	s.t.Helper()
	client := newClient(s.session, "", newPace())
	set, err := client.DescribeStackSet(s.t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: &name})
	if err != nil {
		s.t.Fatal(err)
	}
	in := &cloudformation.UpdateStackSetInput{StackSetName: &name, UsePreviousTemplate: aws.Bool(true), Parameters: set.StackSet.Parameters, Capabilities: set.StackSet.Capabilities,
		AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(false), DependsOn: depends}}
	out, err := client.UpdateStackSet(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	s.waitFor(name, *out.OperationId)
}

func (s *site) waitFor(name, id string) {
	s.t.Helper()
	client := newClient(s.session, "", newPace())
	for {
		out, err := client.DescribeStackSetOperation(context.WithoutCancel(s.t.Context()), &cloudformation.DescribeStackSetOperationInput{StackSetName: &name, OperationId: &id})
		if err != nil {
			s.t.Fatal(err)
		}
		if ended, _ := over(out.StackSetOperation.Status); ended {
			return
		}
		if err := pause(s.t.Context(), pollAfter(3)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// The call goes through every instance of the set. Where that would update something
// that nobody chose, the setting stays and the plan says why.
func TestAutomaticDeploymentTouchesNothingElse(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.apply(t.Context(), s.prepared())
		s.d.Parameters = map[string]string{"HistoryRetentionDays": "500"}
		s.d.Accounts = all[:1]
		s.apply(t.Context(), s.prepared()) // leaves the other two OUTDATED
		before := s.instances("rollout-recording-base")
		s.d.Auto = AutoDeploy{All: true}
		p := s.prepared()
		if !slices.ContainsFunc(p.Warnings(), func(w string) bool {
			return strings.Contains(w, "rollout-recording-base stays off") && strings.Contains(w, "2 stack instances outside this run are OUTDATED")
		}) {
			t.Errorf("warnings: %q", p.Warnings())
		}
		s.apply(t.Context(), p)
		s.wantAutomatic(map[string]string{"recording-base": "off", "default-security-group": on})
		for place, i := range s.instances("rollout-recording-base") {
			if i.Status != before[place].Status {
				t.Errorf("%v was %s and is %s", place, before[place].Status, i.Status)
			}
		}
		// With them, it is the template first in no place, and the setting after it.
		s.d.Accounts = all
		s.apply(t.Context(), s.prepared())
		s.wantAutomatic(map[string]string{"recording-base": on})
		for place, i := range s.instances("rollout-recording-base") {
			if i.Status != "CURRENT" {
				t.Errorf("%v is %s", place, i.Status)
			}
		}
	})
}

// A new template and the setting in one run: what is outside is passed by the template
// and not caught by the setting.
func TestTheSettingComesBeforeTheTemplate(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		all := s.d.Accounts
		s.apply(t.Context(), s.prepared())
		s.d.Parameters, s.d.Accounts, s.d.Auto = map[string]string{"HistoryRetentionDays": "500"}, all[:1], AutoDeploy{All: true}
		s.apply(t.Context(), s.prepared())
		s.wantAutomatic(map[string]string{"recording-base": on})
		for place, i := range s.instances("rollout-recording-base") {
			if (i.Status == "CURRENT") != (place.AccountID == all[0].ID) {
				t.Errorf("%v is %s", place, i.Status)
			}
		}
	})
}

func TestAutomaticDeploymentIsRefused(t *testing.T) {
	template := func(name string) templates.Template {
		t.Helper()
		found, err := templates.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	d := Desired{Templates: []templates.Template{template(templates.DefaultSecurityGroup), template("recording-archive")}, HomeRegion: home}
	for _, c := range []struct {
		auto AutoDeploy
		want string // part of the refusal, "" for none
	}{
		{AutoDeploy{All: true}, ""},
		{AutoDeploy{Names: []string{templates.Recording, templates.RecordingBase}}, ""},
		{AutoDeploy{Names: []string{templates.DefaultSecurityGroupEnforce}}, "enforcement is never deployed automatically"},
		{AutoDeploy{Names: []string{"recording-archive"}}, "it goes to one account"},
		{AutoDeploy{Names: []string{"recordin"}}, "did you mean recording?"},
		{AutoDeploy{Names: []string{"access-keys"}}, "no template of this run is called so"},
		{AutoDeploy{Off: true, All: true}, "leave one of them out"},
	} {
		d.Auto = c.auto
		err := checkAuto(d)
		var refused *RefusedError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.auto, err, c.want)
		}
	}
}
