package stackset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// Types whose names preflight looks for one by one; rules are found in their list.
const (
	typeRole     = "AWS::IAM::Role"
	typeBucket   = "AWS::S3::Bucket"
	typeDocument = "AWS::SSM::Document"
	typeRule     = "AWS::Config::ConfigRule"
)

// NameKey is a name in an account; the Region is "" for what an account has once.
type NameKey struct{ Type, Region, Name string }

// NameFact says whether somebody has a name already.
type NameFact struct {
	Presence Presence
	// Whose says whose it is, as far as that can be seen: "made by stack x"; "" else.
	Whose string
	Gap   Gap // why it could not be seen
}

// looksAt says whether preflight looks for names of a type. Recorders and channels are
// looked for whatever they are called.
func looksAt(kind string) bool {
	switch kind {
	case typeRole, typeBucket, typeDocument, typeRule, "AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel":
		return true
	}
	return false
}

// namesOf are the names that a set gives in a Region, with {account} for the account's id. Buckets that the
// template keeps are not among them: it has a switch for those that are there.
func (s Set) namesOf(region, partition string) []templates.Name {
	values := s.values(region, partition)
	values["AWS::AccountId"] = theirs
	list := s.Template.NamesWith(values)
	return slices.DeleteFunc(list, func(n templates.Name) bool { return n.Type == typeBucket && s.Template.Keeps != nil })
}

// key is a name in an account and Region; ok is false where preflight does not look for
// it one by one.
func nameKey(n templates.Name, account, region string) (k NameKey, ok bool) {
	if n.Name == "" || n.Type != typeRole && n.Type != typeBucket && n.Type != typeDocument {
		return k, false
	}
	k = NameKey{Type: n.Type, Name: strings.ReplaceAll(n.Name, theirs, account)}
	if n.Type != typeRole { // a bucket is asked for where it is to be
		k.Region = region
	}
	return k, true
}

// made says whether a set made something in a place, so that a name there can be its own.
func (s Set) made(t Target) bool {
	i, there := s.At(t)
	return there && i.StackID != ""
}

// wantedNames are the names that a run needs free in an account, by set and Region.
func wantedNames(d Desired, sets []Set) func(account string) []NameKey {
	type named struct {
		set    Set
		region string
		names  []templates.Name
	}
	var all []named
	for _, s := range sets {
		if notWanted(d, s) {
			continue
		}
		for _, region := range d.RegionsOf(s.Template) {
			if names := s.namesOf(region, d.Partition); names != nil {
				all = append(all, named{s, region, names})
			}
		}
	}
	return func(account string) []NameKey {
		var out []NameKey
		for _, n := range all {
			if n.set.made(Target{account, n.region}) {
				continue
			}
			for _, name := range n.names {
				if k, ok := nameKey(name, account, n.region); ok && !slices.Contains(out, k) {
					out = append(out, k)
				}
			}
		}
		return out
	}
}

// name looks for one name.
func (p *preflight) name(ctx context.Context, entry *awsapi.Entry, account string, k NameKey) NameFact {
	switch k.Type {
	case typeRole:
		out, err := iam.NewFromConfig(entry.Config(p.in.HomeRegion)).GetRole(ctx, &iam.GetRoleInput{RoleName: &k.Name})
		if f, there := presence(err, "NoSuchEntity", "NoSuchEntityException"); !there {
			return f
		}
		whose := ""
		if r := out.Role; r != nil {
			whose = aws.ToString(r.Description)
			for _, t := range r.Tags {
				if aws.ToString(t.Key) == stackTag {
					whose = "made by stack " + aws.ToString(t.Value)
				}
			}
		}
		return NameFact{Presence: Present, Whose: whose}
	case typeDocument:
		out, err := ssm.NewFromConfig(entry.Config(k.Region)).DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &k.Name})
		if f, there := presence(err, "InvalidDocument"); !there {
			return f
		}
		whose := ""
		if d := out.Document; d != nil {
			if owner := aws.ToString(d.Owner); owner != "" {
				whose = "owned by " + owner
			}
			for _, t := range d.Tags {
				if aws.ToString(t.Key) == stackTag {
					whose = "made by stack " + aws.ToString(t.Value)
				}
			}
		}
		return NameFact{Presence: Present, Whose: whose}
	}
	buckets := s3.NewFromConfig(entry.Config(k.Region), p.pathStyle)
	_, err := buckets.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &k.Name, ExpectedBucketOwner: &account})
	var response *awshttp.ResponseError
	switch {
	case err == nil:
		return NameFact{Presence: Present, Whose: "the account's own"}
	case errors.As(err, &response) && response.HTTPStatusCode() == 404:
		return NameFact{Presence: Absent}
	}
	// HeadBucket has no body: 403 is a denial as well as somebody else's bucket.
	return NameFact{Gap: gapOf(err)}
}

// stackTag is the tag by which CloudFormation marks what a stack made.
const stackTag = "aws:cloudformation:stack-name"

// presence reads an answer: there is false where the name is free or could not be seen.
func presence(err error, absent ...string) (f NameFact, there bool) {
	switch {
	case err == nil:
		return f, true
	case slices.Contains(absent, awsapi.Code(err)):
		return NameFact{Presence: Absent}, false
	}
	return NameFact{Gap: gapOf(err)}, false
}

// namesIn are the names that a set gives in a Region: the same for every account.
func (p *planner) namesIn(s Set, region string) []templates.Name {
	k := ruleKey{s.Name, region}
	names, known := p.names[k]
	if !known {
		names = s.namesOf(region, p.d.Partition)
		p.names[k] = names
	}
	return names
}

var taken = map[string]struct{ code, what string }{
	typeRole:     {code: "role-name-taken", what: "a role"},
	typeBucket:   {code: "bucket-name-taken", what: "a bucket"},
	typeDocument: {code: "document-name-taken", what: "a Systems Manager document"},
}

// taken says whether a name that a set needs in a place is taken outside the set. One
// that could not be looked for is a finding, and no reason to leave the place out.
func (p *planner) taken(s Set, a Place, f *AccountFacts) (v verdict, yes bool) {
	if s.made(a.Target) {
		return v, false
	}
	for _, n := range p.namesIn(s, a.Region) {
		k, ok := nameKey(n, a.AccountID, a.Region)
		fact := f.Names[k]
		switch {
		case !ok:
		case fact.Presence == Present:
			whose := ""
			if fact.Whose != "" {
				whose = " (" + sentence(fact.Whose) + ")"
			}
			t := taken[k.Type]
			return skip(t.code, "%s called %s is there%s, which no stack instance of ours made: delete it first, or go on using it", t.what, k.Name, whose).
				saying("%s called %s is there%s, which no stack instance of the set made", t.what, k.Name, whose), true
		case fact.Gap.Is():
			p.find(Finding{Code: "name-unread", StackSet: s.Name, Text: fmt.Sprintf("Whether %s called %s is in {places} already could not be seen: %s.", taken[k.Type].what, k.Name, fact.Gap.Text)}, a)
		}
	}
	return v, false
}

// unlooked says of which names nobody looks whether they are taken.
func (p *planner) unlooked() {
	for _, s := range p.plan.Sets {
		kinds := map[string]bool{}
		for _, c := range p.plan.Changes {
			if c.StackSet != s.Name || c.Action != Create {
				continue
			}
			for _, n := range p.namesIn(s, c.Region) {
				if n.Name == "" || !looksAt(n.Type) {
					kinds[n.Type] = true
				}
			}
		}
		if len(kinds) > 0 {
			p.find(Finding{Code: "names-unlooked", StackSet: s.Name, Text: "The template of {sets} names resources of the types " + list(slices.Sorted(maps.Keys(kinds))) + ", and nobody has looked whether their names are taken."})
		}
	}
}
