package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// A proof must notice an endpoint that is not as AWS is: moto does these otherwise,
// and rollout prove says so of each. What moto leaves behind, it names.
func TestProveRefutesMoto(t *testing.T) {
	t.Parallel()
	cfg, url := startMoto(t)
	motoSandbox(t, organizations.NewFromConfig(cfg))
	status, stdout, stderr := runWith(t, map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"),
	}, "prove", "--ou", "Sandbox", "--yes", "--output", "json", "--patience", "20s")
	// moto does not delete the instances of a service-managed set, so one is left.
	if status != exitPartial {
		t.Errorf("exit status %d\n%s", status, stderr)
	}
	var report struct {
		Lines []struct {
			ID, Verdict string
			Claims      []string
		}
		Claims []struct{ Name, Verdict, Observed string }
		Left   []struct{ What, Remove string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]string{}
	for _, c := range report.Claims {
		verdicts[c.Name] = c.Verdict
	}
	for _, name := range motoRefuted {
		if verdicts[name] != "refuted" {
			t.Errorf("%s is %q; moto does otherwise than AWS there", name, verdicts[name])
		}
	}
	for _, name := range motoConfirmed {
		if verdicts[name] != "confirmed" {
			t.Errorf("%s is %q; moto does as AWS there", name, verdicts[name])
		}
	}
	// A line is refuted when one of its claims is.
	for _, l := range report.Lines {
		refuted := slices.ContainsFunc(l.Claims, func(name string) bool { return verdicts[name] == "refuted" })
		if refuted != (l.Verdict == "refuted") {
			t.Errorf("line %s is %s, its claims are %v", l.ID, l.Verdict, l.Claims)
		}
	}
	if len(report.Left) == 0 {
		t.Error("nothing is said to be left")
	}
	for _, l := range report.Left {
		if l.What == "" || l.Remove == "" {
			t.Errorf("left without what or how: %+v", l)
		}
	}
}

// What moto does otherwise than AWS, as its code has it in 2026.
var motoRefuted = []string{
	"org-page-limit",        // it takes any page size
	"org-next-token",        // it refuses with a code of its own
	"sts-missing-role",      // it assumes any role
	"sts-constraint",        // it checks no lengths
	"config-denied-status",  // and does not heed session policies
	"set-token-repeated",    // it knows no tokens
	"set-token-changed",     //
	"set-name-taken",        // a name can be taken twice
	"set-capabilities-text", // it asks for no capabilities
	"set-auto-deployment",   // and for no AutoDeployment
	"set-union-create",      // it takes every account filter
	"set-operation-runs",    // an operation has ended when the call returns
	"set-second-operation",  // so there is never one under way
	"set-no-update",         // an update gives no rows
	"set-stop-ended",        // it stops what has ended
	"set-unknown-ou",        // it does not look at the targets of an update
	"set-delete-by-account", // nor of a deletion
}

var motoConfirmed = []string{"org-error-status", "stack-missing", "set-missing", "set-missing-text", "set-accounts-target", "set-not-empty"}

// motoSandbox makes an organization with two accounts in an OU Sandbox.
func motoSandbox(t *testing.T, api *organizations.Client) {
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
	var sandbox *string
	for _, name := range []string{"Workloads", "Sandbox"} {
		out, err := api.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String(name)})
		must(err)
		sandbox = out.OrganizationalUnit.Id
	}
	for _, name := range []string{"one", "two"} {
		created, err := api.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String(name), Email: aws.String(name + "@example.com")})
		must(err)
		_, err = api.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: created.CreateAccountStatus.AccountId, SourceParentId: root, DestinationParentId: sandbox})
		must(err)
	}
}
