package templates

// reach is how far a name has to be the only one of its kind.
type reach int

const (
	inRegion  reach = iota // in an account's Region
	inAccount              // in an account, whatever the Region
	inWorld                // in all of AWS
)

// named are the types with a name of the template's choosing: which property has
// it, its longest form, and how far it reaches. Sources: the types' pages in the
// CloudFormation template reference and their schemas (maxLength); IAM quotas;
// S3 bucket naming rules.
var named = map[string]struct {
	property string
	most     int
	reach    reach
}{
	"AWS::IAM::Role":                            {"RoleName", 64, inAccount},
	"AWS::IAM::User":                            {"UserName", 64, inAccount},
	"AWS::IAM::Group":                           {"GroupName", 128, inAccount},
	"AWS::IAM::ManagedPolicy":                   {"ManagedPolicyName", 128, inAccount},
	"AWS::IAM::InstanceProfile":                 {"InstanceProfileName", 128, inAccount},
	"AWS::IAM::SAMLProvider":                    {"Name", 128, inAccount},
	"AWS::CloudFront::Function":                 {"Name", 64, inAccount},
	"AWS::S3::Bucket":                           {"BucketName", 63, inWorld},
	"AWS::Config::ConfigRule":                   {"ConfigRuleName", 128, inRegion},
	"AWS::Config::ConfigurationRecorder":        {"Name", 256, inRegion},
	"AWS::Config::DeliveryChannel":              {"Name", 256, inRegion},
	"AWS::Config::ConfigurationAggregator":      {"ConfigurationAggregatorName", 256, inRegion},
	"AWS::SSM::Document":                        {"Name", 128, inRegion},
	"AWS::SSM::Parameter":                       {"Name", 1011, inRegion},
	"AWS::KMS::Alias":                           {"AliasName", 256, inRegion},
	"AWS::SNS::Topic":                           {"TopicName", 256, inRegion},
	"AWS::SQS::Queue":                           {"QueueName", 80, inRegion},
	"AWS::Lambda::Function":                     {"FunctionName", 64, inRegion},
	"AWS::Logs::LogGroup":                       {"LogGroupName", 512, inRegion},
	"AWS::Events::Rule":                         {"Name", 64, inRegion},
	"AWS::Events::EventBus":                     {"Name", 256, inRegion},
	"AWS::Scheduler::Schedule":                  {"Name", 64, inRegion},
	"AWS::CloudTrail::Trail":                    {"TrailName", 128, inRegion},
	"AWS::CloudWatch::Alarm":                    {"AlarmName", 255, inRegion},
	"AWS::DynamoDB::Table":                      {"TableName", 255, inRegion},
	"AWS::EC2::SecurityGroup":                   {"GroupName", 255, inRegion},
	"AWS::ECR::Repository":                      {"RepositoryName", 256, inRegion},
	"AWS::SecretsManager::Secret":               {"Name", 512, inRegion},
	"AWS::StepFunctions::StateMachine":          {"StateMachineName", 80, inRegion},
	"AWS::AccessAnalyzer::Analyzer":             {"AnalyzerName", 255, inRegion},
	"AWS::RDS::DBInstance":                      {"DBInstanceIdentifier", 63, inRegion},
	"AWS::RDS::DBCluster":                       {"DBClusterIdentifier", 63, inRegion},
	"AWS::KinesisFirehose::DeliveryStream":      {"DeliveryStreamName", 64, inRegion},
	"AWS::CodeBuild::Project":                   {"Name", 150, inRegion},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {"Name", 32, inRegion},
}

// ownStack are what makes a name differ from instance to instance of a StackSet: each
// has a stack of its own, in an account and a Region.
var ownStack = []string{"AWS::StackName", "AWS::StackId"}

// checkNames looks for names that a second instance of the StackSet finds taken.
func (l *linter) checkNames() {
	for _, r := range l.resources {
		kind := named[r.kind]
		if kind.property != "" && kind.reach != inRegion && !l.somewhere(r) {
			for _, name := range r.props.get(kind.property).options() {
				l.checkName(r, kind.property, kind.reach, name)
			}
		}
		l.checkOnly(r)
	}
}

func (l *linter) checkName(r lintResource, property string, reach reach, name *node) {
	if name.empty() || name.mentions(ownStack...) {
		return
	}
	region, account := name.mentions("AWS::Region"), name.mentions("AWS::AccountId")
	switch {
	case reach == inAccount && !region:
		l.say("RL120", name, "the %s of %s is the same in every Region of an account, and the account has it once: the second Region finds it taken", property, r.id)
	case reach == inWorld && !account:
		l.say("RL121", name, "the %s of %s is the same in every account, and a bucket's name is the only one in all of AWS", property, r.id)
	case reach == inWorld && !region:
		l.say("RL121", name, "the %s of %s is the same in every Region of an account, and a bucket's name is the only one in all of AWS", property, r.id)
	}
}

// checkOnly looks at what there is one of, whatever its name.
func (l *linter) checkOnly(r lintResource) {
	switch r.kind {
	case "AWS::IAM::ServiceLinkedRole":
		if r.body.get("Condition").empty() && !r.props.has("CustomSuffix") {
			l.say("RL122", r.at, "%s makes the service-linked role of %s wherever it is deployed, and an account that has it refuses", r.id, r.props.get("AWSServiceName").text)
		}
	case "AWS::IAM::OIDCProvider":
		if !l.somewhere(r) {
			l.say("RL122", r.at, "%s makes an identity provider in every Region, and an account has it once", r.id)
		}
	case "AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel":
		if r.body.get("Condition").empty() {
			l.say("RL123", r.at, "%s is made wherever it is deployed, and an account's Region has one", r.id)
		}
		if name := r.props.get("Name"); name.text == "default" {
			l.say("RL124", name, "%s is called default, as those that the console makes: it takes over one that is there, and deletes it with the stack", r.id)
		}
	}
}

// somewhere says whether the resource is made in some Regions or accounts only, as
// its condition has it.
func (l *linter) somewhere(r lintResource) bool {
	seen := map[string]bool{}
	var looks func(string) bool
	looks = func(name string) bool {
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
		condition := l.root.get("Conditions").get(name)
		if condition.mentions("AWS::Region", "AWS::AccountId") {
			return true
		}
		found := false
		condition.walk(func(n *node) bool {
			if c := n.get("Condition"); c.scalar() {
				found = found || looks(c.text)
			}
			return !found
		})
		return found
	}
	return looks(r.body.get("Condition").text)
}

// Lengths of pseudo parameters. Sources: CreateStackSet (StackSetName, at most 128
// characters); the stack of an instance is called StackSet-NAME-UUID; Regions are
// between us-east-1 and us-isof-south-1, partitions between aws and aws-us-gov.
var pseudoLengths = map[string]span{
	"AWS::AccountId": {12, 12}, "AWS::Region": {9, 15}, "AWS::Partition": {3, 10}, "AWS::URLSuffix": {13, 16},
}

// span is how short and how long a text can be; most is -1 where nobody knows.
type span struct{ least, most int }

func (s span) plus(t span) span {
	if s.most < 0 || t.most < 0 {
		return span{s.least + t.least, -1}
	}
	return span{s.least + t.least, s.most + t.most}
}

func (s span) or(t span) span {
	most := max(s.most, t.most)
	if s.most < 0 || t.most < 0 {
		most = -1
	}
	return span{min(s.least, t.least), most}
}

func (l *linter) checkNameLengths() {
	for _, r := range l.resources {
		kind := named[r.kind]
		for _, name := range r.props.get(kind.property).options() {
			if name.empty() {
				continue
			}
			s := l.length(name, nil)
			switch {
			case s.least > kind.most:
				l.say("RL125", name, "the %s of %s has at least %d characters, and may have %d", kind.property, r.id, s.least, kind.most)
			case s.most > kind.most:
				l.say("RL126", name, "the %s of %s can have up to %d characters, and may have %d", kind.property, r.id, s.most, kind.most)
			}
		}
	}
}

// length is how long the text of n can be. own are the names that a Fn::Sub brings
// along.
func (l *linter) length(n *node, own *node) span {
	if n.scalar() {
		return span{len(n.text), len(n.text)}
	}
	name, argument := n.function()
	switch name {
	case "Ref":
		return l.refLength(argument.text)
	case "Fn::If":
		if len(argument.items) == 3 {
			return l.length(argument.items[1], own).or(l.length(argument.items[2], own))
		}
	case "Fn::Join":
		if len(argument.items) == 2 && argument.items[1].list && argument.items[0].scalar() {
			total := span{}
			for i, item := range argument.items[1].items {
				if i > 0 {
					total = total.plus(span{len(argument.items[0].text), len(argument.items[0].text)})
				}
				total = total.plus(l.length(item, own))
			}
			return total
		}
	case "Fn::Sub":
		template, values := argument, nothing
		if argument.list && len(argument.items) == 2 {
			template, values = argument.items[0], argument.items[1]
		}
		words := substitutions(template.text)
		total := span{len(template.text), len(template.text)}
		for _, word := range words {
			total = total.plus(span{-len(word) - 3, -len(word) - 3})
			if values.has(word) {
				total = total.plus(l.length(values.get(word), nil))
			} else {
				total = total.plus(l.refLength(word))
			}
		}
		if total.least < 0 { // blanks inside ${ }
			return span{0, -1}
		}
		return total
	}
	return span{0, -1}
}

func (l *linter) refLength(name string) span {
	if s, ok := pseudoLengths[name]; ok {
		return s
	}
	if name == "AWS::StackName" {
		const around = len("StackSet--") + len("7cb2b1f2-0000-4000-8000-000000000000")
		if l.name == "" {
			return span{around + 1, 128}
		}
		set := len("rollout-" + l.name)
		return span{around + set, around + set}
	}
	p, ok := l.doc.Parameters[name]
	if !ok {
		return span{0, -1}
	}
	if len(p.AllowedValues) > 0 {
		s := span{len(p.AllowedValues[0]), len(p.AllowedValues[0])}
		for _, v := range p.AllowedValues {
			s = s.or(span{len(v), len(v)})
		}
		return s
	}
	s := span{0, -1}
	if p.MinLength != nil {
		s.least = *p.MinLength
	}
	if p.MaxLength != nil {
		s.most = max(*p.MaxLength, s.least)
	} else if p.HasDefault {
		s.most = max(len(p.Default), s.least)
	}
	return s
}
