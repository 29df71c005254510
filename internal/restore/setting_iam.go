package restore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// passwordPolicy puts the account's password policy back, or takes it away where there
// was none. IAM sets what an update does not name back to its default, so all of it goes.
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
