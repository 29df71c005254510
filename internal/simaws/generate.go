package simaws

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The Regions of the simulated partition: those that are on in every account, and
// those that an account switches on (launched after 2019-03-20).
var (
	defaultRegions = []string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
		"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	}
	switchedRegions = []string{"af-south-1", "ap-east-1", "ap-southeast-3", "eu-central-2", "eu-south-1", "il-central-1", "me-central-1"}
)

// generator makes an organization; the same options make the same one.
type generator struct {
	s    *Sim
	w    *world
	r    *rand.Rand
	born time.Time
	used map[string]bool
}

// generate makes the organization of the options: of any size and seed it has the
// OUs Security, Infrastructure, Sandbox, Suspended and Workloads (with Prod, Dev
// and deeper), at least a third of its accounts under Workloads, and one account
// in fifty suspended. What makes a deployment fail, and the account that nobody
// can enter, are under Sandbox.
func generate(s *Sim) *world {
	g := &generator{s: s, r: rand.New(rand.NewPCG(s.opts.Seed, uint64(s.opts.Accounts))), used: map[string]bool{}}
	g.born = time.Date(2021, 3, 1, 9, 0, 0, 0, time.UTC)
	g.w = &world{
		partition: "aws", features: "ALL", policies: newPolicyBook(), policyTypes: []string{"SERVICE_CONTROL_POLICY"}, accounts: map[string]*account{}, ous: map[string]*orgUnit{},
		trustedServices: map[string]time.Time{"sso.amazonaws.com": g.born, "account.amazonaws.com": g.born, "config.amazonaws.com": g.born},
		stackSetsAccess: "ENABLED", delegated: map[string][]string{}, delegatedAt: map[string]time.Time{}, departed: map[string]*account{}, globalBuckets: map[string]*bucket{}, stackSets: map[string]*stackSet{}, atWork: map[string]*workload{},
		enabledRegions: slices.Clone(defaultRegions), optInRegions: slices.Clone(switchedRegions),
	}
	s.world = g.w
	g.w.orgID, g.w.rootID = "o-"+g.alnum(10), "r-"+g.alnum(4)
	if s.opts.TrustedAccessOff {
		g.w.stackSetsAccess = "DISABLED"
	} else {
		g.w.trustedServices["member.org.stacksets.cloudformation.amazonaws.com"] = g.born
	}
	if s.opts.Organization != nil {
		g.fromFile(s.opts.Organization)
	} else {
		g.people()
		g.landingZone()
	}
	return g.w
}

func (g *generator) alnum(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.r.IntN(len(alphabet))]
	}
	return string(b)
}

// ou makes an OU below a parent id.
func (g *generator) ou(parent, name string) string {
	id := "ou-" + strings.TrimPrefix(g.w.rootID, "r-") + "-" + g.alnum(8)
	g.w.ous[id] = &orgUnit{ID: id, Name: name, ParentID: parent}
	g.w.ouOrder = append(g.w.ouOrder, id)
	return id
}

func (g *generator) account(parent, name string) *account {
	id := ""
	for id == "" || g.used[id] {
		id = fmt.Sprintf("%012d", 100000000000+g.r.Int64N(899999999999))
	}
	g.used[id] = true
	a := &account{
		ID: id, Name: name, Email: "aws+" + name + "@example.com", State: "ACTIVE", ParentID: parent, JoinedMethod: "CREATED",
		Joined: g.born.Add(time.Duration(len(g.w.order)) * 31 * time.Hour), Tags: map[string]string{}, optedIn: map[string]bool{},
		roles: map[string]*iamRole{}, buckets: map[string]*bucket{}, regions: map[string]*regionState{},
	}
	a.populate = func(r *regionState) { g.s.populate(a, r) }
	a.lived = !g.s.opts.Empty && g.s.opts.Organization == nil
	g.w.accounts[id] = a
	g.w.order = append(g.w.order, id)
	return a
}

// people makes the OUs and accounts.
func (g *generator) people() {
	w, n := g.w, g.s.opts.Accounts
	m := g.account(w.rootID, "management")
	m.JoinedMethod = "INVITED"
	w.management = m.ID
	for _, region := range []string{"eu-south-1", "ap-east-1"} {
		m.optedIn[region] = true
	}
	security, infrastructure := g.ou(w.rootID, "Security"), g.ou(w.rootID, "Infrastructure")
	sandbox, suspended, workloads := g.ou(w.rootID, "Sandbox"), g.ou(w.rootID, "Suspended"), g.ou(w.rootID, "Workloads")

	closed, boxes := max(1, (n+49)/50-1), max(2, n/8)
	guards := []string{"log-archive", "audit", "security-tooling"}
	if n < 15 { // still a third under Workloads
		rest := n - 1 - (n+2)/3
		closed = min(1, rest)
		boxes = min(1, rest-closed)
		guards = []string{"audit", "log-archive"}[:min(2, rest-closed-boxes)]
	}
	for _, name := range guards {
		a := g.account(security, name)
		g.enterable(a, name == "log-archive")
		if name == "audit" {
			w.delegated[a.ID] = []string{"config-multiaccountsetup.amazonaws.com", "config.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"}
		}
	}
	networking := g.ou(infrastructure, "Networking")
	for i, name := range []string{"network", "shared-services", "backup"}[:min(3, n/12)] {
		parent := infrastructure
		if i == 0 {
			parent = networking
		}
		g.enterable(g.account(parent, name), false)
	}
	for i := range boxes {
		g.sandbox(g.account(sandbox, fmt.Sprintf("sandbox-%02d", i+1)), i)
	}
	for i := range closed {
		a := g.account(suspended, fmt.Sprintf("closed-%02d", i+1))
		a.State = "SUSPENDED"
		g.enterable(a, false)
	}
	g.workloads(workloads, max(n-len(w.order), (n+2)/3))
}

// workloads makes the OUs below Workloads, deep and wide by size, and their
// accounts.
func (g *generator) workloads(top string, n int) {
	type place struct{ id, path string }
	prod, dev, staging := g.ou(top, "Prod"), g.ou(top, "Dev"), g.ou(top, "Staging")
	var places []place
	teams := []string{"payments", "retail", "data", "mobile", "logistics", "identity", "search", "billing", "platform", "research"}
	for t := range max(3, n/15) {
		team := teams[t%len(teams)]
		if t >= len(teams) {
			team += fmt.Sprintf("-%d", t/len(teams)+1)
		}
		title := strings.ToUpper(team[:1]) + team[1:]
		p, d := g.ou(prod, title), g.ou(dev, title)
		places = append(places, place{p, team + "-prod"}, place{d, team + "-dev"})
		if t == 0 { // one branch as deep as Organizations allows
			cards := g.ou(p, "Cards")
			places = append(places, place{cards, team + "-cards-prod"}, place{g.ou(cards, "EU"), team + "-cards-eu-prod"})
		}
	}
	places = append(places, place{staging, "staging"}, place{top, "workloads-legacy"})
	for i := range n {
		at := places[i%len(places)]
		name := at.path
		if round := i / len(places); round > 0 || strings.HasSuffix(name, "staging") {
			name += fmt.Sprintf("-%d", round+1)
		}
		g.workload(g.account(at.id, name), i)
	}
}

// enterable gives an account the role that AWS makes in created accounts, or
// Control Tower's.
func (g *generator) enterable(a *account, controlTower bool) {
	name := "OrganizationAccountAccessRole"
	if controlTower {
		name = "AWSControlTowerExecution"
	}
	g.role(a, name)
	for i, region := range switchedRegions {
		a.optedIn[region] = chance(a.ID, region, "opt-in") < []float64{0.1, 0.4, 0.1, 0.1, 0.6, 0.05, 0.05}[i]
	}
	a.Tags["cost-center"] = fmt.Sprintf("cc-%03d", 100+g.r.IntN(30))
}

// role gives an account an administrator's role, from when it joined.
func (g *generator) role(a *account, name string) {
	g.w.administrator(a, name, "AROA"+strings.ToUpper(g.alnum(17)), a.Joined)
}

// administrator gives an account an administrator's role that trusts the management account.
func (w *world) administrator(a *account, name, id string, since time.Time) {
	trust, _ := parsePolicy(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:" + w.partition + ":iam::" + w.management + ":root"}, "Action": "sts:AssumeRole",
	}}})
	a.roles[name] = &iamRole{
		Name: name, Path: "/", ID: id, ARN: "arn:" + w.partition + ":iam::" + a.ID + ":role/" + name,
		Created: since, Trust: trust, Managed: []string{"arn:" + w.partition + ":iam::aws:policy/AdministratorAccess"},
	}
}

// chance is a number from 0 to 1 that depends on names only, so that state can be
// made when it is first looked at.
func chance(names ...string) float64 {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(names, "\x00")))
	return rand.New(rand.NewPCG(h.Sum64(), 1)).Float64()
}
