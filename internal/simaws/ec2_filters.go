package simaws

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// described is a resource of EC2 as its describe call shows it, with what its filters
// look at.
type described struct {
	id      string
	shape   map[string]any
	filters map[string][]string
	tags    map[string]string
}

// describing is what a describe call of EC2 has of its own: names on the wire and the
// filters that its page in the API reference lists.
type describing struct {
	member, idsMember string
	// noun, prefix and missing word the errors about ids.
	noun, prefix, missing, malformed string
	filters                          string
	// idsOrPage: ids and MaxResults exclude each other.
	idsOrPage string
	// least and most are MaxResults' range, 5 to 1,000 where they are 0.
	least, most int
}

// The figures of EC2's user guide, "Filtering": 50 filters in a request, 200 values
// in a filter. The API reference has FilterLimitExceeded for it.
const (
	filtersInRequest = 50
	valuesInFilter   = 200
)

// describe picks resources by ids and filters, as every EC2 describe call does: an id
// that is not there is an error, a filter that does not exist too (EC2 API reference).
func (d describing) describe(in map[string]any, list []described) (map[string]any, error) {
	ids := texts(in[d.idsMember])
	if err := d.held(ids, list); err != nil {
		return nil, err
	}
	if _, paged := in["MaxResults"]; paged && len(ids) > 0 && d.idsOrPage != "" {
		return nil, fail(http.StatusBadRequest, "InvalidParameterCombination", "The parameter "+d.idsOrPage+" cannot be used with the parameter maxResults")
	}
	wanted, err := d.wanted(in)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, x := range list {
		if (len(ids) == 0 || slices.Contains(ids, x.id)) && x.fits(wanted) {
			out = append(out, x.shape)
		}
	}
	return d.page(in, out)
}

// held says whether all ids are ids and there.
func (d describing) held(ids []string, list []described) error {
	var absent []string
	for _, id := range ids {
		if !strings.HasPrefix(id, d.prefix) {
			return fail(http.StatusBadRequest, d.malformed, fmt.Sprintf("Invalid id: %q (expecting \"%s...\")", id, d.prefix))
		}
		if !slices.ContainsFunc(list, func(x described) bool { return x.id == id }) {
			absent = append(absent, id)
		}
	}
	switch len(absent) {
	case 0:
		return nil
	case 1:
		return fail(http.StatusBadRequest, d.missing, "The "+d.noun+" '"+absent[0]+"' does not exist")
	}
	return fail(http.StatusBadRequest, d.missing, "The "+d.noun+"s '"+strings.Join(absent, ", ")+"' do not exist")
}

// wanted reads Filters. A filter that is there twice has the values of both.
func (d describing) wanted(in map[string]any) (map[string][]string, error) {
	out := map[string][]string{}
	list, _ := in["Filters"].([]any)
	if len(list) > filtersInRequest {
		return nil, fail(http.StatusBadRequest, "FilterLimitExceeded", fmt.Sprintf("The maximum number of filters specified on a single call is %d", filtersInRequest))
	}
	for _, raw := range list {
		f, _ := raw.(map[string]any)
		name, values := scalarOr(f["Name"]), texts(f["Values"])
		key, isTag := strings.CutPrefix(name, "tag:")
		known := strings.Fields(d.filters)
		if !slices.Contains(known, name) && !(isTag && key != "" && slices.Contains(known, "tag-key")) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "The filter '"+name+"' is invalid")
		}
		if len(values) > valuesInFilter {
			return nil, fail(http.StatusBadRequest, "FilterLimitExceeded", fmt.Sprintf("The maximum number of filter values specified on a single call is %d", valuesInFilter))
		}
		out[name] = append(out[name], values...)
	}
	return out, nil
}

// fits: every filter has a value that one of the resource's matches.
func (x described) fits(wanted map[string][]string) bool {
	for name, values := range wanted {
		have := x.filters[name]
		if name == "tag-key" {
			have = sortedKeys(x.tags)
		} else if key, isTag := strings.CutPrefix(name, "tag:"); isTag {
			if have = nil; mapHas(x.tags, key) {
				have = []string{x.tags[key]}
			}
		}
		if !slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(have, func(h string) bool { return filterFits(v, h) })
		}) {
			return false
		}
	}
	return true
}

func mapHas(m map[string]string, key string) bool { _, ok := m[key]; return ok }

// filterFits matches a filter's value: * is any text, ? is one character or none, \
// takes the meaning of the next one; case counts (EC2 user guide, "Filtering").
func filterFits(pattern, have string) bool {
	reached := make([]bool, len(have)+1) // the beginnings of have that are matched so far
	reached[0] = true
	for i := 0; i < len(pattern); i++ {
		next := make([]bool, len(have)+1)
		c, literal := pattern[i], false
		if c == '\\' && i+1 < len(pattern) {
			i++
			c, literal = pattern[i], true
		}
		for at, ok := range reached {
			switch {
			case c == '*' && !literal:
				next[at] = ok || at > 0 && next[at-1]
			case c == '?' && !literal:
				next[at] = ok || at > 0 && reached[at-1]
			case ok && at < len(have) && have[at] == c:
				next[at+1] = true
			}
		}
		reached = next
	}
	return reached[len(have)]
}

// page cuts a page by MaxResults and NextToken; without MaxResults everything is
// returned (EC2 API reference, DescribeSecurityGroups).
func (d describing) page(in map[string]any, list []any) (map[string]any, error) {
	size, from, least, most := len(list), 0, d.least, d.most
	if most == 0 {
		least, most = 5, 1000
	}
	if v, ok := in["MaxResults"]; ok {
		invalid := "Value ( " + scalar(v) + " ) for parameter maxResults is invalid. "
		n, err := strconv.Atoi(scalar(v))
		switch {
		case err != nil || n < least:
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", invalid+fmt.Sprintf("Expecting a value greater than %d.", least))
		case n > most:
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", invalid+fmt.Sprintf("Expecting a value smaller than %d.", most))
		}
		size = n
	}
	if t := scalarOr(in["NextToken"]); t != "" {
		raw, decodeErr := base64.StdEncoding.DecodeString(t)
		at, found := strings.CutPrefix(string(raw), d.member+" ")
		n, err := strconv.Atoi(at)
		if from = n; decodeErr != nil || err != nil || !found || from < 0 {
			return nil, fail(http.StatusBadRequest, "InvalidPaginationToken", "The pagination token is invalid")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	out := map[string]any{d.member: list[from:to]}
	if to < len(list) {
		out["NextToken"] = base64.StdEncoding.EncodeToString([]byte(d.member + " " + strconv.Itoa(to)))
	}
	return out, nil
}
