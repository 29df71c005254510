package simaws

// s3Ops are the calls served, by name.
var s3Ops = map[string]handler{}
