package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/extras"
	"rollout/internal/simaws"
)

// startMoto serves moto for the length of a test.
func startMoto(t *testing.T) (aws.Config, string) {
	t.Helper()
	server := extras.Program(t, "moto_server")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	moto := exec.Command(server, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	if err := moto.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { moto.Process.Kill(); moto.Wait() }) //nolint:errcheck // it is killed
	for n := 0; ; n++ {
		response, err := http.Get(url + "/moto-api/")
		if err == nil {
			response.Body.Close()
			break
		}
		if n == 300 {
			t.Fatal("moto does not answer: ", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")}, url
}

// moto implements the same APIs, written by others: the tree and a deploy agree
// with what it lists itself.
func TestAgainstMoto(t *testing.T) {
	t.Parallel()
	cfg, url := startMoto(t)
	want := motoOrganization(t, organizations.NewFromConfig(cfg))
	environment := map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"),
	}
	status, stdout, stderr := runWith(t, environment, "tree", "--output", "json")
	if status != exitDone {
		t.Fatalf("tree: exit status %d\n%s", status, stderr)
	}
	var tree struct {
		Root struct {
			OUs []jsonOU `json:"organizational_units"`
		} `json:"root"`
	}
	if err := json.Unmarshal([]byte(stdout), &tree); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	collect(tree.Root.OUs, got)
	for id, path := range want {
		if got[id] != path {
			t.Errorf("account %s is in %q by the tree, in %q by moto", id, got[id], path)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the tree has %d accounts below OUs, moto %d", len(got), len(want))
	}

	// moto is no simulation of ours: for all rollout knows it could be real.
	status, _, stderr = runWith(t, environment, "deploy", "--ou", "Workloads", "--region", "us-east-1", "--remediation", "automatic", "--yes")
	if status != exitFailed || !strings.Contains(stderr, "--max-blast was not given; nothing was changed") {
		t.Errorf("automatic remediation: exit status %d\n%s", status, stderr)
	}
	status, stdout, stderr = runWith(t, environment, "deploy", "--ou", "Workloads", "--region", "us-east-1,eu-west-1", "--yes")
	if status != exitDone {
		t.Fatalf("deploy: exit status %d\n%s\n%s", status, stdout, stderr)
	}
	listed, err := cloudformation.NewFromConfig(cfg).ListStackInstances(t.Context(), &cloudformation.ListStackInstancesInput{StackSetName: aws.String("rollout-default-security-group")})
	if err != nil {
		t.Fatal(err)
	}
	var places, wanted []string
	for _, s := range listed.Summaries {
		places = append(places, aws.ToString(s.Account)+" "+aws.ToString(s.Region))
	}
	for id, path := range want {
		if strings.HasPrefix(path, "Workloads") {
			wanted = append(wanted, id+" eu-west-1", id+" us-east-1")
		}
	}
	slices.Sort(places)
	slices.Sort(wanted)
	if !slices.Equal(slices.Compact(places), wanted) {
		t.Errorf("moto lists instances in\n%v\nwant\n%v", places, wanted)
	}
	t.Logf("moto: %d accounts in OUs, %d stack instances of the rule", len(want), len(places))
}

type jsonOU struct {
	Path     string   `json:"path"`
	OUs      []jsonOU `json:"organizational_units"`
	Accounts []struct {
		ID     string `json:"id"`
		OUPath string `json:"ou_path"`
	} `json:"accounts"`
}

func collect(ous []jsonOU, into map[string]string) {
	for _, ou := range ous {
		for _, a := range ou.Accounts {
			into[a.ID] = a.OUPath
		}
		collect(ou.OUs, into)
	}
}

// motoOrganization makes an organization and says which account is where, as moto
// lists it.
func motoOrganization(t *testing.T, api *organizations.Client) map[string]string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := api.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll})
	must(err)
	roots, err := api.ListRoots(t.Context(), &organizations.ListRootsInput{})
	must(err)
	root := roots.Roots[0].Id
	unit := func(parent *string, name string) *string {
		out, err := api.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: parent, Name: aws.String(name)})
		must(err)
		return out.OrganizationalUnit.Id
	}
	workloads, sandbox := unit(root, "Workloads"), unit(root, "Sandbox")
	paths := map[string]*string{"Workloads": workloads, "Workloads/Prod": unit(workloads, "Prod"), "Workloads/Dev": unit(workloads, "Dev"), "Sandbox": sandbox}
	names := slices.Sorted(func(yield func(string) bool) {
		for k := range paths {
			if !yield(k) {
				return
			}
		}
	})
	for i := range 9 {
		created, err := api.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String(fmt.Sprintf("account-%d", i)), Email: aws.String(fmt.Sprintf("a%d@example.com", i))})
		must(err)
		_, err = api.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: created.CreateAccountStatus.AccountId, SourceParentId: root, DestinationParentId: paths[names[i%len(names)]]})
		must(err)
	}
	out := map[string]string{}
	for path, id := range paths {
		list, err := api.ListAccountsForParent(t.Context(), &organizations.ListAccountsForParentInput{ParentId: id})
		must(err)
		for _, a := range list.Accounts {
			out[aws.ToString(a.Id)] = path
		}
	}
	return out
}

// The AWS CLI reads what the simulation says.
func TestAWSCLIReadsTheSimulation(t *testing.T) {
	t.Parallel()
	cli := extras.Program(t, "aws")
	sim := simaws.New(simaws.Options{Speed: 600})
	server := httptest.NewServer(sim)
	defer server.Close()
	environment := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none")}
	if status, _, stderr := runWith(t, environment, "deploy", "--ou", "Workloads/Staging", "--region", "us-east-1", "--yes"); status != exitDone {
		t.Fatalf("deploy: exit status %d\n%s", status, stderr)
	}
	call := func(into any, env []string, args ...string) {
		t.Helper()
		command := exec.Command(cli, append(args, "--output", "json", "--endpoint-url", server.URL, "--no-cli-pager")...)
		if strings.Contains(versionOf(t, cli), "aws-cli/1.") {
			command.Args = command.Args[:len(command.Args)-1] // version 1 has no pager
		}
		command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y", "AWS_DEFAULT_REGION=us-east-1")
		command.Env = append(command.Env, env...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		if err := command.Run(); err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, &stderr)
		}
		if err := json.Unmarshal(stdout.Bytes(), into); err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, &stdout)
		}
	}
	var accounts struct {
		Accounts []struct{ Id, Name, State string }
	}
	call(&accounts, nil, "organizations", "list-accounts")
	if len(accounts.Accounts) != 60 {
		t.Errorf("list-accounts: %d accounts", len(accounts.Accounts))
	}
	var roots struct{ Roots []struct{ Id string } }
	call(&roots, nil, "organizations", "list-roots")
	if len(roots.Roots) != 1 || !strings.HasPrefix(roots.Roots[0].Id, "r-") {
		t.Errorf("list-roots: %+v", roots)
	}
	var instances struct {
		Summaries []struct{ Account, Region, Status, LastOperationId string }
	}
	call(&instances, nil, "cloudformation", "list-stack-instances", "--stack-set-name", "rollout-default-security-group")
	if len(instances.Summaries) != 4 || instances.Summaries[0].Status != "CURRENT" {
		t.Fatalf("list-stack-instances: %+v", instances)
	}
	var operation struct {
		StackSetOperation struct {
			Status        string
			StatusDetails struct{ FailedStackInstancesCount int }
		}
	}
	call(&operation, nil, "cloudformation", "describe-stack-set-operation", "--stack-set-name", "rollout-default-security-group", "--operation-id", instances.Summaries[0].LastOperationId)
	if operation.StackSetOperation.Status != "SUCCEEDED" {
		t.Errorf("describe-stack-set-operation: %+v", operation)
	}
	var session struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	}
	id := instances.Summaries[0].Account
	call(&session, nil, "sts", "assume-role", "--role-arn", "arn:aws:iam::"+id+":role/OrganizationAccountAccessRole", "--role-session-name", "check")
	if !strings.HasPrefix(session.Credentials.AccessKeyId, "ASIA") {
		t.Fatalf("assume-role: %+v", session)
	}
	var compliance struct {
		ComplianceByConfigRules []struct {
			ConfigRuleName string
			Compliance     struct{ ComplianceType string }
		}
	}
	in := []string{"AWS_ACCESS_KEY_ID=" + session.Credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + session.Credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + session.Credentials.SessionToken}
	call(&compliance, in, "configservice", "describe-compliance-by-config-rule")
	if len(compliance.ComplianceByConfigRules) != 1 || compliance.ComplianceByConfigRules[0].ConfigRuleName != "rollout-vpc-default-security-group-closed" {
		t.Errorf("describe-compliance-by-config-rule: %+v", compliance)
	}
}

func versionOf(t *testing.T, cli string) string {
	t.Helper()
	out, err := exec.Command(cli, "--version").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
