package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// quirk is what an account of the built-in organization already has.
type quirk struct {
	recorder string // "", customer, control-tower, stopped, subset
	// regions where it has that recorder, sorted.
	regions []string
	// rule is the name of an equal rule in those Regions, "" without one.
	rule, ruleBy string
}

// workload gives an account under Workloads what accounts have in life: one in
// three already records somewhere, in each of the ways that matter.
func (g *generator) workload(a *account, i int) {
	a.Tags["environment"] = "dev"
	for _, e := range []string{"prod", "staging"} {
		if strings.Contains(a.Name, e) {
			a.Tags["environment"] = e
		}
	}
	if i == 5 {
		a.State = "SUSPENDED" // a closed account that nobody moved out
	}
	if g.s.opts.Empty {
		g.enterable(a, false)
		return
	}
	home, other := g.s.opts.Home, "eu-west-1"
	if home == other {
		other = "us-east-1"
	}
	both := []string{home, other}
	slices.Sort(both)
	q := quirk{}
	switch i % 24 {
	case 1:
		q = quirk{recorder: "customer", regions: []string{home}}
	case 3:
		q = quirk{recorder: "customer", regions: []string{other}}
	case 7:
		q = quirk{recorder: "customer", regions: both}
	case 9:
		q = quirk{recorder: "control-tower", regions: slices.Clone(defaultRegions)}
		g.s.guard(a.ID, []string{
			"config:PutConfigurationRecorder", "config:DeleteConfigurationRecorder", "config:StopConfigurationRecorder",
			"config:PutDeliveryChannel", "config:DeleteDeliveryChannel", "config:PutRetentionConfiguration", "config:DeleteRetentionConfiguration",
		}, nil)
	case 11:
		q = quirk{recorder: "stopped", regions: []string{home}}
	case 13:
		q = quirk{recorder: "subset", regions: []string{home}}
	case 15:
		q = quirk{recorder: "customer", regions: both, rule: "vpc-default-security-group-closed"}
	case 17:
		q = quirk{recorder: "customer", regions: both, rule: "securityhub-vpc-default-security-group-closed-" + strings.ToLower(g.alnum(8)), ruleBy: "securityhub.amazonaws.com"}
	}
	g.enterable(a, q.recorder == "control-tower")
	a.quirk = q
	if q.recorder != "" || i%3 == 0 {
		g.s.addServiceLinkedRole(a, "config.amazonaws.com", "") //nolint:errcheck // a new account has none
	}
	if i%5 == 0 {
		g.s.addServiceLinkedRole(a, "remediation.config.amazonaws.com", "") //nolint:errcheck // a new account has none
	}
	for _, region := range q.regions {
		a.region(region) // so that what is there is known without looking
	}
}

// sandbox makes the accounts in which things go wrong.
func (g *generator) sandbox(a *account, i int) {
	a.Tags["environment"] = "sandbox"
	if g.s.opts.Empty {
		g.enterable(a, false)
		return
	}
	switch i {
	case 0: // invited, and nobody made a role: it cannot be entered
		a.JoinedMethod = "INVITED"
		return
	case 1: // a policy keeps Config rules for the security team
		g.enterable(a, false)
		g.s.guard(a.ID, []string{"config:PutConfigRule"}, nil)
		return
	case 2: // Regions outside America and Europe are denied
		g.enterable(a, false)
		g.s.guard(a.ID, nil, slices.DeleteFunc(append(slices.Clone(defaultRegions), switchedRegions...), func(region string) bool {
			return strings.HasPrefix(region, "us-") || strings.HasPrefix(region, "eu-")
		}))
		return
	}
	g.enterable(a, i%4 == 3)
}

// populate makes what an account has in a Region when it is first looked at.
func (s *Sim) populate(a *account, r *regionState) {
	if s.world.regionStatus(a, r.name) == "DISABLED" || s.world.regionStatus(a, r.name) == "" {
		return
	}
	s.addVPC(a, r, true)
	if chance(a.ID, r.name, "second") < 0.3 {
		s.addVPC(a, r, false)
	}
	if !slices.Contains(a.quirk.regions, r.name) {
		return
	}
	since := a.Joined.Add(48 * time.Hour)
	rec := &configRecorder{
		Name: "default", RoleARN: fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", s.world.partition, a.ID),
		AllSupported: true, Frequency: "CONTINUOUS", Recording: true, LastStatus: "Success", LastStart: since, LastStatusChanged: since,
	}
	r.recorder = rec
	r.channel = &deliveryChannel{Name: "default", Bucket: "config-bucket-" + a.ID, Frequency: "TwentyFour_Hours"}
	switch a.quirk.recorder {
	case "control-tower":
		rec.Name, r.channel.Name = "aws-controltower-BaselineConfigRecorder", "aws-controltower-BaselineConfigDeliveryChannel"
		r.channel.Bucket = "aws-controltower-logs-" + s.world.order[1] + "-" + s.opts.Home
		rec.RoleARN = fmt.Sprintf("arn:%s:iam::%s:role/aws-controltower-ConfigRecorderRole", s.world.partition, a.ID)
	case "stopped":
		rec.Recording, rec.LastStop = false, since.Add(24*time.Hour)
	case "subset":
		rec.AllSupported, rec.ResourceTypes = false, []string{"AWS::EC2::Instance", "AWS::IAM::Role", "AWS::S3::Bucket"}
	}
	if a.quirk.rule != "" {
		rule := &configRule{
			Name: a.quirk.rule, ID: "config-rule-" + alnumOf(a.ID, r.name, a.quirk.rule), Owner: "AWS", Identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
			ScopeTypes: []string{"AWS::EC2::SecurityGroup"}, CreatedBy: a.quirk.ruleBy, State: "ACTIVE", Created: since, results: map[string]*evaluation{},
		}
		rule.ARN = fmt.Sprintf("arn:%s:config:%s:%s:config-rule/%s", s.world.partition, r.name, a.ID, rule.ID)
		r.rules[rule.Name] = rule
		s.seedRule(r, rule)
	}
}

// alnumOf makes an id out of names.
func alnumOf(names ...string) string { return fmt.Sprintf("%06x", int(chance(names...)*0xffffff)) }

func hexOf(n int, names ...string) string {
	out := ""
	for i := 0; len(out) < n; i++ {
		out += fmt.Sprintf("%08x", uint32(chance(append(names, fmt.Sprint(i))...)*0xffffffff))
	}
	return out[:n]
}

// openRules are the rules that EC2 gives a new default group: everything from
// itself, everything out (EC2 user guide, "Default security groups for your VPCs").
func openRules(id, owner string) (ingress, egress []map[string]any) {
	return []map[string]any{{"IpProtocol": "-1", "UserIdGroupPairs": []any{map[string]any{"GroupId": id, "UserId": owner}}}},
		[]map[string]any{{"IpProtocol": "-1", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}}
}

// addVPC makes a VPC with its default security group and another group. About 40 %
// of the places have an open default group, some of them in use.
func (s *Sim) addVPC(a *account, r *regionState, isDefault bool) {
	kind := fmt.Sprint("vpc", len(r.vpcs))
	v := &vpc{ID: "vpc-" + hexOf(17, a.ID, r.name, kind), CIDR: "172.31.0.0/16", Default: isDefault}
	if !isDefault {
		v.CIDR = "10.20.0.0/16"
	}
	r.vpcs = append(r.vpcs, v)
	changed := a.Joined.Add(24 * time.Hour)
	g := &securityGroup{ID: "sg-" + hexOf(17, a.ID, r.name, kind, "default"), Name: "default", Description: "default VPC security group", VPC: v.ID, Tags: map[string]string{}, changed: changed}
	app := &securityGroup{ID: "sg-" + hexOf(17, a.ID, r.name, kind, "app"), Name: "app", Description: "application", VPC: v.ID, Tags: map[string]string{}, changed: changed}
	app.Ingress = []map[string]any{{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": []any{map[string]any{"CidrIp": "10.0.0.0/8"}}}}
	app.Egress = []map[string]any{{"IpProtocol": "-1", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}}
	r.groups[g.ID], r.groups[app.ID] = g, app
	s.addOpenGroup(a, r, v, kind, changed)
	// The share of places is 40 %; a place with two VPCs has two chances.
	if s.opts.Empty || chance(a.ID, r.name, kind, "open") >= 0.34 {
		return
	}
	g.Ingress, g.Egress = openRules(g.ID, a.ID)
	switch use := chance(a.ID, r.name, kind, "use"); {
	case use < 0.15:
		owners := []string{"instance", "instance", "lambda", "elb", "rds"}
		owner := owners[int(chance(a.ID, r.name, kind, "owner")*float64(len(owners)))]
		addInterface(r, "eni-"+hexOf(17, a.ID, r.name, kind), g.ID, owner)
		leanBySome(a, r, g, owner)
	case use < 0.20:
		app.Ingress = append(app.Ingress, map[string]any{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": []any{map[string]any{"GroupId": g.ID, "UserId": a.ID}}})
	case use < 0.26:
		g.Tags["rollout-exempt"] = "ticket-1234"
	}
}

// openings are what people open to the world, with how often it is found; the share of
// VPCs that have any is the sum.
var openings = []struct {
	name, description, protocol string
	from, to                    int
	cidrs                       []string
	share                       float64
}{
	{"web", "web servers", "tcp", 443, 443, []string{"0.0.0.0/0", "::/0"}, 0.25},
	{"bastion", "administrators", "tcp", 22, 22, []string{"0.0.0.0/0"}, 0.08},
	{"remote-desktop", "support", "tcp", 3389, 3389, []string{"0.0.0.0/0"}, 0.04},
	{"ssh-v6", "administrators", "tcp", 22, 22, []string{"::/0"}, 0.02},
	{"launch-wizard-1", "launch-wizard-1 created", "-1", 0, 0, []string{"0.0.0.0/0"}, 0.03},
	{"ftp", "file exchange", "tcp", 20, 25, []string{"0.0.0.0/0"}, 0.02},
	{"resolver", "DNS", "udp", 53, 53, []string{"0.0.0.0/0"}, 0.02},
}

// addOpenGroup gives a VPC of a generated account a group that is open to the world, or
// not.
func (s *Sim) addOpenGroup(a *account, r *regionState, v *vpc, kind string, changed time.Time) {
	if !a.lived {
		return
	}
	draw := chance(a.ID, r.name, kind, "opening")
	for _, o := range openings {
		if draw -= o.share; draw >= 0 {
			continue
		}
		p := map[string]any{"IpProtocol": o.protocol}
		if o.protocol != "-1" {
			p["FromPort"], p["ToPort"] = o.from, o.to
		}
		var v4, v6 []any
		for _, cidr := range o.cidrs {
			if strings.Contains(cidr, ":") {
				v6 = append(v6, map[string]any{"CidrIpv6": cidr})
			} else {
				v4 = append(v4, map[string]any{"CidrIp": cidr})
			}
		}
		if v4 != nil {
			p["IpRanges"] = v4
		}
		if v6 != nil {
			p["Ipv6Ranges"] = v6
		}
		g := &securityGroup{
			ID: "sg-" + hexOf(17, a.ID, r.name, kind, o.name), Name: o.name, Description: o.description, VPC: v.ID, Tags: map[string]string{}, changed: changed, Ingress: []map[string]any{p},
			Egress: []map[string]any{{"IpProtocol": "-1", "IpRanges": []any{map[string]any{"CidrIp": "0.0.0.0/0"}}}},
		}
		r.groups[g.ID] = g
		return
	}
}
