package simaws

import (
	"fmt"
	"net/http"
	"strings"
)

// apiDo does one call of EC2, ECS, Lambda, S3 or STS in an account and Region, with
// members and answer in the shapes that boto3 uses. The EC2 endpoint and the
// scripts of automation documents share it.
func (s *Sim) apiDo(who authorizer, a *account, r *regionState, service, op string, in map[string]any) (map[string]any, error) {
	region := r.name
	// With DryRun a call ends once it is known to be allowed (EC2 API reference, DryRun).
	dry := service == "ec2" && scalarOr(in["DryRun"]) == "true"
	check := func(action, resource string, extra map[string]string) (err error) {
		defer func() {
			if err == nil && dry {
				err = fail(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
			}
		}()
		context := map[string]string{"aws:requestedregion": region, "aws:resourceaccount": a.ID}
		for k, v := range extra {
			context[k] = v
		}
		return who(access{Action: action, Resource: resource, Context: context})
	}
	switch service + ":" + op {
	case "sts:GetCallerIdentity":
		return map[string]any{"Account": a.ID, "Arn": fmt.Sprintf("arn:%s:sts::%s:assumed-role/simulated/session", s.world.partition, a.ID), "UserId": "AROASIMULATED:session"}, nil
	case "ec2:DescribeSecurityGroups":
		if err := check("ec2:DescribeSecurityGroups", "*", nil); err != nil {
			return nil, err
		}
		return s.describeGroups(a, r, in)
	case "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress":
		g, err := groupToChange(r, op, in)
		if err != nil {
			return nil, err
		}
		tags := map[string]string{}
		for k, v := range g.Tags {
			tags["aws:resourcetag/"+strings.ToLower(k)] = v
			tags["ec2:resourcetag/"+strings.ToLower(k)] = v
		}
		if err := check("ec2:"+op, s.groupARN(a, g, region), tags); err != nil {
			return nil, err
		}
		return s.changeGroup(a, r, g, op, in)
	case "ec2:CreateTags", "ec2:DeleteTags":
		out, err := s.changeTags(who, a, r, op, in)
		if err == nil && dry {
			return nil, fail(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		}
		return out, err
	case "ec2:DescribeSecurityGroupRules":
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		return s.describeRules(a, r, in)
	case "ec2:DescribeNetworkInterfaces":
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		return s.describeInterfaces(a, r, in)
	case "ec2:DescribeVpcs":
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		return s.describeVPCs(a, r, in)
	case "ec2:DescribeRegions":
		if err := check("ec2:"+op, "*", nil); err != nil {
			return nil, err
		}
		return s.describeRegions(a, in)
	case "s3:PutObject", "s3:GetObject", "s3:HeadBucket":
		return s.objectDo(check, a, op, in)
	}
	if do := apiCalls[service+":"+op]; do != nil {
		return do(s, check, a, r, in)
	}
	return nil, fail(http.StatusBadRequest, "InvalidAction", fmt.Sprintf("the simulated organization does not serve %s %s", service, op))
}

// objectDo is S3 for scripts: objects in the account's own buckets.
func (s *Sim) objectDo(check func(action, resource string, extra map[string]string) error, a *account, op string, in map[string]any) (map[string]any, error) {
	name, key := scalarOr(in["Bucket"]), scalarOr(in["Key"])
	action, resource := "s3:"+op, "arn:"+s.world.partition+":s3:::"+name+"/"+key
	if op == "HeadBucket" {
		action, resource = "s3:ListBucket", "arn:"+s.world.partition+":s3:::"+name
	}
	if err := check(action, resource, nil); err != nil {
		return nil, err
	}
	b := a.buckets[name]
	if b == nil {
		if s.world.globalBuckets[name] != nil {
			return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		return nil, fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	if owner := scalarOr(in["ExpectedBucketOwner"]); owner != "" && owner != b.Owner {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	switch op {
	case "PutObject":
		b.put(key, []byte(scalarOr(in["Body"])), s.clock.Now())
		return map[string]any{"ETag": etag(b.Objects[key])}, nil
	case "GetObject":
		body, ok := b.Objects[key]
		if !ok {
			return nil, fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		}
		return map[string]any{"Body": string(body)}, nil
	}
	return map[string]any{"BucketRegion": b.Region}, nil
}
