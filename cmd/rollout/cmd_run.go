package main

import (
	"context"

	"rollout/internal/awsapi"
	"rollout/reports"
	"rollout/stackset"
)

// runMain is the main job: walk, plan, confirm, deploy, settle, gather, report.
func runMain(ctx context.Context, j *job) error {
	out := j.outFolder()
	chosen, r, plan, err := j.prepare(ctx)
	if err != nil {
		return err
	}
	if err := checkOut(out); err != nil {
		return err
	}
	if err := j.announceRun(ctx, plan); err != nil {
		return err
	}
	result, err := j.apply(ctx, chosen, plan, stackset.ApplyOptions{})
	if err != nil {
		return err
	}
	sessions := reports.NewSessions(j.session)
	notes, err := j.settle(ctx, plan, result, sessions)
	if err != nil {
		return err
	}
	// The plan looked everywhere; what it made is in the home Region.
	home := []awsapi.Region{{Name: j.session.HomeRegion, On: true}}
	report, err := j.gather(ctx, chosen, r, home, plan.Desired, sessions)
	if err != nil {
		return err
	}
	if result != nil && result.Held != "" {
		notes = append(notes, j.heldBack(plan, result))
	}
	report.Run.Notes = append(report.Run.Notes, append(plan.Advice(), notes...)...)
	return j.finish(out, report, partial(result))
}
