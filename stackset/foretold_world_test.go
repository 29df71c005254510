package stackset_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
)

// seeded is an organization of chance, with what accounts have in life.
type seeded struct {
	*estate
	r    *rand.Rand
	home string
	// ous are the ids of the OUs, by name; scps those of the policies that were made.
	ous, scps map[string]string
	said      []string // what was done to it, for who has to look into a seed
	made      int      // policies
	last      bool     // this run is the last one
	tally     *tally
}

func (w *seeded) chance(p float64) bool { return w.r.Float64() < p }

func (w *seeded) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// pick is one of a list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// some are a few of a list, at least one, in its order.
func some[T any](r *rand.Rand, list ...T) []T {
	sure := r.IntN(len(list))
	var out []T
	for i, x := range list {
		if i == sure || r.IntN(3) == 0 {
			out = append(out, x)
		}
	}
	return out
}

// wire are the faults that change nothing of what comes out.
var wire = simaws.Faults{{Kind: simaws.FaultThrottle, Share: 0.02}, {Kind: simaws.FaultError, Share: 0.01}, {Kind: simaws.FaultReset, Share: 0.01}}

func newSeeded(t *testing.T, seed uint64) *seeded {
	t.Helper()
	w := &seeded{r: rand.New(rand.NewPCG(seed, 5)), ous: map[string]string{}, scps: map[string]string{}}
	w.home = pick(w.r, home, home, west)
	text := w.file()
	described, err := simaws.ParseOrganization(fmt.Sprintf("seed %d", seed), []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	w.say("%s", text)
	o := simaws.Options{Organization: described, Seed: seed, Home: w.home}
	if w.chance(0.5) {
		o.Faults = wire
	}
	w.estate = &estate{t: t, sim: simaws.New(o)}
	w.open(w.sim.Client())
	if w.tree, err = orgs.Walk(t.Context(), orgs.NewClient(w.session.Own("")), orgs.WalkOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if w.known, err = awsapi.ListRegions(t.Context(), w.session.Own(""), ""); err != nil {
		t.Fatal(err)
	}
	w.units(w.tree.Root)
	for _, a := range w.members() {
		w.furnish(a)
	}
	for range w.r.IntN(4) {
		w.forbid()
	}
	return w
}

// open makes the session. Its retryer is not the adaptive one, which after a throttle can
// ask for a sleep of no time: then time stands still in a bubble.
func (w *seeded) open(client aws.HTTPClient) {
	var err error
	w.session, err = awsapi.Open(w.t.Context(), awsapi.Options{Static: true, HomeRegion: w.home, EndpointURL: "http://127.0.0.1", HTTPClient: client, Run: "seed", Retryer: func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = awsapi.Attempts, ratelimit.None })
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// units notes the OUs below one.
func (w *seeded) units(ou *orgs.OU) {
	for _, below := range ou.Children {
		w.ous[below.Path] = below.ID
		w.units(below)
	}
}

func (w *seeded) members() []*orgs.Account {
	return slices.DeleteFunc(slices.Clone(w.tree.Accounts), func(a *orgs.Account) bool { return a.Management })
}

// file writes the organization as --org reads it.
func (w *seeded) file() string {
	r, b := w.r, &strings.Builder{}
	b.WriteString("management: {name: management, optInRegions: [eu-south-1]}\ntrustedAccess: [member.org.stacksets.cloudformation.amazonaws.com, config.amazonaws.com]\n")
	type unit struct {
		name     string
		depth    int
		below    []*unit
		accounts []string
	}
	top := &unit{}
	units := []*unit{top}
	for i := range 2 + r.IntN(4) {
		parent := units[r.IntN(len(units))]
		if parent.depth == 5 {
			parent = top
		}
		u := &unit{name: fmt.Sprintf("ou%d", i+1), depth: parent.depth + 1}
		parent.below = append(parent.below, u)
		units = append(units, u)
	}
	for i := range 5 + r.IntN(9) {
		u := units[r.IntN(len(units))]
		u.accounts = append(u.accounts, w.account(i+1))
	}
	var write func(u *unit, indent string)
	write = func(u *unit, indent string) {
		if len(u.accounts) > 0 {
			fmt.Fprintf(b, "%saccounts:\n", indent)
			for _, a := range u.accounts {
				fmt.Fprintf(b, "%s  - %s\n", indent, a)
			}
		}
		if len(u.below) > 0 {
			fmt.Fprintf(b, "%sous:\n", indent)
			for _, o := range u.below {
				fmt.Fprintf(b, "%s  - name: %s\n", indent, o.name)
				write(o, indent+"    ")
			}
		}
	}
	write(top, "")
	return b.String()
}

// account writes one account of chance.
func (w *seeded) account(n int) string {
	r := w.r
	keys := []string{fmt.Sprintf(`id: "2000000000%02d", name: a%d`, n, n)}
	if w.chance(0.1) {
		keys = append(keys, "state: "+pick(r, "SUSPENDED", "CLOSED", "PENDING_CLOSURE", "PENDING_ACTIVATION"))
	}
	if w.chance(0.75) {
		keys = append(keys, "optInRegions: [eu-south-1]")
	}
	switch {
	case w.chance(0.08):
		keys = append(keys, "roles: []")
	case w.chance(0.1):
		keys = append(keys, "roles: [AWSControlTowerExecution]")
	}
	regions := []string{home, west, optIn}
	var recorders []string
	if w.chance(0.35) {
		regions = some(r, regions...)
		kind := pick(r, "", "", ", name: aws-controltower-BaselineConfigRecorder", ", recording: false", `, types: ["AWS::S3::Bucket"]`, ", channel: false", ", name: rollout")
		for _, region := range regions {
			recorders = append(recorders, "{region: "+region+kind+"}")
		}
		keys = append(keys, "recorders: ["+strings.Join(recorders, ", ")+"]")
	}
	if w.chance(0.2) {
		rule := pick(r,
			"name: securityhub-vpc-default-security-group-closed-1a2b, identifier: VPC_DEFAULT_SECURITY_GROUP_CLOSED, createdBy: securityhub.amazonaws.com",
			"name: groups-closed, identifier: VPC_DEFAULT_SECURITY_GROUP_CLOSED",
			"name: rollout-vpc-default-security-group-closed, identifier: VPC_DEFAULT_SECURITY_GROUP_CLOSED",
			"name: rollout-vpc-default-security-group-closed, identifier: INCOMING_SSH_DISABLED",
			"name: rollout-ec2-ebs-encryption-by-default, identifier: EC2_EBS_ENCRYPTION_BY_DEFAULT",
			"name: rollout-iam-password-policy, identifier: IAM_PASSWORD_POLICY",
		)
		var rules []string
		for _, region := range some(r, regions...) {
			rules = append(rules, "{region: "+region+", "+rule+"}")
		}
		keys = append(keys, "rules: ["+strings.Join(rules, ", ")+"]")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// furnish gives an account what a file cannot say.
func (w *seeded) furnish(a *orgs.Account) {
	note := func(what string) { w.say("%s has %s", a.Name, what) }
	if w.chance(0.5) {
		w.sim.SetServiceLinkedRole(a.ID, "config.amazonaws.com", true)
		note("AWSServiceRoleForConfig")
	}
	if w.chance(0.3) {
		w.sim.SetServiceLinkedRole(a.ID, "remediation.config.amazonaws.com", true)
		note("AWSServiceRoleForConfigRemediation")
	}
	if w.chance(0.06) {
		region := pick(w.r, home, west, optIn)
		if w.sim.Recorder(a.ID, region) == "" {
			w.sim.PutChannel(a.ID, region, "left")
			note("a channel in " + region)
		}
	}
	if w.chance(0.1) && a.Active() && w.sim.HasRole(a.ID, "OrganizationAccountAccessRole") {
		w.linkRecorder(a.Name, pick(w.r, home, west))
		note("a service's recorder")
	}
	if w.chance(0.1) {
		name := "rollout-config-" + a.ID + "-" + w.home + "-an"
		w.sim.PutBucket(a.ID, w.home, name, simaws.BucketSpec{})
		w.sim.SetBucketPolicy(a.ID, name, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:*","Resource":"*"}]}`)
		note("the bucket " + name)
	}
	if w.chance(0.1) {
		w.sim.PutRole(a.ID, "rollout-reader")
		note("the role rollout-reader")
	}
}

// exemptions are conditions under which a policy does not deny.
var exemptions = []string{
	"",
	`"ArnNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/stacksets-exec-*"}`,
	`"StringNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/stacksets-exec-*","arn:aws:iam::*:role/OrganizationAccountAccessRole"]}`,
	`"ArnNotLike":{"aws:PrincipalARN":"arn:*:iam::*:role/AWSControlTowerExecution"}`,
	`"ArnNotEquals":{"aws:PrincipalARN":"arn:aws:iam::*:role/OrganizationAccountAccessRole"}`,
}

// forbid attaches a service control policy of chance somewhere.
func (w *seeded) forbid() {
	r := w.r
	statement, condition := "", pick(r, exemptions...)
	switch {
	case w.chance(0.6):
		actions := some(r, "config:PutConfigRule", "config:PutConfigurationRecorder", "config:PutDeliveryChannel", "config:*", "cloudformation:*", "cloudformation:CreateStack",
			"iam:CreateRole", "iam:CreateServiceLinkedRole", "s3:CreateBucket", "s3:PutBucketPolicy", "ssm:CreateDocument", "config:PutRemediationConfigurations", "config:Describe*", "iam:Get*", "s3:*")
		if len(actions) > 2 {
			actions = actions[:2]
		}
		statement = fmt.Sprintf(`"Action":["%s"]`, strings.Join(actions, `","`))
	default:
		not := pick(r, `"iam:*","sts:*","organizations:*","account:*"`, `"iam:*","sts:*","organizations:*","account:*","s3:*"`, `"sts:*","organizations:*"`)
		regions := `"StringNotEquals":{"aws:RequestedRegion":["` + strings.Join(some(r, home, west, optIn), `","`) + `"]}`
		statement = `"NotAction":[` + not + `]`
		if condition != "" {
			regions += ","
		}
		condition = regions + condition
	}
	resource := `"Resource":"*"`
	if w.chance(0.1) {
		resource = `"Resource":"arn:aws:config:*:*:config-rule/*"`
	}
	content := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"Keep","Effect":"Deny",%s,%s,"Condition":{%s}}]}`, statement, resource, condition)
	targets := []string{}
	for _, id := range w.ous {
		targets = append(targets, id)
	}
	slices.Sort(targets)
	members := w.members()
	target := pick(r, targets...)
	if w.chance(0.4) {
		target = members[r.IntN(len(members))].ID
	} else if w.chance(0.1) {
		target = w.tree.Root.ID
	}
	api := organizations.NewFromConfig(w.session.Own(""))
	w.made++
	name := fmt.Sprintf("policy%d", w.made)
	made, err := api.CreatePolicy(w.t.Context(), &organizations.CreatePolicyInput{Name: &name, Description: aws.String("of chance"), Content: &content, Type: orgtypes.PolicyTypeServiceControlPolicy})
	if err != nil {
		w.t.Fatalf("%v: %s", err, content)
	}
	if _, err := api.AttachPolicy(w.t.Context(), &organizations.AttachPolicyInput{PolicyId: made.Policy.PolicySummary.Id, TargetId: &target}); err != nil {
		w.t.Fatal(err)
	}
	w.scps[*made.Policy.PolicySummary.Id] = target
	w.say("%s at %s: %s", name, target, content)
}

// change is what happens to an organization between two runs.
func (w *seeded) change() {
	members := w.members()
	for range 1 + w.r.IntN(4) {
		a := members[w.r.IntN(len(members))]
		switch w.r.IntN(8) {
		case 0:
			state := pick(w.r, "SUSPENDED", "CLOSED", "ACTIVE")
			w.sim.SetState(a.ID, state)
			w.say("then %s is %s", a.Name, state)
		case 1:
			region := pick(w.r, home, west, optIn)
			if w.sim.Recorder(a.ID, region) == "" {
				w.sim.PutRecorder(a.ID, region, simaws.RecorderSpec{})
				w.say("then %s has a recorder in %s", a.Name, region)
			}
		case 2:
			on := w.chance(0.5)
			w.sim.OptIn(a.ID, optIn, on)
			w.say("then %s of %s is on: %v", optIn, a.Name, on)
		case 3:
			ids := []string{w.tree.Root.ID}
			for _, id := range w.ous {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			to := pick(w.r, ids...)
			w.sim.Move(a.ID, to)
			w.say("then %s stands in %s", a.Name, to)
		case 4, 5:
			w.forbid()
		case 6:
			w.allow()
		case 7:
			w.sim.PutRole(a.ID, "OrganizationAccountAccessRole")
			w.say("then %s can be entered", a.Name)
		}
	}
	var err error
	if w.tree, err = orgs.Walk(w.t.Context(), orgs.NewClient(w.session.Own("")), orgs.WalkOptions{}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// allow takes a policy away, if there is any.
func (w *seeded) allow() {
	if len(w.scps) == 0 {
		return
	}
	id := slices.Min(slices.Collect(maps.Keys(w.scps)))
	target := w.scps[id]
	if _, err := organizations.NewFromConfig(w.session.Own("")).DetachPolicy(w.t.Context(), &organizations.DetachPolicyInput{PolicyId: &id, TargetId: &target}); err != nil {
		w.t.Fatal(err)
	}
	delete(w.scps, id)
	w.say("then %s is gone from %s", id, target)
}
