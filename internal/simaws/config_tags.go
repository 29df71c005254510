package simaws

// taggable says whether an ARN is that of something of AWS Config in this account
// and Region.
func (s *Sim) taggable(r *regionState, arn string) bool {
	for _, rule := range r.rules {
		if rule.ARN == arn {
			return true
		}
	}
	for _, agg := range r.config.aggregators {
		if agg.ARN == arn {
			return true
		}
	}
	for _, auth := range r.config.authorizations {
		if auth.ARN == arn {
			return true
		}
	}
	for _, rec := range r.recorders() {
		if s.recorderARN(r, rec) == arn {
			return true
		}
	}
	return false
}

type configTagInput struct {
	ResourceArn string
	Tags        []configTag
	TagKeys     []string
	Limit       *int
	NextToken   string
}

// tagCall reads what the calls about tags share.
func tagCall(s *Sim, c *call) (in configTagInput, r *regionState, err error) {
	if err = decode(c, &in); err != nil {
		return
	}
	_, r = s.place(c)
	if !s.taggable(r, in.ResourceArn) {
		err = fail(400, "ResourceNotFoundException", "ResourceArn '"+in.ResourceArn+"' does not exist")
	}
	return
}

func tagConfig(s *Sim, c *call) (any, error) {
	in, r, err := tagCall(s, c)
	if err != nil {
		return nil, err
	}
	all := copyTexts(r.config.tags[in.ResourceArn])
	for _, t := range in.Tags {
		all[t.Key] = t.Value
	}
	if len(all) > 50 {
		return nil, fail(400, "TooManyTagsException", "You have reached the limit of the number of tags you can use. For more information, see Service Limits in the AWS Config Developer Guide.")
	}
	r.config.tag(in.ResourceArn, in.Tags)
	return nil, nil
}

func untagConfig(s *Sim, c *call) (any, error) {
	in, r, err := tagCall(s, c)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(r.config.tags[in.ResourceArn], key)
	}
	return nil, nil
}

func listConfigTags(s *Sim, c *call) (any, error) {
	in, r, err := tagCall(s, c)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 50, 100, "limit")
	if err != nil {
		return nil, err
	}
	list, tags := []any{}, r.config.tags[in.ResourceArn]
	for _, key := range sortedKeys(tags) {
		list = append(list, map[string]any{"Key": key, "Value": tags[key]})
	}
	return configPage("Tags", list, limit, in.NextToken)
}
