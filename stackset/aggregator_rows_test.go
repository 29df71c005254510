package stackset

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/internal/simaws"
)

func TestRecorderRow(t *testing.T) {
	const bucket, group = "AWS::S3::Bucket", "AWS::EC2::SecurityGroup"
	for text, want := range map[string]struct {
		name      string
		recording bool
		leavesOut []string
		fails     bool
	}{
		`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","Recording":true,"RecordingGroup":{"AllSupported":true}}}`:                                                                                                            {name: "n", recording: true},
		`{"accountId":"1","awsRegion":"r","resourceName":"n","configuration":{"Recording":false,"RecordingGroup":{"ResourceTypes":["AWS::S3::Bucket"],"RecordingStrategy":{"UseOnly":"INCLUSION_BY_RESOURCE_TYPES"}}}}`:                     {name: "n", leavesOut: []string{group}},
		`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","Recording":true,"RecordingGroup":{"ExclusionByResourceTypes":{"ResourceTypes":["AWS::S3::Bucket"]},"RecordingStrategy":{"UseOnly":"EXCLUSION_BY_RESOURCE_TYPES"}}}}`: {name: "n", recording: true, leavesOut: []string{bucket}},
		`{"accountId":"1","awsRegion":"r","configuration":"{\"name\":\"n\",\"recording\":true,\"recordingGroup\":{\"allSupported\":true}}"}`:                                                                                                {name: "n", recording: true},
		`{"accountId":"1","awsRegion":"r","resourceName":"n"}`:                                                  {},
		`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","Recording":true}}`:                       {},
		`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","RecordingGroup":{}}}`:                    {},
		`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","Recording":"true","RecordingGroup":{}}}`: {fails: true},
		`[]`: {fails: true},
	} {
		at, r, err := recorderRow(text)
		switch {
		case (err != nil) != want.fails:
			t.Errorf("%s: %v", text, err)
		case err == nil && (at != Target{"1", "r"} || r.Name != want.name || r.Recording != want.recording):
			t.Errorf("%s: %v %+v", text, at, r)
		case err == nil && want.name != "":
			if got := r.Group.LeavesOut([]string{bucket, group}); len(got) != len(want.leavesOut) || len(got) > 0 && got[0] != want.leavesOut[0] {
				t.Errorf("%s: leaves out %v", text, got)
			}
		}
	}
}

func FuzzRecorderRow(f *testing.F) {
	f.Add(`{"accountId":"1","awsRegion":"r","configuration":{"Name":"n","Recording":true,"RecordingGroup":{"AllSupported":true}}}`)
	f.Add(`{"configuration":"{}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, r, err := recorderRow(text); err != nil && r.Name != "" {
			t.Errorf("%q: %v, and yet %+v", text, err, r)
		}
	})
}

// What is left of staleness: an account's own recorder that went a minute ago is taken for
// one that is there, which the plan says, and no longer once the aggregator has heard.
func TestAggregatorHearsLate(t *testing.T) {
	aggregated(t, 10*time.Minute, simaws.AggregatorSpec{}, func(t *testing.T, s *site) {
		everyone(t, s)
		s.prepared() // learns the role
		id := s.d.Accounts[0].ID
		if _, err := s.config(id).DeleteConfigurationRecorder(t.Context(), &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")}); err != nil {
			t.Fatal(err)
		}
		p := s.prepared()
		if got := p.at("rollout-recording", id, home); got.Action != None || len(found(p, "aggregator-used")) != 1 {
			t.Errorf("a minute later: %+v, %v", got, found(p, "aggregator-used"))
		}
		if p.Facts.Aggregate.Oldest.After(time.Now().Add(-10 * time.Minute)) {
			t.Errorf("verified at %s, it is %s", p.Facts.Aggregate.Oldest, time.Now())
		}
		time.Sleep(11 * time.Minute)
		if got := s.prepared().at("rollout-recording", id, home); got.Action != Skip { // its channel is there
			t.Errorf("eleven minutes later: %+v", got)
		}
	})
}

// The aggregator counts the stacks of accounts whose recorder records them, and a plan says
// where those of the run find no room.
func TestStacksOfAggregator(t *testing.T) {
	aggregated(t, 0, simaws.AggregatorSpec{}, func(t *testing.T, s *site) {
		everyone(t, s)
		few, many := s.d.Accounts[0].ID, s.d.Accounts[1].ID
		s.sim.PutRecorder(few, home, simaws.RecorderSpec{Types: []string{"AWS::EC2::SecurityGroup"}})
		for _, id := range []string{few, many} {
			entry, err := s.session.Enter(t.Context(), id, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"one", "two", "three"} {
				if _, err := cloudformation.NewFromConfig(entry.Config(home)).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(10 * time.Minute)
		p := s.prepared()
		stacks := p.Facts.Aggregate.Stacks
		if _, counted := stacks[Target{few, home}]; counted || stacks[Target{many, home}] != 3 {
			t.Errorf("stacks: %v", stacks)
		}
		for have, full := range map[int]bool{mostStacks - 2: false, mostStacks - 1: false, mostStacks: true} {
			stacks[Target{many, home}] = have
			again, err := MakePlan(s.d, p.Sets, p.Facts)
			if err != nil {
				t.Fatal(err)
			}
			if got := found(again, "quota-stacks"); (len(got) == 1) != full {
				t.Errorf("%d stacks: %+v", have, got)
			}
		}
	})
}

// A row alone is not enough: its source has to be up to date, and the recorder to record.
func TestAggregateOf(t *testing.T) {
	at, late, stopped, unseen := Target{"1", home}, Target{"1", other}, Target{"2", home}, Target{"2", other}
	a := &Aggregate{
		recorders: map[Target]Recorder{at: {Name: "n", Recording: true}, late: {Name: "n", Recording: true}, stopped: {Name: "n"}},
		verified:  map[Target]time.Time{at: time.Now(), stopped: time.Now(), unseen: time.Now()},
	}
	for target, want := range map[Target]bool{at: true, late: false, stopped: false, unseen: false} {
		if r, ok := a.of(target); ok != want || want && r.Name != "n" {
			t.Errorf("%v: %+v, %v", target, r, ok)
		}
	}
	if _, ok := (*Aggregate)(nil).of(at); ok {
		t.Error("no aggregator said something")
	}
}
