package templates

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func versionOf(t *testing.T, body string, values map[string]string) Version {
	t.Helper()
	d, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return Version{d, values}
}

// said is a diff in words.
func said(changes []ResourceChange) []string {
	var out []string
	for _, c := range changes {
		words := []string{c.Action, c.LogicalID, c.Type, strings.Join(c.Properties, ","), string(c.Replacement)}
		if c.Retained {
			words = append(words, "retained")
		}
		if c.Note != "" {
			words = append(words, "note")
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestDiff(t *testing.T) {
	const base = `
Parameters: {Days: {Type: Number, Default: 7}, On: {Type: String, Default: "no"}, List: {Type: CommaDelimitedList, Default: "a,b"}}
Conditions: {IsOn: !Equals [!Ref On, "yes"], Here: !Equals [!Ref AWS::AccountId, "1"]}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties: {BucketName: !Sub "b-${AWS::AccountId}-${Days}", Tags: [{Key: days, Value: !Ref Days}]}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Bucket, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}]}}
  Role:
    Type: AWS::IAM::Role
    Condition: IsOn
    Properties: {AssumeRolePolicyDocument: {}, MaxSessionDuration: 3600}
  Document:
    Type: AWS::SSM::Document
    Properties: {UpdateMethod: Replace, Content: {days: !Ref Days}}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !If [Here, !Ref List, "x"]}
`
	for name, c := range map[string]struct {
		old, new map[string]string
		edit     []string // pairs: from, to
		want     []string
		from     string // set: the old one has the edits too
	}{
		"nothing":                    {},
		"the same by another form":   {edit: []string{`Value: !Ref Days`, `Value: !Sub "${Days}"`, `{Ref: Bucket}`, ``}},
		"a parameter of a function":  {new: map[string]string{"Days": "8"}, want: []string{"modify Bucket AWS::S3::Bucket BucketName,Tags always retained", "modify Policy AWS::S3::BucketPolicy Bucket,PolicyDocument may", "modify Document AWS::SSM::Document Content/days always"}},
		"a condition begins to hold": {new: map[string]string{"On": "yes"}, want: []string{"add Role AWS::IAM::Role  never"}},
		"a condition holds no more":  {old: map[string]string{"On": "yes"}, want: []string{"remove Role AWS::IAM::Role  never"}},
		"a property in place":        {old: map[string]string{"On": "yes"}, new: map[string]string{"On": "yes"}, edit: []string{"3600", "7200"}, want: []string{"modify Role AWS::IAM::Role MaxSessionDuration never"}},
		"a property that is fixed":   {old: map[string]string{"On": "yes"}, new: map[string]string{"On": "yes"}, edit: []string{"MaxSessionDuration: 3600", "MaxSessionDuration: 3600, Path: /x/"}, want: []string{"modify Role AWS::IAM::Role Path always"}},
		"behind what is not known":   {new: map[string]string{"List": "a,c"}, want: []string{"modify Topic AWS::SNS::Topic DisplayName never"}},
		"what decides is another":    {edit: []string{`"1"`, `"2"`}, want: []string{"modify Topic AWS::SNS::Topic DisplayName never"}},
		"a document's new version":   {edit: []string{"UpdateMethod: Replace", "UpdateMethod: NewVersion", "days: !Ref", "dies: !Ref"}, want: []string{"modify Document AWS::SSM::Document Content/days,Content/dies,UpdateMethod never"}},
		"a type":                     {edit: []string{"AWS::SNS::Topic", "AWS::SQS::Queue"}, want: []string{"modify Topic AWS::SQS::Queue  never note"}},
		"a resource goes and stays": {edit: []string{"Bucket:\n    Type: AWS::S3::Bucket\n", "Store:\n    Type: AWS::S3::Bucket\n", "!Ref Bucket", "!Ref Store", "${Bucket.Arn}", "${Store.Arn}"},
			want: []string{"add Store AWS::S3::Bucket  never", "modify Policy AWS::S3::BucketPolicy Bucket,PolicyDocument/Statement always", "remove Bucket AWS::S3::Bucket  never retained"}},
		"a type that is not known": {edit: []string{"AWS::SNS::Topic", "Custom::Thing"}, from: "Custom::Thing", new: map[string]string{"List": "z"}, want: []string{"modify Topic Custom::Thing DisplayName may"}},
	} {
		t.Run(name, func(t *testing.T) {
			edited := strings.NewReplacer(c.edit...).Replace(base)
			old := base
			if c.from != "" {
				old = edited
			}
			got := said(Diff(versionOf(t, old, c.old), versionOf(t, edited, c.new)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A template differs from itself in nothing, and from an empty one in everything.
func TestDiffOfEveryTemplate(t *testing.T) {
	for _, template := range All() {
		v := Version{template.Document(), map[string]string{"AWS::Region": "us-east-1", "AWS::Partition": "aws"}}
		if got := Diff(v, v); got != nil {
			t.Errorf("%s differs from itself: %v", template.Name, said(got))
		}
		for _, c := range Diff(Version{Document: &Document{}}, v) {
			if c.Action != "add" {
				t.Errorf("%s: %v", template.Name, c)
			}
		}
	}
}

// Every type that the embedded templates use is one whose fixed properties are known.
func TestFixedPropertiesAreKnown(t *testing.T) {
	for _, template := range All() {
		for _, r := range template.Document().Resources {
			if _, known := createOnly()[r.Type]; !known {
				t.Errorf("%s: %s", template.Name, r.Type)
			}
		}
	}
	if f := createOnly()["AWS::Config::ConfigRule"]; fmt.Sprint(f.always) != "[ConfigRuleName]" {
		t.Errorf("%+v", f)
	}
}

// A diff of any two templates ends, and does not panic.
func FuzzDiff(f *testing.F) {
	for _, template := range All() {
		f.Add(template.Body(), []byte(`{"Resources":{"A":{"Type":"AWS::SNS::Topic"}}}`))
	}
	f.Add([]byte(`{"Conditions":{"A":{"Fn::Not":[{"Condition":"A"}]}},"Resources":{"A":{"Type":"T::T::T","Properties":{"P":{"Fn::If":["A",{"Ref":"A"},1]}}}}}`),
		[]byte(`{"Conditions":{"A":{"Fn::Not":[{"Condition":"B"}]},"B":{"Condition":"A"}},"Resources":{"A":{"Type":"T::T::T","Properties":{"P":{"Fn::If":["A",2,1]}}}}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		old, errOld := Parse(a)
		new, errNew := Parse(b)
		if errOld != nil || errNew != nil {
			return
		}
		Diff(Version{old, nil}, Version{new, nil})
		if got := Diff(Version{new, nil}, Version{new, nil}); got != nil {
			t.Errorf("it differs from itself: %v", said(got))
		}
	})
}
