package simaws

// stsOps are the calls served, by name.
var stsOps = map[string]handler{}
