package simaws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"go.yaml.in/yaml/v3"
)

const (
	testAccount = "111122223333"
	testRegion  = "eu-west-1"
	testGroup   = "sg-0123456789abcdef0"
	testRule    = "rollout-vpc-default-security-group-closed"
	testBucket  = "rollout-config-111122223333-eu-west-1-an"
)

// place is one account and Region with AWS Config on: a default security group
// that is open, a recorder that is about to record, nothing else.
type place struct {
	t *testing.T
	s *Sim
	a *account
	r *regionState
}

func newPlace(t *testing.T) *place {
	t.Helper()
	a := &account{ID: testAccount, Name: "one", State: "ACTIVE", roles: map[string]*iamRole{}, buckets: map[string]*bucket{}, regions: map[string]*regionState{}}
	w := &world{partition: "aws", policyTypes: []string{scpType}, policies: newPolicyBook(), accounts: map[string]*account{a.ID: a}, globalBuckets: map[string]*bucket{}, enabledRegions: []string{testRegion}}
	s := &Sim{world: w, clock: &clock{now: time.Now, speed: 1}, ids: newIDSource(1)}
	r := a.region(testRegion)
	a.roles["AWSServiceRoleForConfig"] = &iamRole{
		Name: "AWSServiceRoleForConfig", ServiceName: "config.amazonaws.com",
		ARN: "arn:aws:iam::" + a.ID + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
	}
	policy, err := parsePolicy(deliveryPolicy)
	if err != nil {
		t.Fatal(err)
	}
	a.buckets[testBucket] = &bucket{Name: testBucket, Owner: a.ID, Region: testRegion, Policy: policy, HasPolicy: true}
	p := &place{t, s, a, r}
	p.group(testGroup, "default")
	return p
}

const deliveryPolicy = `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:ListBucket"],"Resource":"arn:aws:s3:::` + testBucket + `",
  "Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}},
 {"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + testBucket + `/AWSLogs/111122223333/Config/*",
  "Condition":{"StringEquals":{"aws:SourceAccount":"111122223333","s3:x-amz-acl":"bucket-owner-full-control"}}},
 {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + testBucket + `/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

// group adds an open group, and its VPC where it is the first.
func (p *place) group(id, name string) *securityGroup {
	if len(p.r.vpcs) == 0 {
		p.r.vpcs = append(p.r.vpcs, &vpc{ID: "vpc-1", CIDR: "10.0.0.0/16"})
	}
	g := &securityGroup{
		ID: id, Name: name, VPC: "vpc-1", Tags: map[string]string{},
		Ingress: []map[string]any{{"IpProtocol": "-1", "UserIdGroupPairs": []any{map[string]any{"GroupId": id}}}},
		Egress:  []map[string]any{{"IpProtocol": "-1", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}},
	}
	p.r.groups[id] = g
	return g
}

// pass lets time go by, running what is due as requests would.
func (p *place) pass(d time.Duration) {
	time.Sleep(d)
	p.s.clock.advance()
}

// resource runs one CloudFormation handler.
func (p *place) resource(step, kind, logical, physical string, properties map[string]any) (resourceResult, error) {
	h := configResources["AWS::Config::"+kind]
	c := resourceCall{Account: p.a, Region: p.r, LogicalID: logical, PhysicalID: physical, Properties: properties}
	switch step {
	case "create":
		return h.create(p.s, c)
	case "update":
		return h.update(p.s, c)
	}
	return resourceResult{}, h.delete(p.s, c)
}

func (p *place) must(step, kind, logical, physical string, properties map[string]any) resourceResult {
	p.t.Helper()
	out, err := p.resource(step, kind, logical, physical, properties)
	if err != nil {
		p.t.Fatalf("%s %s: %v", step, kind, err)
	}
	return out
}

func (p *place) recorderProperties() map[string]any {
	return map[string]any{"Name": "rollout", "RoleARN": p.a.roles["AWSServiceRoleForConfig"].ARN,
		"RecordingGroup": map[string]any{"AllSupported": "true"}, "RecordingMode": map[string]any{"RecordingFrequency": "CONTINUOUS"}}
}

// recording deploys recorder and channel.
func (p *place) recording() {
	p.t.Helper()
	p.must("create", "ConfigurationRecorder", "Recorder", "", p.recorderProperties())
	p.must("create", "DeliveryChannel", "Channel", "", map[string]any{"Name": "rollout", "S3BucketName": testBucket})
	if !p.r.recorder.Recording {
		p.t.Fatal("CloudFormation did not start the recorder")
	}
}

func (p *place) rule() *configRule {
	p.t.Helper()
	p.must("create", "ConfigRule", "Rule", "", map[string]any{"ConfigRuleName": testRule,
		"Source": map[string]any{"Owner": "AWS", "SourceIdentifier": "VPC_DEFAULT_SECURITY_GROUP_CLOSED"},
		"Scope":  map[string]any{"ComplianceResourceTypes": []any{typeSecurityGroup}}})
	return p.r.rules[testRule]
}

// enforce deploys role, document and remediation of the catalog's template.
func (p *place) enforce(parameters map[string]string) {
	p.t.Helper()
	resources := catalogResources(p.t, "default-security-group-enforce.yaml", parameters)
	role := resources["Role"]
	made := &iamRole{Name: "Role-ABC", Path: "/rollout/", ID: "AROAEXAMPLE", ARN: "arn:aws:iam::" + p.a.ID + ":role/rollout/Role-ABC", Policies: map[string]policyDocument{}}
	var err error
	if made.Trust, err = parsePolicy(role["AssumeRolePolicyDocument"]); err != nil {
		p.t.Fatal(err)
	}
	for _, raw := range role["Policies"].([]any) {
		m := raw.(map[string]any)
		if made.Policies[m["PolicyName"].(string)], err = parsePolicy(m["PolicyDocument"]); err != nil {
			p.t.Fatal(err)
		}
	}
	p.a.roles[made.Name] = made
	p.r.documents["Runbook-ABC"] = &ssmDocument{Name: "Runbook-ABC", Type: "Automation", Format: "YAML", Version: "1", Content: resources["Runbook"]["Content"].(map[string]any)}
	step, physical := "create", ""
	if p.r.rules[testRule].remediation != nil {
		step, physical = "update", testRule
	}
	p.must(step, "RemediationConfiguration", "CloseOpenGroups", physical, resources["CloseOpenGroups"])
}

// catalogResources evaluates as much of a catalog template as these tests need.
func catalogResources(t *testing.T, file string, parameters map[string]string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../templates/catalog/" + file)
	if err != nil {
		t.Fatal("the catalog is not there: ", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	e := templateEvaluator{values: map[string]any{
		"AWS::AccountId": testAccount, "AWS::Region": testRegion, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"Runbook": "Runbook-ABC", "Role.Arn": "arn:aws:iam::" + testAccount + ":role/rollout/Role-ABC",
	}, conditions: map[string]bool{}}
	root := doc.Content[0]
	for name, node := range members(member(root, "Parameters")) {
		if standard := member(node, "Default"); standard != nil {
			e.values[name] = standard.Value
		}
	}
	for name, v := range parameters {
		e.values[name] = v
	}
	for name, node := range members(member(root, "Conditions")) {
		e.conditions[name], _ = e.value(node).(bool)
	}
	out := map[string]map[string]any{}
	for name, node := range members(member(root, "Resources")) {
		out[name], _ = e.value(member(node, "Properties")).(map[string]any)
	}
	return out
}

func member(n *yaml.Node, name string) *yaml.Node { return members(n)[name] }

func members(n *yaml.Node) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = n.Content[i+1]
		}
	}
	return out
}

type templateEvaluator struct {
	values     map[string]any
	conditions map[string]bool
}

// noValue is AWS::NoValue.
type noValue struct{}

func (e templateEvaluator) value(n *yaml.Node) any {
	if n == nil {
		return nil
	}
	arg := func(i int) any { return e.value(n.Content[i]) }
	switch n.Tag {
	case "!Ref":
		if n.Value == "AWS::NoValue" {
			return noValue{}
		}
		return e.values[n.Value]
	case "!GetAtt":
		return e.values[n.Value]
	case "!Sub":
		text := n.Value
		for k, v := range e.values {
			text = strings.ReplaceAll(text, "${"+k+"}", fmt.Sprint(v))
		}
		return text
	case "!If":
		if e.conditions[n.Content[0].Value] {
			return arg(1)
		}
		return arg(2)
	case "!Equals":
		return arg(0) == arg(1)
	case "!Not":
		return arg(0) == false
	case "!Or":
		for i := range n.Content {
			if arg(i) == true {
				return true
			}
		}
		return false
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for name, child := range members(n) {
			if v := e.value(child); v != (noValue{}) {
				out[name] = v
			}
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, child := range n.Content {
			if v := e.value(child); v != (noValue{}) {
				out = append(out, v)
			}
		}
		return out
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!bool":
			return n.Value == "true"
		case "!!int":
			f, _ := number(n.Value)
			return f
		}
		return n.Value
	}
	return nil
}

// sdk is the real SDK's client of AWS Config against the handlers.
func (p *place) sdk() *configservice.Client {
	return configservice.New(configservice.Options{
		Region: testRegion, BaseEndpoint: aws.String("http://simulated.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:  wireClient{p},
	})
}

// wireClient answers a json-protocol request from the tables of operations.
type wireClient struct{ p *place }

func (w wireClient) Do(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	prefix, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	ops := map[string]map[string]handler{"StarlingDoveService": configOps, "AmazonSSM": ssmOps}[prefix]
	out, status := any(map[string]any{"__type": "UnknownOperationException"}), 400
	if h := ops[op]; h != nil {
		w.p.s.clock.advance()
		answer, err := h(w.p.s, &call{Action: op, Region: testRegion, Caller: caller{Account: testAccount, ARN: "arn:aws:iam::" + testAccount + ":root"}, Body: body})
		if api, ok := err.(*apiError); ok {
			out, status = map[string]any{"__type": api.Code, "message": api.Message}, api.Status
		} else if err != nil {
			out, status = map[string]any{"__type": "InternalFailure", "message": err.Error()}, 500
		} else {
			out, status = answer, 200
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: req}, nil
}

// ask calls an operation by name, for services whose client is not in the module.
func (p *place) ask(target, body string) (map[string]any, error) {
	req, err := http.NewRequestWithContext(context.Background(), "POST", "http://simulated.invalid/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Amz-Target", target)
	res, err := wireClient{p}.Do(req)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return nil, err
	}
	if res.StatusCode != 200 {
		return nil, fmt.Errorf("%v: %v", out["__type"], out["message"])
	}
	return out, nil
}
