package simaws

// stack is a CloudFormation stack.
type stack struct{}

// stackSet is a StackSet.
type stackSet struct{}

// plainResources are the resource types outside AWS Config.
var plainResources = map[string]resourceHandler{}
