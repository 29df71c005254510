package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rollout/internal/awsapi"
	"rollout/internal/terminal"
	"rollout/orgs"
)

// The exit statuses of DESIGN.
const (
	exitDone        = 0
	exitFailed      = 1
	exitChanges     = 2
	exitPartial     = 3
	exitInterrupted = 130
)

// statusError ends the program with a status; its message was shown already when
// it is empty.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// exitStatus is the one place where errors become exit statuses and get their
// remedy.
func exitStatus(ctx context.Context, s streams, err error) int {
	if err == nil {
		return exitDone
	}
	out := terminal.New(s.err, terminal.Options{})
	var status *statusError
	if errors.As(err, &status) {
		if status.message != "" {
			out.Error("%s", status.message)
		}
		return status.status
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		out.Error("interrupted; nothing was started in AWS that this program has not named above")
		return exitInterrupted
	}
	message := awsapi.Plain(err)
	if next := remedy(err); next != "" {
		message = strings.TrimSuffix(message, ".") + ". " + next
	}
	out.Error("%s", message)
	var usage usageError
	if errors.As(err, &usage) {
		out.Line("rollout --help and rollout COMMAND --help have the options.")
	}
	return exitFailed
}

// remedy says what to do about an error.
func remedy(err error) string {
	var own interface{ Remedy() string }
	if errors.As(err, &own) {
		return own.Remedy()
	}
	if errors.Is(err, awsapi.ErrNoRegion) {
		return "Say --home-region REGION: the StackSets live there."
	}
	var usage usageError
	var selection *orgs.SelectionError
	if errors.As(err, &usage) || errors.As(err, &selection) {
		return ""
	}
	switch awsapi.Classify(err) {
	case awsapi.ClassNoCredentials:
		return "No valid credentials were found: sign in (aws sso login), or name a profile with --profile or AWS_PROFILE; --sim needs none. Nothing was changed."
	case awsapi.ClassRegionOff:
		return "The credentials are not valid in this Region: they may have expired, or the Region is off in the account. Nothing was changed."
	case awsapi.ClassDenied:
		return "Use credentials of the management account or of a delegated administrator of CloudFormation StackSets."
	case awsapi.ClassPolicyDenied:
		return "A service control policy denies it: use another Region or account, or have the policy changed."
	case awsapi.ClassThrottled:
		return "AWS kept refusing for too many requests; run it again later."
	case awsapi.ClassUnreachable:
		var noAPI interface{ ErrorCode() string }
		if !errors.As(err, &noAPI) && strings.Contains(err.Error(), "dial") {
			return "The endpoint does not answer: check the network, the proxy, or --endpoint-url and AWS_ENDPOINT_URL."
		}
	}
	return ""
}

// result writes what a command came to on standard output.
func (j *job) result(text func() error, value any, lines func() error) error {
	switch j.Output {
	case "json":
		return writeJSON(j.streams.out, value)
	case "jsonl":
		if lines != nil {
			return lines()
		}
		b, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("write the JSON output: %w", err)
		}
		_, err = fmt.Fprintln(j.streams.out, string(b))
		return err
	}
	return text()
}
