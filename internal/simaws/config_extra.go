package simaws

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// retentionName is the name of the one retention configuration of an account and
// Region; AWS gives it.
const retentionName = "default"

func (c *configState) retentionShape() map[string]any {
	return map[string]any{"Name": retentionName, "RetentionPeriodInDays": c.retention}
}

func putRetention(s *Sim, c *call) (any, error) {
	var in struct{ RetentionPeriodInDays int }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	r.config.retention = in.RetentionPeriodInDays
	return map[string]any{"RetentionConfiguration": r.config.retentionShape()}, nil
}

func noSuchRetention(name string) error {
	return fail(400, "NoSuchRetentionConfigurationException", "Cannot find retention configuration with the specified name '"+name+"'.")
}

func describeRetentions(s *Sim, c *call) (any, error) {
	var in struct {
		RetentionConfigurationNames []string
		NextToken                   string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	for _, name := range in.RetentionConfigurationNames {
		if r.config.retention == 0 || name != retentionName {
			return nil, noSuchRetention(name)
		}
	}
	list := []any{}
	if r.config.retention != 0 {
		list = append(list, r.config.retentionShape())
	}
	return configPage("RetentionConfigurations", list, 20, in.NextToken)
}

func deleteRetention(s *Sim, c *call) (any, error) {
	var in struct{ RetentionConfigurationName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if r.config.retention == 0 || in.RetentionConfigurationName != retentionName {
		return nil, noSuchRetention(in.RetentionConfigurationName)
	}
	r.config.retention = 0
	return map[string]any{}, nil
}

// deleteResults takes a rule's results away; until that is done the rule is
// DELETING_RESULTS.
func deleteResults(s *Sim, c *call) (any, error) {
	var in struct{ ConfigRuleName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	rule := r.rules[in.ConfigRuleName]
	switch {
	case rule == nil:
		return nil, noSuchRule(in.ConfigRuleName)
	case rule.State == "DELETING":
		return nil, ruleGoing(rule.Name)
	case rule.State == "DELETING_RESULTS":
		return nil, fail(400, "ResourceInUseException", "The evaluation results of the rule "+rule.Name+" are being deleted. Please retry after some time")
	}
	rule.State = "DELETING_RESULTS"
	s.clock.after(ruleDeletion, func() {
		if r.rules[rule.Name] != rule || rule.State != "DELETING_RESULTS" {
			return
		}
		rule.State = "ACTIVE"
		for _, id := range sortedKeys(rule.results) {
			s.dropResult(rule, id)
		}
	})
	return map[string]any{}, nil
}

// customPolicy serves GetCustomRulePolicy.
func customPolicy(s *Sim, c *call) (any, error) {
	var in struct{ ConfigRuleName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	rule := r.rules[in.ConfigRuleName]
	if rule == nil || rule.Owner != "CUSTOM_POLICY" {
		return nil, noSuchRule(in.ConfigRuleName)
	}
	return map[string]any{"PolicyText": rule.policy}, nil
}

// snapshotDelivery is how long a snapshot takes to arrive.
const snapshotDelivery = 10 * time.Second

// deliverSnapshot serves DeliverConfigSnapshot: what is recorded goes to the
// channel's bucket, or the channel's status says why not.
func deliverSnapshot(s *Sim, c *call) (any, error) {
	var in struct{ DeliveryChannelName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	a, r := s.place(c)
	switch {
	case r.recorder == nil:
		return nil, fail(400, "NoAvailableConfigurationRecorderException", "Configuration recorder is not available to deliver config snapshot.")
	case r.channel == nil || r.channel.Name != in.DeliveryChannelName:
		return nil, noSuchChannel(in.DeliveryChannelName)
	case !r.recorder.Recording:
		return nil, fail(400, "NoRunningConfigurationRecorderException", "There is no configuration recorder running.")
	}
	id, ch := s.ids.uuid(), r.channel
	s.clock.after(snapshotDelivery, func() {
		now := s.clock.Now()
		ch.snapshotTried, ch.snapshotError = now, nil
		if err := s.checkBucket(a, r, channelInput{S3BucketName: ch.Bucket, S3KeyPrefix: ch.KeyPrefix, S3KmsKeyArn: ch.KMSKey}); err != nil {
			errors.As(err, &ch.snapshotError)
			return
		}
		body, err := s.snapshot(r, id)
		if err != nil {
			ch.snapshotError = fail(500, "InternalError", err.Error())
			return
		}
		ch.snapshotDone = now
		s.deliver(a, ch, fmt.Sprintf("%s/%d/%d/%d/ConfigSnapshot/%s_Config_%s_ConfigSnapshot_%s_%s.json.gz",
			r.name, now.Year(), now.Month(), now.Day(), a.ID, r.name, now.Format("20060102T150405Z"), id), body)
	})
	return map[string]any{"configSnapshotId": id}, nil
}

// snapshot is the file of a snapshot: the newest items, gzipped JSON.
func (s *Sim) snapshot(r *regionState, id string) ([]byte, error) {
	s.ensureItems(r)
	list := []any{}
	for _, item := range r.config.current("") {
		shape, err := r.itemShape(item)
		if err != nil {
			return nil, err
		}
		shape["configuration"] = item.Configuration // an object here, not a text
		list = append(list, shape)
	}
	text, err := json.Marshal(map[string]any{"fileVersion": "1.0", "configSnapshotId": id, "configurationItems": list})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// snapshotInfo is the channel's configSnapshotDeliveryInfo.
func (ch *deliveryChannel) snapshotInfo() map[string]any {
	m := map[string]any{}
	setTime(m, "lastAttemptTime", ch.snapshotTried)
	setTime(m, "lastSuccessfulTime", ch.snapshotDone)
	switch {
	case ch.snapshotError != nil:
		m["lastStatus"], m["lastErrorCode"], m["lastErrorMessage"] = "Failure", ch.snapshotError.Code, ch.snapshotError.Message
	case !ch.snapshotTried.IsZero():
		m["lastStatus"] = "Success"
	}
	return m
}
