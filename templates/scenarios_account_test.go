package templates

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// strict is a password policy as strict as the defaults ask for.
func strict(pairs ...any) map[string]any {
	m := item("MinimumPasswordLength", 14.0, "PasswordReusePrevention", 24.0, "RequireSymbols", true, "RequireNumbers", true,
		"RequireUppercaseCharacters", true, "RequireLowercaseCharacters", true, "AllowUsersToChangePassword", false, "ExpirePasswords", false)
	maps.Copy(m, item(pairs...))
	return m
}

// passwordScenarios: want is the policy that there is in the end.
func passwordScenarios() []scenario {
	const both = "put_object update_account_password_policy"
	aged := map[string]string{"MaxPasswordAge": "90"}
	weak := item("MinimumPasswordLength", 8.0, "AllowUsersToChangePassword", true, "RequireNumbers", true, "ExpirePasswords", false)
	return []scenario{
		{name: "none was ever set", ends: StepVerify, reasons: "there is no password policy", changes: both, policy: strict()},
		{name: "weak", world: world{Policy: weak}, ends: StepVerify, reasons: "MinimumPasswordLength is 8; PasswordReusePrevention is not set; RequireLowercaseCharacters is not set", changes: both,
			policy: strict("AllowUsersToChangePassword", true)},
		{name: "as asked", world: world{Policy: strict()}, ends: StepAlreadyStrict, reasons: "as strict as asked"},
		{name: "stricter", world: world{Policy: strict("MinimumPasswordLength", 20.0, "MaxPasswordAge", 30.0, "HardExpiry", true, "ExpirePasswords", true)}, ends: StepAlreadyStrict},
		{name: "stricter in part", world: world{Policy: strict("MinimumPasswordLength", 32.0, "PasswordReusePrevention", 5.0, "MaxPasswordAge", 30.0, "HardExpiry", true, "ExpirePasswords", true)}, ends: StepVerify,
			reasons: "PasswordReusePrevention is 5", changes: both, policy: strict("MinimumPasswordLength", 32.0, "MaxPasswordAge", 30.0, "HardExpiry", true, "ExpirePasswords", true)},
		{name: "an expiry is asked for", given: aged, world: world{Policy: strict()}, ends: StepVerify, reasons: "MaxPasswordAge is not set", changes: both,
			policy: strict("MaxPasswordAge", 90.0, "HardExpiry", false, "ExpirePasswords", true)},
		{name: "a later expiry is there", given: aged, world: world{Policy: strict("MaxPasswordAge", 365.0, "ExpirePasswords", true)}, ends: StepVerify, reasons: "MaxPasswordAge is 365", changes: both,
			policy: strict("MaxPasswordAge", 90.0, "HardExpiry", false, "ExpirePasswords", true)},
		{name: "an earlier expiry is there", given: aged, world: world{Policy: strict("MaxPasswordAge", 30.0, "ExpirePasswords", true)}, ends: StepAlreadyStrict},
		{name: "no expiry is asked for and one is there", world: world{Policy: strict("MinimumPasswordLength", 8.0, "MaxPasswordAge", 365.0, "ExpirePasswords", true)}, ends: StepVerify, changes: both,
			policy: strict("MaxPasswordAge", 365.0, "HardExpiry", false, "ExpirePasswords", true)},
		{name: "classes are not asked for", given: map[string]string{"RequireCharacterClasses": "false"}, world: world{Policy: item("MinimumPasswordLength", 14.0, "RequireSymbols", true)}, ends: StepVerify, changes: both,
			policy: strict("RequireNumbers", false, "RequireUppercaseCharacters", false, "RequireLowercaseCharacters", false)},
		{name: "another account", given: map[string]string{"AccountId": "444455556666"}, ends: "Examine", err: "account 444455556666 was asked for"},
		{name: "stays as it was", world: world{Policy: weak, Stuck: true}, ends: StepVerify, changes: both,
			err: "MinimumPasswordLength is 8; PasswordReusePrevention is not set; RequireLowercaseCharacters is not set; RequireSymbols is not set; RequireUppercaseCharacters is not set; what it was is in s3://rollout-config-111122223333-us-east-1-an/" + BeforeKey("111122223333", "eu-west-1", BeforePasswordPolicy, "e-1")},
		{name: "no before-image, no change", world: world{Policy: weak, Deny: "put_object"}, ends: "Tighten", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: world{Deny: "get_account_password_policy"}, ends: "Examine", err: "AccessDenied: get_account_password_policy"},
		{name: "may not set", world: world{Policy: weak, Deny: "update_account_password_policy"}, ends: "Tighten", err: "AccessDenied", changes: both},
	}
}

func keptPolicy(t *testing.T, w world, s scenario) {
	t.Helper()
	kept := before(t, w.Objects[0], BeforePasswordPolicy, BeforePasswordPolicy)
	for _, again := range passwordScenarios() {
		if again.name == s.name {
			if diff := cmp.Diff(again.world.Policy, kept.PasswordPolicy); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		}
	}
	if s.policy != nil {
		if diff := cmp.Diff(s.policy, w.Policy); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
	}
}
