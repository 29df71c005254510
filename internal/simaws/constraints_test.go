package simaws

import (
	"flag"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"rollout/internal/extras"
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

// rawQuery makes one call of a query service and gives status and body.
func rawQuery(s *Sim, service, form string) (int, string) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(form+"&Version="+services[service].version))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestFormsAreHeldToTheModel(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	for _, c := range []struct{ service, form, want string }{
		{"cloudformation", "Action=CreateStackSet", "1 validation error detected: Value null at &#39;stackSetName&#39; failed to satisfy constraint: Member must not be null"},
		{"cloudformation", "Action=CreateStackSet&StackSetName=a&PermissionModel=MINE&Tags.member.1.Key=&Tags.member.1.Value=x", "2 validation errors detected: "},
		{"cloudformation", "Action=CreateStackInstances&StackSetName=a", "&#39;regions&#39;"},
		{"cloudformation", "Action=CreateStackInstances&StackSetName=a&Regions.member.1=us_east", "Value &#39;[us_east]&#39; at &#39;regions&#39; failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]{1,128}$]"},
		{"cloudformation", "Action=CreateStackInstances&StackSetName=a&Regions.member.1=us-east-1&OperationPreferences.MaxConcurrentPercentage=101", "Value &#39;101&#39; at &#39;operationPreferences.maxConcurrentPercentage&#39; failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"cloudformation", "Action=CreateStackInstances&StackSetName=a&Regions.member.1=us-east-1&OperationPreferences.ConcurrencyMode=HARD", "enum value set: [STRICT_FAILURE_TOLERANCE, SOFT_FAILURE_TOLERANCE]"},
		{"cloudformation", "Action=CreateStackInstances&StackSetName=a&Regions.member.1=us-east-1&DeploymentTargets.OrganizationalUnitIds.member.1=Workloads", "deploymentTargets.organizationalUnitIds"},
		{"cloudformation", "Action=ListStackInstances&StackSetName=a&MaxResults=101", "less than or equal to 100"},
		{"cloudformation", "Action=ListStackInstances&StackSetName=a&Filters.member.1.Name=STATUS&Filters.member.1.Values=x", "Value &#39;STATUS&#39; at &#39;filters.1.member.name&#39;"},
		{"cloudformation", "Action=DeleteStackInstances&StackSetName=a&Regions.member.1=us-east-1", "&#39;retainStacks&#39;"},
		{"cloudformation", "Action=ListStackSets&Status=GONE", "[ACTIVE, DELETED]"},
		{"sts", "Action=AssumeRole&RoleArn=short&RoleSessionName=a b", "2 validation errors detected"},
		{"sts", "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/x&RoleSessionName=ab&DurationSeconds=899", "greater than or equal to 900"},
		{"iam", "Action=GetRole", "&#39;roleName&#39;"},
		{"iam", "Action=ListRoles&MaxItems=1001", "less than or equal to 1000"},
	} {
		status, body := rawQuery(s, c.service, strings.ReplaceAll(c.form, " ", "+"))
		if status != 400 || !strings.Contains(body, "<Code>ValidationError</Code>") || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %s", c.form, status, body, c.want)
		}
	}
	// Lists and maps of forms are read as those of JSON are.
	form, err := url.ParseQuery("A.member.1.B=x&A.member.2.B=y&M.entry.1.key=k&M.entry.1.value=v&Empty=&S.T=1")
	if err != nil {
		t.Fatal(err)
	}
	got := query{values: form}.tree()
	want := map[string]any{"A": []any{map[string]any{"B": "x"}, map[string]any{"B": "y"}}, "M": map[string]any{"k": "v"}, "Empty": "", "S": map[string]any{"T": "1"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Every pattern of the models is one that Go can match, but for members of
// automations in many accounts and alarms, which are not simulated.
func TestPatternsOfTheModels(t *testing.T) {
	for name, text := range constraintTexts {
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

// The files are what botocore's models say in the version that .ci pins, of every call
// that is served; -update writes them anew.
func TestConstraintsAreBotocores(t *testing.T) {
	python := extras.Program(t, "python3")
	extras.Exactly(t, python, "botocore")
	for service, text := range constraintTexts {
		out, err := exec.Command(python, append([]string{"testdata/constraints.py", service}, sortedKeys(services[service].ops)...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		file := "constraints_" + service + ".txt"
		switch {
		case string(out) == text:
		case flag.Lookup("update").Value.String() == "true":
			if err := os.WriteFile(file, out, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is not what botocore's model says of the calls that are served (-update writes it)", file)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add("A.member.1.B=x&A.member.2=y&A=z")
	f.Add("M.entry.1.key=k&M.entry.1.value=v&M.entry.1=w")
	f.Add(".=1&..member.1=2&A.member.=3&A.member.0=4")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil || len(text) > 10000 {
			return
		}
		c := &call{Service: "cloudformation", Action: "CreateStackInstances", Form: query{values: form}}
		if err := constrained(c); err != nil {
			if e, ok := err.(*apiError); !ok || e.Code != "ValidationError" {
				t.Errorf("%v", err)
			}
		}
	})
}
