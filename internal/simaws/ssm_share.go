package simaws

import (
	"slices"
	"strings"
)

// permissionInput is what the two calls about sharing send.
type permissionInput struct {
	Name, PermissionType, SharedDocumentVersion string
	AccountIdsToAdd, AccountIdsToRemove         []string
	MaxResults                                  *int
	NextToken                                   string
}

func permissionCall(s *Sim, c *call) (in permissionInput, d *ssmDocument, err error) {
	if err = decode(c, &in); err != nil {
		return
	}
	_, r := s.place(c)
	if d = r.documents[in.Name]; d == nil {
		err = noSuchDocument(in.Name)
	}
	return
}

// modifyPermission shares a document with accounts or with all, or stops that.
func modifyPermission(s *Sim, c *call) (any, error) {
	in, d, err := permissionCall(s, c)
	if err != nil {
		return nil, err
	}
	for _, list := range [][]string{in.AccountIdsToAdd, in.AccountIdsToRemove} {
		if len(list) > 1 && slices.ContainsFunc(list, func(id string) bool { return strings.EqualFold(id, "all") }) {
			return nil, fail(400, "DocumentPermissionLimit", "Accounts can either be all or a group of AWS accounts")
		}
	}
	shared := copyTexts(d.shared)
	for _, id := range in.AccountIdsToRemove {
		delete(shared, strings.ToLower(id))
	}
	for _, id := range in.AccountIdsToAdd {
		shared[strings.ToLower(id)] = orElse(in.SharedDocumentVersion, "$DEFAULT")
	}
	if len(shared) > mostShares {
		return nil, fail(400, "DocumentPermissionLimit", "The document can't be shared with more Amazon Web Services accounts.")
	}
	d.shared = shared
	return map[string]any{}, nil
}

func describePermission(s *Sim, c *call) (any, error) {
	in, d, err := permissionCall(s, c)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range sortedKeys(d.shared) {
		list = append(list, map[string]any{"AccountId": id, "SharedDocumentVersion": d.shared[id]})
	}
	out, err := ssmPage("AccountSharingInfoList", list, in.MaxResults, 200, in.NextToken)
	if err != nil {
		return nil, err
	}
	m := out.(map[string]any)
	ids := []any{}
	for _, x := range m["AccountSharingInfoList"].([]any) {
		ids = append(ids, x.(map[string]any)["AccountId"])
	}
	m["AccountIds"] = ids
	return m, nil
}
