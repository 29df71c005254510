package simaws

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Lists in objects of S3: DeploymentTargets.AccountsUrl and StackIdsUrl.

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// maxAccountsFile is AWS's limit of such a file (API reference, DeploymentTargets).
const maxAccountsFile = 10 << 20

// accountsOf are the Accounts of DeploymentTargets, or those of the file that
// AccountsUrl names: .csv or .txt, separated by commas or by lines.
func (s *Sim) accountsOf(c *call, dt query) ([]string, error) {
	at := dt.str("AccountsUrl")
	if at == "" {
		return dt.list("Accounts"), nil
	}
	if len(dt.list("Accounts")) > 0 {
		return nil, validation("Specify either Accounts or AccountsUrl in DeploymentTargets, not both")
	}
	list, err := s.listAt(c, "AccountsUrl", at)
	if err != nil {
		return nil, err
	}
	for _, id := range list {
		if !accountID.MatchString(id) {
			return nil, validation("AccountsUrl names " + id + ", which is no account id")
		}
	}
	return list, nil
}

// listAt reads a list from an object of S3, named by s3:// or https://.
func (s *Sim) listAt(c *call, member, at string) ([]string, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, validation(member + " must be a supported URL.")
	}
	if u.Scheme == "s3" {
		u = &url.URL{Scheme: "https", Host: "s3.amazonaws.com", Path: "/" + u.Host + u.Path}
	}
	if lower := strings.ToLower(u.Path); !strings.HasSuffix(lower, ".csv") && !strings.HasSuffix(lower, ".txt") {
		return nil, validation(member + " must name a .csv or .txt file")
	}
	text, err := s.objectAt(c, "TemplateURL", u.String())
	if err != nil {
		if e, ok := err.(*apiError); ok {
			return nil, fail(http.StatusBadRequest, e.Code, strings.ReplaceAll(e.Message, "TemplateURL", member))
		}
		return nil, err
	}
	if len(text) > maxAccountsFile {
		return nil, validation("The file of " + member + " is larger than 10 MB")
	}
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n\"", r) }), nil
}
