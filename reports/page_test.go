package reports

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollout/internal/extras"
)

func TestPageRunsInABrowser(t *testing.T) {
	chromium := extras.Program(t, "chromium")
	for _, test := range []struct {
		name             string
		report           *Report
		accounts, cells  int // rows after the script ran: 100 a page
		counter, resting string
	}{
		{"nasty", nasty(), 5, 10, "1–10 of 10", ""},
		{"estate", estate(700, []string{"eu-west-1", "us-east-1"}), 100, 100, "1–100 of 1400", `class="rest">The first`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := Write(dir, test.report, []string{"html"}); err != nil {
				t.Fatal(err)
			}
			dom, log := dump(t, chromium, filepath.Join(dir, "report.html"))
			if !strings.Contains(dom, `data-ready="true"`) {
				t.Fatalf("the script did not finish:\n%s", log)
			}
			if regexp.MustCompile(`(?i)content.security.policy|refused to|uncaught`).MatchString(log) {
				t.Errorf("the browser blocked something:\n%s", log)
			}
			for table, want := range map[string]int{"accounts": test.accounts, "cells": test.cells} {
				body := regexp.MustCompile(`(?s)<table data-table="` + table + `">.*?<tbody>(.*?)</tbody>`).FindStringSubmatch(dom)
				if body == nil {
					t.Fatalf("no table %s", table)
				}
				if got := strings.Count(body[1], "<tr>"); got != want {
					t.Errorf("%s has %d rows, want %d", table, got, want)
				}
			}
			if !strings.Contains(dom, test.counter) {
				t.Errorf("no %q", test.counter)
			}
			if test.resting != "" && strings.Contains(dom, test.resting) {
				t.Error("still says that rows are left out, though the script pages through all of them")
			}
			if strings.Contains(dom, "<img") {
				t.Error("text from an account became markup")
			}
		})
	}
}

func dump(t *testing.T, chromium, page string) (dom, log string) {
	t.Helper()
	// Loading is cut short by the browser's virtual clock; the timeout only ends a
	// browser that hangs.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", "file://"+page)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", chromium, err, errs.String())
	}
	return out.String(), errs.String()
}
