package simaws

import (
	"errors"
	"strings"
)

// The resource types of aggregation: an authorization is what a stack set puts into
// the accounts that an aggregator is to read.

const authorizationProperties = "AuthorizedAccountId AuthorizedAwsRegion | Tags"

func createAuthorization(s *Sim, c resourceCall) (resourceResult, error) {
	var in authorizationInput
	if err := properties(c, authorizationProperties, &in); err != nil {
		return resourceResult{}, err
	}
	id := in.AuthorizedAccountId + "|" + in.AuthorizedAwsRegion
	if c.PhysicalID == "" && c.Region.config.authorizations[in.AuthorizedAccountId+" "+in.AuthorizedAwsRegion] != nil {
		return resourceResult{}, errors.New(id + " already exists.")
	}
	auth, err := s.authorize(c.Region, in)
	if err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return resourceResult{PhysicalID: id, Attributes: map[string]any{"AggregationAuthorizationArn": auth.ARN}}, nil
}

func removeAuthorization(_ *Sim, c resourceCall) error {
	c.Region.config.dropAuthorization(strings.Replace(c.PhysicalID, "|", " ", 1))
	return nil
}

const aggregatorProperties = "| ConfigurationAggregatorName AccountAggregationSources OrganizationAggregationSource Tags"

func createAggregator(s *Sim, c resourceCall) (resourceResult, error) {
	var in aggregatorInput
	if err := properties(c, aggregatorProperties, &in); err != nil {
		return resourceResult{}, err
	}
	switch {
	case c.PhysicalID != "":
		in.ConfigurationAggregatorName = c.PhysicalID
	case in.ConfigurationAggregatorName == "":
		in.ConfigurationAggregatorName = generatedName(s, c)
	case c.Region.config.aggregators[in.ConfigurationAggregatorName] != nil:
		return resourceResult{}, errors.New(in.ConfigurationAggregatorName + " already exists.")
	}
	agg, err := s.putAggregator(c.Region, in)
	if err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return resourceResult{PhysicalID: agg.Name, Attributes: map[string]any{"ConfigurationAggregatorArn": agg.ARN}}, nil
}

func removeAggregator(_ *Sim, c resourceCall) error {
	if agg := c.Region.config.aggregators[c.PhysicalID]; agg != nil {
		c.Region.config.dropAggregator(agg)
	}
	return nil
}
