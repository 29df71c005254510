package stackset

import (
	"strings"
	"testing"

	"rollout/templates"
)

func TestWhatAutomaticDeploymentDoesWithAnAccount(t *testing.T) {
	targets := map[string][]string{"r-1": {"us-east-1"}, "ou-a": {"eu-west-1", "us-east-1"}, "ou-b": {"sa-east-1"}}
	for _, c := range []struct {
		name  string
		auto  AutoDeployment
		above []string
		want  string
	}{
		{"off", AutoDeployment{}, []string{"r-1"}, "off: an account that joins gets nothing by itself, and one that moves keeps what it has"},
		{"below two targets", AutoDeployment{Enabled: true, Targets: targets}, []string{"r-1", "ou-x", "ou-a"}, "on: the account stands below r-1, ou-a, where an account that joins gets instances in eu-west-1, us-east-1, without overrides and whatever account filters say; its stacks are deleted when it leaves"},
		{"retained", AutoDeployment{Enabled: true, Retain: true, Targets: map[string][]string{"ou-a": {"eu-west-1"}}}, []string{"r-1", "ou-a", "ou-c"}, "on: the account stands below ou-a, where an account that joins gets instances in eu-west-1, without overrides and whatever account filters say; its stacks stay when it leaves"},
		{"elsewhere", AutoDeployment{Enabled: true, Targets: map[string][]string{"ou-b": nil, "ou-a": nil}}, []string{"r-1", "ou-c"}, "on for ou-a, ou-b, where this account is not: it gets instances when it is moved there"},
		{"nowhere", AutoDeployment{Enabled: true}, []string{"r-1"}, "on, but the set was deployed to no OU yet: nothing happens by itself"},
	} {
		if got := c.auto.Coming(c.above); got != c.want {
			t.Errorf("%s: %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestWhereValuesComeFrom(t *testing.T) {
	look := func(name string) templates.Template {
		t.Helper()
		out, err := templates.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	enforce, base := look(templates.DefaultSecurityGroupEnforce), look(templates.RecordingBase)
	d := Desired{HomeRegion: "eu-west-1"}
	for _, c := range []struct {
		template   templates.Template
		automatic  bool
		key, value string
		want       string
	}{
		{enforce, false, "HomeRegion", "eu-west-1", "what rollout gives it"},
		{enforce, false, "HomeRegion", "us-east-1", "given to an earlier run, or by another version"},
		{enforce, true, "Remediation", "Automatic", "what rollout gives it"},
		{enforce, false, "InUse", "Skip", ReasonDefault},
		{enforce, false, "InUse", "Empty", "given to an earlier run, or by another version"},
		{enforce, false, "Gone", "x", "given to an earlier run, or by another version"},
	} {
		if got := ParameterReason(d, c.template, c.automatic, c.key, c.value); got != c.want {
			t.Errorf("%s=%s: %q, want %q", c.key, c.value, got, c.want)
		}
	}
	for key, want := range map[string]string{
		"CreateConfigServiceLinkedRole=true":      "AWSServiceRoleForConfig was not",
		"CreateRemediationServiceLinkedRole=true": "AWSServiceRoleForConfigRemediation was not",
		"CreateDeliveryBucket=false":              "kept from an earlier deployment",
		"CreateDeliveryBucket=true":               "somebody else set it",
		"HistoryRetentionDays=7":                  "somebody else set it",
	} {
		name, value, _ := strings.Cut(key, "=")
		if got := OverrideReason(base, name, value); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	archive := look("recording-archive")
	if got := OverrideReason(archive, archive.Keeps.Switch, "false"); !strings.Contains(got, "kept from an earlier deployment") {
		t.Errorf("the switch of another bucket: %q", got)
	}
}
