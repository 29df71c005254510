package stackset

import (
	"fmt"
	"maps"
	"slices"

	"rollout/internal/cost"
	"rollout/templates"
)

// monthHours are those of an average month.
const monthHours = 365.0 * 24 / 12

// costs estimates what the plan adds to the bill of a month: by what it creates, and by
// what an update makes that was not there. What is there already is not counted, and
// nothing is taken off for what goes.
func (p *planner) costs() *cost.Estimate {
	table := p.d.Prices
	if table == nil {
		table = cost.Embedded()
	}
	b := &bill{p: p, table: table, assumed: map[string]bool{}}
	type spot struct {
		set    int
		region string
		update bool
	}
	places := map[spot]int{}
	index := map[string]int{}
	for i, s := range p.plan.Sets {
		index[s.Name] = i
	}
	for _, c := range p.plan.Changes {
		i, known := index[c.StackSet]
		if !known || c.Action != Create && c.Action != Update {
			continue
		}
		places[spot{i, c.Region, c.Action == Update}]++
		if s := p.plan.Sets[i]; s.Template.Name == templates.Recording && c.Action == Update {
			b.items(s, c.Region, 1, b.added(s, c))
		}
	}
	for at, n := range places {
		s := p.plan.Sets[at.set]
		b.work(s, at.region, float64(n), at.update)
		if s.Template.Name == templates.Recording && !at.update {
			b.items(s, at.region, float64(n), recordedIn(s.Want).in(at.region, p.d.HomeRegion))
		}
	}
	e := table.Estimate(b.uses)
	if len(e.Lines) > 0 {
		e.Assumptions = append(slices.Sorted(maps.Keys(b.assumed)),
			"In its first month each resource is recorded and evaluated once more; the high figures have that.",
			"Free tiers, discounts and taxes are left out, and tiers count from nothing.",
			"Not counted, since little at first: what S3 stores and is asked for, messages of SNS, requests to KMS keys.")
	}
	return &e
}

// bill gathers what a plan uses.
type bill struct {
	p       *planner
	table   *cost.Table
	uses    []cost.Use
	assumed map[string]bool
}

func (b *bill) use(s Set, region, what, price string, q cost.Range) {
	b.uses = append(b.uses, cost.Use{Template: s.Template.Name, Region: region, What: what, Price: price, Quantity: q})
}

func (b *bill) assume(format string, args ...any) { b.assumed[fmt.Sprintf(format, args...)] = true }

// holding is what is assumed of a resource type.
func (b *bill) holding(resourceType string) cost.Holding {
	h := b.table.Assumptions.Of(resourceType)
	b.held(resourceType, h)
	return h
}

func (b *bill) held(what string, h cost.Holding) {
	b.assume("%s: %s in an account and Region, each of which changes %s times a month.", what, span(h.Resources), span(h.Changes))
}

// all is what is assumed of all types together.
func (b *bill) all() cost.Holding {
	b.held("All resource types", b.table.Assumptions.AllTypes)
	return b.table.Assumptions.AllTypes
}

// items are the configuration items of what n recorders of a Region record.
func (b *bill) items(s Set, region string, n float64, records recorded) {
	price, daily := cost.ConfigItem, s.Want["RecordingFrequency"] == "DAILY"
	if daily {
		price = cost.ConfigItemDaily
	}
	if records.all {
		b.use(s, region, "all resource types recorded", price, b.all().Items(daily).Times(n))
	}
	for name := range records.types {
		b.use(s, region, name+" recorded", price, b.holding(name).Items(daily).Times(n))
	}
}

// added is what an update of a recorder adds to what it records: by what preflight saw of
// it, else by what the set says.
func (b *bill) added(s Set, c Change) recorded {
	records := recordedIn(s.Want).in(c.Region, b.p.d.HomeRegion)
	have := recordedIn(s.Parameters).in(c.Region, b.p.d.HomeRegion)
	if one, single := s.Singles[c.Target]; single {
		have = recordedIn(one.Parameters).in(c.Region, b.p.d.HomeRegion)
	}
	if f := b.p.facts.Accounts[c.AccountID]; f != nil && f.Regions[c.Region] != nil && f.Regions[c.Region].Recorder != nil {
		have = f.Regions[c.Region].Recorder.Group.recorded()
	}
	if have.all || records.all {
		return recorded{all: records.all && !have.all}
	}
	out := recorded{types: map[string]bool{}}
	for _, name := range records.beyond(have) {
		out.types[name] = true
	}
	return out
}

// recorded is what a recorder records. Exclusions are taken for all types.
func (g RecordingGroup) recorded() recorded {
	if g.RecordingGroup == nil || len(g.ResourceTypes) == 0 {
		return recorded{all: true}
	}
	out := recorded{types: map[string]bool{}}
	for _, t := range g.ResourceTypes {
		out.types[string(t)] = true
	}
	return out
}

// work is what a template's resources cost in n places of a Region.
func (b *bill) work(s Set, region string, n float64, update bool) {
	var there func(id string) bool
	if update {
		if s.Outdated == "" {
			return // the stack comes to what it was to be
		}
		deployed, err := templates.FromBody(s.Template.Name, []byte(s.Deployed))
		if err != nil {
			return
		}
		was := Set{Template: deployed, Want: s.Parameters}
		made := deployed.Makes(was.values(region, b.p.d.Partition))
		there = func(id string) bool { return made[id] }
	}
	w := s.Template.WorkWith(s.values(region, b.p.d.Partition), there)
	for _, e := range w.Evaluations {
		b.use(s, region, "evaluations of "+e.Rule, cost.Evaluation, b.evaluations(e).Times(n))
	}
	for _, r := range w.Runbooks {
		runs, how := b.table.Assumptions.ManualRuns, "by hand"
		if s.Automatic {
			runs, how = b.table.Assumptions.AutomaticRuns, "automatically"
		}
		b.assume("A runbook that is started %s: %s times a month in an account and Region.", how, span(runs))
		b.use(s, region, "steps of the runbook", cost.Step, runs.Times(n*float64(r.Steps)))
		if r.Scripts > 0 {
			seconds := b.table.Assumptions.ScriptSeconds
			b.assume("A script of a runbook takes %s seconds.", span(seconds))
			b.use(s, region, "scripts of the runbook", cost.ScriptSecond, cost.Range{Low: runs.Low * seconds.Low, High: runs.High * seconds.High}.Times(n*float64(r.Scripts)))
		}
		b.flowLogs(s, region, n)
	}
	for resourceType, count := range w.Resources {
		switch price := b.table.Resources[resourceType]; price {
		case cost.Free:
		case "":
			b.use(s, region, resourceType, "the type "+resourceType, cost.Range{Low: float64(count), High: float64(count)}.Times(n))
		default:
			b.use(s, region, resourceType, price, cost.Range{Low: float64(count), High: float64(count)}.Times(n))
		}
	}
}

// evaluations are those of a rule in one place: on each resource that it reports on,
// whenever it runs.
func (b *bill) evaluations(e templates.Evaluation) cost.Range {
	list := []cost.Holding{}
	switch {
	case e.All:
		list = append(list, b.all())
	case len(e.Types) == 0:
		list = append(list, cost.Holding{Resources: cost.Range{Low: 1, High: 1}}) // the account
	}
	for _, name := range e.Types {
		list = append(list, b.holding(name))
	}
	var out cost.Range
	for _, h := range list {
		if e.Hours > 0 {
			out = out.Plus(h.Resources.Times(monthHours / float64(e.Hours)))
		}
		if e.OnChange {
			out = out.Plus(h.Items(false))
		}
	}
	return out
}

// flowLogs is what the logs cost that a runbook makes, which nobody may ever start.
func (b *bill) flowLogs(s Set, region string, n float64) {
	if !slices.Contains(s.Template.RoleActions(), "ec2:CreateFlowLogs") {
		return
	}
	gb, vpcs := b.table.Assumptions.FlowLogGB, b.holding("AWS::EC2::VPC").Resources
	b.assume("A flow log delivers %s GB a month.", span(gb))
	q := cost.Range{High: gb.High * vpcs.High}
	if s.Automatic {
		q.Low = gb.Low * vpcs.Low
	}
	b.use(s, region, "flow logs that the runbook makes", cost.FlowLogGB, q.Times(n))
}

func span(r cost.Range) string {
	if r.Low == r.High {
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%v to %v", r.Low, r.High)
}
