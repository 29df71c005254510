package simaws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// putManaged puts a managed rule through the SDK.
func putManaged(t *testing.T, client *configservice.Client, name, identifier, parameters, frequency string) error {
	t.Helper()
	in := &types.ConfigRule{ConfigRuleName: aws.String(name), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String(identifier)}, MaximumExecutionFrequency: types.MaximumExecutionFrequency(frequency)}
	if parameters != "" {
		in.InputParameters = aws.String(parameters)
	}
	_, err := client.PutConfigRule(context.Background(), &configservice.PutConfigRuleInput{ConfigRule: in})
	return err
}

// verdicts are a rule's results by resource id, as the SDK reads them.
func verdicts(t *testing.T, client *configservice.Client, name string) map[string]string {
	t.Helper()
	out, err := client.GetComplianceDetailsByConfigRule(context.Background(), &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String(name), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range out.EvaluationResults {
		got[*r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId] = string(r.ComplianceType)
	}
	return got
}

// Every rule about security groups against every kind of opening, by its page in the
// developer guide: C, N or - (not applicable) for each group.
func TestSecurityGroupRules(t *testing.T) {
	open := func(protocol string, from, to int, v4, v6 string) map[string]any {
		p := map[string]any{"IpProtocol": protocol}
		if protocol != "-1" {
			p["FromPort"], p["ToPort"] = from, to
		}
		if v4 != "" {
			p["IpRanges"] = []any{map[string]any{"CidrIp": v4}}
		}
		if v6 != "" {
			p["Ipv6Ranges"] = []any{map[string]any{"CidrIpv6": v6}}
		}
		return p
	}
	groups := map[string]map[string]any{
		"closed":   nil,
		"office":   open("tcp", 22, 22, "192.0.2.0/24", ""),
		"web":      open("tcp", 443, 443, "0.0.0.0/0", "::/0"),
		"ssh":      open("tcp", 22, 22, "0.0.0.0/0", ""),
		"ssh6":     open("6", 22, 22, "", "::/0"),
		"wide":     open("tcp", 0, 65535, "0.0.0.0/0", ""),
		"desktop":  open("udp", 3389, 3389, "0.0.0.0/0", ""),
		"database": open("tcp", 3000, 3306, "0.0.0.0/0", ""),
		"all":      open("-1", 0, 0, "0.0.0.0/0", ""),
		"ping":     open("icmp", -1, -1, "0.0.0.0/0", ""),
	}
	order := []string{"closed", "office", "web", "ssh", "ssh6", "wide", "desktop", "database", "all", "ping"}
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		delete(p.r.groups, testGroup)
		for name, permission := range groups {
			g := p.group(name, name)
			g.Ingress = nil
			if permission != nil {
				g.Ingress = []map[string]any{permission}
			}
		}
		p.recording()
		client := p.sdk()
		for i, tt := range []struct{ identifier, parameters, want string }{
			{"INCOMING_SSH_DISABLED", "", "CCCNNNCCNC"},
			{"RESTRICTED_INCOMING_TRAFFIC", "", "CCCCCNCNNC"},
			{"RESTRICTED_INCOMING_TRAFFIC", `{"blockedPort1":"443"}`, "CCNCCNCNNC"},
			{"RESTRICTED_INCOMING_TRAFFIC", `{"blockedPort4":"1","blockedPorts":"22,100-200"}`, "CCCNNNCCNC"},
			{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", "", "--NNNNNNNC"},
			{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", `{"authorizedTcpPorts":"443,22"}`, "--CCCNNNNC"},
			{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", `{"authorizedTcpPorts":"3200-3306,3000-3199","authorizedUdpPorts":"3389"}`, "--NNNNCCNC"},
			{"VPC_SG_PORT_RESTRICTION_CHECK", "", "CCCNNNNCNC"},
			{"VPC_SG_PORT_RESTRICTION_CHECK", `{"protocolType":"tcp","ipType":"ipv4"}`, "CCCNCNCCNC"},
			{"VPC_SG_PORT_RESTRICTION_CHECK", `{"restrictPorts":"443","ipType":"IPv6","excludeExternalSecurityGroups":"false"}`, "CCNCCCCCCC"},
		} {
			name := fmt.Sprint("rule-", i)
			if err := putManaged(t, client, name, tt.identifier, tt.parameters, ""); err != nil {
				t.Fatal(tt.identifier, err)
			}
			p.pass(3 * time.Minute)
			got, have := "", verdicts(t, client, name)
			for _, g := range order {
				got += map[string]string{"COMPLIANT": "C", "NON_COMPLIANT": "N", "NOT_APPLICABLE": "-"}[have[g]]
			}
			if got != tt.want {
				t.Errorf("%s %s: %s, want %s (%s)", tt.identifier, tt.parameters, got, tt.want, strings.Join(order, " "))
			}
		}
	})
}

// What PutConfigRule says of parameters, and what only an evaluation finds.
func TestRuleParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client, ctx := p.sdk(), context.Background()
		for parameters, want := range map[string]string{
			`{"minLength":"14"}`:              `Unknown parameters provided in the inputParameters: {"minLength":"14"}.`,
			`{"MinimumPasswordLength":14}`:    "Blank spaces are not acceptable for input parameter: MinimumPasswordLength.",
			`{"MinimumPasswordLength":" "}`:   "Blank spaces are not acceptable for input parameter: MinimumPasswordLength.",
			`{"MinimumPasswordLength":"14"}`:  "",
			`{"MinimumPasswordLength":"ten"}`: "",
		} {
			err := putManaged(t, client, "r", "IAM_PASSWORD_POLICY", parameters, "")
			if want == "" && err != nil || want != "" && (code(err) != "InvalidParameterValueException" || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: %v, want %q", parameters, err, want)
			}
		}
		if err := putManaged(t, client, "wrong", "RESTRICTED_INCOMING_TRAFFIC", `{"blockedPort1":"ssh"}`, ""); err != nil {
			t.Fatal(err)
		}
		p.pass(3 * time.Minute)
		out, err := client.DescribeConfigRuleEvaluationStatus(ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"wrong"}})
		if err != nil {
			t.Fatal(err)
		}
		status := out.ConfigRulesEvaluationStatus[0]
		if aws.ToString(status.LastErrorCode) != "InvalidParameterValueException" || status.LastFailedEvaluationTime == nil || status.LastSuccessfulEvaluationTime != nil || len(verdicts(t, client, "wrong")) > 0 {
			t.Errorf("a parameter that is no number: %+v", status)
		}
		if err := putManaged(t, client, "wrong", "RESTRICTED_INCOMING_TRAFFIC", `{"blockedPort1":"22"}`, ""); err != nil {
			t.Fatal(err)
		}
		p.pass(3 * time.Minute)
		if len(verdicts(t, client, "wrong")) == 0 {
			t.Error("the rule was mended and has no results")
		}
	})
}

// A periodic rule runs at once and then every period, whether or not a recorder runs; what
// changes meanwhile it does not see.
func TestPeriodicRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client := p.sdk()
		if err := putManaged(t, client, "ebs", "EC2_EBS_ENCRYPTION_BY_DEFAULT", "", "Three_Hours"); err != nil {
			t.Fatal(err)
		}
		want := func(when, word string) {
			t.Helper()
			if got := verdicts(t, client, "ebs")[testAccount]; got != word {
				t.Errorf("%s: %q, want %q", when, got, word)
			}
		}
		want("at once", "")
		p.pass(2 * time.Minute)
		want("after the first evaluation", "NON_COMPLIANT")
		p.s.settings(p.a, p.r).encryptEBS = true
		p.s.stopRecorder(p.r)
		p.pass(2 * time.Hour)
		want("before the period ends", "NON_COMPLIANT")
		p.pass(time.Hour)
		want("once it has ended", "COMPLIANT")
		if err := putManaged(t, client, "ebs", "EC2_EBS_ENCRYPTION_BY_DEFAULT", "", "One_Hour"); err != nil {
			t.Fatal(err)
		}
		p.pass(5 * time.Minute)
		p.s.settings(p.a, p.r).encryptEBS = false
		p.pass(time.Hour)
		want("with a shorter period", "NON_COMPLIANT")
		if _, err := client.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String("ebs")}); err != nil {
			t.Fatal(err)
		}
		p.pass(48 * time.Hour)
		if n := len(p.s.clock.queue); n > 0 {
			t.Errorf("%d events are left of a rule that is gone", n)
		}
	})
}

// The password policy through IAM, and what the rule says of it.
func TestPasswordPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true})
		id := s.Accounts()[4].ID
		api := iam.NewFromConfig(entered(t, s, id, "OrganizationAccountAccessRole", ""))
		if _, err := api.GetAccountPasswordPolicy(t.Context(), &iam.GetAccountPasswordPolicyInput{}); code(err) != "NoSuchEntity" || !strings.Contains(err.Error(), "The Password Policy with domain name "+id+" cannot be found.") {
			t.Error(err)
		}
		if _, err := api.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(5)}); code(err) != "ValidationError" {
			t.Error(err)
		}
		strict := iam.UpdateAccountPasswordPolicyInput{
			MinimumPasswordLength: aws.Int32(14), RequireSymbols: true, RequireNumbers: true, RequireUppercaseCharacters: true, RequireLowercaseCharacters: true,
			PasswordReusePrevention: aws.Int32(24), MaxPasswordAge: aws.Int32(90),
		}
		managed := managedRules["IAM_PASSWORD_POLICY"]
		a := s.world.accounts[id]
		standard, _ := managed.values(map[string]string{"MaxPasswordAge": "90"})
		judge := func(parameters ruleValues) string {
			return managed.look(s, a, a.region("us-east-1"), parameters)[0].compliance
		}
		if judge(standard) != "NON_COMPLIANT" {
			t.Error("no policy is compliant")
		}
		for _, step := range []struct {
			name   string
			change func(*iam.UpdateAccountPasswordPolicyInput)
			want   string
		}{
			{"as asked", func(*iam.UpdateAccountPasswordPolicyInput) {}, "COMPLIANT"},
			{"longer", func(in *iam.UpdateAccountPasswordPolicyInput) { in.MinimumPasswordLength = aws.Int32(20) }, "COMPLIANT"},
			{"shorter", func(in *iam.UpdateAccountPasswordPolicyInput) { in.MinimumPasswordLength = aws.Int32(13) }, "NON_COMPLIANT"},
			{"no symbols", func(in *iam.UpdateAccountPasswordPolicyInput) { in.RequireSymbols = false }, "NON_COMPLIANT"},
			{"older", func(in *iam.UpdateAccountPasswordPolicyInput) { in.MaxPasswordAge = aws.Int32(91) }, "NON_COMPLIANT"},
			{"for ever", func(in *iam.UpdateAccountPasswordPolicyInput) { in.MaxPasswordAge = nil }, "NON_COMPLIANT"},
			{"reused", func(in *iam.UpdateAccountPasswordPolicyInput) { in.PasswordReusePrevention = nil }, "NON_COMPLIANT"},
		} {
			in := strict
			step.change(&in)
			if _, err := api.UpdateAccountPasswordPolicy(t.Context(), &in); err != nil {
				t.Fatal(err)
			}
			out, err := api.GetAccountPasswordPolicy(t.Context(), &iam.GetAccountPasswordPolicyInput{})
			if err != nil {
				t.Fatal(err)
			}
			if p := out.PasswordPolicy; aws.ToInt32(p.MaxPasswordAge) != aws.ToInt32(in.MaxPasswordAge) || p.ExpirePasswords != (in.MaxPasswordAge != nil) || p.RequireSymbols != in.RequireSymbols {
				t.Errorf("%s: %+v", step.name, p)
			}
			if got := judge(standard); got != step.want {
				t.Errorf("%s: %s", step.name, got)
			}
		}
		if forever, _ := managed.values(nil); judge(forever) != "NON_COMPLIANT" || forever["MaxPasswordAge"] != "" {
			t.Errorf("an expiry that is not asked for counts: %v", forever)
		}
		relaxed := maps.Clone(standard)
		relaxed["PasswordReusePrevention"] = "0"
		if judge(relaxed) != "COMPLIANT" {
			t.Error("what is not asked for counts")
		}
		if _, err := api.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{}); err != nil {
			t.Fatal(err)
		}
		if out, err := api.GetAccountPasswordPolicy(t.Context(), &iam.GetAccountPasswordPolicyInput{}); err != nil || aws.ToInt32(out.PasswordPolicy.MinimumPasswordLength) != 6 || out.PasswordPolicy.RequireNumbers {
			t.Errorf("what is not given goes back to its default: %+v %v", out, err)
		}
		for _, want := range []string{"", "NoSuchEntity"} {
			if _, err := api.DeleteAccountPasswordPolicy(t.Context(), &iam.DeleteAccountPasswordPolicyInput{}); code(err) != want {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
}

// Generated accounts differ: of each rule some are compliant, some are not, and the same
// seed gives the same.
func TestGeneratedVariety(t *testing.T) {
	s, again := New(Options{Accounts: 60}), New(Options{Accounts: 60})
	for _, identifier := range sortedKeys(managedRules) {
		managed := managedRules[identifier]
		values, _ := managed.values(map[string]string{})
		if identifier == "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS" { // by default no port is
			values["authorizedTcpPorts"] = "80,443"
		}
		for _, p := range managed.parameters {
			if p.required && p.standard == "" {
				values[p.name] = "arn:aws:iam::aws:policy/AWSSupportAccess"
			}
		}
		words := map[string]int{}
		for _, id := range s.world.order {
			count := func(s *Sim) []string {
				var out []string
				a := s.world.accounts[id]
				r := a.region("us-east-1")
				// Rules about IAM users say nothing where none are recorded.
				r.recorder = &configRecorder{Name: "default", Recording: true, AllSupported: true, IncludeGlobal: true}
				if managed.look != nil {
					for _, f := range managed.look(s, a, r, values) {
						out = append(out, f.compliance)
					}
					return out
				}
				for _, t := range managed.types {
					for _, resource := range s.present(r, t) {
						item, _ := s.itemOf(r, t, resource)
						word, _ := managed.verdict(item, values)
						out = append(out, word)
					}
				}
				return out
			}
			got := count(s)
			for _, word := range got {
				words[word]++
			}
			if !slices.Equal(got, count(again)) {
				t.Fatalf("%s: account %s differs the second time", identifier, id)
			}
		}
		if identifier == "SSM_DOCUMENT_NOT_PUBLIC" {
			continue // generated accounts have no documents of their own
		}
		if _, bucket := bucketRules[identifier]; bucket || identifier == "IAM_POLICY_IN_USE" {
			continue // no bucket but the delivery bucket is generated, and nobody's support role
		}
		if words["COMPLIANT"] == 0 || words["NON_COMPLIANT"] == 0 {
			t.Errorf("%s: %v", identifier, words)
		}
	}
}
