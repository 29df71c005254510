package simaws

import (
	"slices"
	"strings"
	"time"
)

// aggregationAuthorization lets an aggregator's account and Region read the
// account and Region that gave it.
type aggregationAuthorization struct {
	ARN, Account, Region string
	Created              time.Time
}

type authorizationInput struct {
	AuthorizedAccountId, AuthorizedAwsRegion string
	RequesterAccountId, RequesterAwsRegion   string
	Tags                                     []configTag
	Limit                                    *int
	NextToken                                string
}

func putAuthorization(s *Sim, c *call) (any, error) {
	var in authorizationInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	auth, err := s.authorize(r, in)
	if err != nil {
		return nil, err
	}
	return map[string]any{"AggregationAuthorization": auth.shape()}, nil
}

// authorize gives an authorization; one that is there stays as it is.
func (s *Sim) authorize(r *regionState, in authorizationInput) (*aggregationAuthorization, error) {
	if err := s.checkRegions(false, []string{in.AuthorizedAwsRegion}); err != nil {
		return nil, err
	}
	key := in.AuthorizedAccountId + " " + in.AuthorizedAwsRegion
	auth := r.config.authorizations[key]
	if auth == nil {
		auth = &aggregationAuthorization{
			Account: in.AuthorizedAccountId, Region: in.AuthorizedAwsRegion, Created: s.clock.Now(),
			ARN: "arn:" + s.world.partition + ":config:" + r.name + ":" + r.account + ":aggregation-authorization/" + in.AuthorizedAccountId + "/" + in.AuthorizedAwsRegion,
		}
		if r.config.authorizations == nil {
			r.config.authorizations = map[string]*aggregationAuthorization{}
		}
		r.config.authorizations[key] = auth
		r.config.tag(auth.ARN, in.Tags)
	}
	return auth, nil
}

// dropAuthorization takes an authorization away that may not be there.
func (c *configState) dropAuthorization(key string) {
	if auth := c.authorizations[key]; auth != nil {
		delete(c.authorizations, key)
		delete(c.tags, auth.ARN)
	}
}

func (a *aggregationAuthorization) shape() map[string]any {
	return map[string]any{"AggregationAuthorizationArn": a.ARN, "AuthorizedAccountId": a.Account, "AuthorizedAwsRegion": a.Region, "CreationTime": epoch(a.Created)}
}

func describeAuthorizations(s *Sim, c *call) (any, error) {
	var in authorizationInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 100, 100, "limit")
	if err != nil {
		return nil, err
	}
	_, r := s.place(c)
	list := []any{}
	for _, key := range sortedKeys(r.config.authorizations) {
		list = append(list, r.config.authorizations[key].shape())
	}
	return configPage("AggregationAuthorizations", list, limit, in.NextToken)
}

// deleteAuthorization has no error for one that is not there: its model has none.
func deleteAuthorization(s *Sim, c *call) (any, error) {
	var in authorizationInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	r.config.dropAuthorization(in.AuthorizedAccountId + " " + in.AuthorizedAwsRegion)
	return map[string]any{}, nil
}

// pendingRequests are the aggregators ("account region") that name this account
// and Region as a source and have no authorization for it.
func (s *Sim) pendingRequests(r *regionState) []string {
	asking := map[string]bool{}
	for _, id := range s.world.order {
		for name, there := range s.world.accounts[id].regions {
			key := id + " " + name
			if r.config.authorizations[key] != nil || r.config.dismissed[key] || id == r.account {
				continue
			}
			for _, agg := range there.config.aggregators {
				if a := agg.Accounts; a != nil && slices.Contains(a.AccountIds, r.account) && (a.AllAwsRegions || slices.Contains(a.AwsRegions, r.name)) {
					asking[key] = true
				}
			}
		}
	}
	return sortedKeys(asking)
}

func describePending(s *Sim, c *call) (any, error) {
	var in authorizationInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 20, 20, "limit")
	if err != nil {
		return nil, err
	}
	_, r := s.place(c)
	list := []any{}
	for _, key := range s.pendingRequests(r) {
		id, region, _ := strings.Cut(key, " ")
		list = append(list, map[string]any{"RequesterAccountId": id, "RequesterAwsRegion": region})
	}
	return configPage("PendingAggregationRequests", list, limit, in.NextToken)
}

func deletePending(s *Sim, c *call) (any, error) {
	var in authorizationInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	key := in.RequesterAccountId + " " + in.RequesterAwsRegion
	if slices.Contains(s.pendingRequests(r), key) {
		if r.config.dismissed == nil {
			r.config.dismissed = map[string]bool{}
		}
		r.config.dismissed[key] = true
	}
	return map[string]any{}, nil
}
