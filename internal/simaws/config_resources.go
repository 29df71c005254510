package simaws

// configResources are the AWS Config resource types.
var configResources = map[string]resourceHandler{}
