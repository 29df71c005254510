package simaws

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The handlers of KMS keys and aliases, as AWS publishes them:
// aws-cloudformation/aws-cloudformation-resource-providers-kms.

// invalidKey is a refusal that the handler makes before it calls KMS.
func invalidKey(s *Sim, message string) error {
	return handlerMessage(s, "InvalidRequest", "Invalid request provided: "+message)
}

// fixedOfKey are what no update changes, nor replaces, with their defaults.
var fixedOfKey = map[string]string{"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "MultiRegion": "false"}

// checkKey: what cannot be changed after creation fails the update, it does not replace
// (template reference, AWS::KMS::Key), and a key policy must let its author change it.
func checkKey(s *Sim, c resourceCall) error {
	spec, origin := orElse(textOf(c.Properties["KeySpec"]), "SYMMETRIC_DEFAULT"), textOf(c.Properties["Origin"])
	rotates := textOf(c.Properties["EnableKeyRotation"]) == "true"
	if rotates && (spec != "SYMMETRIC_DEFAULT" || origin == "EXTERNAL") {
		return invalidKey(s, "You cannot set the EnableKeyRotation property to true on asymmetric or external keys.")
	}
	if c.PhysicalID != "" {
		disabled := textOf(c.Old["Enabled"]) == "false" && textOf(c.Properties["Enabled"]) == "false"
		if disabled && rotates != (textOf(c.Old["EnableKeyRotation"]) == "true") {
			return invalidKey(s, "You cannot change the EnableKeyRotation property while the Enabled property is false.")
		}
		for _, name := range sortedKeys(fixedOfKey) {
			if orElse(textOf(c.Old[name]), fixedOfKey[name]) != orElse(textOf(c.Properties[name]), fixedOfKey[name]) {
				return invalidKey(s, "You cannot change the values of the KeySpec, KeyUsage, Origin, or MultiRegion properties of an AWS::KMS::Key resource.")
			}
		}
	}
	for name, limits := range map[string][2]float64{"PendingWindowInDays": {7, 30}, "RotationPeriodInDays": {90, 2560}} {
		if n, ok := number(c.Properties[name]); ok && (n < limits[0] || n > limits[1]) {
			return invalidProperty(c, "/"+name+": "+textOf(c.Properties[name])+" is not between "+textOf(limits[0])+" and "+textOf(limits[1]))
		}
	}
	policy, err := keyPolicy(s, c.Account, c.Properties)
	if err != nil {
		return handlerError(s, "Kms", http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	// Whoever makes the key must be able to change its policy: as itself, or by its own
	// permissions where the policy trusts the account (API reference, CreateKey;
	// aws-solutions/innovation-sandbox-on-aws#31).
	if textOf(c.Properties["BypassPolicyLockoutSafetyCheck"]) != "true" && !slices.ContainsFunc(s.workers(c, policy), func(who caller) bool {
		return trusts(policy, "kms:PutKeyPolicy", who, map[string]string{"kms:calleraccount": c.Account.ID})
	}) {
		return handlerError(s, "Kms", http.StatusBadRequest, "InvalidRequest", "The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

// workers are who may be at work on a stack: StackSets' own role, the role that a single
// stack was given, else whoever of the account the policy names, since a stack does not
// keep who called.
func (s *Sim) workers(c resourceCall, policy policyDocument) []caller {
	as := func(arn string) caller { return caller{Account: c.Account.ID, ARN: arn} }
	role := "arn:" + s.world.partition + ":iam::" + c.Account.ID + ":role/"
	switch {
	case c.Stack.single == nil:
		return []caller{as(role + s.execution(c.Account))}
	case c.Stack.single.RoleARN != "":
		return []caller{as(c.Stack.single.RoleARN)}
	}
	list := []caller{as(role + "whoever")}
	for _, st := range policy.Statement {
		for _, arn := range st.Principals["AWS"] {
			if strings.Contains(arn, "::"+c.Account.ID+":") {
				list = append(list, as(arn))
			}
		}
	}
	return list
}

// keyPolicy is a key's policy; without one the account has the key (KMS developer guide,
// Default key policy).
func keyPolicy(s *Sim, a *account, properties map[string]any) (policyDocument, error) {
	if given := properties["KeyPolicy"]; given != nil {
		return parsePolicy(given)
	}
	return parsePolicy(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:" + s.world.partition + ":iam::" + a.ID + ":root"}, "Action": "kms:*", "Resource": "*",
	}}})
}

// keyCalls: rotation and state have calls of their own.
func keyCalls(c resourceCall) (calls []string) {
	changed := func(name, from string) bool {
		return orElse(textOf(c.Old[name]), from) != orElse(textOf(c.Properties[name]), from)
	}
	if changed("EnableKeyRotation", "false") {
		calls = append(calls, map[bool]string{true: "kms:EnableKeyRotation", false: "kms:DisableKeyRotation"}[textOf(c.Properties["EnableKeyRotation"]) == "true"])
	}
	if changed("Enabled", "true") {
		calls = append(calls, map[bool]string{true: "kms:DisableKey", false: "kms:EnableKey"}[textOf(c.Properties["Enabled"]) == "false"])
	}
	if c.PhysicalID != "" && changed("Description", "") {
		calls = append(calls, "kms:UpdateKeyDescription")
	}
	return calls
}

// scheduleKeyDeletion: a key waits for its window, 30 days unless told, and the stack
// does not wait for it (template reference, PendingWindowInDays).
func scheduleKeyDeletion(s *Sim, c resourceCall, key *keptResource) error {
	if !key.Gone.IsZero() {
		return nil
	}
	days := 30
	if n, ok := number(c.Properties["PendingWindowInDays"]); ok {
		days = int(n)
	}
	key.Gone = s.clock.Now()
	r, id := c.Region, key.PhysicalID
	s.clock.after(time.Duration(days)*24*time.Hour, func() {
		delete(r.kept["AWS::KMS::Key"], id)
		for name, alias := range r.kept["AWS::KMS::Alias"] { // its aliases go with it (DeleteAlias)
			if r.keyOf(textOf(alias.Properties["TargetKeyId"])) == nil {
				delete(r.kept["AWS::KMS::Alias"], name)
			}
		}
	})
	return nil
}

// keyOf finds a key of the Region by id or ARN.
func (r *regionState) keyOf(name string) *keptResource {
	if at := strings.LastIndex(name, ":key/"); at >= 0 {
		name = name[at+len(":key/"):]
	}
	return r.kept["AWS::KMS::Key"][name]
}

func checkAlias(s *Sim, c resourceCall) error {
	target := textOf(c.Properties["TargetKeyId"])
	arn := target
	if !strings.HasPrefix(arn, "arn:") {
		arn = fieldARN(s, c, "kms:key/"+target)
	}
	switch key := c.Region.keyOf(target); {
	case strings.HasPrefix(textOf(c.Properties["AliasName"]), "alias/aws/"): // API reference, CreateAlias
		return handlerError(s, "Kms", http.StatusBadRequest, "InvalidRequest", "Alias name must not begin with alias/aws/")
	case key == nil:
		return notFound(s, "Kms", "Key '"+arn+"' does not exist")
	case !key.Gone.IsZero():
		return handlerError(s, "Kms", http.StatusBadRequest, "InvalidRequest", arn+" is pending deletion.")
	case c.PhysicalID != "" && c.Region.keyOf(textOf(c.Old["TargetKeyId"])) != nil && !sameKind(key, c.Region.keyOf(textOf(c.Old["TargetKeyId"]))):
		// API reference, UpdateAlias: both symmetric or both asymmetric, of the same usage.
		return handlerError(s, "Kms", http.StatusBadRequest, "InvalidRequest", "The current and new KMS key must be the same type and have the same key usage.")
	}
	return nil
}

func sameKind(a, b *keptResource) bool {
	return !slices.ContainsFunc([]string{"KeySpec", "KeyUsage"}, func(name string) bool {
		return orElse(textOf(a.Properties[name]), fixedOfKey[name]) != orElse(textOf(b.Properties[name]), fixedOfKey[name])
	})
}

func aliasTaken(s *Sim, c resourceCall, name string) error {
	return handlerError(s, "Kms", http.StatusBadRequest, "AlreadyExists", "An alias with the name "+fieldARN(s, c, "kms:"+name)+" already exists")
}
