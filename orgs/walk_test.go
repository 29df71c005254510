package orgs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
)

// session opens the real session over a simulated organization.
func session(t *testing.T, s *simaws.Sim) *awsapi.Session {
	t.Helper()
	o, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HomeRegion: "eu-west-1", EndpointURL: "http://127.0.0.1:1", HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// walked walks a simulated organization in a bubble, so pacing takes no time.
func walked(t *testing.T, sim simaws.Options, o WalkOptions) (tree *Tree, s *simaws.Sim, events []Event) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s = simaws.New(sim)
		var err error
		tree, err = Walk(t.Context(), NewClient(session(t, s).Own("")), o, func(e Event) { events = append(events, e) })
		if err != nil {
			t.Fatal(err)
		}
	})
	return tree, s, events
}

// agree compares a tree with what the simulator says of itself.
func agree(t *testing.T, tree *Tree, s *simaws.Sim) {
	t.Helper()
	views := s.Accounts()
	if len(tree.Accounts) != len(views) {
		t.Fatalf("%d accounts, the organization has %d", len(tree.Accounts), len(views))
	}
	for _, v := range views {
		i := slices.IndexFunc(tree.Accounts, func(a *Account) bool { return a.ID == v.ID })
		if i < 0 {
			t.Fatalf("account %s is not in the tree", v.ID)
		}
		a := tree.Accounts[i]
		if a.Name != v.Name || a.State != v.State || a.OU.ID != v.ParentID || a.OUPath() != v.OUPath || a.Management != v.Management {
			t.Errorf("account %s is %+v in OU %s %q, the organization says %+v", v.ID, *a, a.OU.ID, a.OUPath(), v)
		}
	}
}

func calls(s *simaws.Sim) map[string]int {
	out := map[string]int{}
	for name, n := range s.Stats().Calls {
		if op, ok := strings.CutPrefix(name, "organizations:"); ok {
			out[op] = int(n)
		}
	}
	return out
}

func depth(o *OU) int { return len(o.names()) }

func TestWalkWholeTreeWithFewestCalls(t *testing.T) {
	tree, s, events := walked(t, simaws.Options{}, WalkOptions{})
	agree(t, tree, s)
	parents, ous := 0, 0
	for ou := range tree.OUs() {
		if depth(ou) < maxDepth {
			parents++
		}
		ous++
	}
	want := map[string]int{"DescribeOrganization": 1, "ListRoots": 1, "ListAccounts": 3, "ListOrganizationalUnitsForParent": parents}
	if got := calls(s); !reflect.DeepEqual(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
	if tree.Partial != nil {
		t.Errorf("a whole tree is partial: %v", tree.Partial)
	}
	if last, ok := events[len(events)-1].(Walked); !ok || last != (Walked{Accounts: 60, OUs: ous - 1, Calls: 5 + parents}) {
		t.Errorf("last event %+v", events[len(events)-1])
	}
}

func TestWalkListsOnlyWhatIsAskedFor(t *testing.T) {
	whole, _, _ := walked(t, simaws.Options{}, WalkOptions{})
	byPath := map[string]*OU{}
	for ou := range whole.OUs() {
		byPath[ou.Path] = ou
	}
	// listed counts the OUs to be asked for children: those that satisfy keep.
	listed := func(keep func(o *OU) bool) (n int) {
		for ou := range whole.OUs() {
			if depth(ou) < maxDepth && keep(ou) {
				n++
			}
		}
		return n
	}
	workloads, prod := byPath["Workloads"], byPath["Workloads/Prod"]
	if workloads == nil || prod == nil {
		t.Fatal("the built-in organization has no Workloads/Prod")
	}
	root := func(o *OU) bool { return o.Parent == nil }
	for _, c := range []struct {
		name  string
		below []string
		keep  func(o *OU) bool
	}{
		{"path", []string{"Workloads"}, func(o *OU) bool { return root(o) || o.Under(workloads) }},
		{"deeper path", []string{"Workloads/Prod"}, func(o *OU) bool { return root(o) || o == workloads || o.Under(prod) }},
		{"id", []string{prod.ID}, func(o *OU) bool { return root(o) || o == workloads || o.Under(prod) }},
		{"glob", []string{"Workloads/*"}, func(o *OU) bool { return root(o) || o.Under(workloads) }},
		{"stars", []string{"Workloads/**"}, func(o *OU) bool { return root(o) || o.Under(workloads) }},
		{"nothing there", []string{"Nowhere/At/All"}, root},
		{"root id", []string{whole.Root.ID}, func(*OU) bool { return true }},
		{"id of no account's path", []string{"ou-zzzz-zzzzzzzz"}, func(*OU) bool { return true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree, s, _ := walked(t, simaws.Options{}, WalkOptions{Below: c.below})
			if got, want := calls(s)["ListOrganizationalUnitsForParent"], listed(c.keep); got != want {
				t.Errorf("%d OU calls, want %d", got, want)
			}
			if len(tree.Accounts) != len(whole.Accounts) {
				t.Errorf("%d accounts of %d", len(tree.Accounts), len(whole.Accounts))
			}
			for _, a := range tree.Accounts {
				i := slices.IndexFunc(whole.Accounts, func(b *Account) bool { return a.ID == b.ID })
				if a.OU.ID != whole.Accounts[i].OU.ID {
					t.Errorf("account %s is in OU %s, not %s", a.ID, whole.Accounts[i].OU.ID, a.OU.ID)
				}
			}
		})
	}
}

// The choice is the same whether the tree was listed whole or only where asked.
func TestPartialTreeChoosesTheSame(t *testing.T) {
	whole, _, _ := walked(t, simaws.Options{}, WalkOptions{})
	for _, sel := range []Selector{
		{OUs: []string{"Workloads"}},
		{OUs: []string{"Workloads/*"}, ExcludeOUs: []string{"Workloads/Dev"}},
		{OUs: []string{"Workloads/**", "Security"}, ExcludeAccounts: []string{"audit"}},
		{OUs: []string{"*"}, ExcludeOUs: []string{"Sandbox"}},
	} {
		want, err := sel.Select(whole)
		if err != nil {
			t.Fatal(err)
		}
		part, _, _ := walked(t, simaws.Options{}, WalkOptions{Below: sel.Below()})
		got, err := sel.Select(part)
		if err != nil {
			t.Fatal(err)
		}
		if g, w := picture(got), picture(want); g != w {
			t.Errorf("%+v: partial tree\n%s\nwhole tree\n%s", sel, g, w)
		}
	}
}

func picture(s Selection) string {
	var lines []string
	for _, d := range s.Decisions {
		if d.Selected {
			lines = append(lines, d.Account.ID+" "+d.Account.OUPath()+" "+d.Reason)
		}
	}
	slices.Sort(lines)
	for _, ou := range s.OUs {
		lines = append(lines, ou.ID+" "+ou.Path)
	}
	return strings.Join(lines, "\n")
}

func TestWalkWithoutPaths(t *testing.T) {
	for _, below := range [][]string{nil, {"Workloads"}} {
		tree, s, events := walked(t, simaws.Options{NoPaths: true}, WalkOptions{Below: below})
		agree(t, tree, s)
		if tree.Partial != nil || !slices.Contains(events, Event(PathsMissing{})) {
			t.Errorf("below %v: partial %v, events %v", below, tree.Partial, events)
		}
		ous, parents := 0, 0
		for ou := range tree.OUs() {
			ous++
			if depth(ou) < maxDepth {
				parents++
			}
		}
		got := calls(s)
		// An OU listed before the paths were missed is not listed again.
		if got["ListOrganizationalUnitsForParent"] != parents || got["ListAccountsForParent"] < ous || got["ListRoots"] != 1 {
			t.Errorf("below %v: calls %v for %d OUs", below, got, ous)
		}
	}
}

func TestWalkWithoutState(t *testing.T) {
	tree, s, _ := walked(t, simaws.Options{NoState: true}, WalkOptions{})
	agree(t, tree, s)
}

func TestWalkUnderThrottling(t *testing.T) {
	tree, s, _ := walked(t, simaws.Options{Accounts: 400, Throttle: true}, WalkOptions{})
	agree(t, tree, s)
	if n := s.Stats().Throttled; n != 0 {
		t.Errorf("%d calls were throttled; the pace is to stay inside the rates", n)
	}
}

func TestWalkSurvivesFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simaws.New(simaws.Options{Faults: simaws.Faults{{Kind: simaws.FaultThrottle, Share: 0.2}, {Kind: simaws.FaultError, Share: 0.1}}})
		cfg := session(t, s).Own("")
		// Not the session's adaptive retryer: after a throttle its token bucket can
		// ask for a sleep of less than a nanosecond (aws/retry, AcquireToken),
		// which is none, and in a bubble no time passes by itself.
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = awsapi.Attempts, ratelimit.None })
		}
		tree, err := Walk(t.Context(), NewClient(cfg), WalkOptions{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, tree, s)
		if s.Stats().Throttled == 0 || s.Stats().Faults == 0 {
			t.Error("nothing failed: the test tests nothing")
		}
	})
}

func TestWalkReadsTagsOfWhatIsAskedFor(t *testing.T) {
	tree, s, events := walked(t, simaws.Options{}, WalkOptions{Below: []string{"Workloads"}, Tags: true})
	under := 0
	for _, a := range tree.Accounts {
		if strings.HasPrefix(a.OUPath()+"/", "Workloads/") {
			under++
			if a.Tags == nil {
				t.Errorf("account %s has no tags read", a.ID)
			}
		} else if a.Tags != nil {
			t.Errorf("account %s was not asked for", a.ID)
		}
	}
	if got := calls(s)["ListTagsForResource"]; got != under {
		t.Errorf("%d calls for the tags of %d accounts", got, under)
	}
	if !slices.Contains(events, Event(TagsRead{Done: under, Of: under})) {
		t.Error("no event says that the tags were read")
	}
}

func TestWalkKnownOrganization(t *testing.T) {
	_, s, _ := walked(t, simaws.Options{}, WalkOptions{Organization: &Organization{ID: "o-known00000", ManagementAccount: "111111111111"}})
	if n := calls(s)["DescribeOrganization"]; n != 0 {
		t.Errorf("%d calls for what was known", n)
	}
}

func TestNoOrganization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := NewClient(session(t, simaws.New(simaws.Options{NoOrganization: true})).Own(""))
		_, err := Walk(t.Context(), api, WalkOptions{}, nil)
		var typed *ErrNotInOrganization
		if !errors.As(err, &typed) || typed.Remedy() == "" || !strings.Contains(err.Error(), "AWSOrganizationsNotInUseException") {
			t.Errorf("walk: %v", err)
		}
		if _, err = Describe(t.Context(), api); !errors.As(err, &typed) {
			t.Errorf("describe: %v", err)
		}
	})
}

func TestMemberAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simaws.New(simaws.Options{Empty: true})
		member, management := "", ""
		for _, v := range s.Accounts() {
			if v.Management {
				management = v.ID
			} else if v.State == "ACTIVE" && strings.HasPrefix(v.OUPath, "Workloads") {
				member = v.ID
			}
		}
		own := session(t, s).Own("")
		role, err := sts.NewFromConfig(own).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::" + member + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("test"),
		})
		if err != nil {
			t.Fatal(err)
		}
		own.Credentials = credentials.NewStaticCredentialsProvider(*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken)
		_, err = Walk(t.Context(), NewClient(own), WalkOptions{Caller: member}, nil)
		var typed *ErrNotManagement
		if !errors.As(err, &typed) {
			t.Fatalf("walk: %v", err)
		}
		for _, part := range []string{member, management, "AccessDenied"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %s", err, part)
			}
		}
		if !strings.Contains(typed.Remedy(), management) {
			t.Errorf("remedy %q does not name account %s", typed.Remedy(), management)
		}
	})
}

func TestWalkStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := NewClient(session(t, simaws.New(simaws.Options{Accounts: 2000})).Own(""))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(2 * time.Second); cancel() }() // simulated: a bubble's clock
		start := time.Now()
		if _, err := Walk(ctx, api, WalkOptions{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("walk: %v", err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("the walk went on for %s", took)
		}
	})
}

func TestWalkRefusesMalformedBelow(t *testing.T) {
	var typed *SelectionError
	if _, err := Walk(t.Context(), nil, WalkOptions{Below: []string{"A//B"}}, nil); !errors.As(err, &typed) {
		t.Errorf("walk: %v", err)
	}
}

// odd answers as Organizations may, and the simulator does not.
type odd struct {
	API
	accounts []organizations.ListAccountsOutput
	ous      map[string][]types.OrganizationalUnit
	ouErr    error
	page     int
}

func (o *odd) DescribeOrganization(context.Context, *organizations.DescribeOrganizationInput, ...func(*organizations.Options)) (*organizations.DescribeOrganizationOutput, error) {
	return &organizations.DescribeOrganizationOutput{Organization: &types.Organization{Id: aws.String("o-odd0000000"), MasterAccountId: aws.String("111111111111")}}, nil
}

func (o *odd) ListRoots(context.Context, *organizations.ListRootsInput, ...func(*organizations.Options)) (*organizations.ListRootsOutput, error) {
	return &organizations.ListRootsOutput{Roots: []types.Root{{Id: aws.String("r-odd0"), Name: aws.String("Root")}}}, nil
}

func (o *odd) ListAccounts(context.Context, *organizations.ListAccountsInput, ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error) {
	out := o.accounts[min(o.page, len(o.accounts)-1)]
	o.page++
	return &out, nil
}

func (o *odd) ListOrganizationalUnitsForParent(_ context.Context, in *organizations.ListOrganizationalUnitsForParentInput, _ ...func(*organizations.Options)) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
	if o.ouErr != nil && *in.ParentId != "r-odd0" {
		return nil, o.ouErr
	}
	return &organizations.ListOrganizationalUnitsForParentOutput{OrganizationalUnits: o.ous[*in.ParentId]}, nil
}

func oddAccount(id, chain string) types.Account {
	return types.Account{Id: aws.String(id), Name: aws.String("a" + id), State: types.AccountStateActive, Paths: []string{"o-odd0000000/r-odd0/" + chain + id + "/"}}
}

func TestWalkEmptyPageThenMore(t *testing.T) {
	tree, err := Walk(t.Context(), &odd{accounts: []organizations.ListAccountsOutput{
		{NextToken: aws.String("1")}, {NextToken: aws.String("2")}, {Accounts: []types.Account{oddAccount("111111111111", "")}},
	}}, WalkOptions{}, nil)
	if err != nil || len(tree.Accounts) != 1 || !tree.Accounts[0].Management || tree.Accounts[0].OU != tree.Root {
		t.Errorf("tree %+v, error %v", tree, err)
	}
}

func TestWalkEndsOnARepeatedToken(t *testing.T) {
	_, err := Walk(t.Context(), &odd{accounts: []organizations.ListAccountsOutput{{NextToken: aws.String("1")}}}, WalkOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "same page token twice") {
		t.Errorf("walk: %v", err)
	}
}

// An OU made or deleted while the walk is under way leaves a tree all the same.
func TestWalkWhileTheTreeChanges(t *testing.T) {
	tree, err := Walk(t.Context(), &odd{
		accounts: []organizations.ListAccountsOutput{{Accounts: []types.Account{oddAccount("222222222222", "ou-odd0-aaaaaaaa/ou-odd0-bbbbbbbb/")}}},
		ous:      map[string][]types.OrganizationalUnit{"r-odd0": {{Id: aws.String("ou-odd0-aaaaaaaa"), Name: aws.String("A")}}},
		ouErr:    &types.ParentNotFoundException{},
	}, WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := tree.Accounts[0]; got.OU.ID != "ou-odd0-bbbbbbbb" || got.OUPath() != "A/ou-odd0-bbbbbbbb" {
		t.Errorf("account in %q", got.OUPath())
	}
}

func TestWalkFailsWhenAnOUCannotBeListed(t *testing.T) {
	_, err := Walk(t.Context(), &odd{
		accounts: []organizations.ListAccountsOutput{{}},
		ous:      map[string][]types.OrganizationalUnit{"r-odd0": {{Id: aws.String("ou-odd0-aaaaaaaa"), Name: aws.String("A")}}},
		ouErr:    fmt.Errorf("broken line: %w", http.ErrServerClosed),
	}, WalkOptions{}, nil)
	if !errors.Is(err, http.ErrServerClosed) || !strings.Contains(err.Error(), "list the OUs of ou-odd0-aaaaaaaa in organization o-odd0000000") {
		t.Errorf("walk: %v", err)
	}
}
