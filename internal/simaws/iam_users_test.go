package simaws

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const aDay = 24 * time.Hour

// Users and their access keys, as the SDK reads and changes them.
func TestUsersAndAccessKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Empty: true})
		id := s.Accounts()[4].ID
		userID, keys := s.PutUser(id, "ci", UserKey{Age: 100 * aDay, Idle: aDay}, UserKey{Age: 10 * aDay, Inactive: true})
		for i := range 120 {
			s.PutUser(id, "user-"+string(rune('a'+i/26))+string(rune('a'+i%26)))
		}
		api := iam.NewFromConfig(entered(t, s, id, "OrganizationAccountAccessRole", ""))
		ctx := t.Context()
		seen, pages := 0, 0
		for pager := iam.NewListUsersPaginator(api, &iam.ListUsersInput{}); pager.HasMorePages(); pages++ {
			page, err := pager.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page.Users {
				if *u.UserName == "ci" && *u.UserId != userID {
					t.Errorf("ci is %s", *u.UserId)
				}
				seen++
			}
		}
		if seen != 121 || pages != 2 {
			t.Errorf("%d users on %d pages", seen, pages)
		}
		list := func() (out []string) {
			page, err := api.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("ci")})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range page.AccessKeyMetadata {
				out = append(out, *k.AccessKeyId+" "+string(k.Status))
			}
			return out
		}
		if got := list(); strings.Join(got, ",") != keys[0]+" Active,"+keys[1]+" Inactive" {
			t.Errorf("keys %v", got)
		}
		used, err := api.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &keys[0]})
		if err != nil || *used.UserName != "ci" || time.Since(*used.AccessKeyLastUsed.LastUsedDate).Round(time.Hour) != aDay {
			t.Errorf("last use %+v %v", used, err)
		}
		if never, err := api.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &keys[1]}); err != nil || never.AccessKeyLastUsed.LastUsedDate != nil || *never.AccessKeyLastUsed.ServiceName != "N/A" {
			t.Errorf("never used: %+v %v", never, err)
		}
		update := func(key string, status types.StatusType) error {
			_, err := api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String("ci"), AccessKeyId: &key, Status: status})
			return err
		}
		if err := update(keys[0], types.StatusTypeInactive); err != nil || !strings.HasPrefix(list()[0], keys[0]+" Inactive") {
			t.Errorf("deactivate: %v, %v", err, list())
		}
		if err := update("AKIANOSUCHKEY0000000", types.StatusTypeInactive); code(err) != "NoSuchEntity" {
			t.Error(err)
		}
		if _, err := api.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("ci"), Tags: []types.Tag{{Key: aws.String("rollout-exempt"), Value: aws.String("till June")}, {Key: aws.String("owner"), Value: aws.String("x")}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := api.UntagUser(ctx, &iam.UntagUserInput{UserName: aws.String("ci"), TagKeys: []string{"owner", "none"}}); err != nil {
			t.Fatal(err)
		}
		got, err := api.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("ci")})
		if err != nil || *got.User.UserId != userID || len(got.User.Tags) != 1 {
			t.Errorf("%+v %v", got, err)
		}
		if tags, err := api.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String("ci")}); err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "till June" {
			t.Errorf("%+v %v", tags, err)
		}
		if _, err := api.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("nobody")}); code(err) != "NoSuchEntity" {
			t.Error(err)
		}
		// A policy may look at the user's tags.
		a := s.world.accounts[id]
		doc, err := parsePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:UpdateAccessKey","Resource":"arn:aws:iam::` + id + `:user/*","Condition":{"Null":{"aws:ResourceTag/rollout-exempt":"true"}}}]}`)
		if err != nil {
			t.Fatal(err)
		}
		role := a.roles["OrganizationAccountAccessRole"]
		role.Managed, role.Policies = nil, map[string]policyDocument{"p": doc}
		if err := update(keys[0], types.StatusTypeActive); code(err) != "AccessDenied" {
			t.Errorf("an exempt user's key was changed: %v", err)
		}
		delete(s.users(a)["ci"].Tags, "rollout-exempt")
		if err := update(keys[0], types.StatusTypeActive); err != nil {
			t.Error(err)
		}
		if _, err := api.ListUsers(ctx, &iam.ListUsersInput{}); code(err) != "AccessDenied" {
			t.Error(err)
		}
	})
}

// What the rules about users say, and when they say nothing.
func TestUserRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client := p.sdk()
		ids := map[string]string{}
		for name, keys := range map[string][]UserKey{
			"none": nil, "new": {{Age: 10 * aDay}}, "old": {{Age: 100 * aDay, Idle: aDay}}, "idle": {{Age: 80 * aDay, Idle: 60 * aDay}}, "off": {{Age: 400 * aDay, Inactive: true}},
			"never": {{Age: 50 * aDay}},
		} {
			ids[name], _ = p.s.PutUser(testAccount, name, keys...)
		}
		p.s.users(p.a)["none"].Password = p.s.clock.Now().Add(-46 * aDay)
		for name, of := range map[string][2]string{
			"rotated": {"ACCESS_KEYS_ROTATED", `{"maxAccessKeyAge":"90"}`}, "unused": {"IAM_USER_UNUSED_CREDENTIALS_CHECK", `{"maxCredentialUsageAge":"45"}`},
			"support": {"IAM_POLICY_IN_USE", `{"policyARN":"arn:aws:iam::aws:policy/AWSSupportAccess"}`},
		} {
			if err := putManaged(t, client, name, of[0], of[1], ""); err != nil {
				t.Fatal(err)
			}
		}
		want := func(rule string, word map[string]string) {
			t.Helper()
			got := verdicts(t, client, rule)
			for name, id := range ids {
				if got[id] != word[name] {
					t.Errorf("%s says %q of %s, want %q", rule, got[id], name, word[name])
				}
			}
		}
		p.r.recorder.IncludeGlobal = false
		p.pass(3 * time.Minute)
		want("rotated", nil) // nothing records users anywhere
		if got := verdicts(t, client, "support")[testAccount]; got != "NON_COMPLIANT" {
			t.Errorf("support: %s", got)
		}
		p.r.recorder.IncludeGlobal = true
		p.a.roles["helpdesk"] = &iamRole{Name: "helpdesk", Managed: []string{"arn:aws:iam::aws:policy/AWSSupportAccess"}, Trust: policyDocument{Statement: []policyStatement{{Principals: map[string][]string{"AWS": {testAccount}}}}}}
		p.pass(25 * time.Hour)
		rotated := map[string]string{"none": "COMPLIANT", "new": "COMPLIANT", "old": "NON_COMPLIANT", "idle": "COMPLIANT", "off": "COMPLIANT", "never": "COMPLIANT"}
		unused := map[string]string{"none": "NON_COMPLIANT", "new": "COMPLIANT", "old": "COMPLIANT", "idle": "NON_COMPLIANT", "off": "COMPLIANT", "never": "NON_COMPLIANT"}
		want("rotated", rotated)
		want("unused", unused)
		if got := verdicts(t, client, "support")[testAccount]; got != "COMPLIANT" {
			t.Errorf("support: %s", got)
		}
		// Within four hours a new look at unused credentials says what the last one said.
		p.s.users(p.a)["idle"].Keys[0].Active = false
		p.s.users(p.a)["old"].Keys[0].Active = false
		again := func() {
			t.Helper()
			if _, err := client.StartConfigRulesEvaluation(context.Background(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"rotated", "unused"}}); err != nil {
				t.Fatal(err)
			}
			p.pass(time.Minute)
		}
		again()
		rotated["old"] = "COMPLIANT"
		want("rotated", rotated)
		want("unused", unused)
		p.pass(4 * time.Hour)
		again()
		unused["idle"], unused["old"] = "COMPLIANT", "COMPLIANT"
		want("unused", unused)
	})
}
