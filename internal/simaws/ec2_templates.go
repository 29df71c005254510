package simaws

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// launchTemplate is an EC2 launch template. Data is in EC2's own JSON shape, as
// DescribeLaunchTemplateVersions gives it.
type launchTemplate struct {
	ID, Name string
	Created  time.Time
	Default  int               // its default version
	Versions []templateVersion // oldest first
}

type templateVersion struct {
	Number int
	Data   map[string]any
}

var versionsDescribed = describing{
	member: "LaunchTemplateVersions", least: 1, most: 200,
	filters: `create-time ebs-optimized http-endpoint http-protocol-ipv4 host-resource-group-arn http-tokens iam-instance-profile image-id instance-type is-default-version
		kernel-id license-configuration-arn network-card-index ram-disk-id`,
}

// wrongVersions is what EC2 says of Versions that go with no template (seen by others:
// cartography-cncf/cartography#1490; as moto has it, which was compared with AWS,
// getmoto/moto#9547).
const wrongVersions = "To describe the launch template data for all your launch templates, for ‘--versions’ specify ‘$Latest’, ‘$Default’, or both, and omit " +
	"‘--launch-template-id’, ‘--launch-template-name’, and version numbers. To describe the launch template data for a specific launch template, specify " +
	"‘--launch-template-id’ or ‘--launch-template-name’, and for ‘--versions’ specify one or more of the following values: ‘$Latest’, ‘$Default’, or one or more version numbers."

// templateCalls are EC2's calls about launch templates.
var templateCalls = map[string]apiCall{"ec2:DescribeLaunchTemplateVersions": describeTemplateVersions}

// describeTemplateVersions gives versions of one template, or the newest and default ones
// of all (API reference, DescribeLaunchTemplateVersions).
func describeTemplateVersions(s *Sim, check checker, a *account, r *regionState, in map[string]any) (map[string]any, error) {
	if err := check("ec2:DescribeLaunchTemplateVersions", "*", nil); err != nil {
		return nil, err
	}
	asked, id, name := texts(in["Versions"]), scalarOr(in["LaunchTemplateId"]), scalarOr(in["LaunchTemplateName"])
	var list []described
	switch {
	case id != "" && name != "":
		return nil, fail(http.StatusBadRequest, "InvalidParameterCombination", "Specify either the launch template ID or the launch template name, not both.")
	case id != "" || name != "":
		t, err := templateOf(r, id, name)
		if err != nil {
			return nil, err
		}
		versions, err := t.versions(asked, in)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			list = append(list, s.versionShape(a, t, v))
		}
	case len(asked) == 0:
		return nil, fail(http.StatusBadRequest, "MissingParameter", wrongVersions)
	case slices.ContainsFunc(asked, func(v string) bool { return v != "$Latest" && v != "$Default" }):
		return nil, fail(http.StatusBadRequest, "InvalidParameterValue", wrongVersions)
	default:
		for _, t := range r.leanings().templates {
			versions, err := t.versions(asked, nil)
			if err != nil {
				return nil, err
			}
			for _, v := range versions {
				list = append(list, s.versionShape(a, t, v))
			}
		}
	}
	if in["MaxResults"] == nil {
		in = maps.Clone(in)
		in["MaxResults"] = versionsDescribed.most
	}
	return versionsDescribed.describe(in, list)
}

// leaningMembers reads the members of calls about launch templates, subnets and
// references from an EC2 query.
func leaningMembers(q query) map[string]any {
	in := map[string]any{}
	for _, name := range []string{"LaunchTemplateId", "LaunchTemplateName", "MinVersion", "MaxVersion"} {
		if q.has(name) {
			in[name] = q.str(name)
		}
	}
	for member, form := range map[string]string{"Versions": "LaunchTemplateVersion", "SubnetIds": "SubnetId", "GroupId": "GroupId"} {
		if list := q.list(form); list != nil {
			in[member] = anyList(list)
		}
	}
	return in
}

func templateOf(r *regionState, id, name string) (*launchTemplate, error) {
	for _, t := range r.leanings().templates {
		if t.ID == id || t.Name == name {
			return t, nil
		}
	}
	switch {
	case name != "":
		return nil, fail(http.StatusBadRequest, "InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name "+name+", does not exist.")
	case !strings.HasPrefix(id, "lt-"):
		return nil, fail(http.StatusBadRequest, "InvalidLaunchTemplateId.Malformed", "The launch template ID '"+id+"' is malformed.")
	}
	return nil, fail(http.StatusBadRequest, "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID "+id+", does not exist.")
}

// versions are those asked for, or those from MinVersion to MaxVersion, newest first.
func (t *launchTemplate) versions(asked []string, in map[string]any) ([]templateVersion, error) {
	wanted := map[int]bool{}
	newest := t.Versions[len(t.Versions)-1].Number
	for _, text := range asked {
		n, err := strconv.Atoi(text)
		switch text {
		case "$Latest":
			n, err = newest, nil
		case "$Default":
			n, err = t.Default, nil
		}
		if err != nil || !slices.ContainsFunc(t.Versions, func(v templateVersion) bool { return v.Number == n }) {
			return nil, fail(http.StatusBadRequest, "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version "+text+" for the launch template with ID "+t.ID+".")
		}
		wanted[n] = true
	}
	least, most := 0, newest
	for member, bound := range map[string]*int{"MinVersion": &least, "MaxVersion": &most} {
		text := scalarOr(in[member])
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "InvalidParameterValue", "Value ("+text+") for parameter "+member+" is invalid.")
		}
		*bound = n
	}
	var out []templateVersion
	for _, v := range slices.Backward(t.Versions) {
		if (len(asked) == 0 || wanted[v.Number]) && v.Number >= least && v.Number <= most {
			out = append(out, v)
		}
	}
	return out, nil
}

func (s *Sim) versionShape(a *account, t *launchTemplate, v templateVersion) described {
	created := t.Created.Add(time.Duration(v.Number) * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	isDefault := v.Number == t.Default
	return described{id: t.ID, shape: map[string]any{
		"LaunchTemplateId": t.ID, "LaunchTemplateName": t.Name, "VersionNumber": v.Number, "DefaultVersion": isDefault, "CreateTime": created,
		"CreatedBy": "arn:" + s.world.partition + ":iam::" + a.ID + ":root", "LaunchTemplateData": v.Data, "Operator": map[string]any{"Managed": false},
	}, filters: map[string][]string{
		"create-time": {created}, "is-default-version": {textOf(isDefault)}, "image-id": {textOf(v.Data["ImageId"])}, "instance-type": {textOf(v.Data["InstanceType"])},
	}}
}
