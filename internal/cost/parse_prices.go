package cost

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// region is a Region's name, or the beginning of one with a * behind.
var region = regexp.MustCompile(`^[a-z]{2,5}(-[a-z0-9]+)*-?\*?$`)

func (t *Table) prices(at string, n *yaml.Node) error {
	t.Prices = map[string]Price{}
	return entries(n, at, func(name string, key, value *yaml.Node) error {
		if name == Free {
			return wrong(key, at, "free is no name of a price")
		}
		var p Price
		err := members(value, at+"."+name, map[string]func(at string, n *yaml.Node) error{
			"unit":    func(at string, n *yaml.Node) error { return line(at, n, &p.Unit) },
			"source":  func(at string, n *yaml.Node) error { return line(at, n, &p.Source) },
			"checked": func(at string, n *yaml.Node) error { return day(at, n, &p.Checked) },
			"note":    func(at string, n *yaml.Node) error { return line(at, n, &p.Note) },
			"default": func(at string, n *yaml.Node) error { return p.Default.read(at, n) },
			"regions": func(at string, n *yaml.Node) error {
				p.Regions = map[string]Amount{}
				return entries(n, at, func(name string, key, value *yaml.Node) error {
					if !region.MatchString(name) {
						return wrong(key, at, "%q is not the name of a Region, nor the beginning of one with * behind", name)
					}
					var a Amount
					err := a.read(at+"."+name, value)
					p.Regions[name] = a
					return err
				})
			},
		}, "unit", "source", "checked", "default")
		t.Prices[name] = p
		return err
	})
}

// read reads a number, unknown, {low, high} or a list of tiers.
func (a *Amount) read(at string, n *yaml.Node) error {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Value == "unknown" {
			return nil
		}
		if err := number(at, n, &a.Low); err != nil {
			return wrong(n, at, "%q is neither a number, nor unknown, {low, high} or a list of tiers", n.Value)
		}
		a.High = a.Low
	case yaml.MappingNode:
		err := members(n, at, map[string]func(at string, n *yaml.Node) error{
			"low":  func(at string, n *yaml.Node) error { return number(at, n, &a.Low) },
			"high": func(at string, n *yaml.Node) error { return number(at, n, &a.High) },
		}, "low", "high")
		if err != nil {
			return err
		}
		if a.Low > a.High {
			return wrong(n, at, "low, %g, is above high, %g", a.Low, a.High)
		}
	case yaml.SequenceNode:
		if err := a.readTiers(at, n); err != nil {
			return err
		}
	default:
		return wrong(n, at, "it is to be a number, unknown, {low, high} or a list of tiers")
	}
	a.Known = true
	return nil
}

func (a *Amount) readTiers(at string, n *yaml.Node) error {
	from := 0.0
	for i, item := range n.Content {
		var t Tier
		required := []string{"price", "upto"}
		if i == len(n.Content)-1 {
			required = required[:1]
		}
		err := members(item, at, map[string]func(at string, n *yaml.Node) error{
			"upto":  func(at string, n *yaml.Node) error { return number(at, n, &t.UpTo) },
			"price": func(at string, n *yaml.Node) error { return number(at, n, &t.Price) },
		}, required...)
		if err != nil {
			return err
		}
		switch last := i == len(n.Content)-1; {
		case last && t.UpTo != 0:
			return wrong(item, at, "the last tier has no upto: it is for all that is left")
		case !last && t.UpTo <= from:
			return wrong(item, at, "upto %g is not above %g", t.UpTo, from)
		}
		from = t.UpTo
		a.Tiers = append(a.Tiers, t)
	}
	if a.Tiers == nil {
		return wrong(n, at, "a list of tiers has at least one")
	}
	return nil
}

func (t *Table) resources(at string, n *yaml.Node) error {
	t.Resources = map[string]string{}
	return entries(n, at, func(name string, _, value *yaml.Node) error {
		var price string
		err := line(at+"."+name, value, &price)
		t.Resources[name] = price
		return err
	})
}

// namesPrices says which resource has a price that is not there.
func (t *Table) namesPrices(root *yaml.Node) error {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "resources" {
			continue
		}
		err := entries(root.Content[i+1], "resources", func(name string, _, value *yaml.Node) error {
			if _, ok := t.Prices[value.Value]; !ok && value.Value != Free {
				return wrong(value, "resources."+name, "there is no price %q, and it is not free", value.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Assumptions) read(at string, n *yaml.Node) error {
	a.given = true
	of := func(into *Range) func(at string, n *yaml.Node) error {
		return func(at string, n *yaml.Node) error { return between(at, n, into) }
	}
	return members(n, at, map[string]func(at string, n *yaml.Node) error{
		"recorded": func(at string, n *yaml.Node) error {
			a.Recorded = map[string]Holding{}
			return entries(n, at, func(name string, _, value *yaml.Node) error {
				var h Holding
				err := h.read(at+"."+name, value)
				a.Recorded[name] = h
				return err
			})
		},
		"other-type":     a.OtherType.read,
		"all-types":      a.AllTypes.read,
		"manual-runs":    of(&a.ManualRuns),
		"automatic-runs": of(&a.AutomaticRuns),
		"script-seconds": of(&a.ScriptSeconds),
		"flow-log-gb":    of(&a.FlowLogGB),
	}, "other-type", "all-types", "manual-runs", "automatic-runs", "script-seconds", "flow-log-gb")
}

func (h *Holding) read(at string, n *yaml.Node) error {
	return members(n, at, map[string]func(at string, n *yaml.Node) error{
		"resources": func(at string, n *yaml.Node) error { return between(at, n, &h.Resources) },
		"changes":   func(at string, n *yaml.Node) error { return between(at, n, &h.Changes) },
	}, "resources", "changes")
}
