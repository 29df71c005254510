package simaws

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// landingZone is Control Tower's landing zone: what it governs, and what it sets up in
// the accounts that it enrols.
type landingZone struct {
	LandingZoneSpec
	arn     string
	enabled []*enabledBaseline
	// policies are those of the OUs, by OU.
	policies map[string]string
}

// LandingZoneSpec describes a landing zone.
type LandingZoneSpec struct {
	Region  string   // its home Region
	Version string   // "3.3", "4.0", …
	Regions []string // the governed ones, its home Region among them
	// NoConfig leaves AWS Config out, which a landing zone may since 4.0 (user guide,
	// "Key changes").
	NoConfig bool
	// Audit and LogArchive are the accounts that it uses, by id.
	Audit, LogArchive string
}

// LandingZones are the versions that a generated organization may have.
func LandingZones() []string { return []string{"3.3", "4.0"} }

// enabledBaseline is a baseline that is enabled on an OU or an account.
type enabledBaseline struct {
	ARN, Name, Version, Target, Parent, Status, Operation string
	id                                                    string // of the OU or account
}

// The names that Control Tower gives what it sets up (user guide, "Resources created in
// the shared accounts"; "Guidance on creating and modifying AWS Control Tower resources").
const (
	towerRecorder = "aws-controltower-BaselineConfigRecorder"
	towerChannel  = "aws-controltower-BaselineConfigDeliveryChannel"
	towerRole     = "AWSControlTowerExecution"
	towerService  = "controltower.amazonaws.com"

	ouBaseline     = "AWSControlTowerBaseline"
	configBaseline = "ConfigBaseline"
)

// towerRoles are those of an enrolled account, without the one that Config records with.
var towerRoles = []string{"aws-controltower-AdministratorExecutionRole", "aws-controltower-ForwardSnsNotificationRole", "aws-controltower-ReadOnlyExecutionRole"}

// since4 says whether AWS Config is one of the things that may be left out.
func (z *landingZone) since4() bool {
	return !strings.HasPrefix(z.Version, "2.") && !strings.HasPrefix(z.Version, "3.")
}

// setUp makes the landing zone: trusted access, and the baselines of the accounts that
// it uses. In those AWS Config records when it is part of the landing zone.
func (s *Sim) setUp(spec LandingZoneSpec) {
	z := &landingZone{LandingZoneSpec: spec, policies: map[string]string{}}
	z.arn = "arn:" + s.world.partition + ":controltower:" + spec.Region + ":" + s.world.management + ":landingzone/" + strings.ToUpper(s.ids.alnum(16))
	s.world.landing = z
	s.world.trustedServices[towerService] = s.clock.Now()
	s.enable("IdentityCenterBaseline", "1.0", s.world.management, "account", "")
	central := []string{"AuditBaseline"}
	if z.since4() {
		central = []string{"CentralSecurityRolesBaseline"}
		if !z.NoConfig {
			central = append(central, "CentralConfigBaseline")
		}
	}
	for _, name := range central {
		s.enable(name, "1.0", spec.Audit, "account", "")
	}
	s.enable("LogArchiveBaseline", "1.0", spec.LogArchive, "account", "")
	for _, id := range []string{spec.Audit, spec.LogArchive} {
		if a := s.world.accounts[id]; a != nil {
			s.equip(a)
		}
	}
}

// enable puts a baseline on an OU or account, and gives what it is enabled as.
func (s *Sim) enable(name, version, id, kind, parent string) *enabledBaseline {
	w := s.world
	if id == "" {
		return nil
	}
	b := &enabledBaseline{
		Name: name, Version: version, id: id, Parent: parent, Status: "SUCCEEDED", Operation: s.ids.uuid(),
		Target: "arn:" + w.partition + ":organizations::" + w.management + ":" + kind + "/" + w.orgID + "/" + id,
		ARN:    "arn:" + w.partition + ":controltower:" + w.landing.Region + ":" + w.management + ":enabledbaseline/X" + strings.ToUpper(s.ids.alnum(16)),
	}
	w.landing.enabled = append(w.landing.enabled, b)
	return b
}

// register puts an OU under governance by a baseline, with its controls, and enrols its
// accounts. OUs below it are registered by themselves (user guide, "Nested OUs").
func (s *Sim) register(ou, baseline string) {
	z := s.world.landing
	if z == nil || s.world.ous[ou] == nil || z.on(ou) != nil {
		return
	}
	version := "4.0"
	switch {
	case baseline == configBaseline:
		version = "1.0"
	case z.since4():
		version = "5.0"
	}
	s.enable(baseline, version, ou, "ou", "")
	s.guardOU(ou)
	for _, id := range s.world.order {
		if a := s.world.accounts[id]; a.ParentID == ou {
			s.enrol(a)
		}
	}
}

// deregister takes an OU out of governance, and what Control Tower set up out of its accounts.
func (s *Sim) deregister(ou string) {
	z := s.world.landing
	if z == nil || z.on(ou) == nil {
		return
	}
	for _, id := range s.world.order {
		if a := s.world.accounts[id]; a.ParentID == ou {
			s.unenrol(a)
		}
	}
	z.drop(ou)
	if id := z.policies[ou]; id != "" {
		b := &s.world.policies
		b.attached[ou] = slices.DeleteFunc(b.attached[ou], func(p string) bool { return p == id })
		delete(b.byID, id)
		b.order = slices.DeleteFunc(b.order, func(p string) bool { return p == id })
		delete(z.policies, ou)
	}
}

// on is the baseline that governs an OU or account, nil without one.
func (z *landingZone) on(id string) *enabledBaseline {
	for _, b := range z.enabled {
		if b.id == id && (b.Name == ouBaseline || b.Name == configBaseline) {
			return b
		}
	}
	return nil
}

func (z *landingZone) drop(id string) {
	z.enabled = slices.DeleteFunc(z.enabled, func(b *enabledBaseline) bool {
		return b.id == id && (b.Name == ouBaseline || b.Name == configBaseline)
	})
}

// enrol enrols an account of a registered OU. One that has a recorder or delivery
// channel of its own in a governed Region cannot be ("Enroll accounts that have existing
// AWS Config resources").
func (s *Sim) enrol(a *account) {
	z := s.world.landing
	if z == nil || a.State != "ACTIVE" {
		return
	}
	by := z.on(a.ParentID)
	if by == nil {
		return
	}
	z.drop(a.ID)
	child := s.enable(by.Name, by.Version, a.ID, "account", by.ARN)
	for _, region := range z.Regions {
		r := a.region(region)
		if !z.NoConfig && (r.recorder != nil && r.recorder.Name != towerRecorder || r.channel != nil && r.channel.Name != towerChannel) {
			child.Status = "FAILED"
			return
		}
	}
	s.equip(a)
}

// equip makes what an enrolled account has: roles, and the recorder and channel in each
// governed Region where AWS Config is part of the landing zone.
func (s *Sim) equip(a *account) {
	z := s.world.landing
	for _, name := range append([]string{towerRole}, towerRoles...) {
		if a.roles[name] == nil {
			s.world.administrator(a, name, "AROA"+s.ids.upper(17), s.clock.Now())
		}
	}
	if z.NoConfig {
		return
	}
	if a.roles["AWSServiceRoleForConfig"] == nil {
		s.addServiceLinkedRole(a, "config.amazonaws.com", "") //nolint:errcheck // looked first
	}
	now := s.clock.Now()
	for _, region := range z.Regions {
		r := a.region(region)
		s.recorderChanges(r)
		r.recorder = &configRecorder{
			Name: towerRecorder, AllSupported: true, IncludeGlobal: region == z.Region, Frequency: "CONTINUOUS", Recording: true, LastStatus: "Success", LastStart: now, LastStatusChanged: now,
			RoleARN: "arn:" + s.world.partition + ":iam::" + a.ID + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
		}
		r.channel = &deliveryChannel{Name: towerChannel, Bucket: "aws-controltower-logs-" + z.LogArchive + "-" + z.Region, Frequency: "TwentyFour_Hours"}
	}
}

// unenrol takes out what Control Tower made in an account. Its execution role stays, and
// so do service-linked roles (user guide, "Key changes").
func (s *Sim) unenrol(a *account) {
	z := s.world.landing
	if z == nil || z.on(a.ID) == nil {
		return
	}
	z.drop(a.ID)
	for _, name := range towerRoles {
		delete(a.roles, name)
	}
	for _, region := range z.Regions {
		if r := a.region(region); r.recorder != nil && r.recorder.Name == towerRecorder {
			s.recorderChanges(r)
			r.recorder, r.channel = nil, nil
		}
	}
}

// governAgain follows an account: since landing zone 3.1 one that comes into a registered
// OU is enrolled by itself, and one that leaves loses what the baseline made ("Move and
// enroll accounts with auto-enrollment").
func (s *Sim) governAgain(a *account, from, to string) {
	z := s.world.landing
	if z == nil || a.ID == s.world.management || z.on(from) == nil && z.on(to) == nil {
		return
	}
	s.clock.after(spread(3*time.Minute, 12*time.Minute, "enrol", a.ID), func() {
		if s.world.accounts[a.ID] == nil || z.on(a.ParentID) == nil {
			s.unenrol(a)
			return
		}
		s.enrol(a)
	})
}

// guardOU attaches the mandatory controls that are service control policies, those that
// bear on what this simulation makes, in one policy named as Control Tower names its own
// (user guide, "Mandatory controls").
func (s *Sim) guardOU(ou string) {
	except := map[string]any{"aws:PrincipalARN": "arn:" + s.world.partition + ":iam::*:role/" + towerRole}
	statement := func(sid string, actions, resources []string, more map[string]any) map[string]any {
		condition := map[string]any{"ArnNotLike": except}
		for k, v := range more {
			condition[k] = v
		}
		return map[string]any{"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources, "Condition": condition}
	}
	statements := []any{
		statement("GRIAMROLEPOLICY", []string{
			"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
			"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
		}, []string{"arn:" + s.world.partition + ":iam::*:role/aws-controltower-*", "arn:" + s.world.partition + ":iam::*:role/*AWSControlTower*"}, nil),
	}
	if !s.world.landing.NoConfig {
		statements = append(statements,
			statement("GRCONFIGENABLED", []string{
				"config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:DeleteRetentionConfiguration", "config:PutConfigurationRecorder",
				"config:PutDeliveryChannel", "config:PutRetentionConfiguration", "config:StopConfigurationRecorder",
			}, []string{"*"}, nil),
			statement("GRCONFIGRULEPOLICY", []string{
				"config:PutConfigRule", "config:DeleteConfigRule", "config:DeleteEvaluationResults", "config:DeleteConfigurationAggregator", "config:PutConfigurationAggregator",
			}, []string{"*"}, map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/aws-control-tower": "managed-by-control-tower"}}))
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		return
	}
	doc, err := parsePolicy(string(text))
	if err != nil {
		return
	}
	id := "p-" + hexOf(8, "guardrails", ou)
	s.world.policies.add(&orgPolicy{ID: id, Name: "aws-guardrails-" + hexOf(6, "name", ou), Description: "Automatically created by AWS Control Tower", Type: scpType, Content: string(text), doc: doc})
	s.world.policies.attached[ou] = append(s.world.policies.attached[ou], id)
	s.world.landing.policies[ou] = id
}
