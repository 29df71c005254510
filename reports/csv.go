package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The columns are a contract: some may be added at the end, none moved.
var (
	complianceColumns = []string{"account_id", "account_name", "ou_path", "account_state", "region", "rule", "controls", "status", "non_compliant_resources", "instance_status", "instance_reason", "remediation", "last_evaluated", "detail", "source_rule"}
	accountColumns    = []string{"account_id", "account_name", "ou_path", "account_state", "cells", "covered", "compliant", "non_compliant", "gaps", "non_compliant_resources", "coverage_percent", "compliance_percent"}
	findingColumns    = []string{"account_id", "account_name", "ou_path", "region", "rule", "resource_type", "resource_id", "status", "annotation", "remediation_status", "remediation_detail", "last_evaluated", "exception"}
)

func writeCompliance(w io.Writer, r *Report) error {
	return writeCSV(w, complianceColumns, func(row func(...string)) {
		for _, c := range r.Cells {
			row(c.Account.ID, c.Account.Name, c.Account.OUPath(), c.Account.State, c.Region, c.Rule.Name, Controls(c.Rule.Controls),
				string(c.Status), strconv.Itoa(c.NonCompliantResources), c.InstanceStatus, c.InstanceReason, c.Remediation,
				stamp(c.LastEvaluated), c.Detail, c.SourceRule)
		}
	})
}

func writeAccounts(w io.Writer, r *Report) error {
	return writeCSV(w, accountColumns, func(row func(...string)) {
		for _, a := range Summarize(r).Accounts {
			t := a.Totals
			row(a.Account.ID, a.Account.Name, a.Account.OUPath(), a.Account.State, strconv.Itoa(t.Cells), strconv.Itoa(t.Covered),
				strconv.Itoa(t.Compliant), strconv.Itoa(t.NonCompliant), strconv.Itoa(t.Gaps), strconv.Itoa(t.Resources),
				percent(t.Coverage()), percent(t.Compliance()))
		}
	})
}

func writeFindings(w io.Writer, r *Report) error {
	return writeCSV(w, findingColumns, func(row func(...string)) {
		for _, f := range r.Findings {
			row(f.Account.ID, f.Account.Name, f.Account.OUPath(), f.Region, f.Rule.Name, f.ResourceType, f.ResourceID, string(f.Status),
				f.Annotation, f.RemediationStatus, f.RemediationDetail, stamp(f.LastEvaluated), f.Exception)
		}
	})
}

func writeCSV(w io.Writer, header []string, rows func(func(...string))) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	var failed error
	rows(func(cells ...string) {
		if failed != nil {
			return
		}
		for i, c := range cells {
			cells[i] = spreadsheetSafe(c)
		}
		failed = out.Write(cells)
	})
	if failed != nil {
		return failed
	}
	out.Flush()
	return out.Error()
}

// spreadsheetSafe keeps a spreadsheet from taking a cell for a formula (OWASP,
// "CSV Injection").
func spreadsheetSafe(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// stamp is RFC 3339 in UTC, "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// percent has one decimal, "" where there is nothing to divide by. It rounds
// towards zero, so that 100.0 means all of them.
func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	tenths := part * 1000 / whole
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
