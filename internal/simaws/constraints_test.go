package simaws

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// raw makes one call of a JSON service and gives status and body.
func raw(s *Sim, service, target, body string) (int, string) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", services[service].target+"."+target)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestRequestsAreHeldToTheModel(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	for _, c := range []struct{ service, target, body, want string }{
		{"config", "PutConfigRule", `{}`, "1 validation error detected: Value null at 'configRule' failed to satisfy constraint: Member must not be null"},
		{"config", "PutConfigRule", `{"ConfigRule":{}}`, "Value null at 'configRule.source' failed"},
		{"config", "PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"ME"},"Description":"` + strings.Repeat("x", 257) + `"}}`, "2 validation errors detected: "},
		{"config", "PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"ME"}}}`, "Member must satisfy enum value set: [CUSTOM_LAMBDA, AWS, CUSTOM_POLICY]"},
		{"config", "PutConfigRule", `{"ConfigRule":{"ConfigRuleName":" ","Source":{"Owner":"AWS"}}}`, `Member must satisfy regular expression pattern: .*\\S.*`},
		{"config", "PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS"},"MaximumExecutionFrequency":"Daily"}}`, "'configRule.maximumExecutionFrequency'"},
		{"config", "PutConfigRule", `{"ConfigRule":{"Source":{"Owner":"AWS"}},"Tags":[{"Key":""}]}`, "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"config", "PutConfigurationRecorder", `{"ConfigurationRecorder":{"recordingGroup":{"resourceTypes":["AWS::No::Thing"]}}}`, "at 'configurationRecorder.recordingGroup.resourceTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set"},
		{"config", "PutConfigurationRecorder", `{"ConfigurationRecorder":{"recordingMode":{}}}`, "'configurationRecorder.recordingMode.recordingFrequency'"},
		{"config", "PutDeliveryChannel", `{"DeliveryChannel":{"configSnapshotDeliveryProperties":{"deliveryFrequency":"Weekly"}}}`, "Member must satisfy enum value set: [One_Hour"},
		{"config", "PutRemediationConfigurations", `{"RemediationConfigurations":[{"ConfigRuleName":"a","TargetType":"LAMBDA","TargetId":"x"}]}`, "'remediationConfigurations.1.member.targetType'"},
		{"config", "PutRemediationConfigurations", `{"RemediationConfigurations":[{"ConfigRuleName":"a","TargetType":"SSM_DOCUMENT","TargetId":"x","MaximumAutomaticAttempts":26}]}`, "Value '26' at 'remediationConfigurations.1.member.maximumAutomaticAttempts' failed to satisfy constraint: Member must have value less than or equal to 25"},
		{"config", "PutRemediationConfigurations", `{"RemediationConfigurations":[{"ConfigRuleName":"a","TargetType":"SSM_DOCUMENT","TargetId":"x","RetryAttemptSeconds":0}]}`, "greater than or equal to 1"},
		{"config", "PutRemediationConfigurations", `{"RemediationConfigurations":[{"ConfigRuleName":"a","TargetType":"SSM_DOCUMENT","TargetId":"x","Parameters":{"P":{"ResourceValue":{"Value":"NAME"}}}}]}`, "enum value set: [RESOURCE_ID]"},
		{"config", "StartRemediationExecution", `{"ConfigRuleName":"a","ResourceKeys":[]}`, "'resourceKeys' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"config", "StartConfigRulesEvaluation", `{"ConfigRuleNames":[` + strings.Repeat(`"a",`, 25) + `"a"]}`, "length less than or equal to 25"},
		{"config", "DescribeAggregateComplianceByConfigRules", `{"ConfigurationAggregatorName":"a b","Filters":{"AccountId":"1"}}`, "2 validation errors detected"},
		{"config", "PutRetentionConfiguration", `{"RetentionPeriodInDays":29}`, "Value '29' at 'retentionPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 30"},
		{"config", "TagResource", `{"ResourceArn":"arn:x","Tags":[]}`, "'tags'"},
		{"ssm", "GetAutomationExecution", `{"AutomationExecutionId":"x"}`, "length greater than or equal to 36"},
		{"ssm", "StartAutomationExecution", `{"DocumentName":"a b"}`, "'documentName'"},
	} {
		status, body := raw(s, c.service, c.target, c.body)
		if status != 400 || !strings.Contains(body, "ValidationException") || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s, want %s", c.target, c.body, status, body, c.want)
		}
	}
}

// Every pattern of the models is one that Go can match, but for members of
// automations in many accounts and alarms, which are not simulated.
func TestPatternsOfTheModels(t *testing.T) {
	for name, text := range map[string]string{"config": constraintsConfig, "ssm": constraintsSSM, "organizations": constraintsOrganizations} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, "larm") || strings.HasPrefix(line, "TargetLocations") {
				continue
			}
			for _, cell := range strings.Split(strings.TrimRight(line, "\n"), "\t") {
				if p, ok := strings.CutPrefix(cell, "p="); ok {
					if _, err := regexp.Compile(goPattern(p)); err != nil {
						t.Errorf("%s: %s: %v", name, line, err)
					}
				}
			}
		}
	}
}

// The files are what botocore's models say: those of the version that they name.
func TestConstraintsAreBotocores(t *testing.T) {
	if exec.Command("python3", "-c", "import botocore").Run() != nil {
		if os.Getenv("ROLLOUT_REQUIRE_EXTRAS") == "1" {
			t.Fatal("python3 with botocore is required here and not installed")
		}
		t.Skip("python3 with botocore is not installed (pip install boto3)")
	}
	for service, text := range map[string]string{"config": constraintsConfig, "ssm": constraintsSSM, "organizations": constraintsOrganizations} {
		out, err := exec.Command("python3", append([]string{"testdata/constraints.py", service}, sortedKeys(constraints[service])...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		version, _, _ := strings.Cut(text, "\n")
		if !strings.HasPrefix(string(out), version+"\n") {
			t.Skipf("constraints_%s.txt is of %s; here is another", service, version)
		}
		if string(out) != text {
			t.Errorf("constraints_%s.txt is not what botocore's model says", service)
		}
		for action := range services[service].ops {
			if _, there := constraints[service][action]; !there {
				t.Errorf("constraints_%s.txt lacks %s", service, action)
			}
		}
	}
}
