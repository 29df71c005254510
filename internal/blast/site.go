package blast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

// site is an account's Region while it is read.
type site struct {
	account *orgs.Account
	region  string
	cfg     aws.Config
	// pathStyle is set for an endpoint that serves every service.
	pathStyle bool
}

// looks read what a template that enforces would change, by what the template enforces.
var looks = map[string]struct {
	look func(ctx context.Context, at *site, m remedy) ([]Resource, error)
	// actions are what it reads.
	actions []string
}{
	templates.DefaultSecurityGroup: {defaultGroups, defaultGroupReads},
	"access-keys":                  {accessKeys, accessKeyReads},
	"ebs-encryption":               {ebsEncryption, ebsEncryptionReads},
	"imds-v2":                      {instances, instanceReads},
	"password-policy":              {passwordPolicy, passwordPolicyReads},
	"public-exposure":              {snapshots, snapshotReads},
	"restrict-ssh-rdp":             {openPorts, openPortReads},
	"s3-encryption":                {buckets, bucketReads},
	"vpc-flow-logs":                {flowLogs, flowLogReads},
}

// look lists the resources that a remediation acts on, and its verdicts on them.
func (at *site) look(ctx context.Context, m remedy) ([]Resource, error) {
	known, ok := looks[m.set.Template.Enforces]
	if !ok {
		return nil, fmt.Errorf("what template %s changes cannot be read by this version", m.set.Template.Name)
	}
	if len(m.rules) == 0 {
		return nil, nil // a Region that lacks the rule
	}
	return known.look(ctx, at, m)
}

// resource is one that a rule finds or would find. service says where it was seen if not
// by AWS Config.
func (at *site) resource(m remedy, r ruled, kind, id, service string) Resource {
	out := Resource{
		StackSet: m.set.Name, Template: m.set.Template.Name, Rule: r.Rule, AccountID: at.account.ID, Account: at.account, Region: at.region,
		Type: kind, ID: id, Source: service,
	}
	if when, found := r.found[id]; found {
		out.Source, out.Evaluated = "AWS Config, rule "+r.source, when
	}
	return out
}

// unlooked are Config's findings where the service could not be read: each may be changed.
func (at *site) unlooked(m remedy, err error) []Resource {
	var out []Resource
	for _, r := range m.rules {
		for _, id := range sortedKeys(r.found) {
			one := at.resource(m, r, r.kind(), id, "")
			one.Verdict, one.WouldChange, one.Reason = Unknown, true, "who leans on it could not be read: "+said(err)
			out = append(out, one)
		}
	}
	return out
}

func (at *site) unread(m remedy, err error) Unread {
	return Unread{Template: m.set.Template.Name, AccountID: at.account.ID, Account: at.account, Region: at.region, Said: said(err), Class: awsapi.Classify(err)}
}

// said is the call and what AWS said, in one line.
func said(err error) string {
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		service, _, _ := strings.Cut(strings.ToLower(operation.Service()), " ")
		return service + ":" + operation.Operation() + ": " + awsapi.Text(err)
	}
	return awsapi.Text(err)
}

// exempt says which tag or owner keeps a resource from being changed, "" for none.
func (at *site) exempt(tags map[string]string, owner, what string) string {
	if value, there := tags[templates.ExemptTag]; there {
		return "tag " + templates.ExemptTag + "=" + value
	}
	if owner != "" && owner != at.account.ID {
		return "the " + what + " belongs to account " + owner
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
