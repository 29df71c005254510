package simaws

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// put lays an object into a bucket of the management account.
func (g *stage) put(bucketName, key, text string) {
	g.sim.change(g.sim.world.management, func(a *account) {
		if a.buckets[bucketName] == nil {
			a.buckets[bucketName] = &bucket{Name: bucketName, Owner: a.ID, Region: "us-east-1", Objects: map[string][]byte{}}
		}
		a.buckets[bucketName].Objects[key] = []byte(text)
	})
}

// The accounts of a call may stand in a file: .csv or .txt, by commas or by lines.
func TestAccountsFromAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		ids := g.members()
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		g.put("lists", "commas.csv", ids[0]+", "+ids[1])
		g.put("lists", "deep/lines.txt", ids[1]+"\r\n"+ids[2]+"\n")
		g.put("lists", "list.json", ids[0])
		g.put("lists", "words.txt", "everyone")
		g.put("lists", "long.txt", strings.Repeat(ids[0]+"\n", maxAccountsFile/13+1))
		from := func(at string) *types.DeploymentTargets {
			return &types.DeploymentTargets{OrganizationalUnitIds: []string{g.root}, AccountsUrl: &at, AccountFilterType: "INTERSECTION"}
		}
		for at, want := range map[string]string{"s3://lists/commas.csv": ids[0] + " " + ids[1], "https://lists.s3.amazonaws.com/deep/lines.txt": ids[1] + " " + ids[2]} {
			op := g.deploy("s", from(at), []string{"us-east-1"})
			rows := g.results("s", op)
			for _, id := range strings.Fields(want) {
				if r := rows[id+"/us-east-1"]; len(rows) != 2 || r.Status != "SUCCEEDED" {
					t.Errorf("%s: %d rows, %s for %s", at, len(rows), r.Status, id)
				}
			}
			if got := aws.ToString(op.DeploymentTargets.AccountsUrl); got != at {
				t.Errorf("the operation shows AccountsUrl %q", got)
			}
		}
		both := from("s3://lists/commas.csv")
		both.Accounts = ids[:1]
		for message, to := range map[string]*types.DeploymentTargets{
			"either Accounts or AccountsUrl":             both,
			".csv or .txt":                               from("s3://lists/list.json"),
			"everyone, which is no account id":           from("s3://lists/words.txt"),
			"larger than 10 MB":                          from("s3://lists/long.txt"),
			"S3 error: The specified key does not exist": from("s3://lists/none.txt"),
			"S3 error: The specified bucket does not":    from("s3://nobody/none.txt"),
			"AccountsUrl must be a supported URL.":       from("https://example.com/a.txt"),
		} {
			_, err := g.api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: []string{"us-east-1"}, DeploymentTargets: to})
			g.wantError(err, "ValidationError", message)
		}
	})
}

// OUs of one call may overlap: an account has one instance, under an id that was
// named; the root with INTERSECTION is how accounts alone are targeted.
func TestOverlappingTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 30, Empty: true})
		w := g.sim.world
		var parent, child string
		for id, ou := range w.ous {
			if w.ous[ou.ParentID] != nil && len(g.under(id)) > 0 {
				child, parent = id, ou.ParentID
			}
		}
		deleted, gone := "", 0
		for _, id := range g.under(child) {
			if w.accounts[id].State == "ACTIVE" { // the others are skipped
				deleted = id
				gone++
			}
		}
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		op := g.deploy("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{child, parent, child}}, []string{"us-east-1"})
		rows, all := g.results("s", op), g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")})
		if len(all) != len(g.under(parent)) || len(rows) != len(all) {
			t.Errorf("%d instances, %d rows for %d accounts", len(all), len(rows), len(g.under(parent)))
		}
		for _, i := range all {
			if ou := *i.OrganizationalUnitId; ou != parent && ou != child {
				t.Error("an id that was not named:", ou)
			}
		}
		// An OU below one that was deployed to can be updated and deleted by itself; of
		// what is there, only that is gone.
		if op := g.delete("s", &types.DeploymentTargets{OrganizationalUnitIds: []string{child}}, []string{"us-east-1"}, false); op.Status != "SUCCEEDED" {
			t.Error(op.Status)
		}
		if left := g.list(&cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")}); len(left) != len(all)-gone {
			t.Errorf("%d left of %d, %d were deleted", len(left), len(all), gone)
		}
		// What is not there can be deleted: it is no error, and there are no rows. The
		// model has no StackInstanceNotFoundException for the call.
		op = g.delete("s", g.only(deleted), []string{"us-east-1"}, false)
		if op.Status != "SUCCEEDED" || len(g.results("s", op)) != 0 {
			t.Error(op.Status, g.results("s", op))
		}
	})
}

// under are the members below an OU, suspended ones too.
func (g *stage) under(ou string) (out []string) {
	for _, a := range g.sim.Accounts() {
		if !a.Management && g.sim.world.under(g.sim.world.accounts[a.ID], ou) {
			out = append(out, a.ID)
		}
	}
	return out
}

// Termination protection of its stack makes an instance's delete fail; the set with
// what is INOPERABLE then cannot be deleted, and retaining clears it.
func TestTerminationProtectionOfAnInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		id, home := g.enterable(), []string{"us-east-1"}
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(id), home)
		stack := g.instance("s", id, "us-east-1").StackId
		inside := g.enter(id)
		protect := func(on bool) {
			t.Helper()
			if _, err := inside.UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: stack, EnableTerminationProtection: &on}); err != nil {
				t.Fatal(err)
			}
		}
		protect(true)
		op := g.delete("s", g.only(id), home, false)
		in := g.instance("s", id, "us-east-1")
		if op.Status != "SUCCEEDED" || g.count("s", op)["FAILED"] != 1 || in == nil || in.Status != "INOPERABLE" || !strings.Contains(aws.ToString(in.StatusReason), "TerminationProtection is enabled") {
			t.Fatalf("%s %+v", op.Status, in)
		}
		_, err := g.api.DeleteStackSet(t.Context(), &cloudformation.DeleteStackSetInput{StackSetName: aws.String("s")})
		g.wantError(err, "StackSetNotEmptyException", "")
		g.delete("s", g.only(id), home, true)
		if _, err := g.api.DeleteStackSet(t.Context(), &cloudformation.DeleteStackSetInput{StackSetName: aws.String("s")}); err != nil {
			t.Error(err)
		}
		if out, err := inside.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: stack}); err != nil || out.Stacks[0].StackStatus != "CREATE_COMPLETE" {
			t.Error("the stack is not as it was:", err)
		}
	})
}

// Tags reach the stacks, and a list replaces all of them; they do not make the
// instances that are not updated OUTDATED, which template and parameters do.
func TestTagsOfASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		a, b := g.enterable(), ""
		for _, id := range g.members() {
			if id != a {
				b = id
			}
		}
		home := []string{"us-east-1"}
		tag := func(k string) types.Tag { return types.Tag{Key: aws.String(k), Value: aws.String("x")} }
		if err := g.create("s", emptyTemplate, func(in *cloudformation.CreateStackSetInput) { in.Tags = []types.Tag{tag("one")} }); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(a, b), home)
		shown := func() string {
			t.Helper()
			out, err := g.enter(a).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: g.instance("s", a, "us-east-1").StackId})
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, x := range out.Stacks[0].Tags {
				keys = append(keys, *x.Key)
			}
			return strings.Join(keys, " ")
		}
		if got := shown(); got != "one" {
			t.Error("the stack has the tags", got)
		}
		update := func(tags []types.Tag) {
			t.Helper()
			out, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), Tags: tags, Regions: home, DeploymentTargets: g.only(a)})
			if err != nil {
				t.Fatal(err)
			}
			g.wait("s", out.OperationId)
		}
		update([]types.Tag{tag("two"), tag("three")})
		if got := shown(); got != "three two" {
			t.Error("the list replaced them by", got)
		}
		if in := g.instance("s", b, "us-east-1"); in.Status != "CURRENT" {
			t.Error("tags make the others", in.Status)
		}
		update(nil)
		if got := shown(); got != "three two" {
			t.Error("without a list they are", got)
		}
		update([]types.Tag{})
		if got := shown(); got != "" {
			t.Error("an empty list leaves", got)
		}
	})
}

// Tags of a set need the permission to tag; without it nothing is made.
func TestTaggingASetNeedsPermission(t *testing.T) {
	g := newStage(t, Options{Accounts: 12, Empty: true})
	admin := ""
	for id, principals := range g.sim.world.delegated {
		if strings.Contains(strings.Join(principals, " "), stackSetsPrincipal) {
			admin = id
		}
	}
	if admin == "" {
		t.Fatal("no delegated administrator")
	}
	g.sim.DenyAction(admin, "cloudformation:TagResource")
	api := g.enter(admin)
	in := &cloudformation.CreateStackSetInput{StackSetName: aws.String("s"), TemplateBody: aws.String(emptyTemplate), PermissionModel: "SERVICE_MANAGED", CallAs: "DELEGATED_ADMIN",
		AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}
	_, err := api.CreateStackSet(t.Context(), in)
	g.wantError(err, "AccessDenied", "cloudformation:TagResource")
	in.Tags = nil
	if _, err := api.CreateStackSet(t.Context(), in); err != nil {
		t.Error("the refused call has made something, or tags were not the reason:", err)
	}
}

// Without trusted access no operation begins, of whatever kind.
func TestNothingIsDoneWithoutTrustedAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		ctx, name := t.Context(), aws.String("s")
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(g.members()[0]), []string{"us-east-1"})
		stack := g.instance("s", g.members()[0], "us-east-1").StackId
		clear(g.sim.world.delegated)
		if _, err := g.api.DeactivateOrganizationsAccess(ctx, &cloudformation.DeactivateOrganizationsAccessInput{}); err != nil {
			t.Fatal(err)
		}
		to, regions := g.only(g.members()[0]), []string{"us-east-1"}
		for what, err := range map[string]error{
			"CreateStackInstances": second(g.api.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: to})),
			"UpdateStackInstances": second(g.api.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: to})),
			"DeleteStackInstances": second(g.api.DeleteStackInstances(ctx, &cloudformation.DeleteStackInstancesInput{StackSetName: name, Regions: regions, DeploymentTargets: to, RetainStacks: aws.Bool(false)})),
			"UpdateStackSet":       second(g.api.UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{StackSetName: name, UsePreviousTemplate: aws.Bool(true)})),
			"DetectStackSetDrift":  second(g.api.DetectStackSetDrift(ctx, &cloudformation.DetectStackSetDriftInput{StackSetName: name})),
		} {
			if code(err) != "ValidationError" || !strings.Contains(err.Error(), "You must enable organizations access") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := g.api.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: name}); err != nil {
			t.Error("what is there can be read:", err)
		}
		if g.sim.world.accounts[g.members()[0]].region("us-east-1").stacks[stackNameOf(*stack)] == nil {
			t.Error("the stack is gone")
		}
	})
}

func second[T any](_ T, err error) error { return err }

// An operation that repeats another one under a new id works on what is OUTDATED, and
// leaves what is CURRENT as it is.
func TestRepeatingAnOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		ids, home := g.blocked(1), []string{"us-east-1"}
		if err := g.create("s", roleTemplate); err != nil {
			t.Fatal(err)
		}
		op := g.deploy("s", g.only(ids[:2]...), home)
		if got := g.count("s", op); got["FAILED"] != 1 || got["SUCCEEDED"] != 1 {
			t.Fatal(got)
		}
		before := g.instance("s", ids[1], "us-east-1").StackId
		g.sim.RemoveRole(ids[0], "worker-us-east-1")
		again := g.deploy("s", g.only(ids[:2]...), home)
		rows := g.results("s", again)
		if rows[ids[0]+"/us-east-1"].Status != "SUCCEEDED" || aws.ToString(rows[ids[1]+"/us-east-1"].StatusReason) != noUpdates {
			t.Errorf("%+v", rows)
		}
		if after := g.instance("s", ids[1], "us-east-1").StackId; *after != *before {
			t.Error("what was CURRENT has another stack")
		}
		// Newest first.
		list, err := g.api.ListStackSetOperations(t.Context(), &cloudformation.ListStackSetOperationsInput{StackSetName: aws.String("s"), MaxResults: aws.Int32(1)})
		if err != nil || len(list.Summaries) != 1 || *list.Summaries[0].OperationId != *again.OperationId || list.NextToken == nil {
			t.Error(list, err)
		}
	})
}

// What only the other permission model, or a custom execution role, has is refused.
func TestServiceManagedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t, Options{Accounts: 12, Empty: true})
		for message, change := range map[string]func(*cloudformation.CreateStackSetInput){
			"AdministrationRoleARN can only be specified": func(in *cloudformation.CreateStackSetInput) {
				in.AdministrationRoleARN = aws.String("arn:aws:iam::111111111111:role/a")
			},
			"must begin with stacksets-exec-custom-": func(in *cloudformation.CreateStackSetInput) { in.ExecutionRoleName = aws.String("mine") },
			"has no custom execution roles": func(in *cloudformation.CreateStackSetInput) {
				in.ExecutionRoleName = aws.String("stacksets-exec-custom-a")
			},
			"serves SERVICE_MANAGED stack sets only": func(in *cloudformation.CreateStackSetInput) { in.PermissionModel = "SELF_MANAGED" },
		} {
			g.wantError(g.create("s", emptyTemplate, change), "ValidationError", message)
		}
		if err := g.create("s", emptyTemplate); err != nil {
			t.Fatal(err)
		}
		g.deploy("s", g.only(g.members()[0]), []string{"us-east-1"})
		_, err := g.api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: aws.String("s"), UsePreviousTemplate: aws.Bool(true), PermissionModel: "SELF_MANAGED"})
		g.wantError(err, "ValidationError", "PermissionModel cannot be modified")
	})
}
