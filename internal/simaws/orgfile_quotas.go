package simaws

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// fileQuota is a quota of an account that is not AWS's default.
type fileQuota struct {
	region, code string
	value        int
}

func (r *organizationReader) quotas(n *yaml.Node) (out []fileQuota) {
	r.list(n, func(item *yaml.Node) {
		q := r.quota(item)
		if slices.ContainsFunc(out, func(o fileQuota) bool { return o.region == q.region && o.code == q.code }) {
			r.fail(item, q.code+" is given twice in "+q.region)
		}
		out = append(out, q)
	})
	return out
}

func (r *organizationReader) quota(item *yaml.Node) fileQuota {
	k := r.object(item, "quota")
	if k["code"] == nil || k["value"] == nil {
		r.fail(item, "a quota has region, code and value")
	}
	q := fileQuota{region: r.region(item, k), code: r.choice(k["code"], "", quotaCodes()...)}
	value, err := strconv.Atoi(r.text(k["value"], nil, "a number from 1 to 10000000"))
	if err != nil || value < 1 || value > 10_000_000 {
		r.fail(k["value"], "write a number from 1 to 10000000")
	}
	q.value = value
	return q
}
