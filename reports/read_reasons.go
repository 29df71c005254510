package reports

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// The outputs of rollout's runbooks that say what was looked at, and why it was left.
const (
	outputResource = "Examine.Resource"
	outputReasons  = "Examine.Reasons"
)

// reasons says of the findings that were left in use who uses them. AWS Config tells
// only which steps an automation took; its outputs are with Systems Manager, which
// forgets an execution after 30 days. Where nothing is found the findings stay as they
// are, where it cannot be read they say so.
func (r reader) reasons(ctx context.Context, rf *ruleFacts, executions map[resourceKey]*types.RemediationExecutionStatus) {
	left := map[string]*evaluated{}
	var since time.Time
	for i := range rf.findings {
		e := &rf.findings[i]
		x := executions[e.key()]
		if x == nil || e.remediation.status != remediationNone || !ran(x, stepLeaveInUse) {
			continue
		}
		left[e.resourceID] = e
		if begun := aws.ToTime(x.InvocationTime); since.IsZero() || begun.Before(since) {
			since = begun
		}
	}
	if len(left) == 0 || r.automations == nil || rf.remediation.document == "" {
		return
	}
	said, err := r.automationReasons(ctx, rf.remediation.document, since, len(left))
	for id, e := range left {
		switch {
		case said[id] != "":
			e.remediation.detail += ": " + clip(said[id])
		case err != nil:
			e.remediation.detail += "; by whom could not be read: " + clip(err.Error())
		}
	}
}

// automationReasons gives why executions of a document left resources as they are, by
// resource, the newest word of each; it stops once it has as many as are wanted.
func (r reader) automationReasons(ctx context.Context, document string, since time.Time, wanted int) (map[string]string, error) {
	filters := []ssmtypes.AutomationExecutionFilter{{Key: ssmtypes.AutomationExecutionFilterKeyDocumentNamePrefix, Values: []string{document}}}
	if !since.IsZero() {
		// AWS Config names an execution before it has started.
		filters = append(filters, ssmtypes.AutomationExecutionFilter{Key: ssmtypes.AutomationExecutionFilterKeyStartTimeAfter, Values: []string{since.Add(-time.Minute).UTC().Format(time.RFC3339)}})
	}
	said := map[string]string{}
	pages := ssm.NewDescribeAutomationExecutionsPaginator(r.automations, &ssm.DescribeAutomationExecutionsInput{Filters: filters, MaxResults: aws.Int32(50)})
	for pages.HasMorePages() && len(said) < wanted {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return said, &callError{"ssm:DescribeAutomationExecutions", err}
		}
		for _, x := range page.AutomationExecutionMetadataList {
			resource, reasons := strings.Join(x.Outputs[outputResource], " "), strings.Join(x.Outputs[outputReasons], " ")
			if aws.ToString(x.DocumentName) == document && said[resource] == "" && resource != "" {
				said[resource] = reasons
			}
		}
	}
	return said, nil
}
