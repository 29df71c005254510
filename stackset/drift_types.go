package stackset

import "slices"

// driftless are the types in embedded templates that CloudFormation does not check for
// drift (user guide, "Resource type support for imports and drift detection"), but for
// wait handles, which hold nothing.
var driftless = []string{
	"AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel", "AWS::Config::RemediationConfiguration", "AWS::SNS::TopicPolicy",
}

// Unchecked are the types of a set's resources that CloudFormation does not check for
// drift, sorted. Of types that no embedded template has it is not known.
func (s Set) Unchecked() []string {
	var out []string
	doc := s.Template.Document()
	if doc == nil {
		return nil
	}
	for _, r := range doc.Resources {
		if slices.Contains(driftless, r.Type) && !slices.Contains(out, r.Type) {
			out = append(out, r.Type)
		}
	}
	slices.Sort(out)
	return out
}
