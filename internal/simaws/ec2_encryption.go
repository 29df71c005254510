package simaws

// encryptionCalls are EC2's calls about EBS encryption by default, a setting of an
// account in a Region.
var encryptionCalls = map[string]apiCall{
	"ec2:GetEbsEncryptionByDefault":     encryptionByDefault("GetEbsEncryptionByDefault", nil),
	"ec2:EnableEbsEncryptionByDefault":  encryptionByDefault("EnableEbsEncryptionByDefault", new(true)),
	"ec2:DisableEbsEncryptionByDefault": encryptionByDefault("DisableEbsEncryptionByDefault", new(false)),
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
