package templates

import "fmt"

// Check is one of the things that Lint looks at.
type Check struct {
	Code     string
	Severity Severity
	Title    string // what it finds
	Remedy   string // what to do, as findings say it
	Source   string // the page, quota or issue behind it, "" where that is plain
}

// Checks are all of them, in the order of their codes.
func Checks() []Check { return append([]Check(nil), checks...) }

func findCheck(code string) (Check, bool) {
	for _, c := range checks {
		if c.Code == code {
			return c, true
		}
	}
	return Check{}, false
}

func checkOf(code string) Check {
	c, ok := findCheck(code)
	if !ok {
		panic(fmt.Sprintf("no check has the code %s", code))
	}
	return c
}

const (
	quotas      = "CloudFormation user guide, Understand CloudFormation quotas"
	considered  = "CloudFormation user guide, considerations for service-managed StackSets"
	actionsPage = "Systems Manager user guide, Automation actions reference"
	remediate   = "AWS Config API reference, RemediationConfiguration"
	ruleList    = "AWS Config developer guide, List of AWS Config managed rules"
	deputy      = "IAM user guide, The confused deputy problem"
)

var checks = []Check{
	// The text.
	{"RL001", SeverityError, "The text is not a CloudFormation template", "write what CloudFormation reads: one document of YAML or JSON without anchors", ""},
	{"RL002", SeverityError, "The text is larger than a call takes", "take something out, or split it into two templates that are rolled out together", quotas},
	{"RL003", SeverityWarning, "The text is nearly as large as a call takes", "split it before it grows further", quotas},
	{"RL004", SeverityError, "A quota on a template is passed", "split the template", quotas},
	{"RL005", SeverityError, "A key is there twice", "take one of them out; YAML readers keep either", ""},
	{"RL006", SeverityError, "A section that templates do not have", "take it out or correct its name", "CloudFormation user guide, Template sections"},
	{"RL008", SeverityWarning, "Metadata that ignores a check wrongly", "name a check of docs/lint.md, and say why it is right here", ""},
	// Parameters, conditions, mappings.
	{"RL010", SeverityNote, "A parameter without a default", "give it with --parameter NAME=VALUE", ""},
	{"RL011", SeverityNote, "A parameter that nothing uses", "take it out", ""},
	{"RL012", SeverityNote, "A condition that nothing uses", "take it out", ""},
	{"RL013", SeverityNote, "A mapping that nothing uses", "take it out", ""},
	{"RL014", SeverityError, "A default that its own constraints refuse", "correct the default or the constraint", ""},
	{"RL020", SeverityError, "A reference to what is not there", "correct the name", ""},
	{"RL021", SeverityError, "A condition that looks at a resource", "let it look at a parameter: conditions are decided before anything is made", "CloudFormation user guide, Conditions"},
	{"RL022", SeverityError, "A condition that is not there", "correct the name", ""},
	{"RL023", SeverityError, "A DependsOn that names no resource", "correct the name", ""},
	{"RL024", SeverityError, "A mapping, or a key of one, that is not there", "correct the name", ""},
	{"RL025", SeverityError, "An Fn::If without a condition and two values", "give it three parts", "CloudFormation user guide, Condition functions"},
	{"RL026", SeverityError, "A circle of references", "break the circle", "CloudFormation user guide, Troubleshooting: circular dependencies"},
	// StackSets.
	{"RL101", SeverityError, "A Transform", "write out what it would make", considered},
	{"RL102", SeverityError, "An Fn::Transform, such as AWS::Include", "write out what it would make", considered},
	{"RL103", SeverityError, "A nested stack", "put its resources into the template, or roll it out by itself", considered},
	{"RL104", SeverityError, "A function of the language extensions", "write out what it would make", considered},
	{"RL105", SeverityNote, "A resource that needs a capability", "nothing to do: rollout acknowledges it", "CloudFormation API reference, CreateStackSet, Capabilities"},
	{"RL107", SeverityWarning, "A macro", "roll it out by itself, before what uses it is deployed by other means", considered},
	// What stays.
	{"RL110", SeverityWarning, "DeletionPolicy: Retain", "write RetainExceptOnCreate", "CloudFormation user guide, DeletionPolicy attribute"},
	{"RL111", SeverityWarning, "Data without a DeletionPolicy", "write DeletionPolicy and UpdateReplacePolicy, even if they are Delete", "CloudFormation user guide, DeletionPolicy attribute"},
	{"RL112", SeverityWarning, "Data that is kept, but not when it is replaced", "write UpdateReplacePolicy: Retain", "CloudFormation user guide, UpdateReplacePolicy attribute"},
	{"RL113", SeverityWarning, "One of two that belong together is kept", "give both the same DeletionPolicy", ""},
	// Names.
	{"RL120", SeverityWarning, "A name that an account's second Region finds taken", "leave the name out, or put ${AWS::Region} into it", "IAM user guide, IAM identifiers"},
	{"RL121", SeverityWarning, "A bucket's name that a second instance finds taken", "put ${AWS::AccountId} and ${AWS::Region} into it", "Amazon S3 user guide, General purpose bucket naming rules"},
	{"RL122", SeverityWarning, "A thing that an account has once", "make it on a condition, in one Region and only where it is missing", "aws/aws-cdk#21183"},
	{"RL123", SeverityNote, "A recorder or a delivery channel, of which a Region has one", "give no instance to accounts that record already", "AWS Config developer guide, AWS::Config::ConfigurationRecorder"},
	{"RL124", SeverityWarning, "A recorder or delivery channel called default", "give it a name of your own, so that a recorder that is there makes the stack fail", "AWS Config API reference, PutConfigurationRecorder"},
	{"RL125", SeverityError, "A name that is too long", "shorten it; stacks of StackSets are called StackSet-NAME-UUID", "the type's page in the CloudFormation template reference"},
	{"RL126", SeverityWarning, "A name that can become too long", "shorten it, or give its parameter a MaxLength", "the type's page in the CloudFormation template reference"},
	// What is written out.
	{"RL130", SeverityWarning, "A partition that is written out", "write ${AWS::Partition}", "IAM user guide, IAM identifiers: ARNs"},
	{"RL131", SeverityWarning, "An account that is written out", "write ${AWS::AccountId}, or make it a parameter", ""},
	{"RL132", SeverityWarning, "A Region that is written out", "write ${AWS::Region}, or make it a parameter", ""},
	{"RL133", SeverityWarning, "A secret with a default", "take the default out", "CloudFormation user guide, Security best practices"},
	{"RL134", SeverityWarning, "A secret that is shown", "write NoEcho: true, or take it from Secrets Manager by {{resolve:secretsmanager:…}}", "CloudFormation user guide, Security best practices"},
	{"RL135", SeverityWarning, "A secret that is written out", "take it from Secrets Manager by {{resolve:secretsmanager:…}}", "CloudFormation user guide, Security best practices"},
	{"RL136", SeverityError, "An ARN whose account is none", "write ${AWS::AccountId}", "IAM user guide, IAM identifiers: ARNs"},
	// IAM.
	{"RL201", SeverityWarning, "Everything is allowed", "name the actions and the resources", "IAM user guide, Security best practices"},
	{"RL202", SeverityWarning, "A role that a service assumes for anybody", "add a condition: StringEquals aws:SourceAccount ${AWS::AccountId}", deputy},
	{"RL203", SeverityWarning, "A resource that a service uses for anybody", "add a condition: StringEquals aws:SourceAccount ${AWS::AccountId}", deputy},
	{"RL204", SeverityWarning, "A role that may be passed to any service", "add a condition: StringEquals iam:PassedToService", "IAM user guide, Grant a user permissions to pass a role to an AWS service"},
	{"RL205", SeverityWarning, "Anybody in the world is allowed", "name who, or add a condition", "IAM user guide, AWS JSON policy elements: Principal"},
	{"RL206", SeverityWarning, "A policy of an old version", `write Version: "2012-10-17"; before it, ${} is text`, "IAM user guide, IAM JSON policy elements: Version"},
	// AWS Config: rules.
	{"RL301", SeverityWarning, "A Config rule without a fixed name", "write its ConfigRuleName out, or make it of parameters; reports know rules by their names", ""},
	{"RL302", SeverityError, "A managed rule that AWS Config does not have", "correct the identifier; if AWS has added it since this list was made, ignore this check in Metadata", ruleList},
	{"RL303", SeverityError, "A parameter that a managed rule does not take", "correct or remove it", ruleList},
	{"RL304", SeverityError, "A parameter that a managed rule wants is missing", "give it, even where the page has a default: Config fills in none", "hashicorp/terraform-provider-aws#16665; awslabs/aws-config-rules#407"},
	{"RL305", SeverityError, "A value that a managed rule's parameter does not take", "correct the value", ruleList},
	{"RL306", SeverityWarning, "A scope of types that a managed rule never looks at", "name the rule's own types, or leave the scope out", ruleList},
	{"RL307", SeverityError, "A frequency for a rule that runs on change", "take MaximumExecutionFrequency out", "trussworks/terraform-aws-config#171"},
	{"RL308", SeverityError, "A scope for a rule that runs by the clock only", "take the scope out", "cloud-custodian/cloud-custodian#10008"},
	{"RL309", SeverityNote, "A rule that does not wait for the template's recorder", "add the recorder to its DependsOn", "AWS Config API reference, PutConfigRule: NoAvailableConfigurationRecorderException"},
	// AWS Config: remediation.
	{"RL311", SeverityWarning, "Remediation that cannot be looked at first", "make Automatic depend on a parameter whose default is manual", "AWS Config API reference, PutRemediationExceptions: exceptions come after the first verdict"},
	{"RL312", SeverityWarning, "Remediation by whatever the default version is", `write TargetVersion: "1"`, remediate},
	{"RL313", SeverityError, "A number outside of what AWS takes", "correct the number, or the parameter's MinValue and MaxValue", remediate},
	{"RL314", SeverityError, "A target that Config cannot run", "write SSM_DOCUMENT", remediate},
	{"RL315", SeverityError, "A value that Config cannot fill in", "write ResourceValue: {Value: RESOURCE_ID}, and one StaticValue for a role", "AWS Config API reference, ResourceValue; RemediationParameterValue"},
	{"RL316", SeverityWarning, "Remediation that does not get the resource", "give a parameter ResourceValue: {Value: RESOURCE_ID}", "AWS Config API reference, ResourceValue"},
	{"RL317", SeverityWarning, "Remediation without a role", "give AutomationAssumeRole; automatic remediation does not start without", "AWS Config API reference, PutRemediationConfigurations"},
	{"RL318", SeverityError, "Parameters that do not fit the document", "give what the document declares", "Systems Manager API reference, StartAutomationExecution: InvalidAutomationExecutionParametersException"},
	// Systems Manager Automation.
	{"RL401", SeverityError, "A document that Automation does not read", `write schemaVersion: "0.3" and mainSteps`, "Systems Manager user guide, Schemas, features, and examples"},
	{"RL402", SeverityError, "An action that Automation does not have", "correct the action", actionsPage},
	{"RL403", SeverityError, "A step without a name of its own", "give each step another name", actionsPage},
	{"RL404", SeverityError, "A reference to what is not there, or not yet", "refer to a parameter, to an output of an earlier step or to a variable of Automation", "Systems Manager user guide, Automation system variables"},
	{"RL405", SeverityError, "A step that goes on to nothing", "name a step of the document", actionsPage},
	{"RL406", SeverityWarning, "A step that nothing reaches", "take it out, or lead a way to it", actionsPage},
	{"RL407", SeverityError, "An input that the action wants is missing", "give it", actionsPage},
	{"RL408", SeverityError, "A service or an operation that AWS does not have", "correct the name; services are called as in boto3", "Systems Manager user guide, aws:executeAwsApi; botocore's service models"},
	{"RL409", SeverityError, "A script without its handler", "define the function that Handler names", "Systems Manager user guide, aws:executeScript"},
	{"RL410", SeverityWarning, "A failure that is hidden", "abort, or go on to a step that says so", "Systems Manager user guide, Properties shared by all actions"},
	{"RL411", SeverityWarning, "A parameter that takes any resource", "give it an allowedPattern from ^ to $", "Systems Manager user guide, Data elements and parameters"},
	{"RL412", SeverityWarning, "A document without a role", "write assumeRole", "Systems Manager user guide, Schemas, features, and examples"},
	{"RL413", SeverityWarning, "A role that automatic remediation does not take", `write assumeRole: "{{ AutomationAssumeRole }}"`, "AWS Config developer guide, Remediating noncompliant resources"},
	{"RL414", SeverityWarning, "A document that can change under a remediation", "leave out Name and write UpdateMethod: Replace, so that every change is a new document", "AWS Config API reference, PutRemediationConfigurations"},
	{"RL415", SeverityWarning, "A branch without a default", "add a Default that changes nothing", "Systems Manager user guide, aws:branch"},
	{"RL416", SeverityWarning, "A runtime that is not known", "write python3.11", "Systems Manager user guide, aws:executeScript"},
	{"RL417", SeverityError, "A call that the role does not allow", "allow the action in the role's policy, on as little as it needs", "Service authorization reference"},
	{"RL418", SeverityNote, "A permission that no step uses", "take it out of the role", "IAM user guide, Security best practices"},
}
