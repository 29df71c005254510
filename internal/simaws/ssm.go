package simaws

// ssmOps are the calls served, by name.
var ssmOps = map[string]handler{}
