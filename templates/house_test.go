package templates

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
)

// home is what every evaluation needs: the parameters without a default, which
// rollout gives itself.
var home = map[string]string{ParameterHomeRegion: "eu-west-1", ParameterTrustedAccount: "111122223333", ParameterOrganization: "o-exampleorg1"}

// with is home and one thing more.
func with(name, value string) map[string]string {
	m := maps.Clone(home)
	m[name] = value
	return m
}

// writers are the resource types by which a template can change what it did not make.
var writers = []string{"AWS::IAM::Role", "AWS::SSM::Document", "AWS::Config::RemediationConfiguration", "AWS::Lambda::Function"}

// operators are the templates that exist to let somebody write, and are opted into.
var operators = []string{OperatorRole}

// tells is an action that hands on what has happened and changes nothing.
const tells = "events:PutEvents"

var onlyReads = regexp.MustCompile(`^[a-z0-9-]+:(Describe|Get|List|BatchGet|Select)[A-Za-z]*$`)

func TestOnlyEnforceTemplatesCanWrite(t *testing.T) {
	for _, template := range All() {
		enforce := strings.HasSuffix(template.Name, "-enforce")
		if enforce != (template.Enforces != "") || enforce != template.Remediates {
			t.Errorf("%s: name, Enforces and Remediates disagree", template.Name)
		}
		if enforce || slices.Contains(operators, template.Name) {
			continue
		}
		for id, r := range template.Document().Resources {
			if slices.Contains(writers, r.Type) && r.Type != "AWS::IAM::Role" {
				t.Errorf("%s has %s, a %s", template.Name, id, r.Type)
			}
		}
		for _, action := range template.RoleActions() {
			if !onlyReads.MatchString(action) && action != tells {
				t.Errorf("%s has a role that may %s", template.Name, action)
			}
		}
	}
}

func TestNothingIsAutomaticByDefault(t *testing.T) {
	for _, template := range All() {
		for name, given := range map[string]map[string]string{
			"default": home, "automatic": with(ParameterRemediation, "Automatic"),
		} {
			if name == "automatic" && template.Enforcement != nil && !slices.Contains(template.Remediation(), name) {
				continue // somebody always has to ask
			}
			e := evaluate(t, template.Document(), given)
			made := e.resources()
			if len(made) == 0 {
				t.Errorf("%s makes no resource by default, and CloudFormation wants one", template.Name)
			}
			for id, properties := range made {
				if template.Document().Resources[id].Type != "AWS::Config::RemediationConfiguration" {
					continue
				}
				if properties["Automatic"] != (name == "automatic") {
					t.Errorf("%s with %s parameters: Automatic is %v", template.Name, name, properties["Automatic"])
				}
				_, attempts := properties["MaximumAutomaticAttempts"]
				_, seconds := properties["RetryAttemptSeconds"]
				if attempts != (name == "automatic") || seconds != attempts {
					t.Errorf("%s with %s parameters: attempts %v, seconds %v", template.Name, name, attempts, seconds)
				}
			}
		}
	}
}

// Every service that may use the delivery bucket may do so for this account alone.
func TestDeliveryBucketIsForItsAccount(t *testing.T) {
	base, err := Lookup(RecordingBase)
	if err != nil {
		t.Fatal(err)
	}
	policy := evaluate(t, base.Document(), map[string]string{"AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333"}).resources()["DeliveryBucketPolicy"]
	services := map[string]int{}
	for _, raw := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
		s := raw.(map[string]any)
		if s["Effect"] != "Allow" {
			continue
		}
		service := s["Principal"].(map[string]any)["Service"].(string)
		services[service]++
		condition := s["Condition"].(map[string]any)
		if equals := condition["StringEquals"].(map[string]any); equals["aws:SourceAccount"] != "111122223333" {
			t.Errorf("%v is open to other accounts' %s", s["Sid"], service)
		}
		if from, _ := condition["ArnLike"].(map[string]any); service == "delivery.logs.amazonaws.com" && from["aws:SourceArn"] != "arn:aws:logs:*:111122223333:*" {
			t.Errorf("%v: from %v", s["Sid"], from)
		}
	}
	if services["config.amazonaws.com"] != 2 || services["delivery.logs.amazonaws.com"] != 2 || len(services) != 2 {
		t.Errorf("statements for %v", services)
	}
}

func TestServiceLinkedRolesAreAskedFor(t *testing.T) {
	base, err := Lookup(RecordingBase)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		given map[string]string
		want  []string
	}{
		{nil, []string{"Anchor", "DeliveryBucket", "DeliveryBucketPolicy"}},
		{map[string]string{ParameterCreateConfigServiceLinkedRole: "true"}, []string{"Anchor", "ConfigServiceLinkedRole", "DeliveryBucket", "DeliveryBucketPolicy"}},
		{map[string]string{ParameterCreateRemediationServiceLinkedRole: "true", ParameterCreateDeliveryBucket: "false"}, []string{"Anchor", "RemediationServiceLinkedRole"}},
	} {
		var got []string
		for id := range evaluate(t, base.Document(), test.given).resources() {
			got = append(got, id)
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%v makes %v, want %v", test.given, got, test.want)
		}
	}
}

func TestHouseRules(t *testing.T) {
	for _, template := range All() {
		body, d := string(template.Body()), template.Document()
		if len(body) > maxBody {
			t.Errorf("%s: %d bytes", template.Name, len(body))
		}
		if strings.Contains(body, "arn:aws:") {
			t.Errorf("%s names a partition", template.Name)
		}
		if !strings.HasPrefix(d.Description, "rollout "+template.Name+":") || len(d.Description) > 1024 {
			t.Errorf("%s: description %q", template.Name, d.Description)
		}
		if template.Title == "" || template.Description == "" || template.Scope == "" {
			t.Errorf("%s: the catalog says too little", template.Name)
		}
		for id, r := range d.Resources {
			what := template.Name + "." + id
			for _, named := range []string{"RoleName", "FunctionName", "PolicyName", "ManagedPolicyName"} {
				if r.Properties[named] != nil && (named != "RoleName" || template.Role == "" || r.Properties[named] != template.Role) {
					t.Errorf("%s has a %s, which collides in the account's second Region", what, named)
				}
			}
			switch r.Type {
			case "AWS::Config::ConfigRule":
				if name, _ := r.Properties["ConfigRuleName"].(string); !strings.HasPrefix(name, "rollout-") || len(name) > 128 {
					t.Errorf("%s: ConfigRuleName %v", what, r.Properties["ConfigRuleName"])
				}
			case "AWS::Config::RemediationConfiguration":
				if r.Properties["TargetVersion"] != "1" {
					t.Errorf("%s: TargetVersion %v", what, r.Properties["TargetVersion"])
				}
				// Where it is never offered, it is false, and the parameter does not take it.
				allowed := d.Parameters[ParameterRemediation].AllowedValues
				if automatic, literal := r.Properties["Automatic"].(bool); literal == slices.Contains(allowed, "Automatic") || literal && automatic {
					t.Errorf("%s: Automatic is %v, whatever is asked", what, automatic)
				}
			case "AWS::SSM::Document":
				if r.Properties["Name"] != nil || r.Properties["UpdateMethod"] != "Replace" {
					t.Errorf("%s can change under a remediation that points to it", what)
				}
			case "AWS::IAM::Role":
				if path := r.Properties["Path"]; path != "/rollout/" && (path != "/" || template.Role == "") {
					t.Errorf("%s: path %v", what, r.Properties["Path"])
				}
			}
		}
	}
}

// What belongs together goes together: a bucket that outlives its policy is open to
// nobody, a recorder without a channel records nothing.
func TestPairsAreRetainedTogether(t *testing.T) {
	for _, test := range []struct {
		template        string
		types           []string
		delete, replace string
	}{
		{RecordingBase, []string{"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::IAM::ServiceLinkedRole"}, "RetainExceptOnCreate", "Retain"},
		{Recording, []string{"AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel"}, "Delete", "Delete"},
	} {
		template, err := Lookup(test.template)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for id, r := range template.Document().Resources {
			if !slices.Contains(test.types, r.Type) {
				continue
			}
			seen[r.Type] = true
			if r.DeletionPolicy != test.delete || r.UpdateReplacePolicy != test.replace {
				t.Errorf("%s.%s: %q and %q", test.template, id, r.DeletionPolicy, r.UpdateReplacePolicy)
			}
			if len(r.DependsOn) > 0 {
				t.Errorf("%s.%s waits for %v; recorder and channel wait for each other already", test.template, id, r.DependsOn)
			}
		}
		if len(seen) != len(test.types) {
			t.Errorf("%s has only %v", test.template, seen)
		}
		if strings.Contains(string(template.Body()), "DeletionPolicy: Retain\n") {
			t.Errorf("%s: plain Retain leaves something behind when a create is rolled back", test.template)
		}
	}
}

func TestRulesOfTheCatalogAreThoseOfTheBodies(t *testing.T) {
	for _, template := range All() {
		rules, unnamed := rulesOf(template.Document())
		if len(unnamed) > 0 || len(rules) != len(template.Rules) {
			t.Fatalf("%s: %d rules in the body, %d in the catalog, %v unnamed", template.Name, len(rules), len(template.Rules), unnamed)
		}
		for i, r := range rules {
			want := template.Rules[i]
			if r.Name != want.Name || r.Identifier != want.Identifier || !slices.Equal(r.ResourceTypes, want.ResourceTypes) {
				t.Errorf("%s: body has %+v, catalog %+v", template.Name, r, want)
			}
		}
		if template.Enforces == "" {
			continue
		}
		detect, err := Lookup(template.Enforces)
		if err != nil || detect.EnforcedBy != template.Name {
			t.Fatalf("%s enforces %s, which says %q (%v)", template.Name, template.Enforces, detect.EnforcedBy, err)
		}
		for id, r := range template.Document().Resources {
			if r.Type == "AWS::Config::RemediationConfiguration" && !slices.ContainsFunc(detect.Rules, func(rule Rule) bool { return rule.Name == r.Properties["ConfigRuleName"] }) {
				t.Errorf("%s.%s remediates %v", template.Name, id, r.Properties["ConfigRuleName"])
			}
		}
	}
}

func TestLint(t *testing.T) {
	lint := extras.Program(t, "cfn-lint")
	t.Parallel()
	run := func(files []string, regions ...string) {
		args := append([]string{"-c", "I", "-r"}, regions...)
		out, err := exec.Command(lint, append(append(args, "--"), files...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", files, err, out)
		}
	}
	var all, plain []string
	for _, template := range All() {
		file := "catalog/" + template.Name + ".yaml"
		all = append(all, file)
		if !template.Remediates {
			plain = append(plain, file)
		}
	}
	run(all, "us-east-1", "eu-west-1", "ap-northeast-1", "cn-north-1")
	// cfn-lint's data say that RemediationConfiguration is missing in GovCloud and in
	// other Regions where it is in use.
	run(plain, "us-gov-west-1")
}
