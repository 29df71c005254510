package templates

import (
	"fmt"
	"strings"
	"testing"
)

const machine = "i-0123456789abcdef0"

// instanceScenarios are those of imds-v2-enforce.
func instanceScenarios() []scenario {
	const both = "put_object modify_instance_metadata_options"
	with := func(tokens string, untokened [][]float64, pairs ...any) world {
		i := item("InstanceId", machine, "State", item("Name", "running"),
			"MetadataOptions", item("HttpTokens", tokens, "HttpEndpoint", "enabled", "HttpPutResponseHopLimit", 2.0, "State", "applied"))
		for k, v := range item(pairs...) {
			i[k] = v
		}
		return world{Instance: i, Untokened: untokened}
	}
	never := [][]float64{{0, 0, 0}}
	stuck, denied := with("optional", never), map[string]world{}
	stuck.Stuck = true
	for _, call := range []string{"put_object", "get_metric_data", "modify_instance_metadata_options"} {
		w := with("optional", never)
		w.Deny = call
		denied[call] = w
	}
	return []scenario{
		{name: "version 1 is on and not used", world: with("optional", never), ends: StepVerify, reasons: "was used 0 times in the last 14 days", changes: both},
		{name: "used", world: with("optional", [][]float64{{0, 3}, {0, 4}}), ends: StepLeaveInUse, reasons: "used 7 times in the last 14 days"},
		{name: "used on the last page", world: with("optional", [][]float64{{0}, {}, {1}}), ends: StepLeaveInUse},
		{name: "used, changed anyway", given: map[string]string{"StillUsed": "Require"}, world: with("optional", [][]float64{{5}}), ends: StepVerify, changes: both},
		{name: "unseen", world: with("optional", nil, "State", item("Name", "stopped")), ends: StepLeaveUnseen, reasons: "CloudWatch has no MetadataNoToken"},
		{name: "unseen, changed anyway", given: map[string]string{"Unseen": "Require"}, world: with("optional", nil), ends: StepVerify, changes: both},
		{name: "unseen is asked for, and it is used", given: map[string]string{"Unseen": "Require"}, world: with("optional", [][]float64{{5}}), ends: StepLeaveInUse},
		{name: "required", world: with("required", [][]float64{{5}}), ends: StepAlreadyRequired, reasons: "a token is required"},
		{name: "gone", world: with("optional", never, "State", item("Name", "terminated")), ends: StepAlreadyRequired, reasons: "terminated"},
		{name: "exempt", given: map[string]string{"StillUsed": "Require"}, world: with("optional", never, "Tags", []any{item("Key", "Name", "Value", "x"), item("Key", ExemptTag, "Value", "old agent")}), ends: StepLeaveExempt, reasons: "tag rollout-exempt=old agent"},
		{name: "no such instance", given: map[string]string{"InstanceId": "i-0123456789abcdef1"}, world: with("optional", never), ends: "Examine", err: "InvalidInstanceID.NotFound"},
		{name: "stays as it was", world: stuck, ends: StepVerify, changes: both, err: machine + " still takes requests without a token; what its options were is in s3://rollout-config-111122223333-us-east-1-an/"},
		{name: "no before-image, no change", world: denied["put_object"], ends: "Require", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot look", world: denied["get_metric_data"], ends: "Examine", err: "AccessDenied"},
		{name: "may not change", world: denied["modify_instance_metadata_options"], ends: "Require", err: "AccessDenied", changes: both},
	}
}

func keptOptions(t *testing.T, w world, _ scenario) {
	t.Helper()
	b := before(t, w.Objects[0], BeforeMetadataOptions, machine)
	if b.InstanceID != machine || b.MetadataOptions["HttpTokens"] != "optional" || b.MetadataOptions["HttpPutResponseHopLimit"] != 2.0 {
		t.Errorf("kept %+v", b)
	}
}

// snapshotScenarios are those of public-exposure-enforce.
func snapshotScenarios() []scenario {
	const kept, each = "put_object", " modify_snapshot_attribute"
	shot := func(n int, tags ...any) any {
		return item("SnapshotId", fmt.Sprintf("snap-%08x", n), "Tags", tags)
	}
	pages := func(list ...[]any) world {
		return world{Pages: map[string][][]any{"describe_snapshots": list}}
	}
	exempt := item("Key", ExemptTag, "Value", "sample data")
	many := make([]any, 23)
	for i := range many {
		many[i] = shot(i)
	}
	stuck := pages([]any{shot(1)})
	stuck.Stuck = true
	denied := func(call string) world {
		w := pages([]any{shot(1)})
		w.Deny = call
		return w
	}
	only := map[string]string{"SnapshotId": "snap-00000002"}
	return []scenario{
		{name: "none", world: pages([]any{}), ends: StepAlreadyPrivate, reasons: "no such snapshot is public"},
		{name: "one", world: pages([]any{shot(1, item("Key", "Name", "Value", "x"))}), ends: StepVerify, reasons: "public: snap-00000001", changes: kept + each, keeps: "snap-00000001"},
		{name: "on several pages", world: pages([]any{shot(1)}, []any{}, []any{shot(2)}), ends: StepVerify, reasons: "snap-00000001, snap-00000002", changes: kept + " " + kept + each + each, keeps: "snap-00000001 snap-00000002"},
		{name: "just one is meant", given: only, world: pages([]any{shot(1), shot(2)}), ends: StepVerify, reasons: "public: snap-00000002", changes: kept + each, keeps: "snap-00000002"},
		{name: "the one that is meant is not public", given: only, world: pages([]any{shot(1)}), ends: StepAlreadyPrivate},
		{name: "exempt", world: pages([]any{shot(1, exempt)}), ends: StepLeaveExempt, reasons: "tag rollout-exempt on snap-00000001"},
		{name: "the one that is meant is exempt", given: only, world: pages([]any{shot(1), shot(2, exempt)}), ends: StepLeaveExempt},
		{name: "many", world: pages(many), ends: StepVerify, reasons: "and 3 more", changes: strings.TrimSpace(strings.Repeat(" "+kept, 23)) + strings.Repeat(each, 23)},
		{name: "another account", given: map[string]string{"AccountId": "444455556666"}, world: pages(nil), ends: "Examine", err: "account 444455556666 was asked for"},
		{name: "stays public", world: stuck, ends: StepVerify, changes: kept + each, keeps: "snap-00000001", err: "1 snapshots are still public, snap-00000001 among them; with whom they were shared is in s3://rollout-config-111122223333-us-east-1-an/rollout/before/111122223333/eu-west-1/snap-*/e-1.json"},
		{name: "no before-image, no change", world: denied("put_object"), ends: "MakePrivate", err: "AccessDenied: put_object", changes: kept},
		{name: "cannot look", world: denied("describe_snapshots"), ends: "Examine", err: "AccessDenied"},
		{name: "cannot see with whom", world: denied("describe_snapshot_attribute"), ends: "MakePrivate", err: "AccessDenied"},
		{name: "may not change", world: denied("modify_snapshot_attribute"), ends: "MakePrivate", err: "AccessDenied", changes: kept + each, keeps: "snap-00000001"},
	}
}

func keptShares(t *testing.T, w world, s scenario) {
	t.Helper()
	var ids []string
	for _, o := range w.Objects {
		id := strings.Split(o.Key, "/")[4]
		b := before(t, o, BeforeSnapshot, id)
		ids = append(ids, b.SnapshotID)
		if b.SnapshotID != id || len(b.CreateVolumePermissions) != 2 || b.CreateVolumePermissions[0]["Group"] != "all" || b.CreateVolumePermissions[1]["UserId"] != "444455556666" {
			t.Errorf("kept %+v", b)
		}
	}
	if got := strings.Join(ids, " "); s.keeps != "" && got != s.keeps {
		t.Errorf("kept %s, want %s", got, s.keeps)
	}
}
