"""Service Quotas."""


def run(c):
    quotas = c.client("service-quotas")
    quotas.list_services()
    first = quotas.list_service_quotas(ServiceCode="cloudformation", MaxResults=3)
    rest = quotas.list_service_quotas(ServiceCode="cloudformation", NextToken=first["NextToken"])
    for q in first["Quotas"] + rest["Quotas"]:
        quotas.get_service_quota(ServiceCode=q["ServiceCode"], QuotaCode=q["QuotaCode"])
        default = quotas.get_aws_default_service_quota(ServiceCode=q["ServiceCode"], QuotaCode=q["QuotaCode"])["Quota"]
        if q["Value"] != default["Value"]:
            c.defects.add(f"{q['QuotaName']}: {q['Value']} is not its default, {default['Value']}")
    quotas.list_aws_default_service_quotas(ServiceCode="cloudformation")
    c.refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode="cloudformation", QuotaCode="L-00000000")
    c.refused("NoSuchResourceException", quotas.list_service_quotas, ServiceCode="config")
    c.refused("InvalidPaginationTokenException", quotas.list_service_quotas, ServiceCode="cloudformation", NextToken="bm90aGluZw==")
