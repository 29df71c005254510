package templates

// Document is a CloudFormation template as it was written: nothing is evaluated
// and no reference is followed. Values are nil, bool, int64, float64, string,
// []any or map[string]any; timestamps stay strings ("2012-10-17").
//
// Short-form intrinsics are written out: !Sub x is {"Fn::Sub": "x"}, !Ref X is
// {"Ref": "X"}, !Condition X is {"Condition": "X"}, and GetAtt always has a list,
// {"Fn::GetAtt": ["A", "Arn"]}.
type Document struct {
	FormatVersion string
	Description   string

	Parameters     map[string]Parameter
	ParameterOrder []string // as written

	Mappings, Conditions, Outputs map[string]any

	Resources     map[string]Resource
	ResourceOrder []string // as written

	Transform, Metadata, Rules any
}

// Resource is one entry of a template's Resources section.
type Resource struct {
	LogicalID string
	Type      string // "AWS::S3::Bucket"
	Condition string // a name in Conditions; "" means always

	// DeletionPolicy and UpdateReplacePolicy are "" when the template is silent,
	// which CloudFormation reads as Delete.
	DeletionPolicy, UpdateReplacePolicy string

	DependsOn  []string
	Properties map[string]any // never nil
	Metadata   any
	Line       int // where its logical id stands, from 1
}
