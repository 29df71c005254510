package stackset

import (
	"slices"

	"rollout/internal/cost"
	"rollout/templates"
)

// LookedAt is a set that enforces, and a place of it that was looked at.
type LookedAt struct {
	StackSet string
	Target
}

// Starts are what a look found in a place: the resources that are not as the rules want
// them, for each of which the runbook is started, and those of them that it would change.
type Starts struct{ Runs, Changes int }

// foundIn is what was found in several places.
type foundIn struct{ places, starts, changes float64 }

func (f foundIn) with(one Starts) foundIn {
	return foundIn{f.places + 1, f.starts + float64(one.Runs), f.changes + float64(one.Changes)}
}

// runbook is what is assumed of a runbook in n places.
func (b *bill) runbook(s Set, region string, n float64, r templates.Runbook) {
	if n == 0 {
		return
	}
	runs, how := b.table.Assumptions.ManualRuns, "by hand"
	if s.Automatic {
		runs, how = b.table.Assumptions.AutomaticRuns, "automatically"
	}
	b.assume("A runbook that is started %s: %s times a month in an account and Region.", how, span(runs))
	b.started(s, region, "", runs.Times(n), r)
	if makesFlowLogs(s) {
		b.flowLogs(s, region, b.holding("AWS::EC2::VPC").Resources.Times(n))
	}
}

// foundRuns is what it costs to start the runbook for what was found: once, since what
// is mended is not found again. Nobody may ever start it by hand.
func (b *bill) foundRuns(s Set, region string, found foundIn, r templates.Runbook) {
	if found.places == 0 {
		return
	}
	runs := cost.Range{High: found.starts}
	if s.Automatic {
		runs.Low = found.starts
	}
	b.assume("A runbook is started once for each resource that the blast radius found; what comes up later is not counted there.")
	b.started(s, region, " for what was found, once", runs, r)
	if makesFlowLogs(s) {
		b.flowLogs(s, region, cost.Range{Low: found.changes, High: found.changes})
	}
}

func (b *bill) started(s Set, region, why string, runs cost.Range, r templates.Runbook) {
	b.use(s, region, "steps of the runbook"+why, cost.Step, runs.Times(float64(r.Steps)))
	if r.Scripts > 0 {
		seconds := b.table.Assumptions.ScriptSeconds
		b.assume("A script of a runbook takes %s seconds.", span(seconds))
		b.use(s, region, "scripts of the runbook"+why, cost.ScriptSecond, cost.Range{Low: runs.Low * seconds.Low, High: runs.High * seconds.High}.Times(float64(r.Scripts)))
	}
}

func makesFlowLogs(s Set) bool {
	return slices.Contains(s.Template.RoleActions(), "ec2:CreateFlowLogs")
}

// flowLogs is what the logs of VPCs cost that a runbook makes, which nobody may ever start.
func (b *bill) flowLogs(s Set, region string, vpcs cost.Range) {
	gb := b.table.Assumptions.FlowLogGB
	b.assume("A flow log delivers %s GB a month.", span(gb))
	q := cost.Range{High: gb.High * vpcs.High}
	if s.Automatic {
		q.Low = gb.Low * vpcs.Low
	}
	b.use(s, region, "flow logs that the runbook makes", cost.FlowLogGB, q)
}
