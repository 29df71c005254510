package restore

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/simaws"
	"rollout/templates"
)

// Keys that a remediation set to Inactive are active again, and their user is exempt.
func TestAccessKeysAreActivated(t *testing.T) {
	sim := simaws.New(simaws.Options{})
	server := httptest.NewServer(sim)
	defer server.Close()
	for _, a := range sim.Accounts() {
		if a.State != "ACTIVE" || a.Management || !sim.HasRole(a.ID, "OrganizationAccountAccessRole") {
			continue
		}
		cfg := enter(t, server.URL, a.ID)
		api := iam.NewFromConfig(cfg)
		users, err := api.ListUsers(t.Context(), &iam.ListUsersInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users.Users {
			keys, err := api.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: u.UserName})
			if err != nil {
				t.Fatal(err)
			}
			if len(keys.AccessKeyMetadata) == 0 {
				continue
			}
			id := *keys.AccessKeyMetadata[0].AccessKeyId
			if _, err := api.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: u.UserName, AccessKeyId: &id, Status: "Inactive"}); err != nil {
				t.Fatal(err)
			}
			s := &Setting{Place: Place{AccountID: a.ID, Region: "us-east-1", Config: func(string) aws.Config { return cfg }}}
			if err := accessKeys(t.Context(), s, templates.Before{UserName: *u.UserName, Deactivated: []string{id, "AKIAGONE"}}); err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(s.Changes, "\n"); !strings.Contains(text, id) || strings.Contains(text, "AKIAGONE") {
				t.Errorf("changes: %s", text)
			}
			if exempted, err := s.Apply(t.Context(), "a test"); err != nil || !exempted {
				t.Fatal(err)
			}
			tags, err := api.ListUserTags(t.Context(), &iam.ListUserTagsInput{UserName: u.UserName})
			if err != nil || len(tags.Tags) == 0 {
				t.Errorf("tags %+v, %v", tags, err)
			}
			if again, err := s.look(t.Context()); err != nil || again != "deactivated: none" {
				t.Errorf("%q, %v", again, err)
			}
			return
		}
	}
	t.Fatal("no account has a user with a key")
}

// enter is the SDK as the administrator of an account.
func enter(t *testing.T, endpoint, account string) aws.Config {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")}
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole"))
	return cfg
}
