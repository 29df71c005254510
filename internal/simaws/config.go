package simaws

// configOps are the calls served, by name.
var configOps = map[string]handler{}
