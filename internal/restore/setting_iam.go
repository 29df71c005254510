package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// passwordPolicy puts the account's password policy back, or takes it away where there
// was none. No tag can exempt it; it is remediated by hand only. IAM sets what an update
// does not name back to its default, so all of it goes.
func passwordPolicy(ctx context.Context, s *Setting, before templates.Before) error {
	api := iam.NewFromConfig(s.Config(s.Region))
	var update iam.UpdateAccountPasswordPolicyInput
	had := map[string]any{}
	if before.PasswordPolicy != nil {
		had = maps.Clone(before.PasswordPolicy)
		delete(had, "ExpirePasswords") // follows from MaxPasswordAge, and is no input
		text, err := json.Marshal(had)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &update); err != nil {
			return fmt.Errorf("the policy in %s cannot be read: %w", s.Where, err)
		}
	}
	s.look = func(ctx context.Context) (string, error) {
		out, err := api.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
		if code := awsapi.Code(err); code == "NoSuchEntity" || code == "NoSuchEntityException" {
			return "no password policy", nil
		}
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(out.PasswordPolicy)
		if err != nil {
			return "", err
		}
		now := map[string]any{}
		if err := json.Unmarshal(text, &now); err != nil {
			return "", err
		}
		delete(now, "ExpirePasswords")
		return policyWords(now), nil
	}
	var err error
	if s.Now, err = s.look(ctx); err != nil {
		return err
	}
	s.Before = "no password policy"
	if before.PasswordPolicy != nil {
		s.Before = policyWords(had)
	}
	if s.Now == s.Before {
		return nil
	}
	if before.PasswordPolicySet != nil { // images of earlier versions lack it
		if err := s.drifted(policyWords(before.PasswordPolicySet)); err != nil {
			return err
		}
	}
	if before.PasswordPolicy == nil {
		s.Changes = []string{"delete the account's password policy: there was none"}
		s.do = func(ctx context.Context) error {
			_, err := api.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
			return err
		}
		return nil
	}
	s.Changes = []string{"the account's password policy: " + s.Now + " → " + s.Before}
	s.do = func(ctx context.Context) error {
		_, err := api.UpdateAccountPasswordPolicy(ctx, &update)
		return err
	}
	return nil
}

// policyWords are the parts of a policy that differ from IAM's defaults, sorted.
func policyWords(policy map[string]any) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(policy)) {
		switch v := policy[name].(type) {
		case bool:
			if v {
				words = append(words, name)
			}
		case float64:
			if v != 0 {
				words = append(words, fmt.Sprintf("%s %v", name, v))
			}
		case nil:
		default:
			words = append(words, fmt.Sprintf("%s %v", name, v))
		}
	}
	if len(words) == 0 {
		return "IAM's defaults"
	}
	return strings.Join(words, ", ")
}

// accessKeys sets the keys of an IAM user to Active again that a remediation set to
// Inactive; the user is exempt from then on. A key that is gone stays gone.
func accessKeys(ctx context.Context, s *Setting, before templates.Before) error {
	api := iam.NewFromConfig(s.Config(s.Region))
	inactive := func(ctx context.Context) ([]string, error) {
		var ids []string
		pages := iam.NewListAccessKeysPaginator(api, &iam.ListAccessKeysInput{UserName: &before.UserName})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("list the access keys of user %s: %w", before.UserName, err)
			}
			for _, k := range page.AccessKeyMetadata {
				if k.AccessKeyId != nil && k.Status == types.StatusTypeInactive && slices.Contains(before.Deactivated, *k.AccessKeyId) {
					ids = append(ids, *k.AccessKeyId)
				}
			}
		}
		slices.Sort(ids)
		return ids, nil
	}
	s.look = func(ctx context.Context) (string, error) {
		ids, err := inactive(ctx)
		return "deactivated: " + listOf(ids), err
	}
	ids, err := inactive(ctx)
	if err != nil {
		return err
	}
	s.Now, s.Before = "deactivated: "+listOf(ids), "deactivated: none"
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		s.Changes = append(s.Changes, "access key "+id+" of "+before.UserName+": Inactive → Active")
	}
	s.firstExempt("user " + before.UserName)
	s.exempt = func(ctx context.Context, reason string) error {
		key := exemptTag
		_, err := api.TagUser(ctx, &iam.TagUserInput{UserName: &before.UserName, Tags: []types.Tag{{Key: &key, Value: &reason}}})
		return err
	}
	s.do = func(ctx context.Context) error {
		for _, id := range ids {
			if _, err := api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &before.UserName, AccessKeyId: &id, Status: types.StatusTypeActive}); err != nil {
				return fmt.Errorf("activate access key %s of user %s: %w", id, before.UserName, err)
			}
		}
		return nil
	}
	return nil
}
