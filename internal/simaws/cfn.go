package simaws

// cloudformationOps are the calls served, by name.
var cloudformationOps = map[string]handler{}
