package stackset

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/orgs"
	"rollout/templates"
)

// of are templates made for a test out of the embedded rule template.
func of(t *testing.T, name string, scope templates.Scope, needs ...string) templates.Template {
	t.Helper()
	template, err := templates.Lookup(templates.DefaultSecurityGroup)
	if err != nil {
		t.Fatal(err)
	}
	template.Name, template.Scope, template.Needs, template.EnforcedBy = name, scope, needs, ""
	return template
}

// A template of the home Region brings a recorder there, though --region does not
// name it, and has its instance there only.
func TestPlanOfTheHomeRegion(t *testing.T) {
	asked := []templates.Template{of(t, "passwords", templates.ScopeHome, templates.Recording)}
	p := newPlanCase(nil).plan(t, Desired{Templates: asked, Regions: []string{other}}, nil)
	want := "recording-base us-east-1 create\nrecording eu-west-1 create\nrecording us-east-1 create\npasswords us-east-1 create"
	if got := lines(p); got != want {
		t.Errorf("planned\n%s\nwant\n%s", got, want)
	}
	i := slices.IndexFunc(p.Changes, func(c Change) bool { return c.Template == templates.Recording && c.Region == home })
	if !strings.Contains(p.Changes[i].Reason, "--region does not name, for passwords") {
		t.Errorf("reason %q", p.Changes[i].Reason)
	}
}

// Several templates are one plan, each set after what it needs; one that has no
// remediation stays as it is while the other is enforced.
func TestPlanOfSeveralTemplates(t *testing.T) {
	group, _ := templates.Lookup(templates.DefaultSecurityGroup)
	d := Desired{Templates: []templates.Template{group, of(t, "keys", templates.ScopeRegional, templates.Recording)}, Regions: []string{home}, Remediation: RemediationManual}
	p := newPlanCase(func(f *AccountFacts) { f.Regions[home].Channel = "left" }).plan(t, d, nil)
	want := "recording-base us-east-1 create\nrecording us-east-1 skip\ndefault-security-group us-east-1 skip\ndefault-security-group-enforce us-east-1 skip\nkeys us-east-1 skip"
	if got := lines(p); got != want {
		t.Errorf("planned\n%s\nwant\n%s", got, want)
	}
}

func TestCheckRefuses(t *testing.T) {
	group, _ := templates.Lookup(templates.DefaultSecurityGroup)
	keys := of(t, "keys", templates.ScopeRegional)
	single := of(t, "archive", templates.ScopeSingle)
	two := []*orgs.Account{{ID: "111111111111"}, {ID: "222222222222"}}
	for name, test := range map[string]struct {
		d    Desired
		want string
	}{
		"a name for two":        {Desired{Templates: []templates.Template{group, keys}, StackSet: "mine"}, "names the StackSet of one template, and 2 are asked for"},
		"no such remediation":   {Desired{Templates: []templates.Template{keys}, Remediation: RemediationManual}, "it takes off"},
		"none of several":       {Desired{Templates: []templates.Template{keys, single}, Remediation: RemediationManual}, "none of the templates keys, archive"},
		"one account, two made": {Desired{Templates: []templates.Template{single}, Accounts: two}, "goes to one account of the organization, and 2 are chosen"},
		"one account":           {Desired{Templates: []templates.Template{single}, Accounts: two[:1]}, ""},
		"one has it":            {Desired{Templates: []templates.Template{group, keys}, Remediation: RemediationManual}, ""},
		"near parameter":        {Desired{Templates: []templates.Template{group}, Parameters: map[string]string{"InUs": "Skip"}}, "did you mean InUse?"},
	} {
		test.d.HomeRegion = home
		err := Check(test.d)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// All supported types leave the global ones out unless they are included.
func TestRecordingGroups(t *testing.T) {
	asked := []string{"AWS::IAM::User", "AWS::S3::Bucket"}
	for want, group := range map[string]*types.RecordingGroup{
		"AWS::IAM::User":                 {AllSupported: true},
		"":                               {AllSupported: true, IncludeGlobalResourceTypes: true},
		"AWS::IAM::User,AWS::S3::Bucket": {ResourceTypes: []types.ResourceType{types.ResourceTypeInstance}},
		"AWS::S3::Bucket":                {ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket}}},
	} {
		if got := strings.Join((RecordingGroup{group}).LeavesOut(asked), ","); got != want {
			t.Errorf("%+v leaves out %q, want %q", group, got, want)
		}
	}
}
