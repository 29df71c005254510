package simaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

func exporting(topic, export string) string {
	return `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "` + topic + `"}}}, "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}, "Export": {"Name": {"Fn::Sub": "` + export + `"}}}}}`
}

func importing(export string) string {
	return `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Join": ["-", [{"Fn::ImportValue": "` + export + `"}, "copy"]]}}}}, "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}}}`
}

func TestExportsAndImports(t *testing.T) {
	d := newDesk(t)
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d.pass()
	}
	reason := func(name string) string { return aws.ToString(d.stack(name).StackStatusReason) }
	step(d.create("early", importing("shared-us-east-1")))
	d.wants("early", "ROLLBACK_COMPLETE")
	step(d.create("out", exporting("a", "shared-${AWS::Region}")))
	if st := d.wants("out", "CREATE_COMPLETE"); *st.Outputs[0].ExportName != "shared-us-east-1" {
		t.Error(st.Outputs)
	}
	step(d.create("twice", exporting("b", "shared-us-east-1")))
	d.wants("twice", "ROLLBACK_COMPLETE")
	events, err := d.api.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("twice")})
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, e := range events.StackEvents {
		said = said || aws.ToString(e.ResourceStatusReason) == "Export with name shared-us-east-1 is already exported by stack out. Rollback requested by user."
	}
	if !said {
		t.Error("the stack does not say why it was rolled back")
	}
	_, err = d.api.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("shared-us-east-1")})
	d.refuses(err, "ValidationError", "Export 'shared-us-east-1' is not imported by any stack.")
	step(d.create("in", importing("shared-us-east-1")))
	if st := d.wants("in", "CREATE_COMPLETE"); *st.Outputs[0].OutputValue != "a-copy" {
		t.Error(st.Outputs)
	}
	if list, err := d.api.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("shared-us-east-1")}); err != nil || strings.Join(list.Imports, " ") != "in" {
		t.Error(list, err)
	}
	step(d.update("out", exporting("c", "shared-${AWS::Region}")))
	if st := d.wants("out", "UPDATE_ROLLBACK_COMPLETE"); *st.Outputs[0].OutputValue != "a" {
		t.Error(st.Outputs)
	}
	step(d.update("out", topic("a")))
	d.wants("out", "UPDATE_ROLLBACK_COMPLETE")
	step(d.delete("out"))
	d.wants("out", "UPDATE_ROLLBACK_COMPLETE")
	if got := reason("out"); got != "Delete canceled. Cannot delete export shared-us-east-1 as it is in use by in." {
		t.Error(got)
	}
	step(d.delete("in"))
	step(d.delete("out"))
	d.wants("out", "ValidationError")
}
