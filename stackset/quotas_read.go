package stackset

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
)

// Quota is a quota of AWS CloudFormation as an account has it in a Region.
type Quota struct {
	Name, Code string
	// Value is what the account has, AWS's default where that was not read.
	Value int
	// Read says that it was read; Unread why not, "" where nobody asked, and Gap what AWS said then.
	Read   bool
	Unread string
	Gap    Gap

	// once is an earlier default: an account that had the quota raised in those days may
	// still have less than today's.
	once int
}

// Quotas are those of the account that the stack sets live in, in their Region.
type Quotas struct{ Sets, Instances, AtOnce Quota }

// defaultQuotas are what AWS publishes (CloudFormation user guide, Quotas). Names and
// codes are those of Service Quotas; all can be raised, in each Region on its own.
func defaultQuotas() Quotas {
	return Quotas{
		Sets:      Quota{Name: "Stack sets per administrator account", Code: "L-EC62D81A", Value: 1000, once: 100},
		Instances: Quota{Name: "Stack instances per stack set", Code: "L-C8225BA5", Value: 100000, once: 2000},
		AtOnce:    Quota{Name: "Stack instance operations per administrator account", Code: "L-6A4B2F69", Value: room, once: 3500},
	}
}

func (q *Quotas) all() []*Quota { return []*Quota{&q.Sets, &q.Instances, &q.AtOnce} }

// ReadQuotas reads the quotas of the caller's account in the home Region that are asked
// for, one call each. A delegated administrator's sets live in the management account,
// whose quotas nobody else can read: then no call is made.
func ReadQuotas(ctx context.Context, s *awsapi.Session, callAs types.CallAs, asked func(Quota) bool) Quotas {
	out := defaultQuotas()
	var wanted []*Quota
	for _, q := range out.all() {
		switch {
		case !asked(*q):
		case callAs == types.CallAsDelegatedAdmin:
			q.Unread = "the stack sets live in the management account, whose quotas a delegated administrator cannot read"
		default:
			wanted = append(wanted, q)
		}
	}
	client := servicequotas.NewFromConfig(s.Own(""))
	fanout.Each(ctx, wanted, len(wanted), func(ctx context.Context, q *Quota) { q.read(ctx, client) })
	return out
}

func (q *Quota) read(ctx context.Context, client *servicequotas.Client) {
	out, err := client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("cloudformation"), QuotaCode: aws.String(q.Code)})
	switch {
	case err != nil:
		q.Gap = gapOf(err)
		q.Unread = "Service Quotas could not be read: " + q.Gap.Text
	case out.Quota == nil || out.Quota.Value == nil:
		q.Unread = "Service Quotas gave no value"
	default:
		q.Read, q.Value = true, int(*out.Quota.Value)
	}
}

// nearQuotas reads what a run may come near to, before it is planned: most runs come near
// to nothing, and ask nothing.
func nearQuotas(ctx context.Context, s *awsapi.Session, in PrepareInput, found *Found) *Quotas {
	sets, instances := found.Active, 0
	for _, set := range found.Sets {
		if !set.Exists {
			sets++
		}
		instances = max(instances, len(set.Instances)+len(in.Desired.Accounts)*len(in.Desired.RegionsOf(set.Template)))
	}
	d := defaultQuotas()
	reach := map[string]int{d.Sets.Code: sets, d.Instances.Code: instances, d.AtOnce.Code: instances}
	q := ReadQuotas(ctx, s, in.CallAs, func(q Quota) bool { return reach[q.Code] > q.once })
	return &q
}

// String is the value and where it comes from.
func (q Quota) String() string {
	text := fmt.Sprintf("%d (AWS CloudFormation's quota %q, %s", q.Value, q.Name, q.Code)
	switch {
	case q.Read:
		return text + ")"
	case q.Unread != "":
		return text + ": AWS's default, since " + q.Unread + ")"
	}
	return text + ": AWS's default; this plan did not ask for what the account has)"
}

// remedy is that of a kind of finding, and how to have the quota read.
func (q Quota) remedy(code string) string {
	if q.Gap.Class == awsapi.ClassDenied {
		return kindOf(code).Remedy + " Allow servicequotas:GetServiceQuota for a plan that knows what this account has."
	}
	return ""
}

// quotas are those that a plan compares with.
func (f *Facts) quotas() Quotas {
	if f == nil || f.Quotas == nil {
		return defaultQuotas()
	}
	return *f.Quotas
}
