package simaws

import (
	"net/http"
	"strconv"
)

// passwordPolicy is an account's password policy; ages of zero are none.
type passwordPolicy struct {
	MinimumPasswordLength                                                                  int
	RequireSymbols, RequireNumbers, RequireUppercaseCharacters, RequireLowercaseCharacters bool
	AllowUsersToChangePassword, HardExpiry                                                 bool
	MaxPasswordAge, PasswordReusePrevention                                                int
}

// passwordCalls are IAM's calls about the account's password policy.
var passwordCalls = map[string]apiCall{
	"iam:GetAccountPasswordPolicy":    getPasswordPolicy,
	"iam:UpdateAccountPasswordPolicy": updatePasswordPolicy,
	"iam:DeleteAccountPasswordPolicy": deletePasswordPolicy,
}

func noPasswordPolicy(a *account) error {
	return fail(http.StatusNotFound, "NoSuchEntity", "The Password Policy with domain name "+a.ID+" cannot be found.")
}

func getPasswordPolicy(s *Sim, check checker, a *account, _ *regionState, _ map[string]any) (map[string]any, error) {
	if err := check("iam:GetAccountPasswordPolicy", "*", nil); err != nil {
		return nil, err
	}
	p := s.baseline(a).password
	if p == nil {
		return nil, noPasswordPolicy(a)
	}
	shape := map[string]any{
		"MinimumPasswordLength": p.MinimumPasswordLength, "RequireSymbols": p.RequireSymbols, "RequireNumbers": p.RequireNumbers,
		"RequireUppercaseCharacters": p.RequireUppercaseCharacters, "RequireLowercaseCharacters": p.RequireLowercaseCharacters,
		"AllowUsersToChangePassword": p.AllowUsersToChangePassword, "ExpirePasswords": p.MaxPasswordAge > 0,
	}
	if p.MaxPasswordAge > 0 {
		shape["MaxPasswordAge"], shape["HardExpiry"] = p.MaxPasswordAge, p.HardExpiry
	}
	if p.PasswordReusePrevention > 0 {
		shape["PasswordReusePrevention"] = p.PasswordReusePrevention
	}
	return map[string]any{"PasswordPolicy": shape}, nil
}

// updatePasswordPolicy puts a whole policy: "This operation does not support partial
// updates. No parameters are required, but if you do not specify a parameter, that
// parameter's value reverts to its default value" (API reference).
func updatePasswordPolicy(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
	if err := check("iam:UpdateAccountPasswordPolicy", "*", nil); err != nil {
		return nil, err
	}
	p := passwordPolicy{MinimumPasswordLength: 6}
	for name, into := range map[string]*bool{
		"RequireSymbols": &p.RequireSymbols, "RequireNumbers": &p.RequireNumbers, "RequireUppercaseCharacters": &p.RequireUppercaseCharacters,
		"RequireLowercaseCharacters": &p.RequireLowercaseCharacters, "AllowUsersToChangePassword": &p.AllowUsersToChangePassword, "HardExpiry": &p.HardExpiry,
	} {
		*into = scalarOr(in[name]) == "true"
	}
	for _, n := range []struct {
		name      string
		into      *int
		low, high int
	}{
		{"MinimumPasswordLength", &p.MinimumPasswordLength, 6, 128}, {"MaxPasswordAge", &p.MaxPasswordAge, 1, 1095}, {"PasswordReusePrevention", &p.PasswordReusePrevention, 1, 24},
	} {
		if in[n.name] == nil {
			continue
		}
		v, err := strconv.Atoi(scalar(in[n.name]))
		if err != nil || v < n.low || v > n.high {
			bound, word := n.low, "greater"
			if v > n.high {
				bound, word = n.high, "less"
			}
			return nil, fail(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value '"+scalar(in[n.name])+"' at '"+lowerFirst(n.name)+
				"' failed to satisfy constraint: Member must have value "+word+" than or equal to "+strconv.Itoa(bound))
		}
		*n.into = v
	}
	s.baseline(a).password = &p
	return nil, nil
}

func deletePasswordPolicy(s *Sim, check checker, a *account, _ *regionState, _ map[string]any) (map[string]any, error) {
	if err := check("iam:DeleteAccountPasswordPolicy", "*", nil); err != nil {
		return nil, err
	}
	if s.baseline(a).password == nil {
		return nil, noPasswordPolicy(a)
	}
	s.baseline(a).password = nil
	return nil, nil
}
