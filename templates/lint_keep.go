package templates

import "slices"

// stateful are the types whose contents are gone with them. Source: the list that
// cfn-lint keeps of stateful resources, without those that hold none of the user's
// data for long, such as queues.
var stateful = []string{
	"AWS::Backup::BackupVault", "AWS::Cognito::UserPool", "AWS::DocDB::DBCluster", "AWS::DynamoDB::GlobalTable",
	"AWS::DynamoDB::Table", "AWS::EC2::Volume", "AWS::ECR::Repository", "AWS::EFS::FileSystem",
	"AWS::Elasticsearch::Domain", "AWS::FSx::FileSystem", "AWS::KMS::Key", "AWS::Logs::LogGroup",
	"AWS::Neptune::DBCluster", "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	"AWS::Redshift::Cluster", "AWS::S3::Bucket", "AWS::SecretsManager::Secret",
}

// LosesData names the resources that hold data and go with their stack, in the order
// of the template: their DeletionPolicy neither keeps them nor a snapshot.
func (d *Document) LosesData() []string {
	var out []string
	for _, id := range d.ResourceOrder {
		r := d.Resources[id]
		if slices.Contains(stateful, r.Type) && r.DeletionPolicy != "Retain" && r.DeletionPolicy != "RetainExceptOnCreate" && r.DeletionPolicy != "Snapshot" {
			out = append(out, id)
		}
	}
	return out
}

// together are the types that are of no use without each other, by the property
// that names the other.
var together = []struct{ kind, property, other string }{
	{"AWS::S3::BucketPolicy", "Bucket", "AWS::S3::Bucket"},
	{"AWS::SNS::TopicPolicy", "Topics", "AWS::SNS::Topic"},
	{"AWS::SQS::QueuePolicy", "Queues", "AWS::SQS::Queue"},
	{"AWS::SecretsManager::ResourcePolicy", "SecretId", "AWS::SecretsManager::Secret"},
	{"AWS::Config::DeliveryChannel", "", "AWS::Config::ConfigurationRecorder"}, // one each an account and Region
}

// checkKept looks at what stays when a stack goes.
func (l *linter) checkKept() {
	kept := func(r lintResource) bool {
		p := r.body.get("DeletionPolicy").text
		return p == "Retain" || p == "RetainExceptOnCreate"
	}
	for _, r := range l.resources {
		deletion, replacement := r.body.get("DeletionPolicy"), r.body.get("UpdateReplacePolicy")
		switch {
		case deletion.text == "Retain":
			l.say("RL110", deletion, "%s is retained even when its creation is rolled back, and a second try then finds it there", r.id)
		case deletion.empty() && slices.Contains(stateful, r.kind):
			l.say("RL111", r.at, "%s (%s) says nothing of its DeletionPolicy: what it holds is deleted with the stack", r.id, r.kind)
		}
		if kept(r) && slices.Contains(stateful, r.kind) && replacement.text != "Retain" && replacement.text != "Snapshot" {
			l.say("RL112", r.at, "%s outlives its stack, but an update that replaces it deletes it", r.id)
		}
	}
	for _, pair := range together {
		for _, r := range l.of(pair.kind) {
			for _, other := range l.of(pair.other) {
				if pair.property != "" && !r.props.get(pair.property).mentions(other.id) {
					continue
				}
				if kept(r) != kept(other) {
					stays, goes := r, other
					if kept(other) {
						stays, goes = other, r
					}
					l.say("RL113", goes.at, "%s stays when the stack goes, and %s does not", stays.id, goes.id)
				}
			}
		}
	}
}
