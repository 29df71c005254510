package simaws

import "net/http"

// publicBlock is a configuration of S3 Block Public Access.
type publicBlock struct{ BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool }

// settings gives the four settings by name.
func (b *publicBlock) settings() map[string]*bool {
	return map[string]*bool{
		"BlockPublicAcls": &b.BlockPublicAcls, "IgnorePublicAcls": &b.IgnorePublicAcls, "BlockPublicPolicy": &b.BlockPublicPolicy, "RestrictPublicBuckets": &b.RestrictPublicBuckets,
	}
}

// accountBlockCalls are S3 Control's calls about an account's Block Public Access, for
// scripts. "To use DeletePublicAccessBlock you must have the
// s3:PutAccountPublicAccessBlock permission" (API reference).
var accountBlockCalls = map[string]apiCall{
	"s3control:GetPublicAccessBlock":    accountBlock("s3:GetAccountPublicAccessBlock", getAccountBlock),
	"s3control:PutPublicAccessBlock":    accountBlock("s3:PutAccountPublicAccessBlock", putAccountBlock),
	"s3control:DeletePublicAccessBlock": accountBlock("s3:PutAccountPublicAccessBlock", deleteAccountBlock),
}

func accountBlock(action string, do func(base *baseline, in map[string]any) (map[string]any, error)) apiCall {
	return func(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
		if err := check(action, "*", nil); err != nil {
			return nil, err
		}
		if scalarOr(in["AccountId"]) != a.ID {
			return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		return do(s.baseline(a), in)
	}
}

func getAccountBlock(base *baseline, _ map[string]any) (map[string]any, error) {
	if base.publicBlock == nil {
		return nil, fail(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	shape := map[string]any{}
	for name, on := range base.publicBlock.settings() {
		shape[name] = *on
	}
	return map[string]any{"PublicAccessBlockConfiguration": shape}, nil
}

// putAccountBlock puts all four settings; one that is not given is off.
func putAccountBlock(base *baseline, in map[string]any) (map[string]any, error) {
	asked, ok := in["PublicAccessBlockConfiguration"].(map[string]any)
	if !ok {
		return nil, fail(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	base.publicBlock = &publicBlock{}
	for name, on := range base.publicBlock.settings() {
		*on = scalarOr(asked[name]) == "true"
	}
	return map[string]any{}, nil
}

func deleteAccountBlock(base *baseline, _ map[string]any) (map[string]any, error) {
	base.publicBlock = nil
	return map[string]any{}, nil
}

// meets says whether every setting that a rule asks for is on.
func (b *publicBlock) meets(want ruleValues) bool {
	if b == nil {
		return false
	}
	for name, on := range b.settings() {
		if want.flag(name) && !*on {
			return false
		}
	}
	return true
}
