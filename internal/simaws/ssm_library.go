package simaws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Systems Manager's limits of documents (CreateDocument, UpdateDocument,
// ModifyDocumentPermission).
const (
	mostDocuments    = 500
	mostVersions     = 1000
	largestDocument  = 64 << 10
	mostShares       = 1000
	documentCreation = 2 * time.Second // Creating → Active
)

// versions gives all versions of a document, oldest first. What is kept under a
// name is the newest; it knows the older ones.
func (d *ssmDocument) versions() []*ssmDocument { return append(slices.Clone(d.older), d) }

// standard gives the version that is taken where none is named.
func (d *ssmDocument) standard() *ssmDocument {
	for _, v := range d.versions() {
		if d.defaultVersion != "" && v.number() == d.defaultVersion {
			return v
		}
	}
	return d
}

func (d *ssmDocument) number() string { return orElse(d.Version, "1") }

// version finds a version by number, $LATEST, $DEFAULT or name; nil is none.
func (d *ssmDocument) version(number, name string) *ssmDocument {
	for _, v := range d.versions() {
		switch {
		case name != "" && v.VersionName != name:
		case number == "" && name != "", number == v.number(), number == "$LATEST" && v == d, number == "$DEFAULT" && v == d.standard():
			return v
		}
	}
	if number == "" && name == "" {
		return d.standard()
	}
	return nil
}

// sharedWith says whether another account may use the document.
func (d *ssmDocument) sharedWith(account string) bool {
	_, all := d.shared["all"]
	_, one := d.shared[account]
	return all || one
}

func noSuchDocument(name string) error {
	return fail(400, "InvalidDocument", "Document with name "+name+" does not exist.")
}

func noSuchVersion() error {
	return fail(400, "InvalidDocumentVersion", "The document version is not valid or does not exist.")
}

// documentText reads a document's text: JSON unless YAML is named.
func documentText(text, format string) (map[string]any, error) {
	var content map[string]any
	if format == "YAML" {
		if err := yaml.Unmarshal([]byte(text), &content); err != nil || content == nil {
			return nil, fail(400, "InvalidDocumentContent", "YAML not well-formed.")
		}
		// Through JSON, so that numbers and keys have JSON's types.
		content, _ = plainJSON(content).(map[string]any)
		return content, nil
	}
	if json.Unmarshal([]byte(text), &content) != nil || content == nil {
		return nil, fail(400, "InvalidDocumentContent", "JSON not well-formed.")
	}
	return content, nil
}

// checkDocument holds a document to the rules of its type. Runbooks are read as
// they are when they run; of other types only the schema version is looked at.
func checkDocument(content map[string]any, kind, format string) error {
	schema := textOf(content["schemaVersion"])
	known := map[string][]string{"Automation": {"0.3"}, "Command": {"1.2", "2.0", "2.2"}, "Session": {"1.0"}, "Policy": {"2.0"}}[kind]
	if format != "TEXT" && len(known) > 0 && !slices.Contains(known, schema) {
		return fail(400, "InvalidDocumentSchemaVersion", "The schema version "+schema+" is not supported for a document of type "+kind+".")
	}
	if kind == "Automation" {
		if _, err := parseRunbook(content); err != nil {
			return fail(400, "InvalidDocumentContent", err.Error())
		}
	}
	return nil
}

type documentInput struct {
	Content, Name, DisplayName, VersionName, DocumentType, DocumentFormat, TargetType, DocumentVersion string

	Attachments, Requires []any
	Tags                  []configTag
}

// reservedPrefixes begin no customer's document (CreateDocument, Name).
var reservedPrefixes = []string{"aws", "amazon", "amzn"}

// read makes a version of what a call sends.
func (in documentInput) read(s *Sim, kind string) (*ssmDocument, error) {
	if len(in.Content) > largestDocument {
		return nil, fail(400, "MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	}
	if len(in.Attachments) > 0 || len(in.Requires) > 0 {
		return nil, fail(400, "ValidationException", "The simulated organization serves no documents with attachments or requirements.")
	}
	d := &ssmDocument{
		Name: in.Name, Type: kind, Format: orElse(in.DocumentFormat, "JSON"), Text: in.Content, VersionName: in.VersionName,
		DisplayName: in.DisplayName, TargetType: in.TargetType, Created: s.clock.Now(), Tags: map[string]string{},
	}
	if d.Format == "TEXT" {
		return d, nil
	}
	var err error
	if d.Content, err = documentText(in.Content, d.Format); err != nil {
		return nil, err
	}
	return d, checkDocument(d.Content, kind, d.Format)
}

func createDocumentCall(s *Sim, c *call) (any, error) {
	var in documentInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(strings.ToLower(in.Name), prefix) {
			return nil, fail(400, "ValidationException", "Invalid document name "+in.Name+": the prefix "+prefix+" is reserved.")
		}
	}
	d, err := in.read(s, orElse(in.DocumentType, "Command"))
	if err != nil {
		return nil, err
	}
	if r.documents[in.Name] != nil {
		return nil, fail(400, "DocumentAlreadyExists", "Document with name "+in.Name+" already exists.")
	}
	if len(r.documents) >= mostDocuments {
		return nil, fail(400, "DocumentLimitExceeded", "You can have at most 500 active SSM documents.")
	}
	d.Version = "1"
	for _, t := range in.Tags {
		d.Tags[t.Key] = t.Value
	}
	r.documents[in.Name] = d
	return map[string]any{"DocumentDescription": s.documentShape(c, d, d)}, nil
}

// updateDocumentCall adds a version; the default version stays what it was.
func updateDocumentCall(s *Sim, c *call) (any, error) {
	var in documentInput
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	old := r.documents[in.Name]
	if old == nil {
		return nil, noSuchDocument(in.Name)
	}
	if v := in.DocumentVersion; v != "" && v != "$LATEST" && v != old.number() {
		return nil, noSuchVersion()
	}
	if in.DocumentFormat == "" {
		in.DocumentFormat = "JSON"
	}
	d, err := in.read(s, orElse(old.Type, "Automation"))
	if err != nil {
		return nil, err
	}
	for _, v := range old.versions() {
		if in.VersionName != "" && v.VersionName == in.VersionName {
			return nil, fail(400, "DuplicateDocumentVersionName", "The specified version name is a duplicate.")
		}
		if documentHash(v) == documentHash(d) && (in.TargetType == "" || in.TargetType == v.TargetType) {
			return nil, fail(400, "DuplicateDocumentContent", "The content of the association document matches another document. Change the content of the document and try again.")
		}
	}
	if len(old.older)+1 >= mostVersions {
		return nil, fail(400, "DocumentVersionLimitExceeded", "The document has too many versions. Delete one or more document versions and try again.")
	}
	n, _ := strconv.Atoi(old.number())
	d.Version, d.Tags, d.shared = strconv.Itoa(n+1), old.Tags, old.shared
	d.defaultVersion, d.older = old.standard().number(), old.versions()
	d.TargetType, d.DisplayName = orElse(d.TargetType, old.TargetType), orElse(d.DisplayName, old.DisplayName)
	old.older = nil
	r.documents[in.Name] = d
	return map[string]any{"DocumentDescription": s.documentShape(c, d, d)}, nil
}

func updateDefaultVersion(s *Sim, c *call) (any, error) {
	var in struct{ Name, DocumentVersion string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	d := r.documents[in.Name]
	if d == nil {
		return nil, noSuchDocument(in.Name)
	}
	v := d.version(in.DocumentVersion, "")
	if v == nil {
		return nil, noSuchVersion()
	}
	d.defaultVersion = v.number()
	m := map[string]any{"Name": d.Name, "DefaultVersion": v.number()}
	setText(m, "DefaultVersionName", v.VersionName)
	return map[string]any{"Description": m}, nil
}

// deleteDocumentCall deletes a document or one version that is not the default.
func deleteDocumentCall(s *Sim, c *call) (any, error) {
	var in struct{ Name, DocumentVersion, VersionName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	d := r.documents[in.Name]
	if d == nil {
		return nil, noSuchDocument(in.Name)
	}
	if len(d.shared) > 0 {
		return nil, fail(400, "InvalidDocumentOperation", "Must unshare document first before delete")
	}
	if in.DocumentVersion == "" && in.VersionName == "" {
		delete(r.documents, in.Name)
		return map[string]any{}, nil
	}
	v := d.version(in.DocumentVersion, in.VersionName)
	switch {
	case v == nil:
		return nil, noSuchVersion()
	case v == d.standard():
		return nil, fail(400, "InvalidDocumentOperation", "Default version of the document can't be deleted.")
	case v == d: // the newest goes: the one before takes its place
		last := d.older[len(d.older)-1]
		last.older, last.defaultVersion, last.shared, last.Tags = d.older[:len(d.older)-1], d.defaultVersion, d.shared, d.Tags
		r.documents[in.Name] = last
	default:
		d.older = slices.DeleteFunc(d.older, func(x *ssmDocument) bool { return x == v })
	}
	return map[string]any{}, nil
}

func listVersions(s *Sim, c *call) (any, error) {
	var in struct {
		Name, NextToken string
		MaxResults      *int
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	a, r := s.place(c)
	d := s.findDocument(r, in.Name)
	if d == nil {
		return nil, noSuchDocument(in.Name)
	}
	list := []any{}
	all := d.versions()
	for i := len(all) - 1; i >= 0; i-- {
		v := all[i]
		m := map[string]any{"Name": d.Name, "DocumentVersion": v.number(), "IsDefaultVersion": v == d.standard(), "DocumentFormat": orElse(v.Format, "JSON"), "Status": s.documentStatus(v)}
		setTime(m, "CreatedDate", orTime(v.Created, a.Joined))
		setText(m, "VersionName", v.VersionName)
		setText(m, "DisplayName", v.DisplayName)
		list = append(list, m)
	}
	return ssmPage("DocumentVersions", list, in.MaxResults, 50, in.NextToken)
}

func orTime(t, standard time.Time) time.Time {
	if t.IsZero() {
		return standard
	}
	return t
}

// documentHash is a version's Hash: SHA-256 of its text.
func documentHash(d *ssmDocument) string {
	text := d.Text
	if text == "" {
		b, _ := json.Marshal(d.Content) //nolint:errcheck // decoded JSON
		text = string(b)
	}
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func (s *Sim) documentStatus(d *ssmDocument) string {
	if d.Created.After(s.clock.ago(documentCreation)) {
		return "Creating"
	}
	return "Active"
}

// ssmPage answers with one page of a list; SSM's token error has no "Exception".
func ssmPage(member string, list []any, limit *int, standard int, token string) (any, error) {
	n := standard
	if limit != nil && *limit > 0 {
		n = *limit
	}
	page, next, err := pageOf(list, n, token)
	if err != nil {
		return nil, fail(400, "InvalidNextToken", "The specified token is not valid.")
	}
	out := map[string]any{member: page}
	setText(out, "NextToken", next)
	return out, nil
}
