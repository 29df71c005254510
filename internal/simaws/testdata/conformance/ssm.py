"""Systems Manager: documents and automations."""
import json
import time

CONTENT = json.dumps({"schemaVersion": "0.3", "description": "sleeps", "parameters": {"Wait": {"type": "String", "default": "PT1S"}},
                      "mainSteps": [{"name": "sleep", "action": "aws:sleep", "inputs": {"Duration": "{{ Wait }}"}}]})


def run(c):
    ssm = c.client("ssm")
    ssm.create_document(Name="conformance", Content=CONTENT, DocumentType="Automation", DocumentFormat="JSON", Tags=[{"Key": "a", "Value": "b"}])
    c.refused("DocumentAlreadyExists", ssm.create_document, Name="conformance", Content=CONTENT, DocumentType="Automation")
    c.refused("InvalidDocumentContent", ssm.create_document, Name="other", Content="{", DocumentType="Automation")
    c.refused("DuplicateDocumentContent", ssm.update_document, Name="conformance", Content=CONTENT)
    ssm.update_document(Name="conformance", Content=CONTENT.replace("sleeps", "naps"), DocumentVersion="$LATEST")
    ssm.update_document_default_version(Name="conformance", DocumentVersion="2")
    ssm.describe_document(Name="conformance")
    ssm.get_document(Name="conformance", DocumentFormat="YAML")
    c.refused("InvalidDocument", ssm.get_document, Name="nothing")
    c.refused("InvalidDocumentVersion", ssm.describe_document, Name="conformance", DocumentVersion="9")
    ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])
    assert len(ssm.list_document_versions(Name="conformance")["DocumentVersions"]) == 2
    ssm.modify_document_permission(Name="conformance", PermissionType="Share", AccountIdsToAdd=[c.member])
    assert ssm.describe_document_permission(Name="conformance", PermissionType="Share")["AccountIds"] == [c.member]
    c.refused("InvalidDocumentOperation", ssm.delete_document, Name="conformance")
    ssm.modify_document_permission(Name="conformance", PermissionType="Share", AccountIdsToRemove=[c.member])

    started = ssm.start_automation_execution(DocumentName="conformance")["AutomationExecutionId"]
    c.refused("AutomationDefinitionNotFoundException", ssm.start_automation_execution, DocumentName="nothing")
    c.refused("InvalidAutomationExecutionParametersException", ssm.start_automation_execution, DocumentName="conformance", Parameters={"Other": ["x"]})
    for _ in range(300):
        if ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]["AutomationExecutionStatus"] == "Success":
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the automation does not end")
    ssm.describe_automation_executions(Filters=[{"Key": "ExecutionStatus", "Values": ["Success"]}])
    assert ssm.describe_automation_step_executions(AutomationExecutionId=started)["StepExecutions"]
    c.refused("InvalidAutomationStatusUpdateException", ssm.stop_automation_execution, AutomationExecutionId=started)
    long = ssm.start_automation_execution(DocumentName="conformance", Parameters={"Wait": ["P7D"]})["AutomationExecutionId"]
    ssm.stop_automation_execution(AutomationExecutionId=long, Type="Cancel")
    c.refused("AutomationExecutionNotFoundException", ssm.get_automation_execution, AutomationExecutionId="01234567-89ab-cdef-0123-456789abcdef")
    ssm.delete_document(Name="conformance")
