//go:build unix

package stackset

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/templates"
)

// replay answers a request that it has seen from memory, so that what is measured is
// this program and the SDK, not the simulator.
type replay struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	mu    sync.Mutex
	known map[string]answered
	calls int
}

// nothingNew takes the place of the simulator once all answers are known: its heap would
// be scanned at this program's cost.
type nothingNew struct{}

func (nothingNew) Do(q *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s %s was not asked before", q.Method, q.URL)
}

type answered struct {
	status int
	header http.Header
	body   []byte
}

func (r *replay) Do(q *http.Request) (*http.Response, error) {
	asked := []byte{}
	if q.Body != nil {
		var err error
		if asked, err = io.ReadAll(q.Body); err != nil {
			return nil, err
		}
		q.Body = io.NopCloser(bytes.NewReader(asked))
	}
	k := q.Method + q.URL.String() + q.Header.Get("X-Amz-Target") + string(asked)
	r.mu.Lock()
	r.calls++
	a, known := r.known[k]
	r.mu.Unlock()
	if !known {
		out, err := r.next.Do(q)
		if err != nil {
			return nil, err
		}
		a = answered{status: out.StatusCode, header: out.Header}
		if a.body, err = io.ReadAll(out.Body); err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.known[k] = a
		r.mu.Unlock()
	}
	return &http.Response{StatusCode: a.status, Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), Request: q, ContentLength: int64(len(a.body))}, nil
}

const anchor = `{"Resources": {"Anchor": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}`

// BenchmarkPlanOf100000 plans a set of nearly 100,000 instances, 5,879 accounts in 17
// Regions, by the StackSets alone: walk, find, plan and the plan as JSON. It keeps to
// the request rates, so an operation takes minutes, most of them idle; see cpu-s/op.
func BenchmarkPlanOf100000(b *testing.B) {
	sim := simaws.New(simaws.Options{Accounts: 5880, Empty: true, Speed: 1e6})
	client := &replay{next: sim.Client(), known: map[string]answered{}}
	s, err := awsapi.Open(b.Context(), awsapi.Options{Static: true, HTTPClient: client, EndpointURL: "http://127.0.0.1", HomeRegion: home})
	if err != nil {
		b.Fatal(err)
	}
	t, err := templates.FromBody("anchor", []byte(anchor))
	if err != nil {
		b.Fatal(err)
	}
	regions := []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-south-1", "sa-east-1", "ca-central-1"}
	d := Desired{Templates: []templates.Template{t}, Remediation: RemediationOff, Regions: regions, HomeRegion: home, Partition: "aws"}
	plan := func() *Plan {
		tree, err := orgs.Walk(b.Context(), orgs.NewClient(s.Own("")), orgs.WalkOptions{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		d.OUs, d.Accounts, d.Walked = []string{tree.Root.ID}, nil, map[string]*orgs.Account{}
		for _, a := range tree.Accounts {
			d.Walked[a.ID] = a
			if !a.Management {
				d.Accounts = append(d.Accounts, a)
			}
		}
		p, err := Prepare(b.Context(), s, PrepareInput{Desired: d, Known: []awsapi.Region{{Name: home, On: true}}, WithoutPreflight: true}, nil)
		if err != nil {
			b.Fatal(err)
		}
		return p
	}

	api := cloudformation.NewFromConfig(s.Own(""))
	if _, err := api.CreateStackSet(b.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String("rollout-anchor"), TemplateBody: aws.String(anchor), PermissionModel: "SERVICE_MANAGED", AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)},
		Tags: []types.Tag{{Key: aws.String(TagTemplate), Value: aws.String("anchor")}, {Key: aws.String(TagSHA256), Value: aws.String(t.SHA256())}}}); err != nil {
		b.Fatal(err)
	}
	roots := plan().Desired.OUs
	client.known = map[string]answered{}
	out, err := api.CreateStackInstances(b.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("rollout-anchor"), Regions: regions, DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: roots},
		OperationPreferences: &types.StackSetOperationPreferences{MaxConcurrentPercentage: aws.Int32(100), FailureTolerancePercentage: aws.Int32(100), RegionConcurrencyType: types.RegionConcurrencyTypeParallel, ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance}})
	if err != nil {
		b.Fatal(err)
	}
	for ended := false; !ended; {
		time.Sleep(100 * time.Millisecond)
		client.known = map[string]answered{}
		op, err := api.DescribeStackSetOperation(b.Context(), &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String("rollout-anchor"), OperationId: out.OperationId})
		if err != nil {
			b.Fatal(err)
		}
		ended = op.StackSetOperation.EndTimestamp != nil
	}
	plan() // its answers are replayed from here on
	client.next = nothingNew{}
	for b.Loop() {
		runtime.GC()
		client.calls = 0
		spent := cpuTime()
		p := plan()
		p.JSON()
		b.ReportMetric((cpuTime() - spent).Seconds(), "cpu-s/op")
		b.ReportMetric(float64(client.calls), "calls/op")
		b.ReportMetric(float64(len(p.Sets[0].Instances)), "instances")
		if p.Pending() {
			b.Fatal("the plan changes something")
		}
	}
}

// cpuTime is what this process has used of the processors.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
