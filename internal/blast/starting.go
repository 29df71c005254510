package blast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// What would start with a group later, while it has no network interface now.

// launchTemplates looks at every version, since a scaling group may be set to any.
func (l *leaning) launchTemplates(ctx context.Context) error {
	versions := map[string]map[int64]types.LaunchTemplateVersion{}
	read := func(in *ec2.DescribeLaunchTemplateVersionsInput) error {
		in.MaxResults = aws.Int32(200)
		for pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(l.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, v := range page.LaunchTemplateVersions {
				id := aws.ToString(v.LaunchTemplateId)
				if versions[id] == nil {
					versions[id] = map[int64]types.LaunchTemplateVersion{}
				}
				versions[id][aws.ToInt64(v.VersionNumber)] = v
			}
		}
		return nil
	}
	if err := read(&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Default", "$Latest"}}); err != nil {
		return err
	}
	for _, id := range sortedKeys(versions) {
		own := versions[id]
		newest := int64(0)
		for n := range own {
			newest = max(newest, n)
		}
		// Versions count from 1, so these may be all.
		if newest > int64(len(own)) {
			if err := read(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String(id)}); err != nil {
				return err
			}
		}
		for _, g := range l.groups {
			g.leanOnVersions(id, own)
		}
	}
	return nil
}

// leanOnVersions names each way in which versions of a launch template lead to the group.
func (g *group) leanOnVersions(id string, own map[int64]types.LaunchTemplateVersion) {
	numbers := make([]int64, 0, len(own))
	for n := range own {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b int64) int { return cmp.Compare(b, a) })
	ways := map[string][]int64{}
	var order []string
	for _, n := range numbers {
		how := g.startsWith(own[n].LaunchTemplateData)
		if how == "" {
			continue
		}
		if ways[how] == nil {
			order = append(order, how)
		}
		ways[how] = append(ways[how], n)
	}
	for _, how := range order {
		text := fmt.Sprintf("launch template %s %s in version %d", id, how, ways[how][0])
		if more := len(ways[how]) - 1; more > 0 {
			text = fmt.Sprintf("%s and %d more", text, more)
		}
		g.lean("%s", text)
	}
}

// startsWith says how launch template data lead to the group, "" where they do not.
func (g *group) startsWith(data *types.ResponseLaunchTemplateData) string {
	if data == nil {
		data = &types.ResponseLaunchTemplateData{}
	}
	ids := slices.Clone(data.SecurityGroupIds)
	for _, card := range data.NetworkInterfaces {
		ids = append(ids, card.Groups...)
	}
	switch {
	case slices.Contains(ids, g.ID):
		return "names it"
	case slices.Contains(data.SecurityGroups, "default") && g.isDefaultVPC: // by name it is the default VPC's
		return "names default"
	}
	bare := len(data.NetworkInterfaces) == 0 && len(ids) == 0 && len(data.SecurityGroups) == 0
	for _, card := range data.NetworkInterfaces {
		// An interface that is there already has its groups; any other gets the default
		// group of its subnet's VPC, and the subnet may be said at launch.
		if len(card.Groups) > 0 || aws.ToString(card.NetworkInterfaceId) != "" {
			continue
		}
		if subnet := aws.ToString(card.SubnetId); subnet == "" || slices.Contains(g.subnets, subnet) {
			bare = true
		}
	}
	if bare && len(g.subnets) > 0 { // nothing starts in a VPC without subnets
		return "names no group"
	}
	return ""
}

// functions have no interface while they are idle. Older versions count: an alias may
// point to one.
func (l *leaning) functions(ctx context.Context, cfg aws.Config) error {
	pages := lambda.NewListFunctionsPaginator(lambda.NewFromConfig(cfg), &lambda.ListFunctionsInput{FunctionVersion: lambdatypes.FunctionVersionAll})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, f := range page.Functions {
			if f.VpcConfig == nil {
				continue
			}
			for _, id := range f.VpcConfig.SecurityGroupIds {
				if g := l.byID[id]; g != nil {
					g.lean("function %s", aws.ToString(f.FunctionName))
				}
			}
		}
	}
	return nil
}

// services have no interface while they are scaled to zero.
func (l *leaning) services(ctx context.Context, cfg aws.Config) error {
	api := ecs.NewFromConfig(cfg)
	for clusters := ecs.NewListClustersPaginator(api, &ecs.ListClustersInput{MaxResults: aws.Int32(100)}); clusters.HasMorePages(); {
		page, err := clusters.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, cluster := range page.ClusterArns {
			if err := l.servicesOf(ctx, api, cluster); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *leaning) servicesOf(ctx context.Context, api *ecs.Client, cluster string) error {
	var arns []string
	for pages := ecs.NewListServicesPaginator(api, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		arns = append(arns, page.ServiceArns...)
	}
	for part := range slices.Chunk(arns, 10) {
		out, err := api.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: part})
		if err != nil {
			return err
		}
		for _, f := range out.Failures {
			// One that is missing has gone since the list was made.
			if aws.ToString(f.Reason) != "MISSING" {
				return fmt.Errorf("ecs:DescribeServices: %s was not described: %s", aws.ToString(f.Arn), aws.ToString(f.Reason))
			}
		}
		for _, s := range out.Services {
			if aws.ToString(s.Status) == "INACTIVE" {
				continue
			}
			for _, g := range l.groups {
				if how := g.runs(s); how != "" {
					g.lean("ECS service %s/%s %s, desired count %d", cluster[strings.LastIndex(cluster, "/")+1:], aws.ToString(s.ServiceName), how, s.DesiredCount)
				}
			}
		}
	}
	return nil
}

// runs says how a service leads to the group: itself, its deployments and its task sets
// each say where their tasks run.
func (g *group) runs(s ecstypes.Service) string {
	parts := []*ecstypes.NetworkConfiguration{s.NetworkConfiguration}
	for _, d := range s.Deployments {
		parts = append(parts, d.NetworkConfiguration)
	}
	for _, t := range s.TaskSets {
		parts = append(parts, t.NetworkConfiguration)
	}
	for _, p := range parts {
		if p == nil || p.AwsvpcConfiguration == nil {
			continue
		}
		groups := p.AwsvpcConfiguration.SecurityGroups
		if slices.Contains(groups, g.ID) {
			return "names it"
		}
		// Without groups its tasks get the default group of their VPC.
		if len(groups) == 0 && slices.ContainsFunc(p.AwsvpcConfiguration.Subnets, func(subnet string) bool { return slices.Contains(g.subnets, subnet) }) {
			return "names no group"
		}
	}
	return ""
}
