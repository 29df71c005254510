package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/terminal"
)

// passing are the parts of a session that differ from run to run, and what stands for
// each, as long where it stands in a table.
var passing = []struct {
	form *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "YYYY-MM-DDTHH:MM:SSZ"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "EXECUTION"},
	{regexp.MustCompile(`rollout-\d{8}T\d{6}Z-[0-9a-f]+`), "rollout-RUN"},
	{regexp.MustCompile(`(snap|vol)-[0-9a-f]{17}`), "$1-0123456789abcdef0"},
}

// docs/restore.md shows what a restore does, as the program and EC2 said it; go test
// -update writes it.
func TestPageOfARestore(t *testing.T) {
	r := rehearse(t)
	account := r.accounts(1, "Workloads/")[0]
	const region = "us-east-1"
	r.sim.SetGroups(account, region, true)
	r.sim.UseGroups(account, region, false)
	r.sim.TagGroups(account, region, "", "")
	api := ec2.NewFromConfig(r.member(account))
	read := func(id string) types.SecurityGroup {
		t.Helper()
		in := &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-name"), Values: []string{"default"}}}}
		if id != "" {
			in = &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}}
		}
		out, err := api.DescribeSecurityGroups(t.Context(), in)
		if err != nil || len(out.SecurityGroups) == 0 {
			t.Fatal(out, err)
		}
		return out.SecurityGroups[0]
	}
	group := *read("").GroupId
	if _, err := api.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []types.IpPermission{
		{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(5432), ToPort: aws.Int32(5432), IpRanges: []types.IpRange{{CidrIp: aws.String("10.20.0.0/16"), Description: aws.String("reporting")}}},
	}}); err != nil {
		t.Fatal(err)
	}
	b := &strings.Builder{}
	b.WriteString("# A restore, before and after\n\nWritten by a test against the simulated organization (`go test ./cmd/rollout -run TestPageOfARestore -update`): do not edit.\n" +
		"The tables are what EC2 says; times, executions, runs and the snapshot differ each time, and something else stands for them here.\n\n")
	show := func(title string) []types.IpPermission {
		t.Helper()
		g := read(group)
		fmt.Fprintf(b, "%s\n\n```\n", title)
		all := append(append([]types.IpPermission{}, g.IpPermissions...), g.IpPermissionsEgress...)
		if err := terminal.Table(b, []string{"DIRECTION", "PROTOCOL", "PORTS", "PEER", "DESCRIPTION"}, ruleLines(g)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(b, "%d rules, tags: %s\n```\n\n", len(all), tagLine(g.Tags))
		return all
	}
	session := func(want int, args ...string) {
		t.Helper()
		stdout, stderr := r.rollout(want, args...)
		fmt.Fprintf(b, "```\n$ rollout %s\n%s\n```\n\n", strings.Join(args, " "), strings.TrimSpace(stderr+stdout))
	}
	at := []string{"--account", account, "--region", region}
	config, shot := configservice.NewFromConfig(r.member(account)), exposures(t, r, account)[1]

	b.WriteString("## A security group that remediation emptied\n\n")
	had := show("Before: a default security group with rules.")
	run := append([]string{"--template", "default-security-group,public-exposure", "--remediation", "automatic", "--yes"}, at...)
	r.rollout(exitDone, append(slices.Clone(run), "--out", t.TempDir())...)
	fmt.Fprintf(b, "`rollout %s` deploys the rules and their remediation, and the rule finds the group.\n\n", strings.Join(run, " "))
	if left := show("After remediation: nothing is left in it, and what there was is in the delivery bucket."); len(left) != 0 {
		t.Fatalf("%d rules are left", len(left))
	}
	session(exitDone, append([]string{"restore"}, at...)...)
	session(exitDone, append([]string{"restore", "--resource", group, "--yes"}, at...)...)
	again := show("After the restore: the same rules, and a tag by which every remediation leaves the group.")
	if len(again) != len(had) || len(read(group).Tags) != 1 {
		t.Errorf("%d rules of %d, tags %+v", len(again), len(had), read(group).Tags)
	}
	closed := exposed{id: group, rule: "rollout-vpc-default-security-group-closed", key: configtypes.ResourceKey{ResourceType: "AWS::EC2::SecurityGroup", ResourceId: &group}}
	if !found(t, config, closed) {
		t.Error("the rule does not find the group again")
	}
	step := remediate(t, config, closed)
	if later := show("Later: the rule has found the group again (NON_COMPLIANT), and its remediation ended in " + step + "."); len(later) != len(had) {
		t.Errorf("later %d rules of %d", len(later), len(had))
	}

	b.WriteString("## A snapshot that was public\n\nWhat a restore opens to the public has to be named twice: `--yes` alone is refused, and what becomes public is said.\n\n")
	remediate(t, config, shot)
	session(exitFailed, append([]string{"restore", "--resource", shot.id, "--yes"}, at...)...)
	session(exitDone, append([]string{"restore", "--resource", shot.id, "--public", shot.id, "--yes"}, at...)...)
	if shot.remedied() {
		t.Error("the snapshot is not public again")
	}

	page := b.String()
	for _, p := range passing {
		page = p.form.ReplaceAllString(page, p.word)
	}
	page = strings.TrimRight(page, "\n") + "\n"
	const file = "../../docs/restore.md"
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(text), page); diff != "" {
		t.Errorf("docs/restore.md is another (-file +now); -update writes it:\n%s", diff)
	}
}

// ruleLines are a group's rules, one peer a line.
func ruleLines(g types.SecurityGroup) [][]string {
	var lines [][]string
	for direction, list := range map[string][]types.IpPermission{"inbound": g.IpPermissions, "outbound": g.IpPermissionsEgress} {
		for _, p := range list {
			protocol, ports := aws.ToString(p.IpProtocol), "all"
			if protocol == "-1" {
				protocol = "all"
			}
			if p.FromPort != nil && *p.FromPort >= 0 {
				ports = fmt.Sprint(*p.FromPort)
				if *p.ToPort != *p.FromPort {
					ports += fmt.Sprint("-", *p.ToPort)
				}
			}
			line := func(peer, description *string) {
				lines = append(lines, []string{direction, protocol, ports, aws.ToString(peer), aws.ToString(description)})
			}
			for _, x := range p.IpRanges {
				line(x.CidrIp, x.Description)
			}
			for _, x := range p.Ipv6Ranges {
				line(x.CidrIpv6, x.Description)
			}
			for _, x := range p.PrefixListIds {
				line(x.PrefixListId, x.Description)
			}
			for _, x := range p.UserIdGroupPairs {
				line(x.GroupId, x.Description)
			}
		}
	}
	slices.SortFunc(lines, slices.Compare)
	return lines
}

func tagLine(tags []types.Tag) string {
	var words []string
	for _, t := range tags {
		words = append(words, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}
