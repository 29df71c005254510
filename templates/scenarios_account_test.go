package templates

import (
	"fmt"
	"maps"
	"strings"
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

const userID = "AIDAEXAMPLEUSER00001"

// keyScenarios: left is nothing here; keeps are the keys that are deactivated.
func keyScenarios() []scenario {
	key := func(id, status string, age float64, used ...float64) any {
		k := item("id", id, "status", status, "age", age)
		if len(used) > 0 {
			k["used"] = used[0]
		}
		return k
	}
	users := func(keys ...any) world {
		keys = append([]any{}, keys...)
		return world{Users: []any{
			item("name", "another", "id", "AIDAEXAMPLEUSER00000", "keys", []any{key("AKIA0", "Active", 900)}),
			item("name", "ci", "id", userID, "keys", keys, "tags", []any{item("Key", "owner", "Value", "team")}),
		}}
	}
	exempt := users(key("AKIA1", "Active", 400))
	exempt.Users[1].(map[string]any)["tags"] = []any{item("Key", "owner", "Value", "team"), item("Key", ExemptTag, "Value", "till June")}
	denied := func(call string) world {
		w := users(key("AKIA1", "Active", 400))
		w.Deny = call
		return w
	}
	stuck := users(key("AKIA1", "Active", 400))
	stuck.Stuck = true
	unused := map[string]string{"Due": "Use", "Days": "45"}
	const one = "put_object update_access_key"
	return []scenario{
		{name: "old and never used", world: users(key("AKIA1", "Active", 100)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "old and long not used", world: users(key("AKIA1", "Active", 100, 31)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "young", world: users(key("AKIA1", "Active", 89)), ends: StepAlreadyInactive, reasons: "no active key of user ci is due"},
		{name: "inactive already", world: users(key("AKIA1", "Inactive", 400)), ends: StepAlreadyInactive},
		{name: "no key", world: users(), ends: StepAlreadyInactive},
		{name: "used of late", world: users(key("AKIA1", "Active", 400, 2.5)), ends: StepLeaveInUse, reasons: "user ci: AKIA1 was used 2 days ago"},
		{name: "used of late, taken anyway", given: map[string]string{"IdleDays": "0"}, world: users(key("AKIA1", "Active", 400, 2.5)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "the old one of two", world: users(key("AKIA1", "Active", 400, 90), key("AKIA2", "Active", 10, 1)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "two old ones", world: users(key("AKIA1", "Active", 400), key("AKIA2", "Active", 100, 50)), ends: StepVerify, changes: one + " update_access_key", keeps: "AKIA1 AKIA2"},
		{name: "two old ones, one in use", world: users(key("AKIA1", "Active", 400), key("AKIA2", "Active", 100, 1)), ends: StepVerify, changes: one, keeps: "AKIA1", again: StepLeaveInUse},
		{name: "not used for long", given: unused, world: users(key("AKIA1", "Active", 400, 46)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "never used", given: unused, world: users(key("AKIA1", "Active", 46)), ends: StepVerify, changes: one, keeps: "AKIA1"},
		{name: "never used and young", given: unused, world: users(key("AKIA1", "Active", 44)), ends: StepAlreadyInactive},
		{name: "used, however old", given: unused, world: users(key("AKIA1", "Active", 4000, 44)), ends: StepAlreadyInactive},
		{name: "exempt", world: exempt, ends: StepLeaveExempt, reasons: "user ci has the tag rollout-exempt=till June"},
		{name: "deleted meanwhile", given: map[string]string{"UserId": "AIDAEXAMPLEUSER00009"}, world: users(key("AKIA1", "Active", 400)), ends: StepAlreadyInactive, reasons: "there is no such user any more"},
		{name: "stays active", world: stuck, ends: StepVerify, changes: one, keeps: "AKIA1",
			err: "still active: AKIA1; what was active is in s3://rollout-config-111122223333-us-east-1-an/" + BeforeKey("111122223333", "eu-west-1", userID, "e-1")},
		{name: "no before-image, no change", world: denied("put_object"), ends: "Deactivate", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: denied("list_access_keys"), ends: "Examine", err: "AccessDenied: list_access_keys"},
		{name: "may not deactivate", world: denied("update_access_key"), ends: "Deactivate", err: "AccessDenied", changes: one, keeps: "AKIA1"},
	}
}

func keptKeys(t *testing.T, w world, s scenario) {
	t.Helper()
	kept := before(t, w.Objects[0], BeforeAccessKeys, userID)
	if kept.UserID != userID || kept.UserName != "ci" || strings.Join(kept.Deactivated, " ") != s.keeps {
		t.Errorf("kept %+v, want %s", kept, s.keeps)
	}
	for _, again := range keyScenarios() {
		if again.name != s.name {
			continue
		}
		var was, got []string
		for _, k := range again.world.Users[1].(map[string]any)["keys"].([]any) {
			k := k.(map[string]any)
			was = append(was, fmt.Sprint(k["id"], k["status"], k["used"] != nil))
		}
		for _, k := range kept.AccessKeys {
			if k.CreateDate == "" {
				t.Errorf("kept no date of %s", k.ID)
			}
			got = append(got, fmt.Sprint(k.ID, k.Status, k.LastUsed != ""))
		}
		if diff := cmp.Diff(was, got); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	}
}
