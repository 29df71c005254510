package simaws

import (
	"slices"
	"strings"
	"time"
)

// What follows changes the organization from outside, as people do in life
// between two runs. Tests of other packages build their cases with it.

// AccountView is what an account is, for those who set a case up.
type AccountView struct {
	ID, Name, State, ParentID string
	OUPath                    string // "Workloads/Prod"
	Management                bool
}

// Accounts lists the accounts in ListAccounts order.
func (s *Sim) Accounts() []AccountView {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []AccountView
	for _, id := range s.world.order {
		a := s.world.accounts[id]
		v := AccountView{ID: id, Name: a.Name, State: a.State, ParentID: a.ParentID, Management: id == s.world.management}
		for _, ou := range s.world.ancestors(a.ParentID)[1:] {
			if v.OUPath != "" {
				v.OUPath += "/"
			}
			v.OUPath += s.world.ous[ou].Name
		}
		out = append(out, v)
	}
	return out
}

// change runs f on an account with the clock brought up to date; an unknown id
// does nothing.
func (s *Sim) change(id string, f func(a *account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	if a := s.world.accounts[id]; a != nil {
		f(a)
	}
}

// SetState sets an account's State.
func (s *Sim) SetState(id, state string) { s.change(id, func(a *account) { a.State = state }) }

// moved tells those who follow an account that it stands elsewhere: from "" it has
// joined, to "" it has left.
func (s *Sim) moved(a *account, from, to string) {
	for _, follow := range s.onMove {
		follow(a, from, to)
	}
}

// Move puts an account into another OU, or the root.
func (s *Sim) Move(id, parent string) {
	s.change(id, func(a *account) {
		from := a.ParentID
		a.ParentID = parent
		s.moved(a, from, parent)
	})
}

// PutStackSets makes empty stack sets in a Region, somebody else's.
func (s *Sim) PutStackSets(region string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const body = `{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}`
	doc, err := readTemplate(body)
	if err != nil {
		panic(err)
	}
	for range n {
		id := s.ids.uuid()
		set := &stackSet{Name: "theirs-" + id, ID: "theirs-" + id + ":" + id, Region: region, Status: "ACTIVE", Body: body, doc: doc, instances: map[target]*stackInstance{}, deployed: map[string]map[string]bool{}}
		s.world.stackSets[set.ID] = set
	}
}

// PutStacks makes stacks without resources in a Region of an account.
func (s *Sim) PutStacks(id, region string, n int) {
	const body = `{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}`
	doc, err := readTemplate(body)
	if err != nil {
		panic(err)
	}
	s.change(id, func(a *account) {
		for range n {
			uuid := s.ids.uuid()
			st := &stack{Name: "theirs-" + uuid, Status: "CREATE_COMPLETE", Created: s.clock.Now(), Body: body, doc: doc,
				ID: "arn:" + s.world.partition + ":cloudformation:" + region + ":" + id + ":stack/theirs-" + uuid + "/" + uuid}
			a.region(region).stacks[st.Name] = st
		}
	})
}

// RemoveRole takes a role away.
func (s *Sim) RemoveRole(id, role string) { s.change(id, func(a *account) { delete(a.roles, role) }) }

// PutRole gives an account a role that lets the management account read.
func (s *Sim) PutRole(id, name string) {
	s.change(id, func(a *account) {
		trust, _ := parsePolicy(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:" + s.world.partition + ":iam::" + s.world.management + ":root"}, "Action": "sts:AssumeRole",
		}}})
		a.roles[name] = &iamRole{Name: name, Path: "/", ID: "AROA" + strings.ToUpper(hexOf(17, id, name)), ARN: "arn:" + s.world.partition + ":iam::" + id + ":role/" + name, Created: s.clock.Now(), Trust: trust,
			Managed: []string{"arn:" + s.world.partition + ":iam::aws:policy/ReadOnlyAccess"}}
	})
}

// HasRole says whether a role is there.
func (s *Sim) HasRole(id, role string) bool {
	there := false
	s.change(id, func(a *account) { there = a.roles[role] != nil })
	return there
}

// SetServiceLinkedRole makes a service's role (config.amazonaws.com) or takes it away.
func (s *Sim) SetServiceLinkedRole(id, service string, there bool) {
	s.change(id, func(a *account) {
		delete(a.roles, serviceLinkedRoles[service])
		if there {
			s.addServiceLinkedRole(a, service, "") //nolint:errcheck // it was just taken away
		}
	})
}

// DenyAction adds a service control policy that denies an action ("config:PutConfigRule").
func (s *Sim) DenyAction(id, action string) {
	s.change(id, func(a *account) { s.guard(a.ID, []string{action}, nil) })
}

// DenyRegion adds a service control policy that denies a Region.
func (s *Sim) DenyRegion(id, region string) {
	s.change(id, func(a *account) { s.guard(a.ID, nil, []string{region}) })
}

// OptIn switches an opt-in Region on or off.
func (s *Sim) OptIn(id, region string, on bool) {
	s.change(id, func(a *account) { a.optedIn[region] = on })
}

// RecorderSpec is a recorder that somebody else made.
type RecorderSpec struct {
	Name    string   // default "default"
	Stopped bool     // there, but not recording
	Types   []string // nil: all types
	NoOwner bool     // no delivery channel beside it
}

// PutRecorder gives an account a recorder and channel of its own in a Region.
func (s *Sim) PutRecorder(id, region string, spec RecorderSpec) {
	s.change(id, func(a *account) {
		if spec.Name == "" {
			spec.Name = "default"
		}
		since := s.clock.Now().Add(-24 * time.Hour)
		r := a.region(region)
		r.recorder = &configRecorder{
			Name: spec.Name, AllSupported: spec.Types == nil, ResourceTypes: spec.Types, Frequency: "CONTINUOUS", Recording: !spec.Stopped,
			RoleARN:    "arn:" + s.world.partition + ":iam::" + id + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
			LastStatus: "Success", LastStart: since, LastStatusChanged: since,
		}
		if !spec.NoOwner {
			r.channel = &deliveryChannel{Name: spec.Name, Bucket: "config-bucket-" + id, Frequency: "TwentyFour_Hours"}
		}
		if a.roles["AWSServiceRoleForConfig"] == nil {
			s.addServiceLinkedRole(a, "config.amazonaws.com", "") //nolint:errcheck // looked first
		}
	})
}

// PutChannel gives an account a delivery channel without a recorder.
func (s *Sim) PutChannel(id, region, name string) {
	s.change(id, func(a *account) {
		a.region(region).channel = &deliveryChannel{Name: name, Bucket: "config-bucket-" + id}
	})
}

// Recorder gives the name of an account's recorder in a Region, "" without one.
func (s *Sim) Recorder(id, region string) string {
	name := ""
	s.change(id, func(a *account) {
		if r := a.region(region).recorder; r != nil {
			name = r.Name
		}
	})
	return name
}

// PutRule makes a managed rule under a name of somebody else's choosing, already
// evaluated.
func (s *Sim) PutRule(id, region, name, identifier, createdBy string) {
	s.change(id, func(a *account) {
		r := a.region(region)
		rule := &configRule{
			Name: name, ID: "config-rule-" + alnumOf(id, region, name), Owner: "AWS", Identifier: identifier, ScopeTypes: []string{"AWS::EC2::SecurityGroup"},
			CreatedBy: createdBy, State: "ACTIVE", Created: s.clock.Now(), results: map[string]*evaluation{},
		}
		rule.ARN = "arn:" + s.world.partition + ":config:" + region + ":" + id + ":config-rule/" + rule.ID
		if managed, known := managedRules[identifier]; known {
			rule.ScopeTypes = managed.types
		}
		r.rules[name] = rule
		s.seedRule(r, rule)
	})
}

// SetGroups opens or closes every default security group of an account and Region.
func (s *Sim) SetGroups(id, region string, open bool) {
	s.change(id, func(a *account) {
		r := a.region(region)
		for _, gid := range sortedKeys(r.groups) {
			if g := r.groups[gid]; g.Name == "default" {
				g.Ingress, g.Egress = nil, nil
				if open {
					g.Ingress, g.Egress = openRules(gid, id)
				}
				s.groupChanged(r, g)
			}
		}
	})
}

// UseGroups attaches a network interface to every default security group, or
// takes those interfaces away.
func (s *Sim) UseGroups(id, region string, used bool) {
	s.change(id, func(a *account) {
		r := a.region(region)
		r.enis = slices.DeleteFunc(r.enis, func(e *networkInterface) bool { return e.Description == "hook" })
		for _, gid := range sortedKeys(r.groups) {
			if used && r.groups[gid].Name == "default" {
				r.enis = append(r.enis, &networkInterface{ID: "eni-" + hexOf(17, gid), Description: "hook", Groups: []string{gid}, InterfaceType: "interface"})
			}
		}
	})
}

// TagGroups puts a tag on every default security group; an empty key takes all
// tags away.
func (s *Sim) TagGroups(id, region, key, value string) {
	s.change(id, func(a *account) {
		for _, g := range a.region(region).groups {
			if g.Name == "default" {
				if key == "" {
					g.Tags = map[string]string{}
				} else {
					g.Tags[key] = value
				}
			}
		}
	})
}
