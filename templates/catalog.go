package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A template is catalog/NAME.yaml, its CloudFormation body, and catalog/NAME.about.yaml.
//
//go:embed catalog/*.yaml
var catalogFiles embed.FS

// Scope is where a template is deployed in an account.
type Scope string

const (
	ScopeHome     Scope = "home"     // in the home Region only
	ScopeRegional Scope = "regional" // in every Region asked for
	// ScopeSingle is the home Region of one account of the organization.
	ScopeSingle Scope = "single"
)

// The templates' names.
const (
	RecordingBase               = "recording-base"
	Recording                   = "recording"
	DefaultSecurityGroup        = "default-security-group"
	DefaultSecurityGroupEnforce = "default-security-group-enforce"
)

// Parameters that several templates have, with the same meaning in each.
const (
	// ParameterHomeRegion has no default: whoever deploys gives the home Region to
	// every template that declares it.
	ParameterHomeRegion  = "HomeRegion"
	ParameterRemediation = "Remediation" // of -enforce templates: Manual or Automatic
	ParameterInUse       = "InUse"       // of -enforce templates: Skip or Empty
	// ParameterTrustedAccount and ParameterOrganization have no default either: without
	// another word they are the account that deploys and its organization.
	ParameterTrustedAccount = "TrustedAccountId"
	ParameterOrganization   = "OrganizationId"
	// The switches of recording-base, "true" or "false", for what an account may
	// have already.
	ParameterCreateConfigServiceLinkedRole      = "CreateConfigServiceLinkedRole"
	ParameterCreateRemediationServiceLinkedRole = "CreateRemediationServiceLinkedRole"
	ParameterCreateDeliveryBucket               = "CreateDeliveryBucket"
	ParameterDeliveryBucketPrefix               = "DeliveryBucketPrefix"
	ParameterPermissionsBoundary                = "PermissionsBoundaryArn"
)

// Template is a CloudFormation template and what is known about it. The zero
// value is not usable; templates come from All, Lookup, Load and Chain.
type Template struct {
	Name        string // "default-security-group"
	Title       string // a few words
	Description string // a sentence or two: what it does to an account
	Scope       Scope
	Rules       []Rule // in the order of their names; empty for many

	// Needs are the names of the templates that have to be there first, nearest
	// first, without what those need themselves.
	Needs []string
	// Enforces is, for a template that changes resources, the template whose rules
	// it acts on; EnforcedBy is the other direction. At most one of them is set.
	Enforces, EnforcedBy string

	// Grade is how much it can destroy: 0 nothing, 1 it adds to the account and
	// costs, 2 it changes settings, 3 it takes away what something may lean on.
	Grade int
	// Baseline says that --template baseline has it.
	Baseline bool
	// Role is the name of the IAM role that the template makes, "" where CloudFormation
	// names its roles. A role of that name that is there already is somebody else's.
	Role string
	// Keeps is the bucket that outlives the template's stack; nil for most.
	Keeps *Keeps
	// About is what a person wants to know beforehand; empty for a user's template.
	About About
	// Enforcement says what a template that enforces does; nil for all others.
	Enforcement *Remediation
	// Capabilities are what CloudFormation wants acknowledged: none,
	// CAPABILITY_IAM or CAPABILITY_NAMED_IAM.
	Capabilities []string
	// Remediates says whether it attaches a remediation to a Config rule.
	Remediates bool
	// Unnamed are the logical ids of Config rules whose ConfigRuleName differs from
	// place to place. Always empty for embedded ones.
	Unnamed []string
	// Path is the file it was read from, "" for embedded ones.
	Path string
	// Findings are what Lint has to say of a file, none of it an error. Embedded
	// templates are held to it by tests instead.
	Findings []Finding

	controls []Control // of the template, apart from its rules'
	body     []byte
	document *Document
}

// Keeps is a bucket that outlives its stack, so that the template can be deployed
// again only with its switch off.
type Keeps struct {
	// Bucket is the parameter with which the bucket's name begins; the account, the
	// Region and -an follow, as DeliveryBucketName has it.
	Bucket string
	// Switch is the parameter that is "false" where the bucket is there already.
	Switch string
}

// About is what a person wants to know of a template beforehand, in sentences.
type About struct {
	Regions string `json:"regions"` // where it can be
	Cost    string `json:"cost"`    // what it adds to the bill
	Better  string `json:"better"`  // what would do its job better; "" for nothing known
}

// Remediation is what a template that enforces does to resources, in sentences.
type Remediation struct {
	// Modes are "manual" and, where it is offered at all, "automatic".
	Modes       []string `json:"modes"`
	Does        string   `json:"does"`
	Leaves      string   `json:"leaves"`
	BlastRadius string   `json:"blast_radius" yaml:"blast_radius"`
	Undo        string   `json:"undo"`
}

// Rule is an AWS Config rule of a template.
type Rule struct {
	// Name is its ConfigRuleName, "rollout-vpc-default-security-group-closed".
	Name string
	// Identifier is the managed rule's, "VPC_DEFAULT_SECURITY_GROUP_CLOSED"; ""
	// for a custom rule.
	Identifier string
	Title      string
	// Checks says what it looks at, when, and what passes; "" for a user's rule.
	Checks string
	// Parameters are its input parameters; nil for none. In a Template they are those
	// of its parameters' defaults; RulesWith has a run's.
	Parameters map[string]string
	// Unknown are the input parameters whose value follows from what is not known
	// here, such as an account's id.
	Unknown []string
	// ResourceTypes are the types in its scope; empty means all.
	ResourceTypes []string
	Controls      []Control
}

// Body is the template's text, as it is sent to CloudFormation: at most 51,200
// bytes. The caller may change the copy.
func (t Template) Body() []byte { return slices.Clone(t.body) }

// SHA256 is the body's digest, 64 hexadecimal digits.
func (t Template) SHA256() string {
	sum := sha256.Sum256(t.body)
	return hex.EncodeToString(sum[:])
}

// Document is the body, parsed. It is shared: do not change it.
func (t Template) Document() *Document { return t.document }

// Controls are the controls that the template and its rules answer, each once,
// in the order of the standards' names, versions and ids as the standards count.
func (t Template) Controls() []Control {
	all := slices.Clone(t.controls)
	for _, r := range t.Rules {
		all = append(all, r.Controls...)
	}
	slices.SortStableFunc(all, compareControls)
	return slices.Compact(all)
}

// Remediation are the values of --remediation that mean something for the
// template: "off", and what its enforce template offers. An enforce template itself
// is never off; it is there or not.
func (t Template) Remediation() []string {
	if t.Enforcement != nil {
		return slices.Clone(t.Enforcement.Modes)
	}
	modes := []string{"off"}
	if t.EnforcedBy != "" {
		if e, err := Lookup(t.EnforcedBy); err == nil {
			modes = append(modes, e.Remediation()...)
		}
	}
	return modes
}

// all is the catalog, parsed once. Embedded templates that do not parse are a
// mistake of this package, and its tests see them first.
var all = func() []Template {
	list, err := readCatalog()
	if err != nil {
		panic("embedded templates: " + err.Error())
	}
	return list
}()

// read fills in what follows from the body.
func (t *Template) read(body []byte) error {
	d, err := Parse(body)
	if err != nil {
		return err
	}
	t.body, t.document = body, d
	t.Capabilities = RequiredCapabilities(d)
	for _, r := range d.Resources {
		t.Remediates = t.Remediates || r.Type == "AWS::Config::RemediationConfiguration"
	}
	return nil
}

// All are the embedded templates in the order in which they are deployed: what a
// template needs comes before it.
func All() []Template { return slices.Clone(all) }

// Lookup is the embedded template of that name. The error lists the names there
// are, and the nearest one where one is near.
func Lookup(name string) (Template, error) {
	var names []string
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	hint := ""
	if near := Nearest(name, names); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return Template{}, fmt.Errorf("template %q is not embedded (there are %s)%s", name, strings.Join(names, ", "), hint)
}

// BaselineName is the word that means the baseline's templates.
const BaselineName = "baseline"

// Baseline are the embedded templates that --template baseline means, in deploy
// order, without those that enforce: they come with --remediation.
func Baseline() []Template {
	var list []Template
	for _, t := range all {
		if t.Baseline && t.Enforces == "" {
			list = append(list, t)
		}
	}
	return list
}

// Together are all templates of a run that asks for some: what they need, they
// themselves, and what enforces them, each once, in deploy order.
func Together(asked []Template) []Template {
	var list []Template
	for _, t := range asked {
		list = append(list, t.Chain()...)
		if t.EnforcedBy != "" {
			if e, err := Lookup(t.EnforcedBy); err == nil {
				list = append(list, e.Chain()...)
			}
		}
	}
	return inDeployOrder(list)
}

// inDeployOrder has each template once: embedded ones in the catalog's order, then
// files as they come.
func inDeployOrder(list []Template) []Template {
	named := map[string]bool{}
	for _, t := range list {
		named[t.Name] = true
	}
	var out []Template
	for _, t := range all {
		if named[t.Name] {
			out = append(out, t)
			delete(named, t.Name)
		}
	}
	for _, t := range list {
		if named[t.Name] {
			out = append(out, t)
			delete(named, t.Name)
		}
	}
	return out
}

// Chain is the embedded template of that name with all that it needs, directly or
// not: needs first, each once, the template last.
func Chain(name string) ([]Template, error) {
	last, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return last.Chain(), nil
}

// Chain is the template with all that it needs, as the function Chain is.
func (t Template) Chain() []Template {
	needed := map[string]bool{}
	var mark func(Template)
	mark = func(t Template) {
		for _, name := range t.Needs {
			if need, err := Lookup(name); err == nil && !needed[name] {
				needed[name] = true
				mark(need)
			}
		}
	}
	mark(t)
	var chain []Template
	for _, candidate := range all {
		if needed[candidate.Name] {
			chain = append(chain, candidate)
		}
	}
	return append(chain, t)
}
