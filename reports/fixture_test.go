package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rollout/orgs"
	"rollout/templates"
)

// estate is an organization as a large company has it: accounts spread over five
// OUs, most of them fine, and some of every gap. The same numbers give the same
// report.
func estate(accounts int, regions []string) *Report {
	root := &orgs.OU{ID: "r-ab12", Name: "Root"}
	ou := func(path string, parent *orgs.OU) *orgs.OU {
		return &orgs.OU{ID: fmt.Sprintf("ou-ab12-%08x", len(path)), Name: path[strings.LastIndexByte(path, '/')+1:], Path: path, Parent: parent}
	}
	workloads := ou("Workloads", root)
	ous := []*orgs.OU{root, ou("Sandbox", root), ou("Security", root), ou("Workloads/Non-production", workloads), ou("Workloads/Production", workloads)}
	names := []string{"root", "sandbox", "security", "payments-staging", "payments-production"}
	rule := templates.Rule{
		Name: "rollout-vpc-default-security-group-closed", Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", Title: "VPC default security groups allow no traffic",
		ResourceTypes: []string{"AWS::EC2::SecurityGroup", "AWS::EC2::VPC"},
		Controls:      []templates.Control{{Standard: "CIS", Version: "5.0.0", ID: "5.5"}, {Standard: "FSBP", Version: "1.0.0", ID: "EC2.2"}},
	}
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	r := &Report{
		Run: Run{Tool: "rollout 1.0.0", Run: "20261124T093000Z", Command: "report --all-accounts --region " + strings.Join(regions, ","), Started: at, Ended: at.Add(4 * time.Minute),
			OrganizationID: "o-a1b2c3d4e5", Management: "999999999999", Caller: "arn:aws:sts::999999999999:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/auditor@example.com",
			HomeRegion: regions[0], Regions: regions, Templates: []string{"default-security-group"}, StackSet: "rollout-default-security-group", Remediation: "off",
			Selection: "every account of the organization", Notes: []string{"The management account is not deployed to by a service-managed StackSet; its cells say so."}},
		Regions: regions, Rules: []templates.Rule{rule},
	}
	for i := range accounts {
		group := []int{4, 3, 4, 1, 4, 3, 2, 4, 3, 0}[i%10]
		state := "ACTIVE"
		if i%29 == 11 {
			state = "SUSPENDED"
		}
		r.Accounts = append(r.Accounts, &orgs.Account{ID: fmt.Sprintf("%012d", 100000000000+i*7919), Name: fmt.Sprintf("%s-%02d", names[group], i), State: state, OU: ous[group]})
	}
	slices.SortFunc(r.Accounts, func(a, b *orgs.Account) int {
		return strings.Compare(a.OUPath()+"\x00"+a.ID, b.OUPath()+"\x00"+b.ID)
	})
	for i, a := range r.Accounts {
		for j, region := range regions {
			r.add(estateCell(Cell{Place: Place{a, region}, Rule: rule, InstanceStatus: "SUCCEEDED", Remediation: "off"}, i, j, at))
		}
	}
	return r
}

// add adds a cell and a finding for each of its resources.
func (r *Report) add(c Cell) {
	r.Cells = append(r.Cells, c)
	for n := range c.NonCompliantResources {
		f := Finding{Place: c.Place, Rule: c.Rule, ResourceType: "AWS::EC2::SecurityGroup", ResourceID: fmt.Sprintf("sg-%s%05d", c.Account.ID, len(r.Findings)), Status: NonCompliant, RemediationStatus: "NONE", LastEvaluated: c.LastEvaluated}
		if n == 1 {
			f.RemediationStatus, f.RemediationDetail = "FAILED", "step RevokeIngress: AccessDenied: not authorized to perform ec2:RevokeSecurityGroupIngress"
		}
		r.Findings = append(r.Findings, f)
	}
}

func estateCell(c Cell, account, region int, at time.Time) Cell {
	gap := func(status Status, instance, detail string) Cell {
		c.Status, c.InstanceStatus, c.Remediation, c.Detail = status, instance, "", detail
		return c
	}
	switch k := account*7 + region*3; {
	case c.Account.State != "ACTIVE":
		return gap(AccountInactive, "NONE", "the account is "+c.Account.State)
	case account%23 == 4:
		return gap(AccessDenied, "NONE", "assume role rollout-reader in "+c.Account.ID+": AccessDenied: not authorized to perform sts:AssumeRole")
	case account%17 == 6 && region > 0:
		return gap(RegionDenied, "FAILED", "a service control policy denies "+c.Region)
	case k%37 == 5:
		return gap(NotDeployed, "NONE", "no rule "+c.Rule.Identifier)
	case k%41 == 9:
		return gap(RecorderOff, "SUCCEEDED", "the recorder is stopped")
	case k%13 == 2:
		c.Status, c.NonCompliantResources = NonCompliant, 1+k%3
	case k%31 == 3:
		c.Status, c.Detail = InsufficientData, "not evaluated yet"
	default:
		c.Status = Compliant
	}
	c.SourceRule = c.Rule.Name
	if c.Status != InsufficientData {
		c.LastEvaluated = at.Add(-time.Duration(account) * time.Minute)
	}
	return c
}
