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
)

// tally counts instances by what became of them, and why.
type tally struct {
	mu     sync.Mutex
	counts map[string]map[string]int
}

func newTally() *tally { return &tally{counts: map[string]map[string]int{}} }

func (c *tally) count(what, why string) {
	c.add(&tally{counts: map[string]map[string]int{what: {why: 1}}})
}

func (c *tally) add(other *tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, reasons := range other.counts {
		if c.counts[what] == nil {
			c.counts[what] = map[string]int{}
		}
		for why, n := range reasons {
			c.counts[what][why] += n
		}
	}
}

func (c *tally) sum(what string) (n int) {
	for _, k := range c.counts[what] {
		n += k
	}
	return n
}

func (c *tally) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		c.rows(&b, what)
	}
	return b.String()
}

// rows writes a table of reasons, the most frequent first.
func (c *tally) rows(b *strings.Builder, what string) {
	fmt.Fprintf(b, "| %s | instances |\n| --- | --- |\n", what)
	reasons := slices.SortedFunc(maps.Keys(c.counts[what]), func(x, y string) int {
		if n := c.counts[what][y] - c.counts[what][x]; n != 0 {
			return n
		}
		return strings.Compare(x, y)
	})
	for _, why := range reasons {
		fmt.Fprintf(b, "| %s | %d |\n", strings.ReplaceAll(why, "|", "\\|"), c.counts[what][why])
	}
	b.WriteString("\n")
}

// A reason is counted without its names and numbers.
var plainly = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`^(needs [\w-]+): .*$`), "$1"},
	{regexp.MustCompile(`(is denied (?:with an explicit deny in a service control policy|because no service control policy allows it)).*$`), "$1"},
	{regexp.MustCompile(`(cannot be entered|could not be read|could not be seen): .*$`), "$1"},
	{regexp.MustCompile(`^stack set [\w-]+ is outdated \(.*?\)( and this run updates none.*?touched).*$`), "the stack set is outdated$1"},
	{regexp.MustCompile(`enforcement of [\w-]+ is there and cannot be taken out: .*$`), "the other enforcement is there and cannot be taken out"},
	{regexp.MustCompile(`^stays (\w+), since \w+ enforcement cannot be there: .*$`), "stays as it is enforced, since the other enforcement cannot be there"},
	{regexp.MustCompile(`^stays, since .*$`), "stays, since what needs it cannot be deleted"},
	{regexp.MustCompile(`the equal rule \S.* gives the verdict`), "an equal rule gives the verdict"},
	{regexp.MustCompile(`, but leaves out .*?: no results`), ", but leaves out types of the rules: no results"},
	{regexp.MustCompile(`Control Tower's recorder \S+ is there`), "Control Tower's recorder is there"},
	{regexp.MustCompile(`the account's own recorder \S+ is there`), "the account's own recorder is there"},
	{regexp.MustCompile(`the bucket \S+, kept`), "the bucket, kept"},
	{regexp.MustCompile(`(a role called|a rule called|the rule|the rules) \S+?(,? \S+,?)* is there`), "$1 … is there"},
	{regexp.MustCompile(`\b(us|eu)-(east|west|south)-1\b`), "…"},
	{regexp.MustCompile(`\b\d{12}\b`), "…"},
	{regexp.MustCompile(`: exempt StackSets' role.*$|: delete it.*$|: aws iam .*$`), ""},
}

func reasonOf(text string) string {
	for _, p := range plainly {
		text = p.from.ReplaceAllString(text, p.to)
	}
	return text
}

// foretoldPage writes docs/foretold.md with -update, and holds it to name every reason.
func foretoldPage(t *testing.T, seeds uint64, c *tally) {
	t.Helper()
	const file = "../docs/foretold.md"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(foretoldText(seeds, c)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, reasons := range c.counts {
		for why, n := range reasons {
			if n >= 10 && seeds <= 200 && !strings.Contains(string(page), "| "+strings.ReplaceAll(why, "|", "\\|")+" |") {
				t.Errorf("%s does not have %q (%s, %d times): go test ./stackset -run TestEveryFailureIsForetold -update", file, why, what, n)
			}
		}
	}
}

func foretoldText(seeds uint64, c *tally) string {
	var b strings.Builder
	changed := c.sum("came true") + c.sum("announced")
	fmt.Fprintf(&b, `# What a plan foretells

Written by `+"`go test ./stackset -run TestEveryFailureIsForetold -update`"+`, over %d seeded organizations of 5 to 13 accounts. Each is
deployed to one to three times; between the deploys accounts are closed, moved, given recorders, roles and policies, and Regions are switched off.
Half of them have throttles, errors and broken connections on the wire, which change nothing of what comes out. `+"`ROLLOUT_SEED=123`"+` tells
what one of them is, `+"`ROLLOUT_SEEDS=2000`"+` tries more.

Of **%d** instances that the plans create, update, make anew or delete, **%d** came true. The other **%d** failed where a finding had said that the
place could not be looked into, that a policy looks at what no plan can know, or because what they need failed for that. **None failed unannounced.**
**%d** instances that were skipped were tried all the same, straight through the SDK: **none came true**, so none was a false alarm. A second plan has
nothing to do but what failed, the operations are those that were named, and what is left alone is there.

`, seeds, changed, c.sum("came true"), c.sum("announced"), c.sum("foretold"))
	for _, section := range []struct{ what, title, text string }{
		{"foretold", "Skipped, and impossible", "Each of these was tried after the deploy, and failed."},
		{"not wanted", "Skipped or left by wish or need", "Not tried: what needs something that is not there, or what the run does not want there."},
		{"not looked into", "Skipped since nobody could look", "A finding says so. What is there may be in the way or not."},
		{"announced", "Failed, and announced by a finding", "No reading could have told these from what comes true."},
		{"left alone", "Left alone", "As it should be already."},
		{"stays", "Not pruned", "Outside the selection, to be deleted, and not to be reached."},
		{"refused", "Runs refused", "Before anything was changed."},
		{"came true", "Came true", ""},
	} {
		if c.counts[section.what] == nil {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", section.title, section.text)
		c.rows(&b, section.what)
	}
	b.WriteString(`## What preflight cannot know

- **What comes after it.** A recorder, a rule, a role, a policy or a bucket that somebody makes between plan and deploy; an account that closes while an
  operation runs. The run says so instance by instance, and the next plan foretells it.
- **Rates and failures of AWS itself.** Throttles are waited out; an operation that StackSets fails for reasons of its own is run again by the next deploy.
- **Places that it may not look into**: an account without a role for it, a Region that a policy denies to its role and not to StackSets'. A finding names each.
- **Conditions of policies** on tags, on resources or on the caller that only the call itself has. A finding names the policy.
- **Stacks of OUTDATED instances**: which version they have is in no list, so what an update of them changes is not known. A policy that denies one of the
  actions that it may take is a finding; the action for which the instance failed before is foretold.
- **Policies of a central bucket** in another account. No organization here has resource control policies or lists of what is allowed; other tests have.
- **Names in accounts** that a template of the user's makes and that are not rules, roles or delivery buckets.
`)
	return strings.TrimRight(b.String(), "\n") + "\n"
}
