package blast

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollout/internal/awsapi"
)

// setting is a setting of the account that a rule finds, or would find.
func (at *site) setting(m remedy, r ruled, service string) Resource {
	return at.resource(m, r, typeAccount, at.account.ID, service)
}

// asAsked is a finding that is not so any more; none where Config has none either.
func asAsked(one Resource, why string) []Resource {
	if one.Evaluated.IsZero() {
		return nil
	}
	one.Verdict, one.Reason = Safe, "left: "+why
	return []Resource{one}
}

var ebsEncryptionReads = []string{"ec2:GetEbsDefaultKmsKeyId", "ec2:GetEbsEncryptionByDefault"}

// ebsEncryption is about what is made from then on: nothing that is there changes. Whoever
// starts machines needs rights to a key of the account's own, if one was chosen.
func ebsEncryption(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	api := ec2.NewFromConfig(at.cfg)
	out, err := api.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	if err != nil {
		return nil, err
	}
	one := at.setting(m, m.rules[0], "Amazon EC2")
	if aws.ToBool(out.EbsEncryptionByDefault) {
		return asAsked(one, "it is on"), nil
	}
	one.WouldChange, one.Reason = true, "EBS encryption by default is off; new volumes and copies of snapshots will be encrypted, what is there stays"
	key, err := api.GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})
	switch {
	case err != nil:
		one.Verdict, one.Reason = Unknown, one.Reason+"; not known with which key: "+said(err)
	case strings.HasSuffix(aws.ToString(key.KmsKeyId), "alias/aws/ebs"):
		one.Verdict, one.Reason = Safe, one.Reason+"; with aws/ebs, which every identity of the account may use"
	default:
		one.Verdict, one.Reason = Unknown, one.Reason+"; whoever starts machines has to be allowed to use the key "+aws.ToString(key.KmsKeyId)+", and who that is AWS does not say"
	}
	return []Resource{one}, nil
}

var passwordPolicyReads = []string{"iam:GetAccountPasswordPolicy"}

// passwordPolicy merges what is asked for into the account's policy, as the runbook does.
func passwordPolicy(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	r := m.rules[0]
	out, err := iam.NewFromConfig(at.cfg).GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	var was types.PasswordPolicy
	there := true
	switch {
	case noSuchEntity(err):
		there = false
	case err != nil:
		return nil, err
	case out.PasswordPolicy != nil:
		was = *out.PasswordPolicy
	}
	one := at.setting(m, r, "AWS IAM")
	changes := missingIn(was, r.Values)
	if len(changes) == 0 && there {
		return asAsked(one, "it is as strict as asked, or stricter"), nil
	}
	one.Verdict, one.WouldChange = Safe, true
	one.Reason = "sets " + listed(changes) + "; passwords that are there stay valid"
	if !there {
		one.Reason = "there is no password policy; " + one.Reason
	}
	if slices.ContainsFunc(changes, func(c string) bool { return strings.HasPrefix(c, "MaxPasswordAge") }) {
		one.Verdict, one.Reason = Unknown, one.Reason+", but older ones have to be changed at the next sign-in; how old they are was not read"
	}
	return []Resource{one}, nil
}

// noSuchEntity is IAM's answer for what is not there; its code on the wire lacks the suffix.
func noSuchEntity(err error) bool {
	code := awsapi.Code(err)
	return code == "NoSuchEntity" || code == "NoSuchEntityException"
}

// missingIn says which members of a policy are less strict than asked.
func missingIn(was types.PasswordPolicy, values map[string]string) (out []string) {
	atLeast := func(name string, have *int32) {
		if want := number(values[name]); aws.ToInt32(have) < want {
			out = append(out, fmt.Sprintf("%s to %d (was %s)", name, want, orNot(have)))
		}
	}
	atLeast("MinimumPasswordLength", was.MinimumPasswordLength)
	atLeast("PasswordReusePrevention", was.PasswordReusePrevention)
	if values["RequireCharacterClasses"] == "true" {
		for _, c := range []struct {
			name string
			on   bool
		}{{"RequireSymbols", was.RequireSymbols}, {"RequireNumbers", was.RequireNumbers}, {"RequireUppercaseCharacters", was.RequireUppercaseCharacters}, {"RequireLowercaseCharacters", was.RequireLowercaseCharacters}} {
			if !c.on {
				out = append(out, c.name)
			}
		}
	}
	if age := number(values["MaxPasswordAge"]); age > 0 && (aws.ToInt32(was.MaxPasswordAge) == 0 || aws.ToInt32(was.MaxPasswordAge) > age) {
		out = append(out, fmt.Sprintf("MaxPasswordAge to %d days (was %s)", age, orNot(was.MaxPasswordAge)))
	}
	return out
}

// number is 0 for what is none ("none").
func number(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

func orNot(n *int32) string {
	if n == nil {
		return "not set"
	}
	return fmt.Sprint(*n)
}
