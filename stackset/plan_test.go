package stackset

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

// planCase is one account in a small tree, and what preflight said of it.
type planCase struct {
	account *orgs.Account
	facts   *AccountFacts
}

func newPlanCase(change func(f *AccountFacts)) planCase {
	root := &orgs.OU{ID: "r-ab12", Name: "Root"}
	ou := &orgs.OU{ID: "ou-ab12-11111111", Name: "Workloads", Path: "Workloads", Parent: root}
	a := &orgs.Account{ID: "111111111111", Name: "payments", State: "ACTIVE", OU: ou}
	f := &AccountFacts{AccountID: a.ID, Role: "rollout-reader", ConfigRole: Absent, RemediationRole: Absent, Bucket: Absent, BucketName: "rollout-config-111111111111-us-east-1-an",
		Regions: map[string]*RegionFacts{home: {}, other: {}}}
	if change != nil {
		change(f)
	}
	return planCase{a, f}
}

func (c planCase) plan(t *testing.T, d Desired, sets []Set) *Plan {
	t.Helper()
	d.Accounts, d.OUs, d.HomeRegion = []*orgs.Account{c.account}, []string{"ou-ab12-11111111"}, home
	if d.Templates == nil {
		t, _ := templates.Lookup(templates.DefaultSecurityGroup)
		d.Templates = []templates.Template{t}
	}
	if d.Regions == nil {
		d.Regions = []string{other, home}
	}
	if sets == nil {
		for _, w := range WantedSets(d) {
			sets = append(sets, Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic})
		}
	}
	return c.planWith(t, d, sets, nil)
}

// planWith is the plan of a run whose Desired lacks nothing but the account.
func (c planCase) planWith(t *testing.T, d Desired, sets []Set, given map[key]GivenOverrides) *Plan {
	t.Helper()
	d.Accounts, d.OUs = []*orgs.Account{c.account}, []string{"ou-ab12-11111111"}
	p, err := MakePlan(d, sets, &Facts{Accounts: map[string]*AccountFacts{c.account.ID: c.facts}, Overrides: given})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the changes as "template region action", without reasons.
func lines(p *Plan) string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, strings.TrimPrefix(c.StackSet, "rollout-")+" "+c.Region+" "+string(c.Action))
	}
	return strings.Join(out, "\n")
}

func TestPlanOfOneAccount(t *testing.T) {
	all := RecordingGroup{&types.RecordingGroup{AllSupported: true}}
	recording := &Recorder{Name: "default", Recording: true, Group: all}
	for _, test := range []struct {
		name    string
		desired Desired
		facts   func(f *AccountFacts)
		want    string
		warning string
	}{
		{"nothing there", Desired{}, nil, `
recording-base us-east-1 create
recording eu-west-1 create
recording us-east-1 create
default-security-group eu-west-1 create
default-security-group us-east-1 create`, ""},
		{"records everywhere", Desired{}, func(f *AccountFacts) { f.Regions[home].Recorder, f.Regions[other].Recorder = recording, recording }, `
recording eu-west-1 none
recording us-east-1 none
default-security-group eu-west-1 create
default-security-group us-east-1 create`, ""},
		{"home region not asked for", Desired{Regions: []string{other}}, nil, `
recording-base us-east-1 create
recording eu-west-1 create
default-security-group eu-west-1 create`, ""},
		{"equal rule spares ours while remediation is off", Desired{ReuseExisting: true, Regions: []string{home}}, func(f *AccountFacts) {
			f.Regions[home].Recorder = recording
			f.Regions[home].Rules = []RuleFact{{Rule: "rollout-vpc-default-security-group-closed", Name: "theirs", Equal: true}}
		}, `
recording us-east-1 none
default-security-group us-east-1 none`, ""},
		{"enforcement brings our own rule", Desired{ReuseExisting: true, Regions: []string{home}, Remediation: RemediationManual}, func(f *AccountFacts) {
			f.Regions[home].Recorder = recording
			f.Regions[home].Rules = []RuleFact{{Rule: "rollout-vpc-default-security-group-closed", Name: "theirs", Equal: true}}
		}, `
recording-base us-east-1 create
recording us-east-1 none
default-security-group us-east-1 create
default-security-group-enforce us-east-1 create`, ""},
		{"our rule's name is taken by another rule", Desired{Regions: []string{home}}, func(f *AccountFacts) {
			f.Regions[home].Recorder = recording
			f.Regions[home].Rules = []RuleFact{{Rule: "rollout-vpc-default-security-group-closed", Name: "rollout-vpc-default-security-group-closed"}}
		}, `
recording us-east-1 none
default-security-group us-east-1 skip`, ""},
		{"channel without a recorder", Desired{Regions: []string{home}}, func(f *AccountFacts) { f.Regions[home].Channel = "default" }, `
recording us-east-1 skip
default-security-group us-east-1 skip`, "Stack sets rollout-default-security-group, rollout-recording cannot be deployed to account 111111111111 (payments) in us-east-1: the delivery channel default"},
		{"region off in the account", Desired{}, func(f *AccountFacts) { f.Regions[other].Off = true }, `
recording-base us-east-1 create
recording eu-west-1 skip
recording us-east-1 create
default-security-group eu-west-1 skip
default-security-group us-east-1 create`, ""},
		{"region denied by a policy", Desired{Regions: []string{other}}, func(f *AccountFacts) {
			f.Regions[other].Gap = Gap{Class: awsapi.ClassPolicyDenied, Text: "AccessDenied"}
		}, `
recording eu-west-1 skip
default-security-group eu-west-1 skip`, ""},
		{"cannot be entered", Desired{Regions: []string{home}}, func(f *AccountFacts) {
			f.Gap = Gap{Class: awsapi.ClassDenied, Text: "AccessDenied"}
			f.Regions[home].Gap = f.Gap
		}, `
recording us-east-1 skip
default-security-group us-east-1 create`, "cannot be entered, so what is there is not known and recording is not planned: AccessDenied."},
		{"stopped recorder of their own", Desired{Regions: []string{home}}, func(f *AccountFacts) { f.Regions[home].Recorder = &Recorder{Name: "default", Group: all} }, `
recording us-east-1 none
default-security-group us-east-1 create`, "is stopped"},
		{"recorder leaves the type out", Desired{Regions: []string{home}}, func(f *AccountFacts) {
			f.Regions[home].Recorder = &Recorder{Name: "default", Recording: true, Group: RecordingGroup{&types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket}}}}
		}, `
recording us-east-1 none
default-security-group us-east-1 create`, "does not record AWS::EC2::SecurityGroup"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlanCase(test.facts).plan(t, test.desired, nil)
			if got, want := lines(p), strings.TrimPrefix(test.want, "\n"); got != want {
				t.Errorf("planned\n%s\nwant\n%s", got, want)
			}
			if test.warning != "" && !strings.Contains(strings.Join(p.Warnings(), "\n"), test.warning) {
				t.Errorf("no warning %q in %q", test.warning, p.Warnings())
			}
			explained(t, p)
			for _, c := range p.Changes {
				if c.Reason == "" && (c.Action == Skip || c.Action == Recreate || c.Action == Delete) {
					t.Errorf("no reason: %+v", c)
				}
			}
			if again := newPlanCase(test.facts).plan(t, test.desired, nil); again.Hash != p.Hash {
				t.Error("the same input gives another hash")
			}
		})
	}
}

// Only what preflight found missing is overridden, and never anything but
// recording-base's switches.
func TestPlanOverrides(t *testing.T) {
	for _, test := range []struct {
		name        string
		remediation Remediation
		facts       func(f *AccountFacts)
		want        map[string]string
	}{
		{"role missing", RemediationOff, nil, map[string]string{"CreateConfigServiceLinkedRole": "true"}},
		{"both roles missing", RemediationManual, nil, map[string]string{"CreateConfigServiceLinkedRole": "true", "CreateRemediationServiceLinkedRole": "true"}},
		{"roles there", RemediationManual, func(f *AccountFacts) { f.ConfigRole, f.RemediationRole = Present, Present }, map[string]string{}},
		{"bucket left over, role missing", RemediationOff, func(f *AccountFacts) { f.Bucket = Present }, map[string]string{"CreateConfigServiceLinkedRole": "true", "CreateDeliveryBucket": "false"}},
	} {
		p := newPlanCase(test.facts).plan(t, Desired{Remediation: test.remediation}, nil)
		for _, c := range p.Changes {
			want := map[string]string{}
			if c.Template == templates.RecordingBase {
				want = test.want
			}
			if overridesKey(c.Overrides) != overridesKey(want) {
				t.Errorf("%s: %s has the overrides %v, want %v", test.name, c.Template, c.Overrides, want)
			}
		}
	}
}

func TestPlanParameters(t *testing.T) {
	for parameter, want := range map[string]string{
		"Nope=1": "no template of this run has it", "HomeRegion=eu-west-1": "--home-region says it", "Remediation=Automatic": "--remediation says it",
		"InUse=Sometimes": "InUse=Sometimes", "CreateDeliveryBucket=false": "preflight finds out", "InUse=Empty": "", "HistoryRetentionDays=30": "",
	} {
		key, value, _ := strings.Cut(parameter, "=")
		template, _ := templates.Lookup(templates.DefaultSecurityGroup)
		err := checkParameters(Desired{Templates: []templates.Template{template}, HomeRegion: home, Parameters: map[string]string{key: value}})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", parameter, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", parameter, err, want)
		}
	}
}

func TestPlanJSON(t *testing.T) {
	p := newPlanCase(nil).plan(t, Desired{Remediation: RemediationManual}, nil)
	got, err := json.MarshalIndent(p.JSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	// Hashes change with every word of a template.
	for _, s := range p.Sets {
		got = []byte(strings.ReplaceAll(string(got), s.Template.SHA256(), "SHA256"))
	}
	got = append([]byte(strings.ReplaceAll(string(got), p.Hash, "HASH")), '\n')
	const golden = "testdata/plan.json.golden"
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the plan's JSON differs from %s:\n%s", golden, got)
	}
}
