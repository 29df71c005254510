package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/smithy-go"
)

func TestClassify(t *testing.T) {
	api := func(code, message string) error {
		return fmt.Errorf("read: %w", &smithy.OperationError{ServiceID: "Config Service", OperationName: "DescribeConfigRules", Err: &smithy.GenericAPIError{Code: code, Message: message}})
	}
	for _, test := range []struct {
		name string
		err  error
		want Class
	}{
		{"IAM", api("AccessDeniedException", "User: x is not authorized to perform: config:DescribeConfigRules because no identity-based policy allows it"), ClassDenied},
		{"STS", api("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole on resource: y"), ClassDenied},
		{"EC2", api("UnauthorizedOperation", "You are not authorized to perform this operation."), ClassDenied},
		{"policy", api("AccessDeniedException", "… with an explicit deny in a service control policy"), ClassPolicyDenied},
		{"JSON Region off", api("UnrecognizedClientException", "The security token included in the request is invalid."), ClassRegionOff},
		{"query Region off", api("InvalidClientTokenId", "The security token included in the request is invalid"), ClassRegionOff},
		{"expired", api("ExpiredTokenException", "expired"), ClassNoCredentials},
		{"throttled", api("ThrottlingException", "Rate exceeded"), ClassThrottled},
		{"Organizations throttled", api("TooManyRequestsException", "slow down"), ClassThrottled},
		{"unknown code", api("NoSuchConfigRuleException", "no"), ClassOther},
		{"server", &smithy.GenericAPIError{Code: "InternalError", Fault: smithy.FaultServer}, ClassUnreachable},
		{"network", fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")}), ClassUnreachable},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), ClassCancelled},
		{"nil", nil, ClassOther},
	} {
		if got := Classify(test.err); got != test.want {
			t.Errorf("%s: class %d, want %d", test.name, got, test.want)
		}
	}
}

func TestTextIsOneLineWithTheCode(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "User: x\n is not authorized"}})
	if got, want := Text(err), "AccessDenied: User: x is not authorized"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Text(&smithy.OperationError{ServiceID: "STS", OperationName: "X", Err: errors.New("dial tcp: refused")}), "dial tcp: refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnterErrorDenied(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied"}
	down := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, test := range []struct {
		tried []RoleError
		want  bool
	}{
		{[]RoleError{{"a", denied}, {"b", denied}}, true},
		{[]RoleError{{"a", denied}, {"b", down}}, false},
		{nil, false},
	} {
		if got := (&EnterError{Account: "1", Tried: test.tried}).Denied(); got != test.want {
			t.Errorf("%v: %v", test.tried, got)
		}
	}
}

func TestLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:4566": true, "http://localhost:1": true, "http://[::1]:80/": true, "http://127.9.9.9": true,
		"": false, "https://organizations.us-east-1.amazonaws.com": false, "http://localhost.example.com": false, "http://10.0.0.1": false, "127.0.0.1:80": false, "::": false,
	} {
		if got := Loopback(url); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
}
