package simaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// lambdaFunction is a Lambda function as far as its network goes; the first version is the
// unpublished one.
type lambdaFunction struct {
	Name     string
	Modified time.Time
	Versions []functionVersion
}

type functionVersion struct {
	Version, VPC    string
	Subnets, Groups []string
}

// lambdaCalls are Lambda's, for scripts and the wire.
var lambdaCalls = map[string]apiCall{"lambda:ListFunctions": listFunctions}

var lambdaOps = map[string]handler{"ListFunctions": jsonShared}

// lambdaRoute finds the operation of a request in Lambda's REST API, and its members.
func lambdaRoute(r *http.Request) (action string, members map[string]any) {
	if r.Method != http.MethodGet || strings.TrimSuffix(r.URL.Path, "/") != "/2015-03-31/functions" {
		return "", nil
	}
	members = map[string]any{}
	for name := range r.URL.Query() {
		members[name] = r.URL.Query().Get(name)
	}
	return "ListFunctions", members
}

// functionsAPage: "Lambda returns up to 50 functions per call", "even if you set the
// number higher" (API reference, ListFunctions).
const functionsAPage = 50

func listFunctions(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("lambda:ListFunctions", "*", nil); err != nil {
		return nil, err
	}
	size, all := functionsAPage, scalarOr(in["FunctionVersion"])
	if all != "" && all != "ALL" {
		return nil, unfit(all, "functionVersion", "Member must satisfy enum value set: [ALL]")
	}
	if text := scalarOr(in["MaxItems"]); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 1:
			return nil, unfit(text, "maxItems", "Member must have value greater than or equal to 1")
		case n > 10000:
			return nil, unfit(text, "maxItems", "Member must have value less than or equal to 10000")
		}
		size = min(size, n)
	}
	list := []any{}
	for _, f := range r.leanings().functions {
		for i, v := range f.Versions {
			if i == 0 || all == "ALL" {
				list = append(list, s.functionShape(a, r, f, v, all == "ALL"))
			}
		}
	}
	from := 0
	if marker := scalarOr(in["Marker"]); marker != "" {
		raw, err := base64.StdEncoding.DecodeString(marker)
		n, wrong := strconv.Atoi(string(raw))
		if err != nil || wrong != nil || n < 0 || n > len(list) {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValueException", "Invalid Marker")
		}
		from = n
	}
	to := min(from+size, len(list))
	out := map[string]any{"Functions": list[from:to]}
	if to < len(list) {
		out["NextMarker"] = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return out, nil
}

// unfit is how Lambda refuses a value that breaks its service model.
func unfit(value, member, why string) *apiError {
	return fail(http.StatusBadRequest, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, why))
}

// functionShape is a version's configuration without what ListFunctions leaves out
// ("returns a subset of the FunctionConfiguration fields", API reference).
func (s *Sim) functionShape(a *account, r *regionState, f *lambdaFunction, v functionVersion, qualified bool) map[string]any {
	arn := fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", s.world.partition, r.name, a.ID, f.Name)
	if qualified {
		arn += ":" + v.Version
	}
	return map[string]any{
		"FunctionName": f.Name, "FunctionArn": arn, "Version": v.Version, "Runtime": "python3.13", "Handler": "app.handler", "PackageType": "Zip", "Architectures": []any{"x86_64"},
		"Role": fmt.Sprintf("arn:%s:iam::%s:role/service-role/%s", s.world.partition, a.ID, f.Name), "Timeout": 30, "MemorySize": 256, "CodeSize": 4096, "Description": "",
		"LastModified": f.Modified.UTC().Format("2006-01-02T15:04:05.000-0700"), "CodeSha256": base64.StdEncoding.EncodeToString([]byte(hexOf(32, arn))), "RevisionId": uuidOf(arn),
		"TracingConfig": map[string]any{"Mode": "PassThrough"}, "EphemeralStorage": map[string]any{"Size": 512},
		"VpcConfig": map[string]any{"VpcId": v.VPC, "SubnetIds": anyList(v.Subnets), "SecurityGroupIds": anyList(v.Groups), "Ipv6AllowedForDualStack": false},
	}
}

// jsonShared serves a call of apiCalls over a JSON protocol.
func jsonShared(s *Sim, c *call) (any, error) {
	in := map[string]any{}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return nil, fail(http.StatusBadRequest, "SerializationException", "the members of "+c.Action+" could not be read: "+err.Error())
	}
	a := s.world.accounts[c.Caller.Account]
	who := func(x access) error { return denial(services[c.Service], s.allowed(c.Caller, x)) }
	out, err := s.apiDo(who, a, a.region(c.Region), c.Service, c.Action, in)
	if err != nil {
		return nil, err
	}
	return out, nil
}
