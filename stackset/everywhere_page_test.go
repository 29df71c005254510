package stackset_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollout/templates"
)

// columns are the kinds of accounts, in the order of testdata/kinds.yaml, with what each
// has before anything is deployed.
var columns = []struct{ kind, has string }{
	{"new", "nothing; eu-south-1 is switched on"},
	{"recording", "a recorder and a delivery channel of its own in each Region, and rules of its own"},
	{"recording at home", "the same in us-east-1 only"},
	{"recording elsewhere", "the same in eu-south-1 only"},
	{"Control Tower", "Control Tower's recorder in each Region and its rule; policies deny to change recorders and channels; AWSControlTowerExecution is the role"},
	{"service-linked recorder", "a recorder of an AWS service, which does not count"},
	{"recorder stopped", "a recorder of its own in each Region, and it is stopped"},
	{"recording a part", "a recorder of its own in each Region, which records buckets only"},
	{"channel without recorder", "a delivery channel in each Region, and no recorder"},
	{"equal rules", "a recorder of its own, and each managed rule that takes no parameters under a name of Security Hub's"},
	{"Region off", "eu-south-1 is not switched on"},
	{"Region denied", "a policy denies eu-south-1"},
	{"no role", "no role that the management account could assume"},
	{"rules denied", "a policy denies config:PutConfigRule"},
	{"suspended", "it is closed"},
	{"management", "it is the organization's management account"},
}

const pageHead = `# Every template in every kind of account

Written by ` + "`go test ./stackset -run TestEveryTemplateEverywhere -update`" + `; the test fails while this page is not what it finds.

One account of each kind (` + "[stackset/testdata/kinds.yaml](../stackset/testdata/kinds.yaml), which `rollout simulate --org` serves too" + `) stands in a
simulated organization. In each of three choices of Regions each template is deployed with what it needs, deployed again, taken
out with what it needed, deployed again over what had stayed, and taken out again. An ` + "`-enforce`" + ` template is deployed with
` + "`--remediation manual`" + `, and where it is offered with ` + "`automatic`" + ` and then ` + "`manual`" + ` again. A template for one
account goes to each in turn, which is then AWS Config's delegated administrator. In all of them, and in every account:

- an instance that came true has all that its template says, and no other has anything of it;
- a second deploy has nothing to do and makes no call that writes, but for what failed before;
- taking it out leaves what the template retains, and nothing else; deploying it again makes do with that, and makes the same;
- what the account had before is there all the time, unchanged and not made anew.

`

// matrixPage is docs/matrix.md.
func matrixPage(lives map[string]map[int]life) string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("| kind | has beforehand |\n| --- | --- |\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "| %s | %s |\n", c.kind, c.has)
	}
	b.WriteString("\n`3/3` is three places in which an instance came true, of the three that the run looked at; letters are explained below the tables.\n")
	notes := map[string]string{} // note: letters
	var order []string
	letters := func(c cell) string {
		var out []string
		for _, n := range c.notes {
			if notes[n] == "" {
				notes[n] = letter(len(order))
				order = append(order, n)
			}
			out = append(out, notes[n])
		}
		slices.Sort(out)
		return strings.Join(out, ",")
	}
	for i, set := range regionSets {
		fmt.Fprintf(&b, "\n## In %s\n\n`--home-region %s --region %s`\n\n| template |", set.title, home, strings.Join(set.regions, ","))
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", c.kind)
		}
		b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
		for _, t := range templates.All() {
			fmt.Fprintf(&b, "| %s |", t.Name)
			for _, column := range columns {
				c := lives[t.Name][i].cells[column.kind]
				fmt.Fprintf(&b, " %s |", strings.TrimSpace(fmt.Sprintf("%d/%d %s", c.done, c.of, letters(c))))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n## Why not\n\n")
	for i, n := range order {
		fmt.Fprintf(&b, "- **%s** %s\n", letter(i), n)
	}
	b.WriteString("\n## What a new account holds afterwards\n\nOf the template itself in the three Regions, and what stays in the account when it and what it needs are taken out.\n\n| template | holds | stays |\n| --- | --- | --- |\n")
	for _, t := range templates.All() {
		l := lives[t.Name][len(regionSets)-1]
		fmt.Fprintf(&b, "| %s | %s | %s |\n", t.Name, counted(l.makes), counted(l.stays))
	}
	return b.String()
}

// letter numbers notes: a … z, aa …
func letter(n int) string {
	if n < 26 {
		return string(rune('a' + n))
	}
	return letter(n/26-1) + letter(n%26)
}

// counted counts types of resources.
func counted(list []string) string {
	n := map[string]int{}
	for _, t := range list {
		n[strings.TrimPrefix(t, "AWS::")]++
	}
	var out []string
	for _, t := range slices.Sorted(maps.Keys(n)) {
		if n[t] > 1 {
			t = fmt.Sprintf("%d × %s", n[t], t)
		}
		out = append(out, t)
	}
	if out == nil {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
