package prove_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollout/internal/awsapi"
	"rollout/internal/prove"
	"rollout/internal/simaws"
	"rollout/orgs"
)

var update = flag.Bool("update", false, "rewrite the expected verdicts")

// ground is a simulated organization with a sandbox of it.
type ground struct {
	sim     *simaws.Sim
	session *awsapi.Session
	options prove.Options
}

func newGround(t *testing.T, path string, accounts int) *ground {
	t.Helper()
	return newGroundOf(t, simaws.Options{}, path, accounts)
}

func newGroundOf(t *testing.T, of simaws.Options, path string, accounts int) *ground {
	t.Helper()
	// Without request rates: the SDK's adaptive retryer spins on sleeps of zero in
	// a bubble. The command's own test has them.
	sim := simaws.New(of)
	session, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HomeRegion: "us-east-1", EndpointURL: "http://127.0.0.1:1", HTTPClient: sim.Client()})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := orgs.Walk(t.Context(), orgs.NewClient(session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := prove.Options{Session: session, CallAs: "SELF", Quick: true, Organization: tree.OrganizationID, Management: tree.ManagementAccount, Run: "test"}
	var sandbox *orgs.OU
	for ou := range tree.OUs() {
		if ou.Path == path {
			sandbox = ou
		} else if ou.Path == "Security" {
			o.Elsewhere = ou.ID
		}
	}
	o.OU = sandbox.ID
	for _, a := range tree.Accounts {
		if !a.OU.Under(sandbox) {
			continue
		}
		if x := (prove.Account{ID: a.ID, State: a.State}); a.Active() && len(o.Accounts) < accounts {
			o.Accounts = append(o.Accounts, x)
		} else {
			o.Others = append(o.Others, x)
		}
	}
	lines, err := simaws.Fidelity()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		o.Lines = append(o.Lines, prove.Line{ID: l.ID, Section: l.Section, Text: l.Modelled, Weak: l.Strength == "weak"})
	}
	return &ground{sim, session, o}
}

// The simulator does what it claims: nothing is refuted, and nothing is left of
// what was made for it.
func TestTheSimulatorHoldsItsOwnClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		report, err := prove.Run(t.Context(), g.options)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, x := range report.Results {
			fmt.Fprintf(&got, "%-9s %s\n", x.Verdict, x.Name)
			if x.Verdict == prove.Refuted || x.Failed {
				t.Errorf("%s %s: %s", x.Verdict, x.Name, x.Observed)
			}
			if x.Verdict != prove.NotTried && (len(x.Calls) != 1 || x.Calls[0].RequestID == "" || x.Calls[0].Operation == "") {
				t.Errorf("%s has calls %+v", x.Name, x.Calls)
			}
		}
		const golden = "testdata/simulator.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("got\n%s\nwant\n%s", &got, want)
		}
		g.bare(t, report)
	})
}

// Lists that are behind refute nothing, nor does an account that lets nobody in keep
// what can be tried in another from being tried.
func TestListsThatAreBehindRefuteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verdicts := func(g *ground) map[string]prove.Verdict {
			report, err := prove.Run(t.Context(), g.options)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Left) > 0 {
				t.Errorf("left: %+v", report.Left)
			}
			out := map[string]prove.Verdict{}
			for _, r := range report.Results {
				out[r.Name] = r.Verdict
			}
			return out
		}
		want := verdicts(newGround(t, "Sandbox", 2))
		g := newGroundOf(t, simaws.Options{ListLag: 2 * time.Second}, "Sandbox", 2)
		g.sim.RemoveRole(g.options.Accounts[0].ID, "OrganizationAccountAccessRole")
		got := verdicts(g)
		for name, v := range want {
			if got[name] != v {
				t.Errorf("%s is %s, and %s where lists are not behind", name, got[name], v)
			}
		}
	})
}

// bare says whether nothing of a run is left.
func (g *ground) bare(t *testing.T, report *prove.Report) {
	t.Helper()
	if len(report.Left) > 0 {
		t.Errorf("left: %+v", report.Left)
	}
	names, err := prove.Leftovers(context.WithoutCancel(t.Context()), g.options)
	if err != nil || len(names) > 0 {
		t.Errorf("still there: %v %v", names, err)
	}
}

// A claim that has a line has one that exists; a weak line has a claim or a reason.
func TestClaimsAndLinesKnowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		known, names, claimed := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, l := range g.options.Lines {
			known[l.ID] = true
		}
		for _, s := range prove.Scenarios() {
			for _, c := range s.Claims {
				if names[c.Name] {
					t.Errorf("claim %s is there twice", c.Name)
				}
				names[c.Name] = true
				if c.Documented == (len(c.Lines) > 0) {
					t.Errorf("claim %s: either AWS documents it or a line of FIDELITY.md rests on it", c.Name)
				}
				for _, id := range c.Lines {
					if !known[id] {
						t.Errorf("claim %s: FIDELITY.md has no line %s", c.Name, id)
					}
					claimed[id] = true
				}
			}
		}
		for _, l := range g.options.Lines {
			if l.Weak && !claimed[l.ID] && prove.Untried(l.ID) == "" {
				t.Errorf("%s is weak, and has neither a claim nor a reason why there is none", l.ID)
			}
		}
	})
}

// Interrupted in the middle, a run still removes what it made, and says of the rest
// that it was not tried.
func TestAnInterruptedRunRemovesWhatItMade(t *testing.T) {
	for _, at := range []string{"set-token-changed", "set-accounts-target", "set-account-gate"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGround(t, "Sandbox", 2)
				ctx, cancel := context.WithCancel(t.Context())
				g.options.Tell = func(e prove.Event) {
					if e.Result != nil && e.Result.Name == at {
						cancel()
					}
				}
				report, err := prove.Run(ctx, g.options)
				if err == nil {
					t.Error("no error")
				}
				g.bare(t, report)
				claims := 0
				for _, s := range prove.Scenarios() {
					claims += len(s.Claims)
				}
				if len(report.Results) != claims {
					t.Errorf("%d results, there are %d claims", len(report.Results), claims)
				}
				if last := report.Results[claims-1]; last.Verdict != prove.NotTried || last.Observed != "interrupted" {
					t.Errorf("the last claim: %s, %s", last.Verdict, last.Observed)
				}
			})
		})
	}
}

// What a killed run left is found by its name, and removed only when it has the tag.
func TestCleanRemovesLeftoversOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		theirs := g.leave(t, prove.Prefix+"by-hand", false)
		ours := g.leave(t, prove.Prefix+"killed", true)
		g.leave(t, "another", true)
		account := g.options.Accounts[0].ID
		g.leaveStack(t, account, prove.Prefix+"by-hand-stack", false)
		g.leaveStack(t, account, "another-stack", true)
		stack := g.leaveStack(t, account, prove.Prefix+"killed-stack", true)
		names, err := prove.Leftovers(t.Context(), g.options)
		if err != nil || !slices.Equal(names, []prove.Found{{Name: theirs}, {Name: ours}, {Account: account, Name: stack}}) {
			t.Fatalf("leftovers %v, %v", names, err)
		}
		left := prove.Clean(t.Context(), g.options, names)
		if len(left) != 1 || !strings.Contains(left[0].What, theirs) || !strings.Contains(left[0].Why, "tag") {
			t.Errorf("left: %+v", left)
		}
		if names, err = prove.Leftovers(t.Context(), g.options); err != nil || !slices.Equal(names, []prove.Found{{Name: theirs}}) {
			t.Errorf("then %v, %v", names, err)
		}
	})
}

// The JSON holds ids and nothing that names a person, and with Redact no id either.
func TestJSONTellsNoNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		report, err := prove.Run(t.Context(), g.options)
		if err != nil {
			t.Fatal(err)
		}
		var plain, redacted bytes.Buffer
		if err := report.WriteJSON(&plain, prove.JSONOptions{Version: "test"}); err != nil {
			t.Fatal(err)
		}
		if err := report.WriteJSON(&redacted, prove.JSONOptions{Version: "test", Redact: true}); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(redacted.Bytes()) || !json.Valid(plain.Bytes()) {
			t.Error("it is no JSON")
		}
		// The simulated caller is user/operator.
		if text := plain.String(); strings.Contains(text, "operator") || strings.Contains(text, "@example") {
			t.Error("the JSON names somebody")
		}
		for _, id := range []string{g.options.Organization, g.options.Management, g.options.OU, g.options.Elsewhere, g.options.Accounts[0].ID, g.options.Accounts[1].ID} {
			if !strings.Contains(plain.String(), id) {
				t.Errorf("%s is not in the JSON, so its absence proves nothing", id)
			}
			if strings.Contains(redacted.String(), id) {
				t.Errorf("%s is in the redacted JSON", id)
			}
		}
	})
}

func TestTextFitsEightyColumns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		report, err := prove.Run(t.Context(), g.options)
		if err != nil {
			t.Fatal(err)
		}
		report.Left = append(report.Left, prove.Leftover{What: strings.Repeat("thing ", 30), Why: "w", Remove: "r"})
		var text strings.Builder
		if err := report.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(text.String(), "\n") {
			// An ARN longer than a line is not broken.
			if n := len([]rune(line)); n > 80 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	})
}

func TestAnOperationThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGround(t, "Sandbox", 2)
		g.options.Patience = time.Second
		report, err := prove.Run(t.Context(), g.options)
		if err != nil {
			t.Fatal(err)
		}
		if !report.Partial() {
			t.Error("nothing went wrong, it says")
		}
		if i := slices.IndexFunc(report.Results, func(x *prove.Result) bool { return x.Name == "set-not-empty" }); !strings.Contains(report.Results[i].Observed, "did not end in time") {
			t.Errorf("%+v", report.Results[i])
		}
	})
}

// Where every account of the OU is chosen, and where one is suspended, claims are
// tried that are left alone elsewhere.
func TestWhatDependsOnTheSandbox(t *testing.T) {
	for claim, path := range map[string]string{"nobody-suspended": "Workloads", "config-batch": "Workloads", "set-union-create": "Workloads/Staging"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGround(t, path, 10)
			if claim == "set-union-create" {
				g.options.Accounts = append(g.options.Accounts, g.options.Others...)
				g.options.Others = nil
			}
			report, err := prove.Run(t.Context(), g.options)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(report.Results, func(x *prove.Result) bool { return x.Name == claim })
			if x := report.Results[i]; x.Verdict != prove.Confirmed {
				t.Errorf("%s %s: %s", x.Verdict, x.Name, x.Observed)
			}
			g.bare(t, report)
		})
	}
}
