package templates

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// logicalID is what a parameter's or resource's name may look like.
var logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

func readDocument(root *yaml.Node) (*Document, error) {
	d := &Document{
		Parameters: map[string]Parameter{}, Resources: map[string]Resource{},
		Mappings: map[string]any{}, Conditions: map[string]any{}, Outputs: map[string]any{},
	}
	err := pairs(root, "a template", func(key string, k, v *yaml.Node) (err error) {
		switch key {
		case "AWSTemplateFormatVersion":
			d.FormatVersion, err = text(v, key)
		case "Description":
			d.Description, err = text(v, key)
		case "Parameters":
			err = d.readParameters(v)
		case "Resources":
			err = d.readResources(v)
		case "Mappings":
			d.Mappings, err = section(v, key)
		case "Conditions":
			d.Conditions, err = section(v, key)
		case "Outputs":
			d.Outputs, err = section(v, key)
		case "Transform":
			d.Transform, err = readValue(v, 1)
		case "Metadata":
			d.Metadata, err = readValue(v, 1)
		case "Rules":
			d.Rules, err = readValue(v, 1)
		default:
			err = oneOf(k, "a template", "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters",
				"Rules", "Mappings", "Conditions", "Transform", "Resources", "Outputs")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(d.Resources) == 0 {
		return nil, errorAt(root, "a template needs at least one resource")
	}
	return d, nil
}

// section reads a section whose entries this package does not look into.
func section(n *yaml.Node, name string) (map[string]any, error) {
	m := map[string]any{}
	err := pairs(n, name, func(key string, _, v *yaml.Node) (err error) {
		m[key], err = readValue(v, 2)
		return err
	})
	return m, err
}

func (d *Document) readResources(n *yaml.Node) error {
	return pairs(n, "Resources", func(key string, k, v *yaml.Node) error {
		if !logicalID.MatchString(key) {
			return errorAt(k, "the logical id %q is to be letters and digits only", key)
		}
		r, err := readResource(key, k, v)
		d.Resources[key] = r
		d.ResourceOrder = append(d.ResourceOrder, key)
		return err
	})
}

func readResource(id string, k, n *yaml.Node) (Resource, error) {
	r := Resource{LogicalID: id, Line: k.Line, Properties: map[string]any{}}
	what := "resource " + id
	err := pairs(n, what, func(key string, k, v *yaml.Node) (err error) {
		switch key {
		case "Type":
			r.Type, err = text(v, what+"'s Type")
		case "Condition":
			r.Condition, err = text(v, what+"'s Condition")
		case "DependsOn":
			r.DependsOn, err = texts(v, what+"'s DependsOn")
		case "DeletionPolicy":
			r.DeletionPolicy, err = policy(v, what, key, "Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
		case "UpdateReplacePolicy":
			r.UpdateReplacePolicy, err = policy(v, what, key, "Delete", "Retain", "Snapshot")
		case "Properties":
			r.Properties, err = section(v, what+"'s Properties")
		case "Metadata":
			r.Metadata, err = readValue(v, 3)
		case "CreationPolicy", "UpdatePolicy", "Description", "Version":
			_, err = readValue(v, 3)
		default:
			err = oneOf(k, what, "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy",
				"UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "Metadata")
		}
		return err
	})
	if err == nil && r.Type == "" {
		err = errorAt(k, "%s has no Type", what)
	}
	return r, err
}

func policy(n *yaml.Node, what, key string, allowed ...string) (string, error) {
	v, err := text(n, what+"'s "+key)
	if err != nil {
		return "", err
	}
	return v, oneOf(n, what+"'s "+key, allowed...)
}

// texts is a list of strings, or one string.
func texts(n *yaml.Node, what string) ([]string, error) {
	if err := plain(n); err != nil {
		return nil, err
	}
	if n.Kind != yaml.SequenceNode {
		s, err := text(n, what)
		return []string{s}, err
	}
	var list []string
	for _, item := range n.Content {
		s, err := text(item, what)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
