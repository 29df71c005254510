package simaws

import (
	"cmp"
	"net/http"
	"strings"
)

// encryptionCalls are EC2's calls about EBS encryption by default, a setting of an
// account in a Region.
var encryptionCalls = map[string]apiCall{
	"ec2:GetEbsEncryptionByDefault":     encryptionByDefault("GetEbsEncryptionByDefault", nil),
	"ec2:EnableEbsEncryptionByDefault":  encryptionByDefault("EnableEbsEncryptionByDefault", new(true)),
	"ec2:DisableEbsEncryptionByDefault": encryptionByDefault("DisableEbsEncryptionByDefault", new(false)),
	"ec2:GetEbsDefaultKmsKeyId":         defaultKey("GetEbsDefaultKmsKeyId"),
	"ec2:ModifyEbsDefaultKmsKeyId":      defaultKey("ModifyEbsDefaultKmsKeyId"),
	"ec2:ResetEbsDefaultKmsKeyId":       defaultKey("ResetEbsDefaultKmsKeyId"),
}

// encryptionByDefault reads the setting, or sets it.
func encryptionByDefault(op string, to *bool) apiCall {
	return func(s *Sim, check checker, a *account, r *regionState, _ map[string]any) (map[string]any, error) {
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		set := s.settings(a, r)
		if to != nil {
			set.encryptEBS = *to
		}
		out := map[string]any{"EbsEncryptionByDefault": set.encryptEBS}
		if to == nil {
			out["SseType"] = "none"
			if set.encryptEBS {
				out["SseType"] = "sse-kms"
			}
		}
		return out, nil
	}
}

// awsKey is the key where none was chosen, as EC2's samples show it.
const awsKey = "alias/aws/ebs"

// defaultKey reads the key for EBS encryption by default, chooses one or takes that back.
// EC2 looks at a chosen key later, so that one that is not there is taken all the same
// (API reference, ModifyEbsDefaultKmsKeyId); an id is answered with its ARN.
func defaultKey(op string) apiCall {
	return func(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		set := s.settings(a, r)
		switch key := scalarOr(in["KmsKeyId"]); {
		case op == "ResetEbsDefaultKmsKeyId":
			set.ebsKey = ""
		case op == "GetEbsDefaultKmsKeyId":
		case key == "":
			return nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter KmsKeyId")
		default:
			if set.ebsKey = key; !strings.HasPrefix(key, "arn:") {
				if !strings.HasPrefix(key, "alias/") {
					key = "key/" + key
				}
				set.ebsKey = "arn:" + s.world.partition + ":kms:" + r.name + ":" + a.ID + ":" + key
			}
		}
		return map[string]any{"KmsKeyId": cmp.Or(set.ebsKey, awsKey)}, nil
	}
}
