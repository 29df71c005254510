package stackset_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

const home, west, optIn = "us-east-1", "eu-west-1", "eu-south-1"

// everywhere are the Regions in which anything may be; "" is what is in none.
var everywhere = []string{"", optIn, west, home}

// estate is the simulated organization of testdata/kinds.yaml, with one account of each
// kind, and a way to run on it.
type estate struct {
	t       *testing.T
	sim     *simaws.Sim
	session *awsapi.Session
	tree    *orgs.Tree
	known   []awsapi.Region
	runs    int
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	const file = "testdata/kinds.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	described, err := simaws.ParseOrganization(file, text)
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{t: t, sim: simaws.New(simaws.Options{Organization: described})}
	e.session, err = awsapi.Open(t.Context(), awsapi.Options{Static: true, HomeRegion: home, EndpointURL: "http://127.0.0.1", HTTPClient: e.sim.Client(), Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	e.tree, err = orgs.Walk(t.Context(), orgs.NewClient(e.session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.known, err = awsapi.ListRegions(t.Context(), e.session.Own(""), ""); err != nil {
		t.Fatal(err)
	}
	for _, region := range everywhere[1:] {
		e.sim.PutChannel(e.account("channel without recorder").ID, region, "left")
		e.linkRecorder("service-linked recorder", region)
		e.equalRules("equal rules", region)
	}
	return e
}

func (e *estate) account(kind string) *orgs.Account {
	e.t.Helper()
	i := slices.IndexFunc(e.tree.Accounts, func(a *orgs.Account) bool { return a.Name == kind })
	if i < 0 {
		e.t.Fatalf("no account %q", kind)
	}
	return e.tree.Accounts[i]
}

// linkRecorder gives an account a service's recorder, which is not one of its own.
func (e *estate) linkRecorder(kind, region string) {
	e.t.Helper()
	entry, err := e.session.Enter(e.t.Context(), e.account(kind).ID, "")
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = configservice.NewFromConfig(entry.Config(region)).PutServiceLinkedConfigurationRecorder(e.t.Context(),
		&configservice.PutServiceLinkedConfigurationRecorderInput{ServicePrincipal: aws.String("observabilityadmin.amazonaws.com")})
	if err != nil {
		e.t.Fatal(err)
	}
}

// delegate registers an account as AWS Config's delegated administrator, where it can be.
func (e *estate) delegate(a *orgs.Account) {
	e.t.Helper()
	if a.Management || !a.Active() {
		return
	}
	_, err := organizations.NewFromConfig(e.session.Own("")).RegisterDelegatedAdministrator(e.t.Context(),
		&organizations.RegisterDelegatedAdministratorInput{AccountId: aws.String(a.ID), ServicePrincipal: aws.String("config.amazonaws.com")})
	if err != nil {
		e.t.Fatal(err)
	}
}

// equalRules gives an account every managed rule of the catalog that takes no
// parameters, as a service makes them.
func (e *estate) equalRules(kind, region string) {
	made := map[string]bool{}
	for _, t := range templates.All() {
		for _, r := range t.Rules {
			if r.Identifier != "" && len(r.Parameters) == 0 && len(r.Unknown) == 0 && !made[r.Identifier] {
				made[r.Identifier] = true
				e.sim.PutRule(e.account(kind).ID, region, "securityhub-"+strings.TrimPrefix(r.Name, "rollout-"), r.Identifier, "securityhub.amazonaws.com")
			}
		}
	}
}

// desired is a run of templates in accounts.
func (e *estate) desired(asked []templates.Template, mode stackset.Remediation, accounts []*orgs.Account, regions ...string) stackset.Desired {
	regions = slices.Clone(regions)
	slices.Sort(regions)
	return stackset.Desired{
		Templates: asked, Remediation: mode, Accounts: accounts, OUs: []string{e.tree.Root.ID}, Regions: regions, HomeRegion: home, Partition: "aws",
		Caller: e.session.Account, Organization: e.tree.OrganizationID, ReuseExisting: true, Preferences: stackset.Preferences{FailureTolerance: "100%"},
	}
}

func (e *estate) prepare(d stackset.Desired) (*stackset.Plan, error) {
	return stackset.Prepare(e.t.Context(), e.session, stackset.PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: e.known}, nil)
}

func (e *estate) plan(d stackset.Desired) *stackset.Plan {
	e.t.Helper()
	p, err := e.prepare(d)
	if err != nil {
		e.t.Fatal(err)
	}
	return p
}

func (e *estate) apply(p *stackset.Plan) *stackset.Result {
	e.t.Helper()
	e.runs++
	result, err := stackset.Apply(e.t.Context(), e.session, types.CallAsSelf, p, stackset.ApplyOptions{Run: fmt.Sprint("test-", e.runs), Version: "1", RetainAuto: true}, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return result
}

// remove takes templates and what they need out of accounts, and then the sets.
func (e *estate) remove(asked []templates.Template, accounts []*orgs.Account) {
	e.t.Helper()
	all := slices.DeleteFunc(templates.Together(asked), func(t templates.Template) bool { return t.Enforces != "" })
	d := e.desired(all, stackset.RemediationOff, accounts)
	found, err := stackset.Look(e.t.Context(), e.session, stackset.PrepareInput{Desired: d, CallAs: types.CallAsSelf, Known: e.known}, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	p, err := stackset.RemovePlan(d, found.Sets, stackset.RemoveOptions{MaxDeletions: "100%"})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, o := range e.apply(p).Outcomes {
		if o.Status != stackset.OutcomeSucceeded {
			e.t.Errorf("remove %s from %s: %s: %s", o.StackSet, e.place(o.Target), o.Status, o.Reason)
		}
	}
	for _, s := range found.Sets {
		if s.Exists {
			if err := stackset.DeleteSet(e.t.Context(), e.session, types.CallAsSelf, s.Name); err != nil {
				e.t.Error(err)
			}
		}
	}
}

// place names a target by its account's kind.
func (e *estate) place(t stackset.Target) string { return e.kind(t.AccountID) + " in " + t.Region }

func (e *estate) kind(id string) string {
	for _, a := range e.tree.Accounts {
		if a.ID == id {
			return a.Name
		}
	}
	return id
}

// writes are the calls made so far that may change something.
func (e *estate) writes() map[string]int {
	calls := maps.Clone(e.sim.Stats().Calls)
	maps.DeleteFunc(calls, func(call string, _ int) bool {
		_, action, _ := strings.Cut(call, ":")
		for _, read := range []string{"Describe", "List", "Get", "Head", "AssumeRole"} {
			if strings.HasPrefix(action, read) {
				return true
			}
		}
		return false
	})
	return calls
}
