package simaws

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// fileLanding is a landing zone as a file describes it: accounts by name.
type fileLanding struct{ LandingZoneSpec }

var patternLandingZone = regexp.MustCompile(`^[2-9]\.\d$`)

// landing reads landingZone, and holds the OUs' baselines against it.
func (r *organizationReader) landing(n *yaml.Node) {
	if n == nil {
		for _, u := range r.o.units {
			if u.baseline != "" {
				r.fail(u.baselineAt, "an OU is governed by a landing zone, and there is no landingZone in the file")
			}
		}
		return
	}
	keys := r.object(n, "landingZone")
	l := &fileLanding{}
	for key, into := range map[string]*string{"region": &l.Region, "version": &l.Version, "audit": &l.Audit, "logArchive": &l.LogArchive} {
		if keys[key] == nil {
			r.fail(n, key+" of the landing zone is missing")
		}
		*into = keys[key].Value
	}
	r.choice(keys["region"], "", defaultRegions...)
	r.text(keys["version"], patternLandingZone, `a landing zone's version like "3.3" or "4.0"`)
	l.NoConfig = !r.flag(keys["config"], true)
	if l.Regions = r.regions(keys["governedRegions"], defaultRegions); !slices.Contains(l.Regions, l.Region) {
		l.Regions = append([]string{l.Region}, l.Regions...)
	}
	for _, key := range []string{"audit", "logArchive"} {
		if !slices.ContainsFunc(r.o.accounts, func(a fileAccount) bool { return a.name == keys[key].Value }) {
			r.fail(keys[key], "there is no account called "+keys[key].Value)
		}
	}
	since4 := (&landingZone{LandingZoneSpec: l.LandingZoneSpec}).since4()
	if l.NoConfig && !since4 {
		r.fail(keys["config"], "AWS Config can be left out since landing zone 4.0")
	}
	for _, u := range r.o.units {
		if u.baseline == configBaseline && (l.NoConfig || !since4) {
			r.fail(u.baselineAt, configBaseline+" is of landing zone 4.0 or later, with AWS Config")
		}
	}
	r.o.landing = l
}

// landFromFile makes the landing zone of a file: ids are those of the OUs made, in the
// file's order.
func (g *generator) landFromFile(o *Organization, ids []string, specs map[string]fileAccount) {
	if o.landing == nil {
		return
	}
	spec := o.landing.LandingZoneSpec
	byName := func(name string) string {
		for _, id := range g.w.order {
			if g.w.accounts[id].Name == name && id != g.w.management {
				return id
			}
		}
		return ""
	}
	spec.Audit, spec.LogArchive = byName(spec.Audit), byName(spec.LogArchive)
	g.s.setUp(spec)
	for i, u := range o.units {
		if u.baseline != "" {
			g.s.register(ids[i], u.baseline)
		}
	}
	for _, id := range g.w.order {
		if specs[id].notEnrolled {
			g.s.unenrol(g.w.accounts[id])
		}
	}
}
