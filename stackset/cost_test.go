package stackset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/cost"
	"rollout/templates"
)

// testPrices are round numbers.
const testPrices = `date: 2026-01-02
currency: USD
prices:
  config-item: {unit: item, source: here, checked: 2026-01-01, default: 1}
  config-item-daily: {unit: item, source: here, checked: 2026-01-01, default: 4}
  config-evaluation: {unit: evaluation, source: here, checked: 2026-01-01, default: 1}
  automation-step: {unit: step, source: here, checked: 2026-01-01, default: 1}
  automation-script-second: {unit: second, source: here, checked: 2026-01-01, default: 1}
  vended-log-gb: {unit: GB, source: here, checked: 2026-01-01, default: 1}
  alarm: {unit: alarm, source: here, checked: 2026-01-01, default: {low: 1, high: 2}}
resources: {AWS::CloudWatch::Alarm: alarm, AWS::Config::ConfigRule: free, AWS::Config::ConfigurationRecorder: free, AWS::Config::DeliveryChannel: free,
  AWS::Config::RemediationConfiguration: free, AWS::SSM::Document: free, AWS::IAM::Role: free, AWS::S3::Bucket: free, AWS::S3::BucketPolicy: free,
  AWS::IAM::ServiceLinkedRole: free, AWS::CloudFormation::WaitConditionHandle: free}
assumptions:
  recorded: {AWS::EC2::SecurityGroup: {resources: [1, 10], changes: [2, 3]}, AWS::S3::Bucket: {resources: [1, 2], changes: [1, 1]}, AWS::EC2::VPC: {resources: [1, 5], changes: [0, 0]}}
  other-type: {resources: [0, 1], changes: [0, 1]}
  all-types: {resources: [10, 100], changes: [1, 10]}
  manual-runs: [0, 1]
  automatic-runs: [1, 2]
  script-seconds: [2, 3]
  flow-log-gb: [1, 10]
`

func prices(t *testing.T) *cost.Table {
	t.Helper()
	table, err := cost.Parse([]byte(testPrices))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// billed are a plan's lines as "template: what, Region, low to high".
func billed(p *Plan) string {
	var out []string
	for _, l := range p.Cost.Lines {
		out = append(out, fmt.Sprintf("%s: %s, %s, %v to %v", l.Template, l.What, l.Region, l.MonthlyLow, l.MonthlyHigh))
	}
	return strings.Join(out, "\n")
}

func TestCostOfWhatIsCreated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("Resources: {A: {Type: AWS::CloudWatch::Alarm, Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1}}, N: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: subnet-1}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		asked       string
		remediation Remediation
		parameters  map[string]string
		regions     []string
		facts       func(f *AccountFacts)
		want        string
		lacking     string
	}{
		"rule and recorder": {asked: "default-security-group", regions: []string{home}, want: `default-security-group: evaluations of rollout-vpc-default-security-group-closed, us-east-1, 2 to 40
recording: AWS::EC2::SecurityGroup recorded, us-east-1, 2 to 40`},
		"where there is a recorder": {asked: "default-security-group", regions: []string{home}, facts: func(f *AccountFacts) {
			f.Regions[home].Recorder = &Recorder{Name: "default", Recording: true, Group: RecordingGroup{&types.RecordingGroup{AllSupported: true}}}
		}, want: "default-security-group: evaluations of rollout-vpc-default-security-group-closed, us-east-1, 2 to 40"},
		"by the clock": {asked: "ebs-encryption", regions: []string{home}, want: `ebs-encryption: evaluations of rollout-ec2-ebs-encryption-by-default, us-east-1, 30.4167 to 30.4167
recording: AWS::EC2::InternetGateway recorded, us-east-1, 0 to 2`},
		"daily": {asked: "default-security-group", regions: []string{home}, parameters: map[string]string{"RecordingFrequency": "DAILY"}, want: `default-security-group: evaluations of rollout-vpc-default-security-group-closed, us-east-1, 2 to 40
recording: AWS::EC2::SecurityGroup recorded, us-east-1, 8 to 160`},
		"everything": {asked: "default-security-group", regions: []string{other}, parameters: map[string]string{"RecordedTypes": "ALL"}, want: `default-security-group: evaluations of rollout-vpc-default-security-group-closed, eu-west-1, 2 to 40
recording: all resource types recorded, eu-west-1, 10 to 1100`},
		"by hand": {asked: "vpc-flow-logs", regions: []string{home}, remediation: RemediationManual, want: `recording: AWS::EC2::VPC recorded, us-east-1, 0 to 5
vpc-flow-logs: evaluations of rollout-vpc-flow-logs-enabled, us-east-1, 30.4167 to 152.0833
vpc-flow-logs-enforce: flow logs that the runbook makes, us-east-1, 0 to 50
vpc-flow-logs-enforce: scripts of the runbook, us-east-1, 0 to SCRIPTS
vpc-flow-logs-enforce: steps of the runbook, us-east-1, 0 to STEPS`},
		"automatically": {asked: "vpc-flow-logs", regions: []string{home}, remediation: RemediationAutomatic, want: `recording: AWS::EC2::VPC recorded, us-east-1, 0 to 5
vpc-flow-logs: evaluations of rollout-vpc-flow-logs-enabled, us-east-1, 30.4167 to 152.0833
vpc-flow-logs-enforce: flow logs that the runbook makes, us-east-1, 1 to 50
vpc-flow-logs-enforce: scripts of the runbook, us-east-1, SCRIPTS2
vpc-flow-logs-enforce: steps of the runbook, us-east-1, STEPS2`},
		"a user's template": {asked: file, regions: []string{home, other}, want: `mine: AWS::CloudWatch::Alarm, eu-west-1, 1 to 2
mine: AWS::CloudWatch::Alarm, us-east-1, 1 to 2`, lacking: "the price table says nothing of the type AWS::EC2::NatGateway in eu-west-1, us-east-1"},
	} {
		p := newPlanCase(tt.facts).plan(t, Desired{Templates: named(t, tt.asked), Remediation: tt.remediation, Parameters: tt.parameters, Regions: tt.regions, Prices: prices(t)}, nil)
		book, _ := templates.Lookup("vpc-flow-logs-enforce")
		b := book.WorkWith(nil, nil).Runbooks[0]
		want := strings.NewReplacer("SCRIPTS2", fmt.Sprintf("%d to %d", 2*b.Scripts, 6*b.Scripts), "STEPS2", fmt.Sprintf("%d to %d", b.Steps, 2*b.Steps),
			"SCRIPTS", fmt.Sprint(3*b.Scripts), "STEPS", fmt.Sprint(b.Steps)).Replace(tt.want)
		if got := billed(p); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		if got := strings.Join(p.Cost.Lacking, "; "); got != tt.lacking {
			t.Errorf("%s lacks %q", name, got)
		}
	}
}

// What is there is not counted; a recorder that comes to record more adds just that, by
// what preflight saw of it.
func TestCostOfAnUpdate(t *testing.T) {
	d := Desired{Templates: named(t, "s3-encryption"), Regions: []string{home}, HomeRegion: home, Prices: prices(t)}
	for name, tt := range map[string]struct{ deployed, seen, want string }{
		"by what is seen": {groupType, "AWS::EC2::VPC", "recording: AWS::EC2::SecurityGroup recorded, us-east-1, 2 to 40\nrecording: AWS::S3::Bucket recorded, us-east-1, 1 to 4"},
		"by the set":      {groupType, "", "recording: AWS::S3::Bucket recorded, us-east-1, 1 to 4"},
		"nothing new":     {bucketType, bucketType, ""},
	} {
		c := newPlanCase(func(f *AccountFacts) {
			if tt.seen != "" {
				f.Regions[home].Recorder = &Recorder{Name: ourRecorder, Recording: true, Group: RecordingGroup{&types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceType(tt.seen)}}}}
			}
		})
		var sets []Set
		for _, w := range WantedSets(d) {
			s := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic}
			if w.Template.Enforces == "" {
				s.Exists, s.SHA256, s.Deployed, s.Parameters = true, w.Template.SHA256(), string(w.Template.Body()), want(d, w.Template, false)
				s.Instances = map[Target]Instance{{c.account.ID, home}: {Target: Target{c.account.ID, home}, Status: "CURRENT", DetailedStatus: OutcomeSucceeded, StackID: "x"}}
				if w.Template.Name == templates.Recording {
					s.Parameters[templates.ParameterRecordedTypes] = tt.deployed
				}
			}
			sets = append(sets, s)
		}
		p := c.plan(t, d, sets)
		if got := billed(p); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
	}
}

// An update of a template adds what the deployed body lacks.
func TestCostOfANewRule(t *testing.T) {
	d := Desired{Templates: named(t, "restrict-ssh-rdp"), Regions: []string{home}, HomeRegion: home, Prices: prices(t)}
	c := newPlanCase(func(f *AccountFacts) {
		f.Regions[home].Recorder = &Recorder{Name: "default", Recording: true, Group: RecordingGroup{&types.RecordingGroup{AllSupported: true}}}
	})
	var sets []Set
	for _, w := range WantedSets(d) {
		s := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic}
		if w.Template.Name == "restrict-ssh-rdp" {
			ids := w.Template.Document().ResourceOrder
			old := "Resources:\n"
			for _, id := range ids[1:] {
				old += "  " + id + ": {Type: AWS::Config::ConfigRule}\n"
			}
			s.Exists, s.SHA256, s.Deployed, s.Parameters = true, "another", old, want(d, w.Template, false)
			s.Instances = map[Target]Instance{{c.account.ID, home}: {Target: Target{c.account.ID, home}, Status: "CURRENT", DetailedStatus: OutcomeSucceeded, StackID: "x"}}
		}
		sets = append(sets, s)
	}
	p := c.plan(t, d, sets)
	if len(p.Cost.Lines) != 1 || !strings.HasPrefix(billed(p), "restrict-ssh-rdp: evaluations of rollout-") {
		t.Errorf("%s", billed(p))
	}
}

// What a parameter switches on was there in the body before, and was not made.
func TestCostOfWhatIsSwitchedOn(t *testing.T) {
	d := Desired{Templates: named(t, "monitoring"), Regions: []string{home}, HomeRegion: home, Parameters: map[string]string{"TrailLogGroupName": "trail"}}
	c := newPlanCase(nil)
	var sets []Set
	for _, w := range WantedSets(d) {
		s := Set{Name: w.Name, Template: w.Template, Exists: true, SHA256: w.Template.SHA256(), Deployed: string(w.Template.Body()), Parameters: want(d, w.Template, false)}
		s.Parameters["TrailLogGroupName"] = ""
		s.Instances = map[Target]Instance{{c.account.ID, home}: {Target: Target{c.account.ID, home}, Status: "CURRENT", DetailedStatus: OutcomeSucceeded, StackID: "x"}}
		sets = append(sets, s)
	}
	if got := billed(c.plan(t, d, sets)); got != "monitoring: AWS::CloudWatch::Alarm, us-east-1, 1.4 to 1.4\nmonitoring: AWS::Logs::MetricFilter, us-east-1, 4.2 to 4.2" {
		t.Errorf("%s", got)
	}
}

// Every type that the catalog makes, and every type that its rules need, is in the table
// of this version.
func TestTheTableKnowsTheCatalog(t *testing.T) {
	table := cost.Embedded()
	for _, template := range templates.All() {
		for id, r := range template.Document().Resources {
			if _, ok := table.Resources[r.Type]; !ok {
				t.Errorf("%s %s: what %s costs is not in internal/cost/prices.yaml", template.Name, id, r.Type)
			}
		}
		types, _ := template.RecordedTypes(nil)
		for _, name := range append(slices.Clone(types), templates.RecordedAnyway) {
			if _, ok := table.Assumptions.Recorded[name]; !ok {
				t.Errorf("%s: nothing is assumed of %s", template.Name, name)
			}
		}
	}
}
