package stackset

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/orgs"
	"rollout/templates"
)

const groupType, bucketType, userType = "AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "AWS::IAM::User"

func named(t *testing.T, names ...string) []templates.Template {
	t.Helper()
	asked, err := templates.LoadAll(strings.Join(names, ","))
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// What recorders record: what the run's rules need, with what earlier runs had, unless
// the user says otherwise.
func TestWhatIsRecorded(t *testing.T) {
	const none = "not there"
	for name, tt := range map[string]struct {
		asked         string
		have, said    string // RecordedTypes as deployed and as --parameter
		haveGlobal    string
		home          string
		want, global  string
		outdated      string
		withoutPlaces bool // the set is there and has no instance
	}{
		"one rule":                       {asked: "default-security-group", have: none, want: groupType},
		"two templates":                  {asked: "default-security-group,s3-encryption", have: none, want: groupType + "," + bucketType},
		"IAM at home":                    {asked: "access-keys,default-security-group", have: none, want: groupType, global: userType},
		"IAM in a home Region too new":   {asked: "access-keys", have: none, home: "ap-south-2", want: templates.RecordedAnyway},
		"IAM only":                       {asked: "access-keys", have: none, want: templates.RecordedAnyway, global: userType},
		"rules that need none":           {asked: "ebs-encryption", have: none, want: templates.RecordedAnyway},
		"no rules":                       {asked: "recording", have: none, want: "ALL"},
		"no rules, and some deployed":    {asked: "recording", have: groupType, want: groupType},
		"the same again":                 {asked: "default-security-group", have: groupType, want: groupType},
		"fewer than deployed":            {asked: "default-security-group", have: groupType + "," + bucketType, haveGlobal: userType, want: groupType + "," + bucketType, global: userType},
		"more than deployed":             {asked: "s3-encryption", have: groupType, want: groupType + "," + bucketType, outdated: "records AWS::S3::Bucket as well"},
		"all stays all":                  {asked: "s3-encryption", have: "ALL", want: "ALL"},
		"a body of before":               {asked: "s3-encryption", have: "", want: "ALL"},
		"deployed nowhere":               {asked: "s3-encryption", have: "ALL", withoutPlaces: true, want: bucketType, outdated: "records AWS::S3::Bucket from now on, and no longer all resource types"},
		"all are asked for":              {asked: "s3-encryption", have: groupType, said: "ALL", want: "ALL", outdated: "records all resource types from now on"},
		"fewer are asked for":            {asked: "s3-encryption", have: "ALL", said: bucketType, want: bucketType, outdated: "records AWS::S3::Bucket from now on, and no longer all resource types"},
		"others are asked for":           {asked: "s3-encryption", have: groupType, said: "AWS::IAM::Role," + bucketType, want: bucketType, global: "AWS::IAM::Role", outdated: "records AWS::IAM::Role, AWS::S3::Bucket as well, and no longer AWS::EC2::SecurityGroup"},
		"what is deployed is taken away": {asked: "s3-encryption", have: bucketType, haveGlobal: userType, said: bucketType, want: bucketType, outdated: "no longer records AWS::IAM::User"},
	} {
		d := Desired{Templates: named(t, tt.asked), Regions: []string{other}, HomeRegion: home}
		if tt.home != "" {
			d.HomeRegion = tt.home
		}
		if tt.said != "" {
			d.Parameters = map[string]string{templates.ParameterRecordedTypes: tt.said}
		}
		var set Set
		for _, w := range WantedSets(d) {
			if w.Template.Name == templates.Recording {
				set = Set{Name: w.Name, Template: w.Template}
			}
		}
		if tt.have != none {
			set.Exists, set.SHA256, set.Parameters = true, set.Template.SHA256(), maps.Clone(want(d, set.Template, false))
			set.Parameters[templates.ParameterRecordedTypes], set.Parameters[templates.ParameterRecordedGlobalTypes] = tt.have, tt.haveGlobal
			if tt.have == "" {
				delete(set.Parameters, templates.ParameterRecordedTypes)
			}
			if !tt.withoutPlaces {
				set.Instances = map[Target]Instance{{"1", other}: {}}
			}
		}
		if err := Check(d); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		set.Want = want(d, set.Template, false)
		wantRecorded(d, &set)
		if got, global := set.Want[templates.ParameterRecordedTypes], set.Want[templates.ParameterRecordedGlobalTypes]; got != tt.want || global != tt.global {
			t.Errorf("%s: records %q and %q, want %q and %q", name, got, global, tt.want, tt.global)
		}
		if got := outdated(set); got != tt.outdated {
			t.Errorf("%s: outdated %q, want %q", name, got, tt.outdated)
		}
	}
}

// A list that cannot be recorded, or that leaves out what rules need, is refused.
func TestRecordedTypesAreRefused(t *testing.T) {
	for _, tt := range []struct{ asked, said, want string }{
		{"default-security-group", "AWS::EC2::SecurityGroups", "did you mean AWS::EC2::SecurityGroup?"},
		{"default-security-group", bucketType, "rules of this run need AWS::EC2::SecurityGroup too"},
		{"default-security-group,access-keys", groupType, "rules of this run need AWS::IAM::User too"},
		{"default-security-group", "all", "does not match"},
	} {
		d := Desired{Templates: named(t, tt.asked), Regions: []string{other}, HomeRegion: home, Parameters: map[string]string{templates.ParameterRecordedTypes: tt.said}}
		if err := Check(d); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s: %v", tt.asked, tt.said, err)
		}
	}
	d := Desired{Templates: named(t, "default-security-group"), HomeRegion: home, Parameters: map[string]string{templates.ParameterRecordedGlobalTypes: userType}}
	if err := Check(d); err == nil || !strings.Contains(err.Error(), "it follows from RecordedTypes") {
		t.Error(err)
	}
}

// A management account's plain stack is recorded by as before: the set does not take away
// what it has.
func TestWhatAPlainStackRecordsStays(t *testing.T) {
	d := Desired{Templates: named(t, "default-security-group"), Regions: []string{other}, HomeRegion: home}
	recording, _ := templates.Lookup(templates.Recording)
	set := Set{Template: recording, Want: want(d, recording, false), Singles: map[Target]Single{
		{"1", other}: {Ours: true, Parameters: map[string]string{templates.ParameterRecordedTypes: bucketType}},
		{"1", home}:  {Parameters: map[string]string{templates.ParameterRecordedTypes: "AWS::EC2::VPC"}}, // somebody else's
	}}
	wantRecorded(d, &set)
	if got := set.Want[templates.ParameterRecordedTypes]; got != groupType+","+bucketType {
		t.Errorf("records %s", got)
	}
}

// IAM is recorded in the home Region only: what a plain stack elsewhere is told of it
// changes nothing there, and CloudFormation would not take it over.
func TestAPlainStackIsUpdatedWhereItChanges(t *testing.T) {
	recording, err := templates.Lookup(templates.Recording)
	if err != nil {
		t.Fatal(err)
	}
	d := Desired{Templates: []templates.Template{recording}, Regions: []string{other, home}, HomeRegion: home}
	have := want(d, recording, false)
	recordedIn(map[string]string{templates.ParameterRecordedTypes: groupType}).give(have, home)
	set := Set{Name: "rollout-recording", Template: recording, Want: maps.Clone(have)}
	set.Want[templates.ParameterRecordedGlobalTypes] = "AWS::IAM::User"
	for region, wanted := range map[string]Action{home: Update, other: None} {
		one := Single{Target: Target{"111122223333", region}, Ours: true, ID: "arn:aws:cloudformation:" + region + ":111122223333:stack/rollout-recording/1", Status: "CREATE_COMPLETE", SHA256: recording.SHA256(), Parameters: have}
		if v := one.verdict(set); v.action != wanted {
			t.Errorf("%s: %s (%s), %s wanted", region, v.action, v.reason, wanted)
		}
	}
	set.Want[templates.ParameterRecordedTypes] = groupType + "," + bucketType
	one := Single{Target: Target{"111122223333", other}, Ours: true, ID: "arn:aws:cloudformation:" + other + ":111122223333:stack/rollout-recording/1", Status: "CREATE_COMPLETE", SHA256: recording.SHA256(), Parameters: have}
	if v := one.verdict(set); v.action != Update {
		t.Errorf("%s (%s) for another type", v.action, v.reason)
	}
}

// Two runs with different templates share the recorders' set, in accounts of their own.
func TestRunsThatShareRecorders(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		first, second := s.d.Accounts[:1], s.d.Accounts[1:]
		run := func(template string, accounts []*orgs.Account, want map[string]int) *Plan {
			t.Helper()
			s.d.Templates, s.d.Accounts = named(t, template), accounts
			p := s.prepared()
			wantTally(t, s.apply(t.Context(), p), want)
			return p
		}
		run("default-security-group", first, map[string]int{"recording-base create SUCCEEDED": 1, "recording create SUCCEEDED": 2, "default-security-group create SUCCEEDED": 2})
		s.records(first, groupType)

		p := run("s3-encryption", second, map[string]int{"recording-base create SUCCEEDED": 1, "recording create SUCCEEDED": 2, "s3-encryption create SUCCEEDED": 2})
		s.records(first, groupType)
		s.records(second, groupType, bucketType)
		if text := strings.Join(p.Warnings(), "\n"); !strings.Contains(text, "Stack set rollout-recording changes (records AWS::S3::Bucket as well): 2 stack instances of it outside this run") {
			t.Errorf("it warns of\n%s", text)
		}

		p = run("default-security-group", first, map[string]int{"recording update SUCCEEDED": 2})
		s.records(first, groupType, bucketType)
		for _, c := range p.Changes {
			if c.Action == Update && !strings.HasSuffix(c.Reason, "; records AWS::S3::Bucket as well") {
				t.Errorf("%s", c.Reason)
			}
		}
		if p = s.prepared(); p.Pending() {
			t.Errorf("there is more to do: %s", lines(p))
		}
	})
}

// What else changes about the recorders' set is not deployed to one place as it was.
func TestNoPioneerForOtherChanges(t *testing.T) {
	recording, _ := templates.Lookup(templates.Recording)
	d := Desired{HomeRegion: home}
	creates := []Change{{Target: Target{"2", home}, Action: Create}, {Target: Target{"3", home}, Action: Create}}
	for name, tt := range map[string]struct {
		change func(s *Set)
		want   int
	}{
		"types":             {func(*Set) {}, 1},
		"and frequency":     {func(s *Set) { s.Want["RecordingFrequency"] = "DAILY" }, 0},
		"and template":      {func(s *Set) { s.SHA256 = "0" }, 0},
		"no instance there": {func(s *Set) { s.Instances = nil }, 0},
	} {
		s := Set{Template: recording, Exists: true, SHA256: recording.SHA256(), Parameters: want(d, recording, false), Want: want(d, recording, false), Instances: map[Target]Instance{{"1", home}: {}}}
		s.Parameters[templates.ParameterRecordedTypes] = groupType
		tt.change(&s)
		s.Outdated = outdated(s)
		first, rest := pioneer(&s, nil, creates)
		if len(first) != tt.want || len(first)+len(rest) != len(creates) {
			t.Errorf("%s: %v, then %v", name, first, rest)
		}
	}
}

// records holds the recorders of accounts to the types that they record, in both Regions.
func (s *site) records(accounts []*orgs.Account, want ...string) {
	s.t.Helper()
	for _, a := range accounts {
		for _, region := range s.d.Regions {
			if got := s.recorded(a, region); strings.Join(got, " ") != strings.Join(want, " ") {
				s.t.Errorf("%s %s records %v, want %v", a.ID, region, got, want)
			}
		}
	}
}

// recorded are the types that a recorder records by name.
func (s *site) recorded(a *orgs.Account, region string) (names []string) {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), a.ID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := configservice.NewFromConfig(entry.Config(region)).DescribeConfigurationRecorders(s.t.Context(), &configservice.DescribeConfigurationRecordersInput{})
	if err != nil || len(out.ConfigurationRecorders) != 1 {
		s.t.Fatalf("%+v, %v", out, err)
	}
	for _, t := range out.ConfigurationRecorders[0].RecordingGroup.ResourceTypes {
		names = append(names, string(t))
	}
	return names
}
