// Package templates holds the CloudFormation templates that rollout deploys, and
// what is known about each: its rules, the controls they answer, what it needs,
// and whether it can change anything in an account. It also reads CloudFormation
// templates as text (Parse), without evaluating anything, for the simulator and
// for templates that a user brings.
//
// It knows no AWS client and imports nothing else of this module.
package templates
