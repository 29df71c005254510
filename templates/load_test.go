package templates

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFile(t *testing.T) {
	path := write(t, "my rules_2.yaml", `Metadata: {rollout: {lint: {ignore: {RL303: unknown parameters are told}}}}
Description: |
  Keys are young
  and more
Resources:
  B:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: b-rule
      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !Sub "arn:${AWS::Partition}:lambda:x"}
  A:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: a-rule
      Description: Certificates are young
      InputParameters: {daysToExpiration: 90, other: !Ref AWS::Region}
      Scope: {ComplianceResourceTypes: [AWS::ACM::Certificate]}
      Source: {Owner: AWS, SourceIdentifier: ACM_CERTIFICATE_EXPIRATION_CHECK}
  C:
    Type: AWS::Config::ConfigRule
    Properties: {ConfigRuleName: !Sub "x-${AWS::Region}", Source: {Owner: AWS, SourceIdentifier: IAM_ROOT_ACCESS_KEY_CHECK}}
  Fix:
    Type: AWS::Config::RemediationConfiguration
    Properties: {TargetVersion: "1", Parameters: {AutomationAssumeRole: {StaticValue: {Values: [x]}}, R: {ResourceValue: {Value: RESOURCE_ID}}}}
`)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []Rule{
		{Name: "a-rule", Identifier: "ACM_CERTIFICATE_EXPIRATION_CHECK", Title: "Certificates are young", Parameters: map[string]string{"daysToExpiration": "90"}, Unknown: []string{"other"}, ResourceTypes: []string{"AWS::ACM::Certificate"}},
		{Name: "b-rule", Title: "b-rule"},
	}
	if diff := cmp.Diff(want, got.Rules); diff != "" {
		t.Error(diff)
	}
	if got.Name != "my-rules-2" || got.Title != "Keys are young" || got.Scope != ScopeRegional || !got.Remediates || got.Path != path ||
		strings.Join(got.Unnamed, " ") != "C" || len(got.Chain()) != 1 || strings.Join(got.Remediation(), " ") != "off" {
		t.Errorf("%+v", got)
	}
}

func TestLoadRefuses(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for name, test := range map[string]struct{ path, want string }{
		"unknown name":   {"default-securty-group", "did you mean default-security-group?; there is no file of that name either"},
		"missing file":   {missing, "read template: open " + missing},
		"too large":      {write(t, "a.yaml", "Resources: {A: {Type: T}}\n"+strings.Repeat("#", maxBody)), "a.yaml:1:1: error RL002: 51226 bytes are more than the 51200 that CloudFormation takes"},
		"transform":      {write(t, "a.yaml", "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: T}}"), "a.yaml:1:1: error RL101: it has a Transform"},
		"macro":          {write(t, "a.yaml", "Resources:\n  A: {Type: T, Properties: {a: [!Transform {Name: x}]}}"), "a.yaml:2:33: error RL102: it uses Fn::Transform"},
		"nested":         {write(t, "a.yaml", "Resources:\n  A: {Type: AWS::CloudFormation::Stack}"), "a.yaml:2:3: error RL103: A is a nested stack"},
		"not a template": {write(t, "a.yaml", "a: b"), `a.yaml:1:1: error RL001: a template has no "a"`},
		"no name":        {write(t, "--.yaml", "Resources: {A: {Type: T}}"), "no letter or digit"},
		"taken name":     {write(t, "recording.yaml", "Resources: {A: {Type: T}}"), "embedded template's"},
		"directory":      {t.TempDir(), "read template"},
	} {
		_, err := Load(test.path)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	if got, err := Load(Recording); err != nil || got.Path != "" {
		t.Errorf("an embedded name: %v %v", got.Path, err)
	}
}

func TestRequiredCapabilities(t *testing.T) {
	for resource, want := range map[string]string{
		"Type: AWS::S3::Bucket":                                             "",
		"Type: AWS::IAM::ServiceLinkedRole":                                 "",
		"Type: AWS::IAM::Role":                                              "CAPABILITY_IAM",
		"Type: AWS::IAM::AccessKey":                                         "CAPABILITY_IAM",
		"Type: AWS::IAM::Role, Condition: C":                                "CAPABILITY_IAM",
		"Type: AWS::IAM::Role, Properties: {RoleName: x}":                   "CAPABILITY_NAMED_IAM",
		"Type: AWS::IAM::Policy, Properties: {PolicyName: x}":               "CAPABILITY_IAM",
		"Type: AWS::IAM::User, Properties: {UserName: !Ref X}":              "CAPABILITY_NAMED_IAM",
		"Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: x}": "CAPABILITY_NAMED_IAM",
		"Type: AWS::IAM::InstanceProfile, Properties: {Path: /x/}":          "CAPABILITY_IAM",
		"Type: AWS::IAM::Group, Properties: {GroupName: x}":                 "CAPABILITY_NAMED_IAM",
	} {
		d, err := Parse([]byte("Resources: {A: {" + resource + "}, B: {Type: AWS::SNS::Topic}}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(RequiredCapabilities(d), " "); got != want {
			t.Errorf("%s: %q, want %q", resource, got, want)
		}
	}
}

// The word baseline takes away what it brought but for what the rest of it stands on;
// that goes when it is named, alone or beside the word.
func TestLoadToRemove(t *testing.T) {
	var foundation, rest []string
	for _, b := range Baseline() {
		if b.Name == RecordingBase || b.Name == Recording {
			foundation = append(foundation, b.Name)
		} else {
			rest = append(rest, b.Name)
		}
	}
	if len(foundation) != 2 || len(rest) < 5 {
		t.Fatalf("the baseline is %v and %v", foundation, rest)
	}
	every := append(slices.Clone(foundation), rest...)
	for _, test := range []struct {
		text       string
		take, stay []string
	}{
		{"baseline", rest, foundation},
		{"baseline, recording", append([]string{Recording}, rest...), []string{RecordingBase}},
		{"recording-base,recording,baseline", every, nil},
		{"recording", []string{Recording}, nil},
		{"recording-base,default-security-group", []string{RecordingBase, DefaultSecurityGroup}, nil},
	} {
		take, stay, err := LoadToRemove(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(take); !slices.Equal(got, test.take) {
			t.Errorf("%s takes %v, want %v", test.text, got, test.take)
		}
		if got := names(stay); !slices.Equal(got, test.stay) {
			t.Errorf("%s leaves %v, want %v", test.text, got, test.stay)
		}
	}
	if _, _, err := LoadToRemove("baseline,recordin"); err == nil || !strings.Contains(err.Error(), "did you mean recording?") {
		t.Error(err)
	}
}
