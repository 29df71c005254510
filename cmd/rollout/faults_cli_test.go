package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollout/internal/extras"
)

// Each kind of `rollout simulate --faults`, as the AWS CLI tells a person of it; in
// every service's words boto3 sees them in internal/simaws/testdata/behaviours/faults.py.
func TestSimulateFaultsWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	cli := extras.Program(t, "aws")
	for fault, tt := range map[string]struct {
		command string
		says    string // "" where nothing goes wrong
	}{
		"throttle=1":       {"organizations list-roots", "An error occurred (TooManyRequestsException) when calling the ListRoots operation (reached max retries: 0): You have sent too many requests"},
		"error=1":          {"cloudformation list-stacks", "An error occurred (InternalFailure) when calling the ListStacks operation (reached max retries: 0)"},
		"reset=1":          {"organizations list-roots", "Connection was closed before we received a valid response from endpoint URL"},
		"cut=1":            {"sts get-caller-identity", "Connection was closed before we received a valid response from endpoint URL"},
		"slow=1:3s":        {"organizations list-roots --cli-read-timeout 1", "Read timeout on endpoint URL"},
		"expired=1":        {"iam list-roles", "An error occurred (ExpiredToken) when calling the ListRoles operation: The security token included in the request is expired"},
		"clock=1:20m":      {"sts get-caller-identity", "An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation: Signature expired: "},
		"clock=1:-20m":     {"organizations list-roots", "An error occurred (InvalidSignatureException) when calling the ListRoots operation: Signature not yet current: "},
		"config:*:error=1": {"sts get-caller-identity --query Account", ""},
	} {
		t.Run(fault, func(t *testing.T) {
			// One after another: urfave/cli writes to globals of its own while it parses.
			shell := exec.Command(cli, strings.Fields(tt.command)...)
			none := filepath.Join(t.TempDir(), "none")
			shell.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
			shell.Env = append(shell.Env, "AWS_ENDPOINT_URL="+simulate(t, "--accounts", "3", "--faults", fault), "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y",
				"AWS_CONFIG_FILE="+none, "AWS_SHARED_CREDENTIALS_FILE="+none, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1")
			var stderr bytes.Buffer
			shell.Stderr = &stderr
			var failed *exec.ExitError
			if err := shell.Run(); err != nil && !errors.As(err, &failed) {
				t.Fatal(err)
			}
			if shell.ProcessState.Success() != (tt.says == "") || !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("aws %s: exit status %d\n%s\nwant %s", tt.command, shell.ProcessState.ExitCode(), &stderr, tt.says)
			}
		})
	}
}

// simulate runs `rollout simulate` for the length of a test and gives its URL.
func simulate(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx, append([]string{"rollout", "simulate", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), in, io.Discard, func() {})
		in.Close()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("rollout simulate says no URL: ", err)
	}
	return strings.TrimSpace(url)
}
