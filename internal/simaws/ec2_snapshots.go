package simaws

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// snapshot is an EBS snapshot of an account, and with whom it is shared.
type snapshot struct {
	ID, Volume, Description string
	Encrypted               bool
	Created                 time.Time
	Tags                    map[string]string
	Shared                  []string // account ids, and "all" for everybody
}

func (n *snapshot) public() bool { return slices.Contains(n.Shared, "all") }

// snapshotCalls are EC2's calls about snapshots.
var snapshotCalls = map[string]apiCall{
	"ec2:DescribeSnapshots":         describeSnapshots,
	"ec2:DescribeSnapshotAttribute": describeSnapshotAttribute,
	"ec2:ModifySnapshotAttribute":   modifySnapshotAttribute,

	"ec2:GetSnapshotBlockPublicAccessState": sharingBlock("GetSnapshotBlockPublicAccessState", func(*Sim, *account, *regionState, map[string]any) error { return nil }),
	"ec2:EnableSnapshotBlockPublicAccess":   sharingBlock("EnableSnapshotBlockPublicAccess", blockSharing),
	"ec2:DisableSnapshotBlockPublicAccess": sharingBlock("DisableSnapshotBlockPublicAccess", func(s *Sim, a *account, r *regionState, _ map[string]any) error {
		s.settings(a, r).sharingBlocked = ""
		s.changed(r, typeSharingBlock, a.ID)
		return nil
	}),
}

// sharingBlock is a call about block public access for snapshots, a setting of the
// account in a Region; each answers with the state.
func sharingBlock(op string, do func(*Sim, *account, *regionState, map[string]any) error) apiCall {
	return func(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		if err := do(s, a, r, in); err != nil {
			return nil, err
		}
		out := map[string]any{"State": orElse(s.settings(a, r).sharingBlocked, "unblocked")}
		if op == "GetSnapshotBlockPublicAccessState" {
			out["ManagedBy"] = "account"
		}
		return out, nil
	}
}

func blockSharing(s *Sim, a *account, r *regionState, in map[string]any) error {
	state := scalarOr(in["State"])
	if state != "block-all-sharing" && state != "block-new-sharing" {
		return fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+state+") for parameter State is invalid.")
	}
	s.settings(a, r).sharingBlocked = state
	s.changed(r, typeSharingBlock, a.ID)
	return nil
}

// snapshotARN has no account ("arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}",
// service authorization reference).
func (s *Sim) snapshotARN(r *regionState, id string) string {
	return "arn:" + s.world.partition + ":ec2:" + r.name + "::snapshot/" + id
}

var snapshotsDescribed = describing{
	member: "Snapshots", idsMember: "SnapshotIds", noun: "snapshot", prefix: "snap-", missing: "InvalidSnapshot.NotFound", malformed: "InvalidSnapshotID.Malformed",
	filters: "snapshot-id volume-id owner-id status encrypted description tag:* tag-key", idsOrPage: "snapshotIds",
}

// describeSnapshots shows the account's own; snapshots of others that are public or shared
// are none of this simulation.
func describeSnapshots(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeSnapshots", "*", nil); err != nil {
		return nil, err
	}
	owners, restorable := texts(in["OwnerIds"]), texts(in["RestorableByUserIds"])
	var list []described
	set := s.settings(a, r)
	for _, id := range sortedKeys(set.snapshots) {
		n := set.snapshots[id]
		by := func(who string) bool { return who == "self" || who == a.ID || slices.Contains(n.Shared, who) }
		own := func(who string) bool { return who == "self" || who == a.ID }
		if len(owners) > 0 && !slices.ContainsFunc(owners, own) || len(restorable) > 0 && !slices.ContainsFunc(restorable, by) {
			continue
		}
		list = append(list, described{
			id: id, tags: n.Tags,
			shape: map[string]any{"SnapshotId": id, "VolumeId": n.Volume, "OwnerId": a.ID, "State": "completed", "Progress": "100%", "Encrypted": n.Encrypted, "VolumeSize": 8,
				"StartTime": n.Created.UTC().Format("2006-01-02T15:04:05.000Z"), "Description": n.Description, "StorageTier": "standard", "Tags": tagList(n.Tags)},
			filters: map[string][]string{"snapshot-id": {id}, "volume-id": {n.Volume}, "owner-id": {a.ID}, "status": {"completed"}, "encrypted": {scalar(n.Encrypted)}, "description": {n.Description}},
		})
	}
	return snapshotsDescribed.describe(in, list)
}

func (s *Sim) snapshotOf(a *account, r *regionState, in map[string]any) (*snapshot, error) {
	id, set := scalarOr(in["SnapshotId"]), s.settings(a, r)
	if err := snapshotsDescribed.held([]string{id}, idsOf(set.snapshots)); err != nil {
		return nil, err
	}
	return set.snapshots[id], nil
}

func describeSnapshotAttribute(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	n, err := s.snapshotOf(a, r, in)
	if err != nil {
		return nil, err
	}
	if err := check("ec2:DescribeSnapshotAttribute", s.snapshotARN(r, n.ID), resourceTags(n.Tags)); err != nil {
		return nil, err
	}
	if attribute := scalarOr(in["Attribute"]); attribute != "createVolumePermission" {
		return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+attribute+") for parameter attribute is invalid.")
	}
	shared := []any{}
	for _, who := range n.Shared {
		shared = append(shared, permissionTo(who))
	}
	return map[string]any{"SnapshotId": n.ID, "CreateVolumePermissions": shared}, nil
}

func permissionTo(who string) map[string]any {
	if who == "all" {
		return map[string]any{"Group": who}
	}
	return map[string]any{"UserId": who}
}

// modifySnapshotAttribute shares a snapshot, or no longer. "Encrypted snapshots and
// snapshots with Amazon Web Services Marketplace product codes cannot be made public"; "you
// may add or remove specified account IDs …, but you cannot do both in a single operation"
// (API reference).
func modifySnapshotAttribute(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	n, err := s.snapshotOf(a, r, in)
	if err != nil {
		return nil, err
	}
	add, remove, err := snapshotChange(in)
	if err != nil {
		return nil, err
	}
	context := resourceTags(n.Tags)
	for verb, list := range map[string][]string{"add": add, "remove": remove} {
		for _, who := range list {
			key := "ec2:" + verb + "/userid"
			if who == "all" {
				key = "ec2:" + verb + "/group"
			}
			context[key] = who
		}
	}
	if err := check("ec2:ModifySnapshotAttribute", s.snapshotARN(r, n.ID), context); err != nil {
		return nil, err
	}
	if slices.Contains(add, "all") && n.Encrypted {
		return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Encrypted snapshots cannot be made public: "+n.ID)
	}
	if slices.Contains(add, "all") && s.settings(a, r).sharingBlocked != "" {
		return nil, fail(http.StatusBadRequest, "OperationNotPermitted", "You can't publicly share snapshots: block public access for snapshots is on in this Region.")
	}
	for _, who := range add {
		if !slices.Contains(n.Shared, who) {
			n.Shared = append(n.Shared, who)
		}
	}
	n.Shared = slices.DeleteFunc(n.Shared, func(who string) bool { return slices.Contains(remove, who) })
	return map[string]any{"Return": true}, nil
}

// snapshotChange reads what to add and what to remove, in either of the two forms.
func snapshotChange(in map[string]any) (add, remove []string, err error) {
	if given := scalarOr(in["Attribute"]); given != "" && given != "createVolumePermission" {
		return nil, nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+given+") for parameter attribute is invalid.")
	}
	permission, _ := in["CreateVolumePermission"].(map[string]any)
	read := func(member string) (out []string) {
		list, _ := permission[member].([]any)
		for _, raw := range list {
			p, _ := raw.(map[string]any)
			out = append(out, scalarOr(p["Group"])+scalarOr(p["UserId"]))
		}
		return out
	}
	add, remove = read("Add"), read("Remove")
	switch names := append(texts(in["GroupNames"]), texts(in["UserIds"])...); scalarOr(in["OperationType"]) {
	case "add":
		add = append(add, names...)
	case "remove":
		remove = append(remove, names...)
	}
	switch {
	case len(add)+len(remove) == 0:
		return nil, nil, fail(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter CreateVolumePermission")
	case len(add) > 0 && len(remove) > 0:
		return nil, nil, fail(http.StatusBadRequest, "InvalidParameterCombination", "Add and Remove cannot be used together.")
	}
	for _, who := range append(slices.Clone(add), remove...) {
		if who != "all" && (len(who) != 12 || strings.Trim(who, "0123456789") != "") {
			return nil, nil, fail(http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf("Invalid value %q for CreateVolumePermission.", who))
		}
	}
	return add, remove, nil
}

// instanceMembers reads the members of calls about instances and snapshots from an EC2
// query.
func instanceMembers(q query) map[string]any {
	in := map[string]any{}
	for _, name := range []string{"InstanceId", "HttpTokens", "HttpEndpoint", "HttpProtocolIpv6", "InstanceMetadataTags", "HttpPutResponseHopLimit", "SnapshotId", "Attribute", "OperationType", "State"} {
		if q.has(name) {
			in[name] = q.str(name)
		}
	}
	for member, form := range map[string]string{"InstanceIds": "InstanceId", "SnapshotIds": "SnapshotId", "OwnerIds": "Owner", "RestorableByUserIds": "RestorableBy", "GroupNames": "UserGroup", "UserIds": "UserId"} {
		if list := q.list(form); list != nil {
			in[member] = anyList(list)
		}
	}
	permission := map[string]any{}
	for _, member := range []string{"Add", "Remove"} {
		for _, p := range q.sub("CreateVolumePermission").structs(member) {
			list, _ := permission[member].([]any)
			permission[member] = append(list, map[string]any{"Group": p.str("Group"), "UserId": p.str("UserId")})
		}
	}
	if len(permission) > 0 {
		in["CreateVolumePermission"] = permission
	}
	return in
}

const typeSharingBlock = "AWS::EC2::SnapshotBlockPublicAccess"

// sharingBlockItem is the item of the account's setting in the Region.
func (s *Sim) sharingBlockItem(a *account, r *regionState) configItem {
	state := orElse(s.settings(a, r).sharingBlocked, "unblocked")
	return configItem{
		Type: typeSharingBlock, ID: a.ID, Name: a.ID, Status: "OK", Captured: s.clock.Now(), StateID: s.clock.Now().UnixMilli(), Tags: map[string]string{},
		Configuration: map[string]any{"AccountId": a.ID, "State": state},
	}
}

// exposureRules are the managed rules about what is shared with everybody.
var exposureRules = map[string]managedRule{
	// "The rule is NON_COMPLIANT if one or more snapshots with RestorableByUserIds field are
	// set to all" (ebs-snapshot-public-restorable-check); its resource is the account
	// (Security Hub, EC2.1). Blocking all sharing leaves the permissions as they are, and
	// they still say that the snapshot is public (EBS user guide, block public access).
	"EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK": ask(func(s *Sim, a *account, r *regionState) bool {
		for _, n := range s.settings(a, r).snapshots {
			if n.public() {
				return false
			}
		}
		return true
	}),
	// "The rule is NON_COMPLIANT if block public access is not enabled for all public
	// sharing of EBS snapshots in an AWS Region." (ebs-snapshot-block-public-access)
	"EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS": {types: []string{typeSharingBlock}, changes: true, verdict: func(item configItem, _ ruleValues) (string, string) {
		return complies(scalarOr(item.Configuration["State"]) == "block-all-sharing")
	}},
	// "The rule is NON_COMPLIANT if Systems Manager documents with the owner 'Self' are
	// public." (ssm-document-not-public)
	"SSM_DOCUMENT_NOT_PUBLIC": {periodic: true, look: func(_ *Sim, _ *account, r *regionState, _ ruleValues) []finding {
		var out []finding
		for _, name := range sortedKeys(r.documents) {
			_, public := r.documents[name].shared["all"]
			word, why := complies(!public)
			out = append(out, finding{"AWS::SSM::Document", name, word, why})
		}
		return out
	}},
	// "The rule is NON_COMPLIANT if Systems Manager Documents has block public sharing
	// disabled." (ssm-automation-block-public-sharing)
	"SSM_AUTOMATION_BLOCK_PUBLIC_SHARING": ask(func(s *Sim, a *account, r *regionState) bool { return s.settings(a, r).documentsBlocked }),
}

// addSnapshots gives a generated account the snapshots that somebody once made.
func (s *Sim) addSnapshots(a *account, r *regionState) {
	for n := range int(chance(a.ID, r.name, "snapshots") * 4) {
		id := "snap-" + hexOf(17, a.ID, r.name, "snapshot", fmt.Sprint(n))
		shot := &snapshot{ID: id, Volume: "vol-" + hexOf(17, id), Description: "before the upgrade", Encrypted: chance(id, "encrypted") < 0.5, Created: a.Joined.Add(50 * time.Hour), Tags: map[string]string{}}
		if !shot.Encrypted && chance(id, "public") < 0.12 {
			shot.Shared = []string{"all"}
			if chance(id, "exempt") < 0.2 {
				shot.Tags["rollout-exempt"] = "sample data"
			}
		}
		r.base.keep(shot)
	}
	if chance(a.ID, r.name, "sharing") < 0.4 {
		r.base.sharingBlocked = "block-all-sharing"
	}
	r.base.documentsBlocked = chance(a.ID, r.name, "documents") < 0.3
}

func (b *regionBaseline) keep(n *snapshot) {
	if b.snapshots == nil {
		b.snapshots = map[string]*snapshot{}
	}
	b.snapshots[n.ID] = n
}

// ec2MoreMembers are the members that ec2Members does not read.
func ec2MoreMembers(q query) map[string]any {
	in := flowLogMembers(q)
	maps.Copy(in, instanceMembers(q))
	maps.Copy(in, leaningMembers(q))
	if key := q.str("KmsKeyId"); key != "" {
		in["KmsKeyId"] = key
	}
	return in
}
