package simaws

import "slices"

// landingZone gives a generated organization a landing zone, where one is asked for: OUs
// for production and infrastructure are registered, those of development and the sandbox
// are not, and what has a recorder of its own could not be enrolled.
func (g *generator) landingZone() {
	if g.s.opts.LandingZone == "" {
		return
	}
	spec := LandingZoneSpec{Region: g.s.opts.Home, Version: g.s.opts.LandingZone, Regions: []string{g.s.opts.Home}}
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		if !slices.Contains(spec.Regions, region) {
			spec.Regions = append(spec.Regions, region)
			break
		}
	}
	for _, id := range g.w.order {
		switch g.w.accounts[id].Name {
		case "audit":
			spec.Audit = id
		case "log-archive":
			spec.LogArchive = id
		}
	}
	g.s.setUp(spec)
	for _, id := range g.w.ouOrder {
		path := g.w.ancestors(id)
		top := g.w.ous[path[1]].Name
		if top == "Infrastructure" || top == "Workloads" && len(path) > 2 && g.w.ous[path[2]].Name == "Prod" {
			g.s.register(id, ouBaseline)
		}
	}
}
