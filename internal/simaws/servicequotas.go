package simaws

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// servicequotasOps are the calls served, by name.
var servicequotasOps = map[string]handler{
	"GetServiceQuota":             func(s *Sim, c *call) (any, error) { return getQuota(s, c, true) },
	"GetAWSDefaultServiceQuota":   func(s *Sim, c *call) (any, error) { return getQuota(s, c, false) },
	"ListServiceQuotas":           func(s *Sim, c *call) (any, error) { return listQuotas(s, c, true) },
	"ListAWSDefaultServiceQuotas": func(s *Sim, c *call) (any, error) { return listQuotas(s, c, false) },
	"ListServices":                listQuotaServices,
}

// Codes of the quotas that are held here.
const (
	QuotaStackSets      = "L-EC62D81A"
	QuotaStackInstances = "L-C8225BA5"
	QuotaAtWork         = "L-6A4B2F69"
	QuotaStacks         = "L-0485CB21"
)

// quota is one of AWS CloudFormation's that an account can have raised, in each Region on
// its own (GlobalQuota false). Codes, names and the Region: the list of quotas in
// gruntwork-io/terraform-aws-utilities, docs/quotas.md, which is written from this API; the
// first also in the API reference's examples. Values: CloudFormation user guide, Quotas.
type quota struct {
	code, name string
	value      int
}

const quotaService, quotaServiceName = "cloudformation", "AWS CloudFormation"

// AWS Config's rules in a Region are no quota here: its developer guide ("Service limits")
// says that they cannot be increased, and that list has none of AWS Config's.
var quotas = []quota{
	{QuotaStacks, "Stack count", maxStacks},
	{QuotaAtWork, "Stack instance operations per administrator account", maxAtWork},
	{QuotaStackInstances, "Stack instances per stack set", maxStackInstances},
	{QuotaStackSets, "Stack sets per administrator account", maxStackSets},
}

func quotaCodes() (codes []string) {
	for _, q := range quotas {
		codes = append(codes, q.code)
	}
	return codes
}

// maxStacks is how many stacks an account can have in a Region.
const maxStacks = 2000

// quotaAt names a quota of an account.
type quotaAt struct{ region, code string }

// quota is what an account has in a Region: AWS's default, or what it was raised to.
func (s *Sim) quota(account, region, code string) int {
	if a := s.world.everAccount(account); a != nil && len(a.quotas) > 0 {
		if v, raised := a.quotas[quotaAt{region, code}]; raised {
			return v
		}
	}
	for _, q := range quotas {
		if q.code == code {
			return q.value
		}
	}
	return 0
}

// administrators is a quota of the account in which the stack sets live: the management
// account, for those of a delegated administrator too.
func (s *Sim) administrators(region, code string) int {
	return s.quota(s.world.management, region, code)
}

type quotaInput struct {
	ServiceCode, QuotaCode, ContextId, QuotaAppliedAtLevel, NextToken string
	MaxResults                                                        *int
}

func illegalQuota(text string) error {
	return fail(http.StatusBadRequest, "IllegalArgumentException", text)
}

func noSuchQuota() error {
	return fail(http.StatusBadRequest, "NoSuchResourceException", "The request failed because the specified service, quota, or context does not exist or is not supported.")
}

func (s *Sim) quotaShape(c *call, q quota, applied bool) map[string]any {
	account, value := "", q.value
	if applied {
		account, value = c.Caller.Account, s.quota(c.Caller.Account, c.Region, q.code)
	}
	out := map[string]any{
		"ServiceCode": quotaService, "ServiceName": quotaServiceName, "QuotaCode": q.code, "QuotaName": q.name, "Value": float64(value), "Unit": "None", "Adjustable": true, "GlobalQuota": false,
		"QuotaArn": "arn:" + s.world.partition + ":servicequotas:" + c.Region + ":" + account + ":" + quotaService + "/" + q.code,
	}
	if applied {
		out["QuotaAppliedAtLevel"] = "ACCOUNT"
	}
	return out
}

func getQuota(s *Sim, c *call, applied bool) (any, error) {
	var in quotaInput
	if err := unmarshal(c, &in); err != nil {
		return nil, err
	}
	if in.ServiceCode == "" || in.QuotaCode == "" {
		return nil, illegalQuota("ServiceCode and QuotaCode are required")
	}
	for _, q := range quotas {
		// A context names a resource; these quotas are of the account.
		if in.ServiceCode == quotaService && in.QuotaCode == q.code && in.ContextId == "" {
			return map[string]any{"Quota": s.quotaShape(c, q, applied)}, nil
		}
	}
	return nil, noSuchQuota()
}

func listQuotas(s *Sim, c *call, applied bool) (any, error) {
	var in quotaInput
	if err := unmarshal(c, &in); err != nil {
		return nil, err
	}
	switch level := cmp.Or(in.QuotaAppliedAtLevel, "ACCOUNT"); {
	case in.ServiceCode == "":
		return nil, illegalQuota("ServiceCode is required")
	case in.ServiceCode != quotaService:
		return nil, noSuchQuota()
	case level != "ACCOUNT" && level != "RESOURCE" && level != "ALL":
		return nil, illegalQuota("QuotaAppliedAtLevel is ACCOUNT, RESOURCE or ALL")
	}
	list := []any{}
	for _, q := range quotas {
		if (in.QuotaCode == "" || in.QuotaCode == q.code) && in.QuotaAppliedAtLevel != "RESOURCE" {
			list = append(list, s.quotaShape(c, q, applied))
		}
	}
	return in.cut(list, "Quotas")
}

func listQuotaServices(_ *Sim, c *call) (any, error) {
	var in quotaInput
	if err := unmarshal(c, &in); err != nil {
		return nil, err
	}
	return in.cut([]any{map[string]any{"ServiceCode": quotaService, "ServiceName": quotaServiceName}}, "Services")
}

// cut cuts a page. A token is base64, as the model's pattern has it.
func (in quotaInput) cut(list []any, name string) (any, error) {
	size, from := 100, 0
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if size < 1 || size > 100 {
		return nil, illegalQuota("MaxResults is from 1 to 100")
	}
	if in.NextToken != "" {
		text, err := base64.StdEncoding.DecodeString(in.NextToken)
		at, found := strings.CutPrefix(string(text), name)
		if err == nil {
			from, err = strconv.Atoi(at)
		}
		if err != nil || !found || from < 0 {
			return nil, fail(http.StatusBadRequest, "InvalidPaginationTokenException", "Invalid input was provided.")
		}
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	out := map[string]any{name: append([]any{}, list[from:to]...)}
	if to < len(list) {
		out["NextToken"] = base64.StdEncoding.EncodeToString([]byte(name + strconv.Itoa(to)))
	}
	return out, nil
}

// SetQuota gives an account another value of a quota in a Region, as AWS Support does
// when it is asked to.
func (s *Sim) SetQuota(id, region, code string, value int) {
	s.change(id, func(a *account) { a.setQuota(region, code, value) })
}

func (a *account) setQuota(region, code string, value int) {
	if a.quotas == nil {
		a.quotas = map[quotaAt]int{}
	}
	a.quotas[quotaAt{region, code}] = value
}
