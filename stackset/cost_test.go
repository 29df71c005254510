package stackset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

// What is there is not counted; a recorder that comes to record more or less adds or
// takes off just that, by what preflight saw of it; and one that records as often as
// another frequency says costs the difference.
func TestCostOfAnUpdate(t *testing.T) {
	all := &types.RecordingGroup{AllSupported: true}
	only := func(names ...string) *types.RecordingGroup {
		g := &types.RecordingGroup{}
		for _, name := range names {
			g.ResourceTypes = append(g.ResourceTypes, types.ResourceType(name))
		}
		return g
	}
	for name, tt := range map[string]struct {
		deployed   string
		seen       *types.RecordingGroup
		parameters map[string]string
		was        string // the frequency that is deployed
		want       string
	}{
		"by what is seen": {deployed: groupType, seen: only("AWS::EC2::VPC"), want: "recording: AWS::EC2::SecurityGroup recorded, us-east-1, 2 to 40\nrecording: AWS::EC2::VPC no longer recorded, us-east-1, 0 to 0\nrecording: AWS::S3::Bucket recorded, us-east-1, 1 to 4"},
		"by the set":      {deployed: groupType, want: "recording: AWS::S3::Bucket recorded, us-east-1, 1 to 4"},
		"nothing new":     {deployed: bucketType, seen: only(bucketType)},
		"fewer": {deployed: bucketType + "," + groupType, parameters: map[string]string{"RecordedTypes": bucketType},
			want: "recording: AWS::EC2::SecurityGroup no longer recorded, us-east-1, -30 to -2"},
		"a list in place of all": {deployed: "ALL", seen: all, parameters: map[string]string{"RecordedTypes": bucketType},
			want: "recording: all other resource types no longer recorded, us-east-1, -998 to -9"},
		"all in place of a list": {deployed: bucketType, seen: only(bucketType), parameters: map[string]string{"RecordedTypes": "ALL"},
			want: "recording: all other resource types recorded, us-east-1, 9 to 1096"},
		// 1 to 2 buckets that change once: once a day at four times the price.
		"once a day": {deployed: bucketType, parameters: map[string]string{"RecordingFrequency": "DAILY"},
			want: "recording: AWS::S3::Bucket recorded once a day, not at each change, us-east-1, 3 to 6"},
		"at each change": {deployed: bucketType, parameters: map[string]string{"RecordingFrequency": "CONTINUOUS"}, was: "DAILY",
			want: "recording: AWS::S3::Bucket recorded at each change, not once a day, us-east-1, -6 to -3"},
		"as often as before": {deployed: bucketType, parameters: map[string]string{"RecordingFrequency": "DAILY"}, was: "DAILY"},
		"more, and once a day": {deployed: bucketType, parameters: map[string]string{"RecordingFrequency": "DAILY", "RecordedTypes": bucketType + "," + groupType},
			want: "recording: AWS::EC2::SecurityGroup recorded, us-east-1, 8 to 160\nrecording: AWS::S3::Bucket recorded once a day, not at each change, us-east-1, 3 to 6"},
		"all, once a day": {deployed: "ALL", parameters: map[string]string{"RecordedTypes": "ALL", "RecordingFrequency": "DAILY"},
			want: "recording: all resource types recorded once a day, not at each change, us-east-1, 30 to 3000"},
	} {
		d := Desired{Templates: named(t, "s3-encryption"), Regions: []string{home}, HomeRegion: home, Prices: prices(t), Parameters: tt.parameters}
		c := newPlanCase(func(f *AccountFacts) {
			if tt.seen != nil {
				f.Regions[home].Recorder = &Recorder{Name: ourRecorder, Recording: true, Group: RecordingGroup{tt.seen}}
			}
		})
		var sets []Set
		for _, w := range WantedSets(d) {
			s := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic}
			if w.Template.Enforces == "" {
				s.Exists, s.SHA256, s.Deployed, s.Parameters = true, w.Template.SHA256(), string(w.Template.Body()), want(d, w.Template, false)
				s.Instances = map[Target]Instance{{c.account.ID, home}: {Target: Target{c.account.ID, home}, Status: "CURRENT", DetailedStatus: OutcomeSucceeded, StackID: "x"}}
				if w.Template.Name == templates.Recording {
					s.Parameters[templates.ParameterRecordedTypes], s.Parameters["RecordingFrequency"] = tt.deployed, cmp.Or(tt.was, "CONTINUOUS")
				}
			}
			sets = append(sets, s)
		}
		p := c.plan(t, d, sets)
		if got := billed(p); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
		if len(p.Cost.Lacking) > 0 {
			t.Errorf("%s lacks %v", name, p.Cost.Lacking)
		}
	}
}

// An instance whose creation failed has nothing yet, so to make it anew adds everything;
// one that is there, and is only made anew, adds nothing.
func TestCostOfWhatIsMadeAnew(t *testing.T) {
	d := Desired{Templates: named(t, "ebs-encryption"), Regions: []string{home}, HomeRegion: home, Prices: prices(t)}
	for stack, adds := range map[string]bool{"": true, "x": false} {
		c := newPlanCase(func(f *AccountFacts) {
			f.Regions[home].Recorder = &Recorder{Name: "default", Recording: true, Group: RecordingGroup{&types.RecordingGroup{AllSupported: true}}}
		})
		var sets []Set
		for _, w := range WantedSets(d) {
			s := Set{Name: w.Name, Template: w.Template}
			if parameters := want(d, w.Template, false); w.Template.Name == "ebs-encryption" {
				s.Exists, s.SHA256, s.Deployed, s.Parameters = true, w.Template.SHA256(), string(w.Template.Body()), parameters
				s.Instances = map[Target]Instance{{c.account.ID, home}: {Target: Target{c.account.ID, home}, Status: "OUTDATED", DetailedStatus: OutcomeFailed, StackID: stack}}
			}
			sets = append(sets, s)
		}
		p := c.plan(t, d, sets)
		if got := strings.Contains(billed(p), "evaluations of rollout-ec2-ebs-encryption-by-default"); got != adds {
			t.Errorf("stack %q: %s", stack, billed(p))
		}
	}
}

// What a blast radius found takes the place of what is assumed where it looked.
func TestCostOfWhatWasFound(t *testing.T) {
	for mode, want := range map[Remediation]string{
		RemediationManual: `vpc-flow-logs-enforce: flow logs that the runbook makes, eu-west-1, 0 to 20
vpc-flow-logs-enforce: flow logs that the runbook makes, us-east-1, 0 to 50
vpc-flow-logs-enforce: scripts of the runbook, us-east-1, 0 to 3x1
vpc-flow-logs-enforce: scripts of the runbook for what was found, once, eu-west-1, 0 to 3x3
vpc-flow-logs-enforce: steps of the runbook, us-east-1, 0 to 1s
vpc-flow-logs-enforce: steps of the runbook for what was found, once, eu-west-1, 0 to 3s`,
		RemediationAutomatic: `vpc-flow-logs-enforce: flow logs that the runbook makes, eu-west-1, 2 to 20
vpc-flow-logs-enforce: flow logs that the runbook makes, us-east-1, 1 to 50
vpc-flow-logs-enforce: scripts of the runbook, us-east-1, 1x2 to 2x3
vpc-flow-logs-enforce: scripts of the runbook for what was found, once, eu-west-1, 3x2 to 3x3
vpc-flow-logs-enforce: steps of the runbook, us-east-1, 1s to 2s
vpc-flow-logs-enforce: steps of the runbook for what was found, once, eu-west-1, 3s to 3s`,
	} {
		c := newPlanCase(nil)
		p := c.plan(t, Desired{Templates: named(t, "vpc-flow-logs"), Remediation: mode, Regions: []string{home, other}, Prices: prices(t)}, nil)
		set := ""
		for _, c := range p.Changes {
			if c.Template == "vpc-flow-logs-enforce" && c.Action == Create {
				set = c.StackSet
			}
		}
		p.EstimateCost(map[LookedAt]Starts{{set, Target{c.account.ID, other}}: {Runs: 3, Changes: 2}})
		var got []string
		for line := range strings.SplitSeq(billed(p), "\n") {
			if strings.HasPrefix(line, "vpc-flow-logs-enforce") {
				got = append(got, line)
			}
		}
		book, _ := templates.Lookup("vpc-flow-logs-enforce")
		b := book.WorkWith(nil, nil).Runbooks[0]
		want = regexp.MustCompile(`(\d)x(\d)`).ReplaceAllStringFunc(want, func(m string) string { return fmt.Sprint(int(m[0]-'0') * int(m[2]-'0') * b.Scripts) })
		want = regexp.MustCompile(`(\d)s\b`).ReplaceAllStringFunc(want, func(m string) string { return fmt.Sprint(int(m[0]-'0') * b.Steps) })
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", mode, text, want)
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
