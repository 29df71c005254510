package simaws

// organizationsOps are the calls served, by name.
var organizationsOps = map[string]handler{}
