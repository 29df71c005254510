package simaws

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// documentOf finds the document version that a call names, and its newest.
func documentOf(s *Sim, c *call) (v, newest *ssmDocument, format string, err error) {
	var in struct{ Name, DocumentVersion, VersionName, DocumentFormat string }
	if err = decode(c, &in); err != nil {
		return
	}
	_, r := s.place(c)
	if newest = s.findDocument(r, in.Name); newest == nil {
		return nil, nil, "", noSuchDocument(in.Name)
	}
	if v = newest.version(in.DocumentVersion, in.VersionName); v == nil {
		return nil, nil, "", noSuchVersion()
	}
	return v, newest, in.DocumentFormat, nil
}

// documentJSON is what every call shows of a document.
func documentJSON(s *Sim, c *call, doc *ssmDocument) map[string]any {
	a, _ := s.place(c)
	m := map[string]any{
		"Name": doc.Name, "DocumentType": orElse(doc.Type, "Automation"), "DocumentFormat": orElse(doc.Format, "JSON"),
		"DocumentVersion": doc.number(),
	}
	setTime(m, "CreatedDate", orTime(doc.Created, a.Joined))
	setText(m, "DisplayName", doc.DisplayName)
	setText(m, "VersionName", doc.VersionName)
	return m
}

func (s *Sim) documentOwner(c *call, doc *ssmDocument) string {
	if publicDocument(doc.Name) {
		return "Amazon"
	}
	for _, id := range s.world.order {
		if r := s.world.accounts[id].regions[c.Region]; r != nil && r.documents[doc.Name] != nil && slices.Contains(r.documents[doc.Name].versions(), doc) {
			return id
		}
	}
	return c.Caller.Account
}

func ssmTags(tags map[string]string) []any {
	out := []any{}
	for _, k := range sortedKeys(tags) {
		out = append(out, map[string]any{"Key": k, "Value": tags[k]})
	}
	return out
}

// documentShape is a DocumentDescription.
func (s *Sim) documentShape(c *call, doc, newest *ssmDocument) map[string]any {
	m := documentJSON(s, c, doc)
	m["Owner"], m["Status"], m["LatestVersion"], m["DefaultVersion"] = s.documentOwner(c, doc), s.documentStatus(doc), newest.number(), newest.standard().number()
	m["Hash"], m["HashType"], m["PlatformTypes"], m["Tags"] = documentHash(doc), "Sha256", []any{"Windows", "Linux", "MacOS"}, ssmTags(doc.Tags)
	setText(m, "SchemaVersion", textOf(doc.Content["schemaVersion"]))
	setText(m, "TargetType", doc.TargetType)
	setText(m, "Description", textOf(doc.Content["description"]))
	parameters := []any{}
	declared, _ := doc.Content["parameters"].(map[string]any)
	for _, name := range sortedKeys(declared) {
		p, _ := declared[name].(map[string]any)
		one := map[string]any{"Name": name, "Type": textOf(p["type"])}
		setText(one, "Description", textOf(p["description"]))
		setText(one, "DefaultValue", textOf(p["default"]))
		parameters = append(parameters, one)
	}
	m["Parameters"] = parameters
	return m
}

func describeDocument(s *Sim, c *call) (any, error) {
	doc, newest, _, err := documentOf(s, c)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Document": s.documentShape(c, doc, newest)}, nil
}

func getDocument(s *Sim, c *call) (any, error) {
	doc, _, format, err := documentOf(s, c)
	if err != nil {
		return nil, err
	}
	m := documentJSON(s, c, doc)
	m["Status"] = s.documentStatus(doc)
	format = orElse(format, orElse(doc.Format, "JSON"))
	text := []byte(doc.Text)
	if doc.Text == "" || format != orElse(doc.Format, "JSON") {
		if format == "YAML" {
			text, err = yaml.Marshal(doc.Content)
		} else {
			text, err = json.MarshalIndent(doc.Content, "", "  ")
		}
		if err != nil {
			return nil, err
		}
	}
	m["Content"], m["DocumentFormat"] = string(text), format
	return m, nil
}

type documentFilter struct {
	Key    string
	Values []string
	Value  string // of the older DocumentFilterList
}

// documentMatches holds a document to a filter. A name is its beginning, as in
// AWS's example ("Te" finds what begins so).
func (s *Sim) documentMatches(c *call, doc *ssmDocument, f documentFilter) (bool, error) {
	values := f.Values
	if f.Value != "" {
		values = append(values, f.Value)
	}
	owner := s.documentOwner(c, doc)
	switch f.Key {
	case "Name":
		return slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(doc.Name, v) }), nil
	case "Owner":
		for _, v := range values {
			mine := owner == c.Caller.Account
			_, all := doc.shared["all"]
			switch {
			case v == "All", v == "Self" && mine, v == "Amazon" && owner == "Amazon", v == "Private" && mine && len(doc.shared) == 0, v == "Public" && (all || owner == "Amazon"):
				return true, nil
			}
		}
		return false, nil
	case "DocumentType":
		return wants(values, orElse(doc.Type, "Automation")), nil
	case "PlatformTypes":
		return wants(values, "Windows") || wants(values, "Linux") || wants(values, "MacOS"), nil
	case "TargetType":
		return wants(values, doc.TargetType), nil
	case "SearchKeyword":
		return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(strings.ToLower(doc.Name), strings.ToLower(v)) }), nil
	}
	if key, ok := strings.CutPrefix(f.Key, "tag:"); ok {
		value, there := doc.Tags[key]
		return there && wants(values, value), nil
	}
	return false, fail(400, "InvalidFilterKey", "The specified key isn't valid: "+f.Key)
}

// listDocuments lists the account's documents and AWS's, by their default version.
func listDocuments(s *Sim, c *call) (any, error) {
	var in struct {
		Filters, DocumentFilterList []documentFilter

		MaxResults *int
		NextToken  string
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if len(in.Filters) > 0 && len(in.DocumentFilterList) > 0 {
		return nil, fail(400, "ValidationException", "Filters and DocumentFilterList cannot be used together.")
	}
	_, r := s.place(c)
	all := []*ssmDocument{awsCloseDefaultGroup()}
	for _, name := range sortedKeys(r.documents) {
		all = append(all, r.documents[name])
	}
	list := []any{}
	for _, doc := range all {
		matches := true
		for _, f := range append(slices.Clone(in.Filters), in.DocumentFilterList...) {
			ok, err := s.documentMatches(c, doc, f)
			if err != nil {
				return nil, err
			}
			matches = matches && ok
		}
		if !matches {
			continue
		}
		v := doc.standard()
		m := documentJSON(s, c, v)
		m["Owner"], m["PlatformTypes"], m["Tags"] = s.documentOwner(c, doc), []any{"Windows", "Linux", "MacOS"}, ssmTags(doc.Tags)
		setText(m, "SchemaVersion", textOf(v.Content["schemaVersion"]))
		setText(m, "TargetType", doc.TargetType)
		list = append(list, m)
	}
	return ssmPage("DocumentIdentifiers", list, in.MaxResults, 50, in.NextToken)
}
