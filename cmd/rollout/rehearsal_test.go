package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/simaws"
)

// rehearsal is a simulated organization on loopback and the program run against it,
// command after command.
type rehearsal struct {
	t   *testing.T
	sim *simaws.Sim
	env map[string]string
}

func rehearse(t *testing.T) *rehearsal {
	t.Helper()
	sim := simaws.New(simaws.Options{Speed: 6000})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	r := &rehearsal{t, sim, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"),
		"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}}
	return r
}

// rollout runs the program and wants an exit status.
func (r *rehearsal) rollout(want int, args ...string) (stdout, stderr string) {
	r.t.Helper()
	status, stdout, stderr := runWith(r.t, r.env, args...)
	if status != want {
		r.t.Fatalf("%v: exit status %d, want %d\n%s", args, status, want, stderr)
	}
	return stdout, stderr
}

// accounts are so many active ones under an OU that can be entered and record nothing in
// the home Region.
func (r *rehearsal) accounts(n int, under string) []string {
	r.t.Helper()
	var ids []string
	for _, a := range r.sim.Accounts() {
		if len(ids) < n && strings.HasPrefix(a.OUPath, under) && a.State == "ACTIVE" && r.sim.HasRole(a.ID, "OrganizationAccountAccessRole") && r.sim.Recorder(a.ID, "us-east-1") == "" {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) < n {
		r.t.Fatalf("%d accounts under %s, want %d", len(ids), under, n)
	}
	return ids
}

// operator is the SDK as who runs the program.
func (r *rehearsal) operator() aws.Config {
	return aws.Config{Region: r.env["AWS_REGION"], BaseEndpoint: aws.String(r.env["AWS_ENDPOINT_URL"]), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(r.env["AWS_ACCESS_KEY_ID"], r.env["AWS_SECRET_ACCESS_KEY"], "")}
}

// member is the SDK as the administrator of a member account.
func (r *rehearsal) member(account string) aws.Config {
	cfg := r.operator()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole"))
	return cfg
}
