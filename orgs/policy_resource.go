package orgs

import (
	"slices"
	"strings"
)

// fullResourceAccess is AWS's resource control policy: it allows all, is attached to
// everything while the type is on, and never to be detached.
const fullResourceAccess = "p-RCPFullAWSAccess"

// resourceServices are the prefixes of the services that resource control policies are
// about (Organizations user guide, "List of AWS services that support RCPs", 2026).
var resourceServices = strings.Fields(`
	aoss appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront cloudsearch
	cloudtrail-data codeartifact codebuild codecommit codepipeline cognito-identity cognito-idp comprehend
	comprehendmedical compute-optimizer cost-optimization-hub dax dsql dynamodb ecr ecr-public events firehose fis fms
	gamelift health inspector-scan kendra kinesisvideo kms logs memorydb networkmonitor notifications opensearch
	pca-connector-ad personalize polly pricing resource-groups rolesanywhere s3 secretsmanager servicediscovery signin
	sqs sts support swf textract timestream-influxdb transcribe transfer translate wafv2 workspaces xray`)

// aboutResources says whether resource control policies look at an action at all.
func aboutResources(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return slices.Contains(resourceServices, service) && !strings.EqualFold(action, "kms:RetireGrant")
}
