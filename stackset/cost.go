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

// EstimateCost estimates what the plan adds to the bill of a month: by what it creates, and
// by what an update makes that was not there, or records otherwise. What is there already
// is not counted, and nothing is taken off for what is deleted. found are what runbooks
// would be started for now, by places that were looked at; nil when nobody looked.
func (p *Plan) EstimateCost(found map[LookedAt]Starts) {
	table := p.Desired.Prices
	if table == nil {
		table = cost.Embedded()
	}
	b := &bill{p: p, table: table, assumed: map[string]bool{}, lacking: map[string]bool{}}
	places, at := b.places(found)
	for spot, n := range places {
		b.work(p.Sets[spot.set], spot, n, at[spot])
	}
	e := table.Estimate(b.uses)
	e.Lacking = append(e.Lacking, slices.Sorted(maps.Keys(b.lacking))...)
	if len(e.Lines) > 0 {
		e.Assumptions = append(slices.Sorted(maps.Keys(b.assumed)),
			"In its first month each resource is recorded and evaluated once more; the high figures have that.",
			"Free tiers, discounts and taxes are left out, and tiers count from nothing.",
			"Not counted, since little at first: what S3 stores and is asked for, messages of SNS, requests to KMS keys.")
	}
	p.Cost = &e
}

// spot is where the same comes to the bill of each account.
type spot struct {
	set    int
	region string
	update bool
	// plain is the account of a plain stack that is updated: it has a body of its own.
	plain string
	// had is what a recorder records before its update; see recordedBefore.
	had recordedBefore
}

// places counts accounts by what an account costs: there are many accounts and few
// different bills.
func (b *bill) places(found map[LookedAt]Starts) (places map[spot]float64, at map[spot]foundIn) {
	places, at = map[spot]float64{}, map[spot]foundIn{}
	index := map[string]int{}
	for i, s := range b.p.Sets {
		index[s.Name] = i
	}
	for _, c := range b.p.Changes {
		if c.Action != Create && c.Action != Update && c.Action != Recreate {
			continue
		}
		i, known := index[c.StackSet]
		if !known {
			continue
		}
		s := &b.p.Sets[i]
		k := spot{set: i, region: c.Region}
		if instance, there := s.At(c.Target); there && instance.StackID != "" {
			if c.Action == Recreate {
				continue
			}
			k.update = true
			if c.Single {
				k.plain = c.AccountID
			}
			if s.Template.Name == templates.Recording {
				k.had = b.before(s, c)
			}
		}
		places[k]++
		if f, looked := found[LookedAt{c.StackSet, c.Target}]; looked && !k.update {
			at[k] = at[k].with(f)
		}
	}
	return places, at
}

// bill gathers what a plan uses.
type bill struct {
	p       *Plan
	table   *cost.Table
	uses    []cost.Use
	assumed map[string]bool
	// lacking are sentences about what could not be counted.
	lacking map[string]bool
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

// work is what a template's resources cost in n places.
func (b *bill) work(s Set, at spot, n float64, found foundIn) {
	region := at.region
	if s.Template.Name == templates.Recording {
		if at.update {
			b.recordsOtherwise(s, at, n)
		} else {
			b.records(s, region, n, recordedIn(s.Want).in(region, b.p.Desired.HomeRegion))
		}
	}
	var there func(id string) bool
	if at.update {
		was, changed := b.deployed(s, at)
		if !changed {
			return // the stack comes to what it was to be
		}
		made := was.Template.Makes(was.values(region, b.p.Desired.Partition))
		there = func(id string) bool { return made[id] }
	}
	w := s.Template.WorkWith(s.values(region, b.p.Desired.Partition), there)
	for _, e := range w.Evaluations {
		b.use(s, region, "evaluations of "+e.Rule, cost.Evaluation, b.evaluations(e).Times(n))
	}
	for _, r := range w.Runbooks {
		b.runbook(s, region, n-found.places, r)
		b.foundRuns(s, region, found, r)
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

// deployed is what is there before an update: what the set deploys, or the plain stack's
// own; changed is false where the update changes neither body nor parameters.
func (b *bill) deployed(s Set, at spot) (was Set, changed bool) {
	body, parameters, what := s.Deployed, s.Parameters, "stack set "+s.Name
	if at.plain != "" {
		one := s.Singles[Target{at.plain, at.region}]
		if outdated(Set{Exists: true, Template: s.Template, SHA256: one.SHA256, Parameters: one.Parameters, Want: withoutSwitches(s.Template, s.Want)}) == "" {
			return was, false
		}
		parameters, what = one.Parameters, "the stack "+s.Name
		switch {
		case one.Deployed != "":
			body = one.Deployed
		case one.SHA256 == s.Template.SHA256():
			body = string(s.Template.Body())
		case s.Deployed == "" || one.SHA256 != s.SHA256:
			b.lacking[fmt.Sprintf("what the update of %s adds in %s of account %s: its template could not be read%s", what, at.region, at.plain, because(one.BodyUnread))] = true
			return was, false
		}
	} else if s.Outdated == "" {
		return was, false
	}
	deployed, err := templates.FromBody(s.Template.Name, []byte(body))
	if err != nil {
		b.lacking[fmt.Sprintf("what the update of %s adds in %s: the template that it has is not understood: %v", what, at.region, err)] = true
		return was, false
	}
	return Set{Template: deployed, Want: parameters}, true
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

func span(r cost.Range) string {
	if r.Low == r.High {
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%v to %v", r.Low, r.High)
}
