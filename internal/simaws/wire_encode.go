package simaws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"sort"
	"strings"
	"time"
)

// encode writes an answer in the service's protocol and gives the HTTP status.
// The shapes are those that the SDKs read: AWS's own protocol documents and the
// response snapshots of the Go SDK.
func encode(w http.ResponseWriter, svc *service, c *call, body any, err error, now time.Time) int {
	h := w.Header()
	h.Set("X-Amzn-Requestid", c.RequestID)
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	var e *apiError
	if err != nil && !errors.As(err, &e) {
		e = fail(http.StatusInternalServerError, "InternalFailure", err.Error())
	}
	proto := protocolQuery
	if svc != nil {
		proto = svc.protocol
	}
	switch proto {
	case protocolJSON11, protocolREST:
		h.Set("Content-Type", "application/x-amz-json-1.1")
		if proto == protocolREST {
			h.Set("Content-Type", "application/json")
		}
		if e != nil {
			h.Set("X-Amzn-Errortype", e.Code)
			members := map[string]any{"__type": e.Code, "message": e.Message, "Message": e.Message}
			for k, v := range e.Extra {
				members[k] = v
			}
			return send(w, e.Status, marshal(members))
		}
		if body == nil {
			// An operation without an answer sends an empty body or {}.
			return send(w, http.StatusOK, []byte("{}"))
		}
		return send(w, http.StatusOK, marshal(body))
	case protocolCBOR:
		return writeCBOR(w, c, body, e)
	case protocolEC2:
		h.Set("Content-Type", "text/xml;charset=UTF-8")
		if e != nil {
			return send(w, e.Status, []byte(xml.Header+"<Response><Errors><Error><Code>"+escape(e.Code)+"</Code><Message>"+escape(e.Message)+"</Message></Error></Errors><RequestID>"+c.RequestID+"</RequestID></Response>"))
		}
		var b bytes.Buffer
		b.WriteString(xml.Header + "<" + c.Action + `Response xmlns="` + svc.namespace + `"><requestId>` + c.RequestID + "</requestId>")
		if members, ok := body.(map[string]any); ok {
			writeEC2(&b, members)
		}
		b.WriteString("</" + c.Action + "Response>")
		return send(w, http.StatusOK, b.Bytes())
	case protocolS3:
		if e != nil {
			for k, v := range e.Extra {
				if text, ok := v.(string); ok {
					h.Set(k, text)
				}
			}
			if c.Request.Method == http.MethodHead {
				return send(w, e.Status, nil)
			}
			h.Set("Content-Type", "application/xml")
			return send(w, e.Status, []byte(xml.Header+"<Error><Code>"+escape(e.Code)+"</Code><Message>"+escape(e.Message)+"</Message><RequestId>"+c.RequestID+"</RequestId></Error>"))
		}
		if headers, ok := body.(http.Header); ok {
			for k := range headers {
				h.Set(k, headers.Get(k))
			}
		}
		if whole, ok := body.(s3Body); ok {
			for k := range whole.header {
				h.Set(k, whole.header.Get(k))
			}
			return send(w, cmp.Or(whole.status, http.StatusOK), whole.body)
		}
		return send(w, http.StatusOK, nil)
	}
	h.Set("Content-Type", "text/xml")
	namespace := ""
	if svc != nil {
		namespace = svc.namespace
	}
	if e != nil {
		side := "Sender"
		if e.Status >= 500 {
			side = "Receiver"
		}
		return send(w, e.Status, []byte(`<ErrorResponse xmlns="`+namespace+`"><Error><Type>`+side+"</Type><Code>"+escape(e.Code)+"</Code><Message>"+escape(e.Message)+"</Message></Error><RequestId>"+c.RequestID+"</RequestId></ErrorResponse>"))
	}
	var b bytes.Buffer
	b.WriteString("<" + c.Action + `Response xmlns="` + namespace + `">`)
	if body != nil {
		encoder := xml.NewEncoder(&b)
		if err := encoder.EncodeElement(body, xml.StartElement{Name: xml.Name{Local: c.Action + "Result"}}); err != nil {
			return encode(w, svc, c, nil, err, now)
		}
	}
	b.WriteString("<ResponseMetadata><RequestId>" + c.RequestID + "</RequestId></ResponseMetadata></" + c.Action + "Response>")
	return send(w, http.StatusOK, b.Bytes())
}

func send(w http.ResponseWriter, status int, body []byte) int {
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client has gone
	return status
}

func marshal(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return []byte(`{"__type":"InternalFailure","message":"the answer could not be written"}`)
	}
	return bytes.TrimSpace(b.Bytes())
}

func escape(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) //nolint:errcheck // a strings.Builder does not fail
	return b.String()
}

// writeEC2 writes members in EC2's XML: names begin in lower case, a list is
// <nameSet> or the name that EC2 gives it, with <item> elements.
func writeEC2(b *bytes.Buffer, members map[string]any) {
	names := make([]string, 0, len(members))
	for k := range members {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, name := range names {
		tag := ec2Tag(name)
		if _, group := members["IpPermissionsEgress"]; group && name == "Description" {
			tag = "groupDescription" // of a group itself, not of a range or a peer in it
		}
		if list, _ := members[name].([]any); name == "SecurityGroups" && len(list) > 0 {
			if _, isName := list[0].(string); isName { // of a launch template's data, not groups that are described
				tag = "securityGroupSet"
			}
		}
		if name == "State" { // EC2's own word for it, in some shapes
			if _, of := members["InstanceType"]; of {
				tag = "instanceState"
			} else if _, of := members["SnapshotId"]; of {
				tag = "status"
			}
		}
		switch v := members[name].(type) {
		case nil:
		case map[string]any:
			b.WriteString("<" + tag + ">")
			writeEC2(b, v)
			b.WriteString("</" + tag + ">")
		case []any:
			writeEC2List(b, tag, v)
		case []map[string]any:
			list := make([]any, len(v))
			for i := range v {
				list[i] = v[i]
			}
			writeEC2List(b, tag, list)
		default:
			b.WriteString("<" + tag + ">" + escape(scalar(v)) + "</" + tag + ">")
		}
	}
}

func writeEC2List(b *bytes.Buffer, tag string, list []any) {
	b.WriteString("<" + tag + ">")
	for _, item := range list {
		if id, isID := item.(string); isID && tag == "groupSet" { // of a launch template's interface
			b.WriteString("<groupId>" + escape(id) + "</groupId>")
			continue
		}
		b.WriteString("<item>")
		if m, ok := item.(map[string]any); ok {
			writeEC2(b, m)
		} else {
			b.WriteString(escape(scalar(item)))
		}
		b.WriteString("</item>")
	}
	b.WriteString("</" + tag + ">")
}

// ec2Tags are the element names that do not follow from the member's name
// (botocore's locationName values).
var ec2Tags = map[string]string{
	"SecurityGroups": "securityGroupInfo", "IpPermissions": "ipPermissions", "IpPermissionsEgress": "ipPermissionsEgress",
	"UserIdGroupPairs": "groups", "IpRanges": "ipRanges", "Ipv6Ranges": "ipv6Ranges", "PrefixListIds": "prefixListIds",
	"Description": "description", "Tags": "tagSet", "Regions": "regionInfo", "RegionName": "regionName", "Endpoint": "regionEndpoint",
	"OptInStatus": "optInStatus", "Vpcs": "vpcSet", "NetworkInterfaces": "networkInterfaceSet", "Groups": "groupSet",
	"SecurityGroupRules": "securityGroupRuleSet", "LaunchTemplateVersions": "launchTemplateVersionSet",
	"FlowLogs": "flowLogSet", "Reservations": "reservationSet", "Instances": "instancesSet", "Snapshots": "snapshotSet",
	"CreateVolumePermissions": "createVolumePermission", "FlowLogIds": "flowLogIdSet",
	"SecurityGroupIds": "securityGroupIdSet", "Subnets": "subnetSet",
	"UnknownIpPermissions": "unknownIpPermissionSet", "RevokedSecurityGroupRules": "revokedSecurityGroupRuleSet",
	"PrivateIpAddresses": "privateIpAddressesSet", "Ipv6Addresses": "ipv6AddressesSet", "Ipv4Prefixes": "ipv4PrefixSet", "Ipv6Prefixes": "ipv6PrefixSet",
}

func ec2Tag(name string) string {
	if tag := ec2Tags[name]; tag != "" {
		return tag
	}
	return strings.ToLower(name[:1]) + name[1:]
}
