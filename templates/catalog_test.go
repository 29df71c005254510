package templates

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", name, diff)
	}
}

func TestSummaries(t *testing.T) {
	got, err := json.MarshalIndent(Summaries(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), "null") {
		t.Error("a list is null")
	}
	golden(t, "summaries.json", append(got, '\n'))
}

func names(list []Template) []string {
	var all []string
	for _, t := range list {
		all = append(all, t.Name)
	}
	return all
}

func TestChain(t *testing.T) {
	for name, want := range map[string][]string{
		RecordingBase:               {RecordingBase},
		Recording:                   {RecordingBase, Recording},
		DefaultSecurityGroup:        {RecordingBase, Recording, DefaultSecurityGroup},
		DefaultSecurityGroupEnforce: {RecordingBase, Recording, DefaultSecurityGroup, DefaultSecurityGroupEnforce},
	} {
		chain, err := Chain(name)
		if err != nil || !slices.Equal(names(chain), want) {
			t.Errorf("%s: %v, %v", name, names(chain), err)
		}
	}
	order := names(All())
	for i, template := range All() {
		for _, need := range template.Needs {
			if at := slices.Index(order, need); at < 0 || at > i {
				t.Errorf("%s comes before %s, which it needs", template.Name, need)
			}
		}
		if template.EnforcedBy != "" && order[i+1] != template.EnforcedBy {
			t.Errorf("%s is not followed by what enforces it", template.Name)
		}
	}
	if _, err := Chain("nothing"); err == nil {
		t.Error("a chain of nothing")
	}
}

func TestWhatIsKnownOfATemplate(t *testing.T) {
	for name, want := range map[string]struct {
		scope        Scope
		remediation  string
		capabilities string
		grade        int
		parameters   string
	}{
		RecordingBase:        {ScopeHome, "off", "", 1, "DeliveryBucketPrefix CreateDeliveryBucket HistoryRetentionDays DeliveryKmsKeyArn CreateConfigServiceLinkedRole CreateRemediationServiceLinkedRole"},
		Recording:            {ScopeRegional, "off", "", 1, "HomeRegion DeliveryBucketPrefix DeliveryBucketName DeliveryKeyPrefix DeliveryKmsKeyArn SnapshotFrequency RecordingFrequency RecordedTypes RecordedGlobalTypes"},
		DefaultSecurityGroup: {ScopeRegional, "off manual automatic", "", 0, ""},
		DefaultSecurityGroupEnforce: {ScopeRegional, "manual automatic", "CAPABILITY_IAM", 3,
			"Remediation InUse HomeRegion DeliveryBucketPrefix DeliveryKmsKeyArn PermissionsBoundaryArn MaximumAutomaticAttempts RetryAttemptSeconds ConcurrentExecutionRatePercentage ErrorPercentage"},
	} {
		template, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if template.Scope != want.scope || strings.Join(template.Remediation(), " ") != want.remediation ||
			strings.Join(template.Capabilities, " ") != want.capabilities || template.Grade != want.grade {
			t.Errorf("%s: %+v", name, template)
		}
		if got := strings.Join(template.Document().ParameterOrder, " "); got != want.parameters {
			t.Errorf("%s: parameters %s", name, got)
		}
		if len(template.SHA256()) != 64 {
			t.Errorf("%s: digest %q", name, template.SHA256())
		}
	}
}

func TestBodyIsACopy(t *testing.T) {
	template, err := Lookup(Recording)
	if err != nil {
		t.Fatal(err)
	}
	template.Body()[0] = '#'
	if template.Body()[0] == '#' {
		t.Error("the caller changed the catalog")
	}
}

func TestControls(t *testing.T) {
	want := map[string]string{
		RecordingBase: "",
		Recording: "CIS 1.2.0 2.5; CIS 1.4.0 3.5; CIS 3.0.0 3.3; CIS 5.0.0 3.3; FSBP 1.0.0 Config.1; " +
			"NIST-800-53 r5 CM-3; NIST-800-53 r5 CM-6(1); NIST-800-53 r5 CM-8; NIST-800-53 r5 CM-8(2); PCI-DSS 3.2.1 10.5.2; PCI-DSS 3.2.1 11.5",
		DefaultSecurityGroup: "CIS 1.2.0 4.3; CIS 1.4.0 5.3; CIS 3.0.0 5.4; CIS 5.0.0 5.5; FSBP 1.0.0 EC2.2; " +
			"NIST-800-53 r5 AC-4; NIST-800-53 r5 AC-4(21); NIST-800-53 r5 SC-7; NIST-800-53 r5 SC-7(4); NIST-800-53 r5 SC-7(5); " +
			"NIST-800-53 r5 SC-7(11); NIST-800-53 r5 SC-7(16); NIST-800-53 r5 SC-7(21); " +
			"PCI-DSS 3.2.1 1.2.1; PCI-DSS 3.2.1 1.3.4; PCI-DSS 3.2.1 2.1",
		DefaultSecurityGroupEnforce: "",
	}
	for _, name := range []string{RecordingBase, Recording, DefaultSecurityGroup, DefaultSecurityGroupEnforce} {
		template, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range template.Controls() {
			got = append(got, c.String())
		}
		if diff := cmp.Diff(want[template.Name], strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", template.Name, diff)
		}
		// A rule's controls are shown as they are, so they are in order already.
		for _, r := range template.Rules {
			if !slices.IsSortedFunc(r.Controls, compareControls) {
				t.Errorf("%s: controls of %s are not in order", template.Name, r.Name)
			}
		}
	}
}

func TestLookupSuggests(t *testing.T) {
	for word, want := range map[string]string{
		"default-securty-group": "did you mean default-security-group?",
		"recordings":            "did you mean recording?",
		"record-base":           "did you mean recording-base?",
	} {
		if _, err := Lookup(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, err := Lookup("x"); err == nil || strings.Contains(err.Error(), "mean") || !strings.Contains(err.Error(), RecordingBase) {
		t.Errorf("x: %v", err)
	}
}

// S3 takes 63 characters, and the templates build the name as the function does.
func TestDeliveryBucketName(t *testing.T) {
	if got := DeliveryBucketName("", "111122223333", "eu-west-1"); got != "rollout-config-111122223333-eu-west-1-an" {
		t.Error(got)
	}
	base, _ := Lookup(RecordingBase)
	p := base.Document().Parameters[ParameterDeliveryBucketPrefix]
	if p.Default != DefaultDeliveryBucketPrefix {
		t.Errorf("default prefix %q", p.Default)
	}
	longest := strings.Repeat("a", *p.MaxLength)
	if err := p.Check(longest); err != nil {
		t.Error(err)
	}
	for _, region := range []string{"us-isof-south-1", "ap-southeast-7", "me-south-1", "me-central-1"} {
		want := DeliveryBucketName(longest, "111122223333", region)
		if len(want) > 63 {
			t.Errorf("%s has %d characters", want, len(want))
		}
		given := map[string]string{
			"AWS::Region": region, ParameterHomeRegion: region, ParameterDeliveryBucketPrefix: longest, "AWS::AccountId": "111122223333",
		}
		bucket := evaluate(t, base.Document(), given).resources()["DeliveryBucket"]
		if bucket["BucketName"] != want || (bucket["BucketNamespace"] == "account-regional") != strings.HasSuffix(want, "-an") {
			t.Errorf("%s: %v in namespace %v", region, bucket["BucketName"], bucket["BucketNamespace"])
		}
		recording, _ := Lookup(Recording)
		if got := evaluate(t, recording.Document(), given).resources()["Channel"]["S3BucketName"]; got != want {
			t.Errorf("%s: the channel delivers to %v", region, got)
		}
	}
}
