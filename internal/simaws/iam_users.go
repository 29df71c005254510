package simaws

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// iamUser is an IAM user of an account.
type iamUser struct {
	Name, Path, ID string
	Created        time.Time
	Tags           map[string]string
	Keys           []*accessKey
	// Password is when a password was set, and PasswordUsed when it was last used; zero
	// is never.
	Password, PasswordUsed time.Time
}

// accessKey is a long-term access key. It signs nothing here: whoever calls does it with
// the keys of roles.
type accessKey struct {
	ID                  string
	Active              bool
	Created, Used       time.Time // Used is zero for one that was never used
	UsedService, UsedIn string
}

func (k *accessKey) status() string {
	if k.Active {
		return "Active"
	}
	return "Inactive"
}

// userCalls are IAM's calls about users and their access keys.
var userCalls = map[string]apiCall{
	"iam:ListUsers":            listUsers,
	"iam:GetUser":              userCall("iam:GetUser", getUser),
	"iam:ListUserTags":         userCall("iam:ListUserTags", listUserTags),
	"iam:TagUser":              userCall("iam:TagUser", tagUser),
	"iam:UntagUser":            userCall("iam:UntagUser", untagUser),
	"iam:ListAccessKeys":       userCall("iam:ListAccessKeys", listAccessKeys),
	"iam:UpdateAccessKey":      userCall("iam:UpdateAccessKey", updateAccessKey),
	"iam:GetAccessKeyLastUsed": accessKeyLastUsed,
}

// userCall finds the user that a call names and asks for permission, with its tags.
func userCall(action string, do func(s *Sim, a *account, u *iamUser, in map[string]any) (map[string]any, error)) apiCall {
	return func(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
		name := scalarOr(in["UserName"])
		u := s.users(a)[name]
		path, context := "/", map[string]string{}
		if u != nil {
			path = u.Path
			for k, v := range u.Tags {
				context["aws:resourcetag/"+strings.ToLower(k)] = v
				context["iam:resourcetag/"+strings.ToLower(k)] = v
			}
		}
		if err := check(action, "arn:"+s.world.partition+":iam::"+a.ID+":user"+path+name, context); err != nil {
			return nil, err
		}
		if name == "" {
			return nil, fail(http.StatusBadRequest, "ValidationError", "Must specify userName when calling with non-User credentials")
		}
		if u == nil {
			return nil, fail(http.StatusNotFound, "NoSuchEntity", "The user with name "+name+" cannot be found.")
		}
		return do(s, a, u, in)
	}
}

// users are an account's IAM users by name, made when they are first looked at.
func (s *Sim) users(a *account) map[string]*iamUser {
	base := s.baseline(a)
	if base.users == nil {
		base.users = map[string]*iamUser{}
		if a.lived {
			s.addUsers(a, base)
		}
	}
	return base.users
}

// addUsers gives an account that has a history the users that such accounts have: a few,
// with keys of every age.
func (s *Sim) addUsers(a *account, base *baseline) {
	const day = 24 * time.Hour
	start := s.clock.Now()
	for _, kind := range []struct {
		name          string
		share         float64
		age, idle     time.Duration // of the key
		password      bool
		second, never bool
	}{
		{name: "ci-deploy", share: 0.35, age: 400 * day, idle: 2 * time.Hour},
		{name: "backup", share: 0.25, age: 40 * day, idle: day},
		{name: "old-consultant", share: 0.15, age: 700 * day, idle: 300 * day, password: true},
		{name: "vendor", share: 0.10, age: 120 * day, second: true, never: true},
	} {
		if chance(a.ID, "user", kind.name) >= kind.share {
			continue
		}
		u := &iamUser{Name: kind.name, Path: "/", ID: "AIDA" + steadyID(17, a.ID, kind.name), Created: start.Add(-kind.age)}
		key := &accessKey{ID: "AKIA" + steadyID(16, a.ID, kind.name), Active: true, Created: start.Add(-kind.age)}
		if !kind.never {
			key.Used, key.UsedService, key.UsedIn = start.Add(-kind.idle), "s3", "us-east-1"
		}
		u.Keys = append(u.Keys, key)
		if kind.second {
			u.Keys = append(u.Keys, &accessKey{ID: "AKIA" + steadyID(16, a.ID, kind.name, "2"), Created: start.Add(-kind.age / 2)})
		}
		if kind.password {
			u.Password, u.PasswordUsed = u.Created, key.Used
		}
		base.users[u.Name] = u
	}
}

// steadyID is an id that depends on what it is for only.
func steadyID(n int, of ...string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var b strings.Builder
	for i := range n {
		b.WriteByte(letters[int(chance(append(slices.Clone(of), strconv.Itoa(i))...)*float64(len(letters)))])
	}
	return b.String()
}

func iamTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// iamList cuts a page out of a list, as Marker and MaxItems ask: 100 unless set.
func iamList(in map[string]any, name string, list []any) (map[string]any, error) {
	from, size := 0, 100
	if in["MaxItems"] != nil {
		n, err := strconv.Atoi(scalar(in["MaxItems"]))
		if err != nil || n < 1 || n > 1000 {
			return nil, fail(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value '"+scalar(in["MaxItems"])+"' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000")
		}
		size = n
	}
	if marker := scalarOr(in["Marker"]); marker != "" {
		text, err := base64.RawURLEncoding.DecodeString(marker)
		n, convErr := strconv.Atoi(string(text))
		if err != nil || convErr != nil || n < 0 || n > len(list) {
			return nil, fail(http.StatusBadRequest, "ValidationError", "Invalid Marker.")
		}
		from = n
	}
	to := min(from+size, len(list))
	out := map[string]any{name: list[from:to], "IsTruncated": to < len(list)}
	if to < len(list) {
		out["Marker"] = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return out, nil
}

func (s *Sim) userShape(a string, u *iamUser) map[string]any {
	shape := map[string]any{"Path": u.Path, "UserName": u.Name, "UserId": u.ID, "Arn": "arn:" + s.world.partition + ":iam::" + a + ":user" + u.Path + u.Name, "CreateDate": iamTime(u.Created)}
	if !u.PasswordUsed.IsZero() {
		shape["PasswordLastUsed"] = iamTime(u.PasswordUsed)
	}
	return shape
}

// listUsers leaves tags out, as IAM does ("does not return the following attributes, even
// though they are an attribute of the returned object: PermissionsBoundary, Tags").
func listUsers(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
	prefix := cmp.Or(scalarOr(in["PathPrefix"]), "/")
	if err := check("iam:ListUsers", "arn:"+s.world.partition+":iam::"+a.ID+":user"+prefix, nil); err != nil {
		return nil, err
	}
	list := []any{}
	users := s.users(a)
	for _, name := range sortedKeys(users) {
		if strings.HasPrefix(users[name].Path, prefix) {
			list = append(list, s.userShape(a.ID, users[name]))
		}
	}
	return iamList(in, "Users", list)
}

func getUser(s *Sim, a *account, u *iamUser, _ map[string]any) (map[string]any, error) {
	shape := s.userShape(a.ID, u)
	if len(u.Tags) > 0 {
		shape["Tags"] = keysAndValues(u.Tags)
	}
	return map[string]any{"User": shape}, nil
}

func keysAndValues(tags map[string]string) []any {
	list := []any{}
	for _, k := range sortedKeys(tags) {
		list = append(list, map[string]any{"Key": k, "Value": tags[k]})
	}
	return list
}

func listUserTags(_ *Sim, _ *account, u *iamUser, in map[string]any) (map[string]any, error) {
	return iamList(in, "Tags", keysAndValues(u.Tags))
}

func tagUser(_ *Sim, _ *account, u *iamUser, in map[string]any) (map[string]any, error) {
	tags := copyTexts(u.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	list, _ := in["Tags"].([]any)
	for _, item := range list {
		tag, _ := item.(map[string]any)
		key := scalarOr(tag["Key"])
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, fail(http.StatusBadRequest, "InvalidInput", "Tag keys that begin with aws: are reserved for AWS.")
		}
		tags[key] = scalarOr(tag["Value"])
	}
	if len(tags) > maxTags {
		return nil, fail(http.StatusConflict, "LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	u.Tags = tags
	return nil, nil
}

func untagUser(_ *Sim, _ *account, u *iamUser, in map[string]any) (map[string]any, error) {
	list, _ := in["TagKeys"].([]any)
	for _, key := range list {
		delete(u.Tags, scalarOr(key))
	}
	return nil, nil
}

func listAccessKeys(_ *Sim, _ *account, u *iamUser, in map[string]any) (map[string]any, error) {
	list := []any{}
	for _, k := range u.Keys {
		list = append(list, map[string]any{"UserName": u.Name, "AccessKeyId": k.ID, "Status": k.status(), "CreateDate": iamTime(k.Created)})
	}
	return iamList(in, "AccessKeyMetadata", list)
}

func updateAccessKey(_ *Sim, _ *account, u *iamUser, in map[string]any) (map[string]any, error) {
	status := scalarOr(in["Status"])
	if status != "Active" && status != "Inactive" {
		return nil, fail(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value '"+status+"' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]")
	}
	for _, k := range u.Keys {
		if k.ID == scalarOr(in["AccessKeyId"]) {
			k.Active = status == "Active"
			return nil, nil
		}
	}
	return nil, noSuchKey(scalarOr(in["AccessKeyId"]))
}

func noSuchKey(id string) error {
	return fail(http.StatusNotFound, "NoSuchEntity", "The Access Key with id "+id+" cannot be found.")
}

// accessKeyLastUsed says N/A for a key that was never used, without a date ("The date and
// time ... null if ... an access key exists but has not been used since IAM began
// tracking", AccessKeyLastUsed).
func accessKeyLastUsed(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
	id := scalarOr(in["AccessKeyId"])
	for _, u := range s.users(a) {
		for _, k := range u.Keys {
			if k.ID != id {
				continue
			}
			if err := check("iam:GetAccessKeyLastUsed", "arn:"+s.world.partition+":iam::"+a.ID+":user"+u.Path+u.Name, nil); err != nil {
				return nil, err
			}
			used := map[string]any{"ServiceName": cmp.Or(k.UsedService, "N/A"), "Region": cmp.Or(k.UsedIn, "N/A")}
			if !k.Used.IsZero() {
				used["LastUsedDate"] = iamTime(k.Used)
			}
			return map[string]any{"UserName": u.Name, "AccessKeyLastUsed": used}, nil
		}
	}
	return nil, fail(http.StatusForbidden, "AccessDenied", "The access key "+id+" is not one of this account.")
}
