package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rollout/internal/simaws"
)

// interrupter cancels a run once its output says a word.
type interrupter struct {
	mu     sync.Mutex
	text   strings.Builder
	word   string
	cancel func()
}

func (i *interrupter) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.text.Write(b)
	if strings.Contains(i.text.String(), i.word) {
		i.cancel()
	}
	return len(b), nil
}

func (i *interrupter) String() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.text.String()
}

// Ctrl-C in the middle of a deploy: nothing more is asked for, what goes on in AWS
// is named, and a second run goes on from there.
func TestInterruptedDeployGoesOnInAWS(t *testing.T) {
	sim := simaws.New(simaws.Options{Speed: 20})
	server := httptest.NewServer(sim)
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &interrupter{word: "started create", cancel: cancel}
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var stdout strings.Builder
	args := []string{"rollout", "deploy", "--ou", "Workloads/Staging", "--region", "us-east-1", "--yes"}
	if status := run(ctx, args, in, &stdout, stderr, func() {}); status != exitInterrupted {
		t.Errorf("exit status %d\n%s", status, stderr)
	}
	for _, want := range []string{"this goes on in AWS by itself", "rollout status", "run the same command again"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("does not say %q:\n%s", want, stderr)
		}
	}
	if n := sim.Stats().Calls["cloudformation:CreateStackInstances"]; n != 1 {
		t.Errorf("%d operations were asked for", n)
	}
	// Without signals left to take, the second run waits for what goes on and
	// finishes the job.
	again := &interrupter{word: "\x00", cancel: func() {}}
	if status := run(t.Context(), args, in, &stdout, again, func() {}); status != exitDone {
		t.Errorf("the second run: exit status %d\n%s", status, again)
	}
}
