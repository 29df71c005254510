package simaws

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The keys of a file, by the name that docs/schemas/organization.schema.json has.
var organizationKeys = map[string][]string{
	"organization": {"id", "management", "trustedAccess", "landingZone", "aggregator", "defaults", "accounts", "ous"},
	"landingZone":  {"region", "version", "governedRegions", "config", "audit", "logArchive"},
	"aggregator":   {"region", "account", "name", "regions"},
	"ou":           {"id", "name", "baseline", "accounts", "ous"},
	"account": {
		"id", "name", "email", "state", "tags", "optInRegions", "roles", "recorders", "rules", "defaultSecurityGroup",
		"defaultSecurityGroupInUse", "defaultSecurityGroupUsers", "quotas", "denyRegions", "denyActions", "delegatedAdministratorFor", "enrolled",
	},
	"recorder": {"region", "name", "recording", "channel", "types"},
	"rule":     {"region", "name", "identifier", "createdBy"},
	"user":     {"region", "kind", "name"},
	"quota":    {"region", "code", "value"},
}

var (
	accountStates    = []string{"ACTIVE", "SUSPENDED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "CLOSED"}
	patternAccountID = regexp.MustCompile(`^\d{12}$`)
	patternEmail     = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
	patternOrgID     = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	patternOUID      = regexp.MustCompile(`^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`)
	patternPrincipal = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com$`)
	patternUserName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{2,63}$`)
	patternAction    = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9*?]+$`)
	patternRoleName  = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	patternUpper     = regexp.MustCompile(`^[A-Z0-9_]{1,256}$`)
)

// ParseOrganization reads a description of an organization
// (docs/organization-file.md). file is its name in errors.
func ParseOrganization(file string, text []byte) (o *Organization, err error) {
	r := &organizationReader{file: file, ids: map[string]bool{}, o: &Organization{}}
	var document, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &OrganizationError{file, 1, 1, "the file is empty; it has at least management: {name: …}"}
		}
		return nil, errors.New(file + ": " + strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &OrganizationError{file, max(more.Line, 1), max(more.Column, 1), "one document a file"}
	}
	defer func() {
		// What is wrong deep in the file ends the reading.
		if p := recover(); p != nil {
			found, ok := p.(*OrganizationError)
			if !ok {
				panic(p)
			}
			o, err = nil, found
		}
	}()
	r.organization(document.Content[0])
	return r.o, nil
}

type organizationReader struct {
	file string
	o    *Organization
	ids  map[string]bool // ids and addresses that are taken
}

func (r *organizationReader) fail(n *yaml.Node, problem string) {
	panic(&OrganizationError{r.file, n.Line, n.Column, problem})
}

// object gives the values of a mapping whose keys are known and given once.
func (r *organizationReader) object(n *yaml.Node, kind string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "an "+kind+" is written as keys and values: "+listed(organizationKeys[kind]))
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !slices.Contains(organizationKeys[kind], key.Value) {
			r.fail(key, "there is no key "+key.Value+" in an "+kind+"; there are "+listed(organizationKeys[kind]))
		}
		if out[key.Value] != nil {
			r.fail(key, key.Value+" is given twice")
		}
		out[key.Value] = n.Content[i+1]
	}
	return out
}

func (r *organizationReader) list(n *yaml.Node, f func(*yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "a list is wanted here: [a, b], or a line each that begins with -")
	}
	for _, item := range n.Content {
		f(item)
	}
}

func (r *organizationReader) text(n *yaml.Node, pattern *regexp.Regexp, want string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" || len(n.Value) > 256 || (pattern != nil && !pattern.MatchString(n.Value)) {
		r.fail(n, "write "+want)
	}
	return n.Value
}

func (r *organizationReader) choice(n *yaml.Node, otherwise string, allowed ...string) string {
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || !slices.Contains(allowed, n.Value) {
		r.fail(n, "write one of "+listed(allowed))
	}
	return n.Value
}

func (r *organizationReader) words(n *yaml.Node, pattern *regexp.Regexp, want string) (out []string) {
	r.list(n, func(item *yaml.Node) {
		word := r.text(item, pattern, want)
		if slices.Contains(out, word) {
			r.fail(item, word+" is given twice")
		}
		out = append(out, word)
	})
	return out
}

func (r *organizationReader) regions(n *yaml.Node, allowed []string) (out []string) {
	r.list(n, func(item *yaml.Node) {
		region := r.choice(item, "", allowed...)
		if slices.Contains(out, region) {
			r.fail(item, region+" is given twice")
		}
		out = append(out, region)
	})
	return out
}

// unique refuses what another account or OU has.
func (r *organizationReader) unique(n *yaml.Node, value string) string {
	if n != nil && r.ids[value] {
		r.fail(n, value+" is given twice")
	}
	r.ids[value] = true
	return value
}

func (r *organizationReader) organization(n *yaml.Node) {
	keys := r.object(n, "organization")
	if keys["management"] == nil {
		r.fail(n, "management is missing: the management account, with its name")
	}
	r.o.id = r.text(keys["id"], patternOrgID, "an organization's id, o- and 10 to 32 small letters and digits")
	r.o.trusted = r.words(keys["trustedAccess"], patternPrincipal, "a service principal like config.amazonaws.com")
	defaults := fileAccount{state: "ACTIVE", roles: []string{"OrganizationAccountAccessRole"}}
	r.o.management = r.account(keys["management"], fileAccount{state: "ACTIVE"}, -1)
	if d := keys["defaults"]; d != nil {
		for i := 0; d.Kind == yaml.MappingNode && i < len(d.Content); i += 2 {
			if key := d.Content[i]; slices.Contains([]string{"id", "name", "email"}, key.Value) {
				r.fail(key, key.Value+" is of one account, not a default")
			}
		}
		defaults = r.accountKeys(r.object(d, "account"), defaults)
	}
	r.list(keys["accounts"], func(a *yaml.Node) { r.o.accounts = append(r.o.accounts, r.account(a, defaults, -1)) })
	r.units(keys["ous"], defaults, -1, 1)
	r.landing(keys["landingZone"])
	r.aggregator(keys["aggregator"])
	if r.o.Size() > 50000 {
		r.fail(n, "an organization has 50000 accounts at most")
	}
}

// units reads OUs; AWS has five levels of them at most (Quotas for AWS Organizations).
func (r *organizationReader) units(n *yaml.Node, defaults fileAccount, parent, depth int) {
	names := map[string]bool{}
	r.list(n, func(item *yaml.Node) {
		if depth > 5 {
			r.fail(item, "OUs are five levels deep at most")
		}
		keys := r.object(item, "ou")
		if keys["name"] == nil {
			r.fail(item, "the OU's name is missing")
		}
		unit := fileUnit{name: r.text(keys["name"], nil, "the OU's name"), parent: parent}
		if names[unit.name] {
			r.fail(keys["name"], unit.name+" is given twice under one parent")
		}
		names[unit.name] = true
		unit.baseline, unit.baselineAt = r.choice(keys["baseline"], "", ouBaseline, configBaseline), keys["baseline"]
		if id := keys["id"]; id != nil {
			unit.id = r.unique(id, r.text(id, patternOUID, "an OU's id, like ou-abcd-12345678"))
		}
		at := len(r.o.units)
		r.o.units = append(r.o.units, unit)
		r.list(keys["accounts"], func(a *yaml.Node) { r.o.accounts = append(r.o.accounts, r.account(a, defaults, at)) })
		r.units(keys["ous"], defaults, at, depth+1)
	})
}

func (r *organizationReader) account(n *yaml.Node, defaults fileAccount, unit int) fileAccount {
	keys := r.object(n, "account")
	if keys["name"] == nil {
		r.fail(n, "the account's name is missing")
	}
	a := r.accountKeys(keys, defaults)
	a.unit = unit
	a.name = r.text(keys["name"], nil, "the account's name")
	if id := keys["id"]; id != nil {
		a.id = r.unique(id, r.text(id, patternAccountID, "an account's id, twelve digits, in quotes"))
		if id.Tag != "!!str" {
			r.fail(id, "put the account's id in quotes: YAML reads 012345678901 as a number")
		}
	}
	if email := keys["email"]; email != nil {
		a.email = r.text(email, patternEmail, "an address like aws+name@example.com")
		r.unique(email, strings.ToLower(a.email))
	}
	return a
}

// accountKeys reads what defaults may have too.
func (r *organizationReader) accountKeys(keys map[string]*yaml.Node, a fileAccount) fileAccount {
	a.state = r.choice(keys["state"], a.state, accountStates...)
	if n := keys["tags"]; n != nil {
		if n.Kind != yaml.MappingNode {
			r.fail(n, "tags are written as keys and values")
		}
		a.tags = map[string]string{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := r.text(n.Content[i], nil, "a tag's key")
			if _, twice := a.tags[key]; twice {
				r.fail(n.Content[i], key+" is given twice")
			}
			a.tags[key] = r.text(n.Content[i+1], nil, "a tag's value, in quotes if need be")
		}
	}
	if n := keys["optInRegions"]; n != nil {
		a.optIn = r.regions(n, switchedRegions)
	}
	if n := keys["roles"]; n != nil {
		a.roles = r.words(n, patternRoleName, "a role's name")
	}
	if n := keys["denyRegions"]; n != nil {
		a.denyRegions = r.regions(n, allRegions())
	}
	if n := keys["denyActions"]; n != nil {
		a.denyActions = r.words(n, patternAction, "an action like config:PutConfigRule or config:Put*")
	}
	if n := keys["delegatedAdministratorFor"]; n != nil {
		a.delegated = r.words(n, patternPrincipal, "a service principal like config.amazonaws.com")
	}
	a.closed = r.choice(keys["defaultSecurityGroup"], map[bool]string{true: "closed", false: "open"}[a.closed], "open", "closed") == "closed"
	a.inUse = r.flag(keys["defaultSecurityGroupInUse"], a.inUse)
	a.notEnrolled = !r.flag(keys["enrolled"], !a.notEnrolled)
	if n := keys["defaultSecurityGroupUsers"]; n != nil {
		a.users = nil
		r.list(n, func(item *yaml.Node) {
			k := r.object(item, "user")
			if k["kind"] == nil {
				r.fail(item, "a user of the group has region and kind")
			}
			u := fileUser{region: r.region(item, k), kind: r.choice(k["kind"], "", Leaners()...)}
			u.name = orElse(r.text(k["name"], patternUserName, "a name of 3 to 64 letters, digits, - and _"), u.kind)
			if slices.ContainsFunc(a.users, func(o fileUser) bool { return o.region == u.region && o.name == u.name }) {
				r.fail(item, u.name+" is given twice in "+u.region)
			}
			a.users = append(a.users, u)
		})
	}
	if n := keys["recorders"]; n != nil {
		a.recorders = nil
		r.list(n, func(item *yaml.Node) {
			k := r.object(item, "recorder")
			region := r.region(item, k)
			if slices.ContainsFunc(a.recorders, func(o fileRecorder) bool { return o.region == region }) {
				r.fail(item, "a Region has one recorder; "+region+" is given twice")
			}
			spec := RecorderSpec{Name: r.text(k["name"], nil, "the recorder's name"), Stopped: !r.flag(k["recording"], true), NoOwner: !r.flag(k["channel"], true)}
			spec.Types = r.words(k["types"], regexp.MustCompile(`^AWS::\w+::\w+$`), "a resource type like AWS::EC2::SecurityGroup")
			a.recorders = append(a.recorders, fileRecorder{region, spec})
		})
	}
	if n := keys["rules"]; n != nil {
		a.rules = nil
		r.list(n, func(item *yaml.Node) {
			k := r.object(item, "rule")
			if k["name"] == nil || k["identifier"] == nil {
				r.fail(item, "a rule has region, name and identifier")
			}
			rule := fileRule{region: r.region(item, k), name: r.text(k["name"], nil, "the rule's name"), by: r.text(k["createdBy"], patternPrincipal, "a service principal like securityhub.amazonaws.com")}
			rule.identifier = r.text(k["identifier"], patternUpper, "a managed rule's identifier like VPC_DEFAULT_SECURITY_GROUP_CLOSED")
			if slices.ContainsFunc(a.rules, func(o fileRule) bool { return o.region == rule.region && o.name == rule.name }) {
				r.fail(item, rule.name+" is given twice in "+rule.region)
			}
			a.rules = append(a.rules, rule)
		})
	}
	if n := keys["quotas"]; n != nil {
		a.quotas = r.quotas(n)
	}
	return a
}

func (r *organizationReader) region(item *yaml.Node, keys map[string]*yaml.Node) string {
	if keys["region"] == nil {
		r.fail(item, "region is missing")
	}
	return r.choice(keys["region"], "", allRegions()...)
}

func (r *organizationReader) flag(n *yaml.Node, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	return r.choice(n, "", "true", "false") == "true"
}
