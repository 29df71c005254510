package simaws

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// recording keeps the last answer as it came: the Go SDK does not read stages yet.
type recording struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	last string
}

func (r *recording) Do(req *http.Request) (*http.Response, error) {
	res, err := r.next.Do(req)
	if err != nil {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	r.last = string(body)
	res.Body = io.NopCloser(strings.NewReader(r.last))
	return res, err
}

// The progress of an operation is counted by stage and by Region.
func TestStagesOfAnOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 20, Empty: true})
		config := sdk(g.sim, "us-east-1")
		wire := &recording{next: config.HTTPClient}
		config.HTTPClient = wire
		g.api = cloudformation.NewFromConfig(config)
		ids := g.blocked(2)[:4]
		if err := g.create("roles", roleTemplate); err != nil {
			t.Fatal(err)
		}
		out, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("roles"), Regions: []string{"us-east-1", "eu-west-1"}, DeploymentTargets: g.only(ids...), OperationPreferences: everywhere()})
		if err != nil {
			t.Fatal(err)
		}
		look := func() string { g.operation("roles", out.OperationId); return wire.last }
		value := func(text, member string) string {
			if m := regexp.MustCompile("<" + member + ">([^<]*)</" + member + ">").FindStringSubmatch(text); m != nil {
				return m[1]
			}
			return ""
		}
		deployment := func(text string) string {
			_, text, _ = strings.Cut(text, "<StackInstancesDeployment>")
			text, _, _ = strings.Cut(text, "</StackInstancesDeployment>")
			return text
		}
		first := look()
		if got := value(deployment(first), "Status"); got != "NOT_STARTED" || strings.Contains(first, "TotalAccountsCount") || strings.Contains(first, "RegionalStatusDetails") {
			t.Error("before the targets are resolved:", got, first)
		}
		if !strings.Contains(first, "<RoleProvisioning><Status>NOT_APPLICABLE</Status></RoleProvisioning>") {
			t.Error(first)
		}
		time.Sleep(20 * time.Second)
		if got := deployment(look()); value(got, "Status") != "IN_PROGRESS" || value(got, "PendingStackInstancesCount") != "8" || value(got, "PercentageCompleted") != "0" {
			t.Error("under way:", got)
		}
		g.wait("roles", out.OperationId)
		last := look()
		got := deployment(last)
		for member, want := range map[string]string{"Status": "PARTIAL_SUCCESS", "SucceededStackInstancesCount": "4", "FailedStackInstancesCount": "4", "CompletedStackInstancesCount": "8",
			"PendingStackInstancesCount": "0", "CancelledStackInstancesCount": "0", "SkippedStackInstancesCount": "0", "PercentageCompleted": "100"} {
			if value(got, member) != want {
				t.Errorf("at the end %s is %s, not %s", member, value(got, member), want)
			}
		}
		if value(last, "TotalAccountsCount") != "4" || value(last, "TotalStackInstancesCount") != "8" {
			t.Error(last)
		}
		_, regional, _ := strings.Cut(last, "<RegionalStatusDetails>")
		if strings.Count(regional, "<entry>") != 2 || value(regional, "key") != "eu-west-1" || value(regional, "TotalStackInstancesCount") != "4" || value(regional, "FailedStackInstancesCount") != "2" {
			t.Error(regional)
		}
		if _, err := g.api.ListStackSetOperations(t.Context(), &cloudformation.ListStackSetOperationsInput{StackSetName: aws.String("roles")}); err != nil {
			t.Fatal(err)
		}
		if value(deployment(wire.last), "FailedStackInstancesCount") != "4" || strings.Contains(wire.last, "RegionalStatusDetails") {
			t.Error("the summary has stages, by no Region:", wire.last)
		}
	})
}
