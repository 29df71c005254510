"""The organization's life: OUs, accounts, tags, delegated administrators."""
import time


def run(c):
    org = c.org
    root = org.list_roots()["Roots"][0]["Id"]
    c.refused("AlreadyInOrganizationException", org.create_organization, FeatureSet="ALL")
    ou = org.create_organizational_unit(ParentId=root, Name="Conformance", Tags=[{"Key": "k", "Value": "v"}])["OrganizationalUnit"]["Id"]
    below = org.create_organizational_unit(ParentId=ou, Name="Below")["OrganizationalUnit"]["Id"]
    c.refused("DuplicateOrganizationalUnitException", org.create_organizational_unit, ParentId=root, Name="Conformance")
    c.refused("ParentNotFoundException", org.create_organizational_unit, ParentId="ou-zzzz-zzzzzzzz", Name="x")
    c.refused("InvalidInputException", org.create_organizational_unit, ParentId="root", Name="x")
    org.update_organizational_unit(OrganizationalUnitId=below, Name="Deeper")
    c.refused("OrganizationalUnitNotFoundException", org.update_organizational_unit, OrganizationalUnitId="ou-zzzz-zzzzzzzz", Name="x")
    c.refused("OrganizationalUnitNotEmptyException", org.delete_organizational_unit, OrganizationalUnitId=ou)
    parent, depth = below, 2
    while depth < 5:
        parent = org.create_organizational_unit(ParentId=parent, Name="Level")["OrganizationalUnit"]["Id"]
        depth += 1
    c.refused("ConstraintViolationException", org.create_organizational_unit, ParentId=parent, Name="Level")

    def made(email):
        request = org.create_account(Email=email, AccountName="made", Tags=[{"Key": "team", "Value": "x"}])["CreateAccountStatus"]["Id"]
        for _ in range(500):
            status = org.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]
            if status["State"] != "IN_PROGRESS":
                return status
            time.sleep(0.02)
        raise AssertionError("the account is never made")

    account = made("made@example.com")["AccountId"]
    if made("made@example.com").get("FailureReason") != "EMAIL_ALREADY_EXISTS":
        c.defects.add("CreateAccount: an e-mail address is used twice")
    org.list_create_account_status(States=["SUCCEEDED"])
    c.refused("CreateAccountStatusNotFoundException", org.describe_create_account_status, CreateAccountRequestId="car-00000000000000000000000000000000")
    c.sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="made")
    org.move_account(AccountId=account, SourceParentId=root, DestinationParentId=ou)
    c.refused("DuplicateAccountException", org.move_account, AccountId=account, SourceParentId=root, DestinationParentId=ou)
    c.refused("AccountNotFoundException", org.move_account, AccountId="000000000000", SourceParentId=root, DestinationParentId=ou)
    c.refused("SourceParentNotFoundException", org.move_account, AccountId=account, SourceParentId="ou-zzzz-zzzzzzzz", DestinationParentId=ou)
    c.refused("DestinationParentNotFoundException", org.move_account, AccountId=account, SourceParentId=ou, DestinationParentId="ou-zzzz-zzzzzzzz")
    org.tag_resource(ResourceId=account, Tags=[{"Key": "a", "Value": "b"}])
    org.untag_resource(ResourceId=account, TagKeys=["a", "none"])
    c.refused("InvalidInputException", org.tag_resource, ResourceId=account, Tags=[{"Key": "aws:x", "Value": "b"}])
    c.refused("TargetNotFoundException", org.tag_resource, ResourceId="000000000000", Tags=[{"Key": "x", "Value": "b"}])
    principal = "access-analyzer.amazonaws.com"
    c.refused("ConstraintViolationException", org.register_delegated_administrator, AccountId=account, ServicePrincipal=principal)
    org.enable_aws_service_access(ServicePrincipal=principal)
    org.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    c.refused("AccountAlreadyRegisteredException", org.register_delegated_administrator, AccountId=account, ServicePrincipal=principal)
    org.list_delegated_services_for_account(AccountId=account)
    c.refused("ConstraintViolationException", org.remove_account_from_organization, AccountId=account)
    org.deregister_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    c.refused("AccountNotRegisteredException", org.deregister_delegated_administrator, AccountId=account, ServicePrincipal=principal)
    org.disable_aws_service_access(ServicePrincipal=principal)
    c.refused("ConstraintViolationException", org.remove_account_from_organization, AccountId=account)
    c.refused("MasterCannotLeaveOrganizationException", org.remove_account_from_organization, AccountId=c.management)
    org.close_account(AccountId=account)
    c.refused("ConflictException", org.close_account, AccountId=account)
