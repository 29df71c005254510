package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Class is what an error of an AWS call means to a run.
type Class int

const (
	// ClassOther is an error of no class below.
	ClassOther Class = iota
	// ClassDenied is a refusal by IAM.
	ClassDenied
	// ClassPolicyDenied is an explicit deny in a service control policy.
	ClassPolicyDenied
	// ClassRegionOff is a call in a Region that is off in the account.
	ClassRegionOff
	// ClassThrottled is a refusal for too many requests, after the retries.
	ClassThrottled
	// ClassNoCredentials means that no credentials were found or they are no longer valid.
	ClassNoCredentials
	// ClassUnreachable is a failure of the network or of AWS, after the retries.
	ClassUnreachable
	// ClassCancelled means that the run was stopped.
	ClassCancelled
)

// Code is the AWS error code of err, "" when it has none.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Classify says what an error of an AWS call means. Codes are matched first; a
// message only where one code has several meanings.
func Classify(err error) Class {
	if err == nil {
		return ClassOther
	}
	if errors.Is(err, context.Canceled) {
		return ClassCancelled
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "NotAuthorized", "Forbidden":
			// "with an explicit deny in a service control policy" is the text
			// of every service's SCP refusal.
			if strings.Contains(api.ErrorMessage(), "service control policy") {
				return ClassPolicyDenied
			}
			return ClassDenied
		case "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "RegionDisabledException", "OptInRequired":
			// So a call looks with valid credentials in a Region that is off
			// in the account; with invalid ones the first call of a run fails.
			return ClassRegionOff
		case "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch", "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "IncompleteSignature":
			return ClassNoCredentials
		}
		if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok {
			return ClassThrottled
		}
		if api.ErrorFault() == smithy.FaultServer {
			return ClassUnreachable
		}
		return ClassOther
	}
	var signing interface{ IsSigningError() bool }
	text := err.Error()
	if errors.As(err, &signing) || strings.Contains(text, "get identity: get credentials") || strings.Contains(text, "failed to refresh cached credentials") {
		return ClassNoCredentials
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) {
		return ClassUnreachable
	}
	return ClassUnreachable
}

// Text is what AWS said, in one line: "AccessDenied: User … is not authorized …".
// For an error without an AWS code it is the innermost text that says something.
func Text(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		message := strings.Join(strings.Fields(api.ErrorMessage()), " ")
		if message == "" {
			return api.ErrorCode()
		}
		return fmt.Sprintf("%s: %s", api.ErrorCode(), message)
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return strings.Join(strings.Fields(operation.Unwrap().Error()), " ")
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// Plain is err's message with the SDK's own wrapping ("operation error STS: …,
// https response error StatusCode: 403, RequestID: …") cut down to Text.
func Plain(err error) string {
	message := err.Error()
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		message = strings.Replace(message, operation.Error(), Text(err), 1)
	}
	return message
}

// Known says whether this version knows a Region, in any partition.
func Known(region string) bool { return PartitionOf(region) != "" }
