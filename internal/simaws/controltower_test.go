package simaws

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/controltower"
	"github.com/aws/aws-sdk-go-v2/service/controltower/types"
)

// towerRows reads all enabled baselines as "target status", children by their accounts.
func towerRows(t *testing.T, s *Sim, in *controltower.ListEnabledBaselinesInput) (rows []types.EnabledBaselineSummary) {
	t.Helper()
	pages := controltower.NewListEnabledBaselinesPaginator(controltower.NewFromConfig(sdk(s, "us-east-1")), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, page.EnabledBaselines...)
	}
	return rows
}

// The landing zone of an organization file as the Go SDK reads it.
func TestLandingZoneOfAFile(t *testing.T) {
	o, err := ParseOrganization("f", []byte(`
management: {name: m}
landingZone: {region: us-east-1, version: "3.3", governedRegions: [eu-west-1], audit: audit, logArchive: logs}
ous:
  - name: Security
    accounts: [{name: audit}, {name: logs}]
  - name: Workloads
    baseline: AWSControlTowerBaseline
    accounts:
      - {name: enrolled}
      - {name: new, enrolled: false}
      - {name: own, recorders: [{region: eu-west-1}]}
    ous:
      - {name: Below, accounts: [{name: below}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Organization: o})
	id := func(name string) string {
		for _, a := range s.Accounts() {
			if a.Name == name {
				return a.ID
			}
		}
		t.Fatalf("no account %s", name)
		return ""
	}
	for name, want := range map[string]string{"enrolled": towerRecorder, "new": "", "own": "default", "below": "", "audit": towerRecorder, "m": ""} {
		if got := s.Recorder(id(name), "eu-west-1"); got != want {
			t.Errorf("%s has the recorder %q, want %q", name, got, want)
		}
	}
	status := map[string]types.EnablementStatus{}
	for _, r := range towerRows(t, s, &controltower.ListEnabledBaselinesInput{IncludeChildren: true, MaxResults: aws.Int32(5)}) {
		if r.ParentIdentifier != nil {
			status[(*r.TargetIdentifier)[len(*r.TargetIdentifier)-12:]] = r.StatusSummary.Status
		}
	}
	if len(status) != 2 || status[id("enrolled")] != types.EnablementStatusSucceeded || status[id("own")] != types.EnablementStatusFailed {
		t.Errorf("children %v", status)
	}
	own := towerRows(t, s, &controltower.ListEnabledBaselinesInput{})
	if len(own) != 4 || slices.ContainsFunc(own, func(r types.EnabledBaselineSummary) bool { return r.ParentIdentifier != nil }) {
		t.Errorf("without children: %d", len(own))
	}
	failed := &controltower.ListEnabledBaselinesInput{IncludeChildren: true, Filter: &types.EnabledBaselineFilter{Statuses: []types.EnablementStatus{types.EnablementStatusFailed}}}
	if rows := towerRows(t, s, failed); len(rows) != 1 {
		t.Errorf("%d have failed", len(rows))
	}
	// What stood in the way is gone: enrolled now.
	s.DropRecorder(id("own"), "eu-west-1")
	if !s.Enrol(id("own")) || s.Recorder(id("own"), "us-east-1") != towerRecorder {
		t.Error("could not be enrolled")
	}
}

// A generated organization with a landing zone has accounts of each kind in registered OUs.
func TestGeneratedLandingZone(t *testing.T) {
	for _, version := range LandingZones() {
		s := New(Options{LandingZone: version})
		kinds := map[types.EnablementStatus]int{}
		for _, r := range towerRows(t, s, &controltower.ListEnabledBaselinesInput{IncludeChildren: true}) {
			if r.ParentIdentifier != nil {
				kinds[r.StatusSummary.Status]++
			}
		}
		if kinds[types.EnablementStatusSucceeded] < 5 || kinds[types.EnablementStatusFailed] < 1 {
			t.Errorf("%s: %v", version, kinds)
		}
	}
}
