package stackset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// Every Region that this version knows is either one from before February 2022, or one
// that AWS's page names or that was launched since.
func TestIAMRegions(t *testing.T) {
	newer := []string{"ap-south-2", "ap-southeast-4", "ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", // named
		"ap-east-2", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "eusc-de-east-1", "mx-central-1"} // since
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"} {
		for _, r := range awsapi.KnownRegions(partition) {
			if slices.Contains(iamRegions, r.Name) == slices.Contains(newer, r.Name) {
				t.Errorf("%s is both or neither", r.Name)
			}
		}
	}
}

// A plan says of rules about IAM where they get nothing to look at, and of others
// nothing.
func TestPlanWarnsWhereIAMIsNotRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(`Resources:
  Keys: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: mine-policies, Source: {Owner: AWS, SourceIdentifier: IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS}}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	mine, err := templates.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := templates.Lookup("access-keys")
	if err != nil {
		t.Fatal(err)
	}
	groups, err := templates.Lookup("default-security-group")
	if err != nil {
		t.Fatal(err)
	}
	const none = "AWS Config records no IAM users, groups, roles or policies in il-central-1, as in all Regions newer than February 2022: "
	for name, test := range map[string]struct {
		template templates.Template
		home     string
		regions  []string
		want     []string // beginnings
	}{
		"by the clock":      {keys, "il-central-1", []string{"eu-west-1"}, []string{none + "rollout-access-keys-rotated, rollout-iam-user-unused-credentials-check may give none there either, unless"}},
		"an older home":     {keys, "eu-west-1", []string{"il-central-1"}, nil},
		"on changes":        {mine, "eu-west-1", []string{"eu-west-1", "il-central-1"}, []string{none + "no results are expected of mine-policies there."}},
		"nothing about IAM": {groups, "il-central-1", []string{"il-central-1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, accounts := forest(2)
			d := Desired{Templates: []templates.Template{test.template}, Remediation: RemediationOff, Accounts: accounts, Regions: test.regions, HomeRegion: test.home, Partition: "aws", OUs: []string{"r-root"}}
			var sets []Set
			for _, w := range WantedSets(d) {
				sets = append(sets, Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic})
			}
			facts := &Facts{Accounts: map[string]*AccountFacts{}}
			for _, a := range accounts {
				f := &AccountFacts{AccountID: a.ID, Regions: map[string]*RegionFacts{}, Bucket: Absent, ConfigRole: Present, RemediationRole: Present}
				for _, region := range append([]string{test.home}, test.regions...) {
					f.Regions[region] = &RegionFacts{}
				}
				facts.Accounts[a.ID] = f
			}
			plan, err := MakePlan(d, sets, facts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range plan.Warnings() {
				if strings.Contains(w, "February 2022") {
					got = append(got, w)
				}
			}
			if len(got) != len(test.want) || len(got) == 1 && !strings.HasPrefix(got[0], test.want[0]) {
				t.Errorf("warnings %q, want %q", got, test.want)
			}
		})
	}
}
