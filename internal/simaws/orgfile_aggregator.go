package simaws

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// AggregatorSpec is an organization aggregator of AWS Config.
type AggregatorSpec struct {
	Account string   // by id, "" for the management account
	Region  string   // where it is
	Name    string   // "organization" where it is empty
	Regions []string // that it reads, nil for all
}

// PutAggregator gives an account an aggregator that has been there for a day, with the
// service-linked role, and makes the account a delegated administrator for AWS Config.
func (s *Sim) PutAggregator(spec AggregatorSpec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addAggregator(spec)
}

func (s *Sim) addAggregator(spec AggregatorSpec) error {
	w, since := s.world, s.clock.ago(24*time.Hour)
	id := orElse(spec.Account, w.management)
	a := w.accounts[id]
	if _, on := w.trustedServices[configPrincipal]; !on {
		w.trustedServices[configPrincipal] = since
	}
	if id != w.management && !slices.Contains(w.delegated[id], configPrincipal) {
		w.delegated[id] = append(w.delegated[id], configPrincipal)
		slices.Sort(w.delegated[id])
	}
	if a.roles["AWSServiceRoleForConfig"] == nil {
		s.addServiceLinkedRole(a, configPrincipal, "") //nolint:errcheck // looked first
	}
	agg, err := s.putAggregator(a.region(spec.Region), aggregatorInput{
		ConfigurationAggregatorName:   orElse(spec.Name, "organization"),
		OrganizationAggregationSource: &organizationSource{RoleArn: a.roles["AWSServiceRoleForConfig"].ARN, AllAwsRegions: len(spec.Regions) == 0, AwsRegions: spec.Regions},
	})
	if err != nil {
		return err
	}
	agg.Created, agg.Updated = since, since
	return nil
}

// fileAggregator is an aggregator as a file describes it: its account by name.
type fileAggregator struct{ AggregatorSpec }

// aggregator reads the key of that name.
func (r *organizationReader) aggregator(n *yaml.Node) {
	if n == nil {
		return
	}
	keys := r.object(n, "aggregator")
	if keys["region"] == nil {
		r.fail(n, "region of the aggregator is missing")
	}
	f := &fileAggregator{AggregatorSpec{Region: r.choice(keys["region"], "", defaultRegions...), Name: r.text(keys["name"], patternUserName, "a name of letters, digits, _ and -"), Regions: r.regions(keys["regions"], allRegions())}}
	if in := keys["account"]; in != nil {
		if !slices.ContainsFunc(r.o.accounts, func(a fileAccount) bool { return a.name == in.Value }) {
			r.fail(in, "there is no account called "+in.Value)
		}
		f.Account = in.Value
	}
	r.o.aggregator = f
}

// aggregatorFromFile makes the aggregator of a file.
func (g *generator) aggregatorFromFile(o *Organization) {
	if o.aggregator == nil {
		return
	}
	spec := o.aggregator.AggregatorSpec
	if spec.Account != "" {
		at := slices.IndexFunc(g.w.order, func(id string) bool { return g.w.accounts[id].Name == spec.Account && id != g.w.management })
		spec.Account = g.w.order[at]
	}
	if err := g.s.addAggregator(spec); err != nil {
		panic("the aggregator of a checked file: " + err.Error())
	}
}
