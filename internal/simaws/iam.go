package simaws

// iamOps are the calls served, by name.
var iamOps = map[string]handler{}
