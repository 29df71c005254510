package stackset_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

// regionSets are the Regions of the runs of docs/matrix.md.
var regionSets = []struct {
	title   string
	regions []string
}{
	{"the home Region", []string{home}},
	{"an opt-in Region, without the home Region", []string{optIn}},
	{"three Regions, the home Region and an opt-in Region among them", []string{home, west, optIn}},
}

// cell is what became of a template in an account of a kind.
type cell struct {
	done, of int
	notes    []string
}

// underRace says that the race detector is in.
var underRace bool

// longWay leaves a test of thousands of simulated operations to the plain run, which CI
// makes too: the race detector makes it minutes long.
func longWay(t *testing.T) {
	t.Helper()
	if underRace || testing.Short() {
		t.Skip("a long way round; a plain run goes it")
	}
}

// life is what a template did in every account.
type life struct {
	cells map[string]cell // by kind
	// makes is what a new account holds afterwards, stays what is left of it.
	makes, stays []string
}

// Every template goes to an account of each kind, to one, another and three Regions: it
// is deployed, deployed again with nothing to do, switched to automatic where it offers
// that, taken out without a trace but for what is to stay, and deployed again over what
// stayed. What an account had before is there all the time, as it was.
func TestEveryTemplateEverywhere(t *testing.T) {
	longWay(t)
	var mu sync.Mutex
	lives := map[string]map[int]life{}
	t.Run("lives", func(t *testing.T) {
		for _, template := range templates.All() {
			for i, set := range regionSets {
				t.Run(fmt.Sprintf("%s/%d Regions from %s", template.Name, len(set.regions), set.regions[0]), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						l := newEstate(t).live(template, set.regions)
						if c := l.cells["new"]; c.done == 0 || c.done != c.of {
							t.Errorf("it came true in %d of %d places of a new account (%v)", c.done, c.of, c.notes)
						}
						mu.Lock()
						defer mu.Unlock()
						if lives[template.Name] == nil {
							lives[template.Name] = map[int]life{}
						}
						lives[template.Name][i] = l
					})
				})
			}
		}
	})
	if t.Failed() || strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // the page is of all lives, and of such that went well
	}
	golden(t, "../docs/matrix.md", matrixPage(lives))
}

// live leads a template through its life in an account of each kind.
func (e *estate) live(template templates.Template, regions []string) life {
	asked, mode := template, stackset.RemediationOff
	if template.Enforces != "" {
		var err error
		if asked, err = templates.Lookup(template.Enforces); err != nil {
			e.t.Fatal(err)
		}
		mode = stackset.RemediationManual
	}
	if template.Scope != templates.ScopeSingle {
		return e.lead(template, asked, mode, e.tree.Accounts, regions)
	}
	// One account of the organization at a time.
	all := life{cells: map[string]cell{}}
	for _, a := range e.tree.Accounts {
		e.delegate(a)
		l := e.lead(template, asked, mode, []*orgs.Account{a}, regions)
		maps.Copy(all.cells, l.cells)
		if a.Name == "new" {
			all.makes, all.stays = l.makes, l.stays
		}
	}
	return all
}

func (e *estate) lead(template, asked templates.Template, mode stackset.Remediation, accounts []*orgs.Account, regions []string) life {
	d := e.desired([]templates.Template{asked}, mode, accounts, regions...)
	before := e.held(accounts)
	first, result := e.deploy("deployed", d, before)
	deployed := e.held(accounts)
	l := life{cells: e.cells(template, first, result)}
	for at, things := range deployed.beyond(before) {
		if at.account == e.account("new").ID {
			for _, t := range things {
				if t.Set == stackset.SetName(d, template) && t.Type != stackType {
					l.makes = append(l.makes, t.Type)
				}
			}
		}
	}
	if template.Enforces != "" && slices.Contains(template.Remediation(), "automatic") {
		automatic := d
		automatic.Remediation = stackset.RemediationAutomatic
		e.deploy("automatic", automatic, before)
		e.automatic("automatic", template, accounts, true)
		time.Sleep(6 * time.Hour) // while a remediation runs it cannot be taken away
		e.deploy("manual again", d, before)
		e.automatic("manual again", template, accounts, false)
		e.same("manual again", deployed.plainly(false), e.held(accounts).plainly(false))
		deployed = e.held(accounts)
	}
	e.remove([]templates.Template{asked}, accounts)
	left := e.held(accounts)
	e.untouched("removed", before, left)
	e.retained(deployed, left.beyond(before))
	for at, things := range left.beyond(before) {
		if at.account == e.account("new").ID {
			for _, t := range things {
				l.stays = append(l.stays, t.Type)
			}
		}
	}
	e.deploy("deployed again", d, left)
	e.same("deployed again", deployed.plainly(false), e.held(accounts).plainly(false))
	e.remove([]templates.Template{asked}, accounts)
	if diff := cmp.Diff(left, e.held(accounts)); diff != "" {
		e.t.Errorf("removed again is not as the first time (-first +again):\n%s", diff)
	}
	return l
}

// deploy plans and applies, and holds the accounts to what came of it; a second plan has
// nothing to do but what failed.
func (e *estate) deploy(step string, d stackset.Desired, before holdings) (*stackset.Plan, *stackset.Result) {
	e.t.Helper()
	p := e.plan(d)
	result := e.apply(p)
	now := e.held(d.Accounts)
	e.untouched(step, before, now)

	failed := map[string]bool{}
	for _, o := range result.Outcomes {
		if o.Status != stackset.OutcomeSucceeded {
			failed[o.StackSet+o.AccountID+o.Region] = true
			if o.Reason == "" {
				e.t.Errorf("%s: %s of %s is %s without a reason", step, o.StackSet, e.place(o.Target), o.Status)
			}
		}
	}
	again := e.plan(d)
	e.complete(step, again.Sets, failed, now)
	writes, todo := e.writes(), again.Pending()
	for _, c := range again.Changes {
		if c.Action != stackset.None && c.Action != stackset.Skip && !failed[c.StackSet+c.AccountID+c.Region] {
			e.t.Errorf("%s: a second plan would %s %s of %s: %s", step, c.Action, c.StackSet, e.place(c.Target), c.Reason)
		}
	}
	if todo && len(failed) == 0 {
		e.t.Errorf("%s: a second plan has something to do", step)
	}
	if len(failed) == 0 {
		e.apply(again)
		if diff := cmp.Diff(writes, e.writes()); diff != "" {
			e.t.Errorf("%s: a second deploy writes (-before +after):\n%s", step, diff)
		}
	}
	return p, result
}

// automatic holds every remediation of a template to its mode.
func (e *estate) automatic(step string, template templates.Template, accounts []*orgs.Account, want bool) {
	e.t.Helper()
	for at, things := range e.held(accounts) {
		for _, t := range things {
			if t.Type == "AWS::Config::RemediationConfiguration" && strings.Contains(t.Is, `"automatic":true`) != want {
				e.t.Errorf("%s: %s of %s in %s, and automatic is not %v", step, t.Name, e.kind(at.account), at.region, want)
			}
		}
	}
}

// A reason is told without what differs from place to place and from template to template.
var wordings = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`ResourceLogicalId:\w+, ResourceType:([\w:]+), ResourceStatusReason:`), "$1: "},
	{regexp.MustCompile(` \(Service: [^()]*\)`), ""},
	{regexp.MustCompile(`User: arn:\S+ is not authorized to perform: (\S+) on resource: \S+`), "$1 is not authorized"},
	{regexp.MustCompile(`the equal rule \S.* gives the verdict`), "equal rules give the verdict"},
	{regexp.MustCompile(`\.\.+`), "."},
	{regexp.MustCompile(`in (us-east-1|eu-west-1|eu-south-1)`), "there"},
}

func reworded(reason string, template templates.Template) string {
	for _, w := range wordings {
		reason = w.from.ReplaceAllString(reason, w.to)
	}
	if template.Enforces != "" {
		reason = strings.ReplaceAll(reason, "needs "+template.Enforces, "needs the rules")
	}
	return reason
}

// cells says of each kind of account where a template came to.
func (e *estate) cells(template templates.Template, p *stackset.Plan, result *stackset.Result) map[string]cell {
	out := map[string]cell{}
	note := func(id string, done bool, reason string) {
		c := out[e.kind(id)]
		c.of++
		if done {
			c.done++
		} else {
			reason = reworded(reason, template)
			if !slices.Contains(c.notes, reason) {
				c.notes = append(c.notes, reason)
			}
		}
		out[e.kind(id)] = c
	}
	for _, c := range p.Changes {
		if c.Template == template.Name && (c.Action == stackset.None || c.Action == stackset.Skip) {
			note(c.AccountID, false, c.Reason)
		}
	}
	for _, o := range result.Outcomes {
		if o.StackSet == stackset.SetName(p.Desired, template) {
			note(o.AccountID, o.Status == stackset.OutcomeSucceeded, strings.ToLower(o.Status)+": "+o.Reason)
		}
	}
	return out
}

// golden holds a generated file to what it should be, or writes it with -update.
func golden(t *testing.T, file, want string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), want); diff != "" {
		t.Errorf("%s is not what go test ./stackset -update would write (-there +now):\n%s", file, diff)
	}
}
