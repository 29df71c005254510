package simaws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Thing is what an account holds of that which templates make, whoever made it.
type Thing struct {
	// Type is CloudFormation's, AWS::Config::ConfigRule; Name its physical id.
	Type, Name string
	// ID is another one when a thing was made anew under its name; "" where AWS and
	// the simulation know no such mark.
	ID string
	// Set and LogicalID say which StackSet's stack has it: "" for none.
	Set, LogicalID string
	// Is says in JSON what it is: what somebody set, and no state that comes and goes.
	Is string
}

// Held lists what an account holds in a Region, sorted; Region "" is what it holds in
// none: its roles and policies. Stacks are things too, of what they were made from.
func (s *Sim) Held(id, region string) []Thing {
	var out []Thing
	s.change(id, func(a *account) {
		if region == "" {
			out = s.heldAnywhere(a)
			return
		}
		h := &holding{account: a, region: a.region(region)}
		h.configuration()
		h.documents()
		h.buckets()
		for _, arn := range sortedKeys(h.region.topics) {
			h.add("AWS::SNS::Topic", arn, "", nil)
		}
		h.kept()
		h.stacks()
		out = h.things
	})
	slices.SortFunc(out, func(x, y Thing) int {
		return strings.Compare(x.Type+"\x00"+x.Name, y.Type+"\x00"+y.Name)
	})
	return out
}

// heldAnywhere are the things of an account that are in no Region. Their stack may be in
// any.
func (s *Sim) heldAnywhere(a *account) []Thing {
	h := &holding{account: a}
	for _, name := range sortedKeys(a.roles) {
		r := a.roles[name]
		kind := "AWS::IAM::Role"
		if r.ServiceName != "" {
			kind = "AWS::IAM::ServiceLinkedRole"
		}
		h.add(kind, name, r.ID, map[string]any{"path": r.Path, "trust": r.Trust, "policies": r.Policies, "managed": r.Managed, "boundary": r.Boundary, "session": r.MaxSession, "tags": own(r.Tags)})
	}
	for _, arn := range sortedKeys(a.managed) {
		h.add("AWS::IAM::ManagedPolicy", arn, "", a.managed[arn])
	}
	return h.things
}

// own leaves out the tags that CloudFormation puts on what a stack makes.
func own(tags map[string]string) map[string]string {
	out := maps.Clone(tags)
	maps.DeleteFunc(out, func(k, _ string) bool {
		return strings.HasPrefix(k, "aws:") || k == "rollout:sha256" || k == "rollout:version"
	})
	return out
}

type holding struct {
	account *account
	region  *regionState // nil: what is in no Region
	things  []Thing
}

func (h *holding) add(kind, name, id string, is any) {
	t := Thing{Type: kind, Name: name, ID: id, Is: strings.TrimSpace(string(marshal(is)))}
	t.Set, t.LogicalID = h.madeBy(kind, name)
	h.things = append(h.things, t)
}

// madeBy finds the stack that has a resource, in the thing's Region or in any.
func (h *holding) madeBy(kind, name string) (set, logicalID string) {
	for _, region := range sortedKeys(h.account.regions) {
		r := h.account.regions[region]
		if h.region != nil && h.region != r {
			continue
		}
		for _, stackName := range sortedKeys(r.stacks) {
			st := r.stacks[stackName]
			for id, res := range st.Resources {
				if res.Type == kind && res.PhysicalID == name && res.Status != "DELETE_COMPLETE" {
					set, _, _ = strings.Cut(st.StackSet, ":")
					return orElse(set, stackName), id
				}
			}
		}
	}
	return "", ""
}

// configuration adds what AWS Config has.
func (h *holding) configuration() {
	r := h.region
	for _, rec := range r.recorders() {
		made := ""
		if !rec.made.IsZero() {
			made = rec.made.Format(time.RFC3339Nano)
		}
		h.add("AWS::Config::ConfigurationRecorder", rec.Name, made, map[string]any{
			"role": rec.RoleARN, "service": rec.ServicePrincipal, "all": rec.AllSupported, "global": rec.IncludeGlobal, "types": rec.ResourceTypes, "exclusions": rec.Exclusions,
			"frequency": rec.Frequency, "overrides": rec.Overrides, "recording": rec.Recording,
		})
	}
	if ch := r.channel; ch != nil {
		h.add("AWS::Config::DeliveryChannel", ch.Name, "", []string{ch.Bucket, ch.KeyPrefix, ch.KMSKey, ch.Topic, ch.Frequency})
	}
	for _, name := range sortedKeys(r.rules) {
		rule := r.rules[name]
		h.add("AWS::Config::ConfigRule", name, rule.ID, map[string]any{
			"owner": rule.Owner, "identifier": rule.Identifier, "parameters": rule.InputParameters, "types": rule.ScopeTypes, "scope": []string{rule.ScopeID, rule.ScopeKey, rule.ScopeValue},
			"source": rule.Source, "policy": rule.policy, "frequency": rule.Frequency, "service": rule.CreatedBy, "description": rule.Description,
		})
		if rem := rule.remediation; rem != nil {
			h.add("AWS::Config::RemediationConfiguration", name, rem.ARN, map[string]any{
				"document": rem.TargetID, "version": rem.TargetVersion, "type": rem.ResourceType, "automatic": rem.Automatic, "attempts": rem.Attempts, "seconds": rem.RetrySeconds,
				"static": rem.Static, "resource": rem.ResourceValues, "concurrent": rem.ConcurrentPercent, "errors": rem.ErrorPercent,
			})
		}
	}
	for _, name := range sortedKeys(r.config.aggregators) {
		agg := r.config.aggregators[name]
		h.add("AWS::Config::ConfigurationAggregator", name, agg.ARN, map[string]any{"accounts": agg.Accounts, "organization": agg.Organization, "filters": agg.Filters})
	}
	for _, key := range sortedKeys(r.config.authorizations) {
		h.add("AWS::Config::AggregationAuthorization", r.config.authorizations[key].ARN, "", nil)
	}
}

func (h *holding) documents() {
	for _, name := range sortedKeys(h.region.documents) {
		d := h.region.documents[name]
		h.add("AWS::SSM::Document", name, "", map[string]any{"type": d.Type, "format": d.Format, "version": d.Version, "content": d.Content, "text": d.Text, "shared": d.shared, "tags": own(d.Tags)})
	}
}

func (h *holding) buckets() {
	for _, name := range sortedKeys(h.account.buckets) {
		b := h.account.buckets[name]
		if b.Region != h.region.name {
			continue
		}
		h.add("AWS::S3::Bucket", name, "", map[string]any{"regional": b.AccountRegional, "block": b.settings.block, "grants": fmt.Sprint(b.settings.grants), "website": b.settings.website, "kms": b.settings.kms, "tags": own(b.settings.tags)})
		if b.HasPolicy {
			h.add("AWS::S3::BucketPolicy", name, "", b.Policy)
		}
	}
}

// kept adds what cfn_kept.go keeps, but for keys that wait to be deleted.
func (h *holding) kept() {
	for _, kind := range sortedKeys(h.region.kept) {
		for _, key := range sortedKeys(h.region.kept[kind]) {
			if r := h.region.kept[kind][key]; r.Gone.IsZero() {
				h.add(kind, r.PhysicalID, r.Created.Format(time.RFC3339Nano), []any{r.Properties, own(r.Tags)})
			}
		}
	}
}

// stacks adds the Region's stacks. A handle is kept by its stack alone, so it is no thing.
func (h *holding) stacks() {
	for _, name := range sortedKeys(h.region.stacks) {
		st := h.region.stacks[name]
		set, _, _ := strings.Cut(st.StackSet, ":")
		resources := map[string]any{}
		for id, res := range st.Resources {
			resources[id] = []any{res.Type, res.Properties, res.DeletionPolicy, res.UpdateReplacePolicy}
		}
		h.things = append(h.things, Thing{Type: stackType, Name: name, ID: st.ID, Set: set, Is: strings.TrimSpace(string(marshal(map[string]any{
			"body": st.Body, "parameters": st.Parameters, "outputs": st.Outputs, "resources": resources,
		})))})
	}
}
