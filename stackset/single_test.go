package stackset

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/orgs"
	"rollout/templates"
)

// management chooses the management account, and nothing else.
func (s *site) management() *orgs.Account {
	s.t.Helper()
	for _, a := range s.tree.Accounts {
		if a.Management {
			s.d.Accounts, s.d.Management = []*orgs.Account{a}, a.ID
			return a
		}
	}
	s.t.Fatal("no management account")
	return nil
}

// The management account gets the same by plain stacks: made, left alone, changed,
// removed and made again, without a StackSet.
func TestPlainStacksOfTheManagementAccount(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.management()
		s.d.Remediation = RemediationManual
		whole := map[string]int{"recording-base create SUCCEEDED": 1, "recording create SUCCEEDED": 2, "default-security-group create SUCCEEDED": 2, "default-security-group-enforce create SUCCEEDED": 2}
		result := s.apply(t.Context(), s.prepare())
		wantTally(t, result, whole)
		if w := s.writes(); w["CreateStackSet"]+w["CreateStackInstances"] > 0 || w["ExecuteChangeSet"] != 7 {
			t.Errorf("calls %v", w)
		}
		before := s.writes()
		if p := s.prepare(); p.Pending() {
			t.Errorf("again: %+v", p.Changes)
		}
		s.d.Parameters = map[string]string{"InUse": "Empty"}
		wantTally(t, s.apply(t.Context(), s.prepare()), map[string]int{"default-security-group-enforce update SUCCEEDED": 2})
		if n := s.writes()["ExecuteChangeSet"] - before["ExecuteChangeSet"]; n != 2 {
			t.Errorf("%d change sets were executed", n)
		}
		found, err := Look(t.Context(), s.session, PrepareInput{Desired: s.d}, nil)
		if err != nil {
			t.Fatal(err)
		}
		removal, err := RemovePlan(s.d, found.Sets, RemoveOptions{MaxDeletions: "100%"})
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, s.apply(t.Context(), removal), map[string]int{"default-security-group delete SUCCEEDED": 2, "default-security-group-enforce delete SUCCEEDED": 2})
		wantTally(t, s.apply(t.Context(), s.prepare()), map[string]int{"default-security-group create SUCCEEDED": 2, "default-security-group-enforce create SUCCEEDED": 2})
	})
}

// What fails there is an outcome with the resource and AWS's words, what needs it is
// not attempted, and a stack that somebody else made is left.
func TestPlainStacksThatFail(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		account := s.management()
		p := s.prepare()
		s.sim.PutChannel(account.ID, other, "left")
		result := s.apply(t.Context(), p)
		wantTally(t, result, map[string]int{"recording-base create SUCCEEDED": 1, "recording create SUCCEEDED": 1, "recording create FAILED": 1, "default-security-group create SUCCEEDED": 1, "default-security-group create SKIPPED": 1})
		for _, o := range result.Outcomes {
			if o.Status == OutcomeFailed && !strings.HasPrefix(o.Reason, "ResourceLogicalId:Recorder, ResourceType:AWS::Config::ConfigurationRecorder, ResourceStatusReason:") {
				t.Errorf("reason %q", o.Reason)
			}
		}
		if c := s.prepare().at("rollout-recording", account.ID, other); c.Action != Skip || !strings.Contains(c.Reason, "a delivery channel (left) is there") {
			t.Errorf("while the channel is there: %+v", c)
		}
		if _, err := configservice.NewFromConfig(s.session.Own(other)).DeleteDeliveryChannel(t.Context(), &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String("left")}); err != nil {
			t.Fatal(err)
		}
		if c := s.prepare().at("rollout-recording", account.ID, other); c.Action != Recreate || !strings.Contains(c.Reason, "the stack is ROLLBACK_COMPLETE") {
			t.Errorf("without it: %+v", c)
		}

		api := newClient(s.session, other, newPace())
		if _, err := api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("rollout-default-security-group"), TemplateBody: aws.String(`{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`)}); err != nil {
			t.Fatal(err)
		}
		for _, c := range s.prepare().Changes {
			if c.StackSet == "rollout-default-security-group" && c.Region == other && (c.Action != Skip || !strings.Contains(c.Reason, "which rollout did not make")) {
				t.Errorf("beside another's stack: %+v", c)
			}
		}
	})
}

// Each status of a plain stack, and what becomes of it.
func TestVerdictsOnPlainStacks(t *testing.T) {
	template, err := templates.Lookup(templates.RecordingBase)
	if err != nil {
		t.Fatal(err)
	}
	set := Set{Name: "rollout-recording-base", Template: template, Want: want(Desired{HomeRegion: home}, template, false)}
	good := Single{Ours: true, Status: "CREATE_COMPLETE", SHA256: template.SHA256(), Parameters: maps.Clone(set.Want)}
	good.Parameters["CreateConfigServiceLinkedRole"] = "true" // as preflight found it then
	for _, c := range []struct {
		name   string
		change func(*Single)
		action Action
		detail string // of the instance that it stands for
	}{
		{"as it should be", func(*Single) {}, None, "SUCCEEDED"},
		{"updated", func(o *Single) { o.Status = "UPDATE_COMPLETE" }, None, "SUCCEEDED"},
		{"of another version", func(o *Single) { o.SHA256 = "x" }, Update, "SUCCEEDED"},
		{"with another value", func(o *Single) { o.Parameters = map[string]string{"DeliveryBucketPrefix": "other"} }, Update, "SUCCEEDED"},
		{"an update that failed", func(o *Single) { o.Status = "UPDATE_ROLLBACK_COMPLETE" }, Update, "FAILED"},
		{"a creation that failed", func(o *Single) { o.Status = "ROLLBACK_COMPLETE" }, Recreate, "FAILED"},
		{"what could not be deleted", func(o *Single) { o.Status = "DELETE_FAILED" }, Recreate, "FAILED"},
		{"stuck", func(o *Single) { o.Status = "UPDATE_ROLLBACK_FAILED" }, Skip, "FAILED"},
		{"under way", func(o *Single) { o.Status = "UPDATE_IN_PROGRESS" }, None, "RUNNING"},
		{"somebody else's", func(o *Single) { o.Ours = false }, Skip, ""},
		{"unread", func(o *Single) { o.Unread, o.Ours = "AccessDenied", false }, Skip, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := good
			c.change(&one)
			if v := one.verdict(set); v.action != c.action || v.reason == "" && v.action != None {
				t.Errorf("got %+v", v)
			}
			set.Singles = map[Target]Single{one.Target: one}
			if i, ok := set.At(one.Target); ok != (c.detail != "") || i.DetailedStatus != c.detail {
				t.Errorf("it stands for %+v, %t", i, ok)
			}
		})
	}
}
