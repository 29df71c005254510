package simaws

// ec2Ops are the calls served, by name.
var ec2Ops = map[string]handler{}
