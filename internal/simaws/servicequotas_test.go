package simaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
)

// The SDK reads what an account has, page by page, and what a lowered quota refuses.
func TestServiceQuotasAsTheSDKReadsThem(t *testing.T) {
	s := New(Options{Accounts: 3, Empty: true})
	account := s.Accounts()[0].ID
	s.SetQuota(account, "us-east-1", QuotaStacks, 1)
	api := servicequotas.NewFromConfig(sdk(s, "us-east-1"))
	values := map[string]float64{}
	pages := servicequotas.NewListServiceQuotasPaginator(api, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("cloudformation"), MaxResults: aws.Int32(3)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range page.Quotas {
			values[*q.QuotaCode] = *q.Value
		}
	}
	if len(values) != 4 || values[QuotaStacks] != 1 || values[QuotaStackInstances] != 100000 {
		t.Errorf("%v", values)
	}
	for code, in := range map[string]*servicequotas.GetServiceQuotaInput{
		"NoSuchResourceException":  {ServiceCode: aws.String("cloudformation"), QuotaCode: aws.String(QuotaStacks), ContextId: aws.String("arn:aws:x")},
		"IllegalArgumentException": {ServiceCode: aws.String("cloudformation"), QuotaCode: aws.String("")},
	} {
		refuse(t, code, func() error { _, err := api.GetServiceQuota(t.Context(), in); return err })
	}
	refuse(t, "IllegalArgumentException", func() error {
		_, err := api.ListServiceQuotas(t.Context(), &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("cloudformation"), MaxResults: aws.Int32(101)})
		return err
	})
	cfn := cloudformation.NewFromConfig(sdk(s, "us-east-1"))
	create := func(name string) error {
		_, err := cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(emptyTemplate)})
		return err
	}
	if err := create("first"); err != nil {
		t.Fatal(err)
	}
	refuse(t, "LimitExceededException", func() error { return create("second") })
}
