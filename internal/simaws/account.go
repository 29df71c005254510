package simaws

// accountOps are the calls served, by name.
var accountOps = map[string]handler{}
