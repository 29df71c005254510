package simaws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// typeCompliance is the resource type of Config's own verdicts; they are there
// for queries where the recorder records the type.
const typeCompliance = "AWS::Config::ResourceCompliance"

// sqlRow is a configuration item as queries see it.
func (r *regionState) sqlRow(item configItem) map[string]any {
	tags := []any{}
	for _, k := range sortedKeys(item.Tags) {
		tags = append(tags, map[string]any{"key": k, "value": item.Tags[k], "tag": k + "=" + item.Tags[k]})
	}
	row := map[string]any{
		"version": "1.3", "accountId": r.account, "awsRegion": r.name, "availabilityZone": "Not Applicable", "arn": item.ARN,
		"resourceType": item.Type, "resourceId": item.ID, "configurationItemStatus": item.Status,
		"configurationItemCaptureTime": item.Captured.Format("2006-01-02T15:04:05.000Z"), "configurationStateId": strconv.FormatInt(item.StateID, 10),
		"tags": tags, "relationships": item.relationships(), "configuration": plainJSON(item.Configuration), "supplementaryConfiguration": supplementsOf(item),
	}
	setText(row, "resourceName", item.Name)
	return row
}

// sqlRows gives the rows of an account and Region: recorded resources, the recorder, stacks, and, of
// each resource with verdicts, a compliance item (awslabs/aws-config-resource-schema,
// AWS::Config::ResourceCompliance).
func (s *Sim) sqlRows(r *regionState, until time.Time, takes func(string) bool) []map[string]any {
	var out []map[string]any
	for _, item := range append(r.config.itemsAt(until), s.systemItems(r, until)...) {
		if takes(item.Type) {
			out = append(out, r.sqlRow(item))
		}
	}
	if r.recorder == nil || !r.recorder.records(typeCompliance) || !takes(typeCompliance) {
		return out
	}
	items := map[string]*configItem{}
	for _, at := range r.rulesAt(until) {
		for _, e := range at.results {
			if e.Compliance == "NOT_APPLICABLE" {
				continue
			}
			id := e.ResourceType + "/" + e.ResourceID
			item := items[id]
			if item == nil {
				item = &configItem{Type: typeCompliance, ID: id, Status: "OK", Captured: e.Recorded, StateID: e.Recorded.UnixMilli(), Configuration: map[string]any{
					"complianceType": "COMPLIANT", "targetResourceId": e.ResourceID, "targetResourceType": e.ResourceType, "configRuleList": []any{},
				}}
				items[id] = item
			}
			if e.Compliance == "NON_COMPLIANT" {
				item.Configuration["complianceType"] = e.Compliance
			}
			list, _ := item.Configuration["configRuleList"].([]any)
			item.Configuration["configRuleList"] = append(list, map[string]any{
				"configRuleName": at.rule.Name, "configRuleArn": at.rule.ARN, "configRuleId": at.rule.ID, "complianceType": e.Compliance,
			})
			if e.Recorded.After(item.Captured) {
				item.Captured, item.StateID = e.Recorded, e.Recorded.UnixMilli()
			}
		}
	}
	for _, id := range sortedKeys(items) {
		out = append(out, r.sqlRow(*items[id]))
	}
	return out
}

// sqlLeaves gives the values at a path; a list stands for all its elements.
func sqlLeaves(v any, path []string) []any {
	switch x := v.(type) {
	case []any:
		var out []any
		for _, e := range x {
			out = append(out, sqlLeaves(e, path)...)
		}
		return out
	case map[string]any:
		if len(path) > 0 {
			if e, there := x[path[0]]; there {
				return sqlLeaves(e, path[1:])
			}
		}
		return nil
	case nil:
		return nil
	}
	if len(path) > 0 {
		return nil
	}
	return []any{v}
}

// holds evaluates a condition. Each test looks at all elements of a list for
// itself, so that two tests on a list of objects may be met by two objects
// (developer guide, array-property-query-behavior).
func (c *sqlCondition) holds(row map[string]any) bool {
	switch c.operator {
	case "AND":
		return !slices.ContainsFunc(c.parts, func(p *sqlCondition) bool { return !p.holds(row) })
	case "OR":
		return slices.ContainsFunc(c.parts, func(p *sqlCondition) bool { return p.holds(row) })
	case "NOT":
		return !c.parts[0].holds(row)
	}
	leaves := sqlLeaves(row, strings.Split(c.path, "."))
	if c.operator == "<>" {
		return !slices.ContainsFunc(leaves, func(v any) bool { return sqlCompare(v, c.values[0]) == 0 })
	}
	return slices.ContainsFunc(leaves, c.met)
}

// only is the one value that a property has in all rows that are met, "" where nothing
// says so.
func (c *sqlCondition) only(path string) string {
	switch {
	case c == nil:
	case c.operator == "=" && c.path == path:
		value, _ := c.values[0].(string)
		return value
	case c.operator == "AND":
		for _, p := range c.parts {
			if value := p.only(path); value != "" {
				return value
			}
		}
	}
	return ""
}

func (c *sqlCondition) met(v any) bool {
	if text, ok := v.(string); ok {
		if met, isRange := c.metByRange(text); isRange {
			return met
		}
	}
	switch c.operator {
	case "IN":
		return slices.ContainsFunc(c.values, func(w any) bool { return sqlCompare(v, w) == 0 })
	case "BETWEEN":
		low, high := sqlCompare(v, c.values[0]), sqlCompare(v, c.values[1])
		return low != incomparable && high != incomparable && low >= 0 && high <= 0
	case "LIKE":
		pattern, _ := c.values[0].(string)
		text := textOf(v)
		bare := strings.TrimRight(pattern, "%_")
		if strings.HasSuffix(pattern, "%") || strings.Contains(pattern[len(bare):], "%") {
			return strings.HasPrefix(text, bare) && len(text) >= len(bare)+strings.Count(pattern[len(bare):], "_")
		}
		return strings.HasPrefix(text, bare) && len(text) == len(pattern)
	}
	d := sqlCompare(v, c.values[0])
	if d == incomparable {
		return false
	}
	switch c.operator {
	case "=":
		return d == 0
	case "<":
		return d < 0
	case "<=":
		return d <= 0
	case ">":
		return d > 0
	}
	return d >= 0
}

// metByRange: "CIDR notation is converted to IP ranges for search", so that a
// range equals each address in it, and is less and greater than those beside it.
func (c *sqlCondition) metByRange(text string) (met, isRange bool) {
	network, err := netip.ParsePrefix(text)
	if err != nil || c.operator == "IN" || c.operator == "LIKE" {
		return false, false
	}
	low, high := network.Masked().Addr(), lastAddress(network)
	ends := make([][2]netip.Addr, 0, 2)
	for _, v := range c.values {
		word, _ := v.(string)
		if address, err := netip.ParseAddr(word); err == nil {
			ends = append(ends, [2]netip.Addr{address, address})
		} else if other, err := netip.ParsePrefix(word); err == nil {
			ends = append(ends, [2]netip.Addr{other.Masked().Addr(), lastAddress(other)})
		} else {
			return false, false
		}
	}
	first, last := ends[0], ends[len(ends)-1]
	if first[0].Is4() != low.Is4() || last[0].Is4() != low.Is4() {
		return false, true
	}
	switch c.operator {
	case "=":
		return low.Compare(first[0]) <= 0 && high.Compare(first[1]) >= 0, true
	case "BETWEEN":
		return low.Compare(last[1]) <= 0 && high.Compare(first[0]) >= 0, true
	case "<":
		return low.Less(first[0]), true
	case "<=":
		return low.Compare(first[0]) <= 0, true
	case ">":
		return first[1].Less(high), true
	}
	return high.Compare(first[1]) >= 0, true
}

// lastAddress is the last address of a network.
func lastAddress(network netip.Prefix) netip.Addr {
	b := network.Masked().Addr().AsSlice()
	for bit := network.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	address, _ := netip.AddrFromSlice(b)
	return address
}

const incomparable = 2

// sqlCompare compares a property with a value as -1, 0 or 1. A number compares
// with the text of a number; two texts compare as texts.
func sqlCompare(a, b any) int {
	_, textA := a.(string)
	_, textB := b.(string)
	if x, ok := number(a); ok && (!textA || !textB) {
		if y, ok := number(b); ok {
			return cmp.Compare(x, y)
		}
	}
	if _, isBool := b.(bool); isBool != isBoolean(a) && textOf(a) != textOf(b) {
		return incomparable
	}
	return cmp.Compare(textOf(a), textOf(b))
}

func isBoolean(v any) bool { _, ok := v.(bool); return ok }

// sqlPut writes the part of a row that a path selects, under the names of the path.
func sqlPut(out, row map[string]any, path []string) {
	v, there := row[path[0]]
	if !there {
		return
	}
	if len(path) == 1 {
		out[path[0]] = v
		return
	}
	switch x := v.(type) {
	case map[string]any:
		inner, _ := out[path[0]].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
		}
		sqlPut(inner, x, path[1:])
		if len(inner) > 0 {
			out[path[0]] = inner
		}
	case []any:
		inner, _ := out[path[0]].([]any)
		if len(inner) != len(x) {
			inner = make([]any, len(x))
		}
		for i, e := range x {
			m, isObject := e.(map[string]any)
			into, _ := inner[i].(map[string]any)
			if into == nil {
				into = map[string]any{}
			}
			if isObject {
				sqlPut(into, m, path[1:])
			}
			inner[i] = into
		}
		out[path[0]] = inner
	}
}

// run answers a query: rows as JSON texts and the names of the columns.
func (q sqlQuery) run(rows []map[string]any) (results []any, fields []any, err error) {
	if q.where != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row map[string]any) bool { return !q.where.holds(row) })
	}
	columns := q.columns
	if q.all {
		for _, name := range sqlScalars {
			columns = append(columns, sqlColumn{path: name})
		}
	}
	for _, c := range columns {
		fields = append(fields, map[string]any{"Name": c.name()})
	}
	if q.aggregated() {
		rows = q.groups(rows)
	}
	slices.SortStableFunc(rows, func(a, b map[string]any) int {
		for _, o := range q.order {
			d := sqlCompare(o.value(a), o.value(b))
			if o.descending {
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return 0
	})
	for _, row := range rows {
		out := map[string]any{}
		for _, c := range columns {
			if c.function != "" {
				out[c.name()] = row[c.name()]
			} else {
				sqlPut(out, row, strings.Split(c.path, "."))
			}
		}
		text, err := json.Marshal(out)
		if err != nil {
			return nil, nil, err
		}
		results = append(results, string(text))
	}
	return results, fields, nil
}

// value is what a row is ordered by.
func (c sqlColumn) value(row map[string]any) any {
	if c.function != "" {
		return row[c.name()]
	}
	if leaves := sqlLeaves(row, strings.Split(c.path, ".")); len(leaves) > 0 {
		return leaves[0]
	}
	return ""
}

// groups makes a row of each group, with the aggregates under their names.
func (q sqlQuery) groups(rows []map[string]any) []map[string]any {
	type group struct {
		row     map[string]any
		members []map[string]any
	}
	groups := map[string]*group{}
	for _, row := range rows {
		out, key := map[string]any{}, ""
		for _, path := range q.group {
			sqlPut(out, row, strings.Split(path, "."))
			key += fmt.Sprintf("%v\x00", sqlLeaves(row, strings.Split(path, ".")))
		}
		if groups[key] == nil {
			groups[key] = &group{row: out}
		}
		groups[key].members = append(groups[key].members, row)
	}
	if len(q.group) == 0 && len(groups) == 0 {
		groups[""] = &group{row: map[string]any{}}
	}
	var out []map[string]any
	columns := slices.Clone(q.columns)
	for _, o := range q.order {
		columns = append(columns, o.sqlColumn)
	}
	for _, key := range sortedKeys(groups) {
		g := groups[key]
		for _, c := range columns {
			if c.function != "" {
				g.row[c.name()] = c.aggregate(g.members)
			}
		}
		out = append(out, g.row)
	}
	return out
}

// aggregate is COUNT, MIN, MAX, SUM or AVG over the members of a group.
func (c sqlColumn) aggregate(members []map[string]any) any {
	if c.path == "*" {
		return float64(len(members))
	}
	var leaves []any
	for _, m := range members {
		leaves = append(leaves, sqlLeaves(m, strings.Split(c.path, "."))...)
	}
	sum, n := 0.0, 0
	for _, v := range leaves {
		if x, ok := v.(float64); ok {
			sum += x
			n++
		}
	}
	switch {
	case c.function == "COUNT":
		return float64(len(leaves))
	case c.function == "SUM":
		return sum
	case c.function == "AVG" && n > 0:
		return sum / float64(n)
	case c.function == "AVG" || len(leaves) == 0:
		return nil
	case c.function == "MIN":
		return slices.MinFunc(leaves, sqlCompare)
	}
	return slices.MaxFunc(leaves, sqlCompare)
}

func supplementsOf(item configItem) any {
	if item.Supplementary == nil {
		return map[string]any{}
	}
	return plainJSON(item.Supplementary)
}
