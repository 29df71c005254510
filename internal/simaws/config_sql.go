package simaws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The query language of AWS Config, "a subset of structured query language (SQL)
// SELECT syntax" (developer guide, querying-AWS-resources, query-components):
//
//	SELECT property [, ...] [WHERE condition] [GROUP BY property [, ...]]
//	[ORDER BY property [ASC | DESC] [, ...]]
//
// with =, IN, BETWEEN, inequalities, LIKE with wildcards at the end, AND, OR and NOT.
// There is no ALL, AS, DISTINCT, FROM, HAVING, JOIN, UNION or NULL.

type sqlQuery struct {
	columns []sqlColumn
	all     bool // SELECT *
	where   *sqlCondition
	group   []string
	order   []sqlOrder
}

// sqlColumn is a property or an aggregate of one.
type sqlColumn struct{ function, path string }

type sqlOrder struct {
	sqlColumn
	descending bool
}

// name is the column as answers show it.
func (c sqlColumn) name() string {
	if c.function == "" {
		return c.path
	}
	return c.function + "(" + c.path + ")"
}

// sqlCondition is a node of a WHERE clause: AND, OR, NOT over others, or a test.
type sqlCondition struct {
	operator string // AND, OR, NOT, =, <>, <, <=, >, >=, IN, BETWEEN, LIKE
	path     string
	values   []any // string, float64, bool
	parts    []*sqlCondition
}

// sqlColumns are the properties of a configuration item at its top.
var sqlColumns = []string{
	"accountId", "arn", "availabilityZone", "awsRegion", "configuration", "configurationItemCaptureTime", "configurationItemStatus", "configurationStateId",
	"relationships", "resourceCreationTime", "resourceId", "resourceName", "resourceType", "supplementaryConfiguration", "tags", "version",
}

// sqlScalars are what SELECT * selects: "only the top-level, scalar properties".
var sqlScalars = []string{"accountId", "awsRegion", "arn", "availabilityZone", "configurationItemCaptureTime", "resourceCreationTime", "resourceId", "resourceName", "resourceType", "version"}

var sqlRefused = []string{"ALL", "AS", "DISTINCT", "FROM", "HAVING", "JOIN", "UNION", "NULL"}

var sqlFunctions = []string{"AVG", "COUNT", "MAX", "MIN", "SUM"}

// deepest is how deeply conditions may nest here.
const deepest = 100

func sqlError(format string, args ...any) error {
	return fail(400, "InvalidExpressionException", "The syntax of the query is incorrect. "+fmt.Sprintf(format, args...))
}

// sqlToken is a word (an identifier, a keyword), a text, a number or a sign.
type sqlToken struct {
	kind byte // w, t, n, s; 0 at the end
	text string
}

func sqlTokens(text string) ([]sqlToken, error) {
	var out []sqlToken
	letter := func(c byte) bool {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
	}
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := 0; i < len(text); {
		c, from := text[i], i
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
			continue
		case letter(c):
			for i < len(text) && (letter(text[i]) || digit(text[i]) || strings.IndexByte(".-:", text[i]) >= 0) {
				i++
			}
			out = append(out, sqlToken{'w', text[from:i]})
		case digit(c) || c == '-' && i+1 < len(text) && digit(text[i+1]):
			for i++; i < len(text) && (digit(text[i]) || text[i] == '.'); i++ {
			}
			out = append(out, sqlToken{'n', text[from:i]})
		case c == '\'':
			var b strings.Builder
			for i++; ; i++ {
				if i >= len(text) {
					return nil, sqlError("A text does not end.")
				}
				if text[i] == '\'' {
					if i+1 < len(text) && text[i+1] == '\'' { // '' is one quotation mark
						i++
					} else {
						break
					}
				}
				b.WriteByte(text[i])
			}
			i++
			out = append(out, sqlToken{'t', b.String()})
		case strings.IndexByte("<>!", c) >= 0:
			i++
			if i < len(text) && (text[i] == '=' || c == '<' && text[i] == '>') {
				i++
			}
			out = append(out, sqlToken{'s', text[from:i]})
		case strings.IndexByte("=,()*;", c) >= 0:
			i++
			out = append(out, sqlToken{'s', string(c)})
		default:
			return nil, sqlError("Unexpected character %q.", string(c))
		}
	}
	return out, nil
}

type sqlParser struct {
	tokens []sqlToken
	depth  int
}

func (p *sqlParser) peek() sqlToken {
	if len(p.tokens) == 0 {
		return sqlToken{}
	}
	return p.tokens[0]
}

func (p *sqlParser) next() sqlToken {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// word takes a keyword, whose case does not matter, when it is next.
func (p *sqlParser) word(keyword string) bool {
	if t := p.peek(); t.kind == 'w' && strings.EqualFold(t.text, keyword) {
		p.next()
		return true
	}
	return false
}

func (p *sqlParser) sign(text string) bool {
	if t := p.peek(); t.kind == 's' && t.text == text {
		p.next()
		return true
	}
	return false
}

func parseSQL(text string) (sqlQuery, error) {
	var q sqlQuery
	tokens, err := sqlTokens(text)
	if err != nil {
		return q, err
	}
	for _, t := range tokens {
		if t.kind == 'w' && slices.Contains(sqlRefused, strings.ToUpper(t.text)) {
			return q, sqlError("%s is not supported.", strings.ToUpper(t.text))
		}
	}
	p := &sqlParser{tokens: tokens}
	if !p.word("SELECT") {
		return q, sqlError("A query begins with SELECT.")
	}
	if p.sign("*") {
		q.all = true
	} else if q.columns, err = list(p, p.column); err != nil {
		return q, err
	}
	if p.word("WHERE") {
		if q.where, err = p.condition(); err != nil {
			return q, err
		}
	}
	if p.word("GROUP") {
		if !p.word("BY") {
			return q, sqlError("GROUP without BY.")
		}
		if q.group, err = list(p, p.path); err != nil {
			return q, err
		}
	}
	if p.word("ORDER") {
		if !p.word("BY") {
			return q, sqlError("ORDER without BY.")
		}
		if q.order, err = list(p, p.ordering); err != nil {
			return q, err
		}
	}
	p.sign(";")
	if t := p.peek(); t.kind != 0 {
		return q, sqlError("Unexpected %q.", t.text)
	}
	return q, q.check()
}

// check holds a query to the guide's limits of aggregations.
func (q sqlQuery) check() error {
	aggregates := 0
	for _, c := range q.columns {
		if c.function != "" {
			aggregates++
		} else if len(q.group) > 0 && !slices.Contains(q.group, c.path) {
			return sqlError("%s is selected and not grouped by.", c.path)
		}
	}
	ordered := slices.ContainsFunc(q.order, func(o sqlOrder) bool { return o.function != "" })
	switch {
	case len(q.group) > 0 && q.all:
		return sqlError("SELECT * cannot be grouped.")
	case aggregates > 0 && aggregates < len(q.columns) && len(q.group) == 0:
		return sqlError("Properties beside aggregate functions need a GROUP BY.")
	case len(q.group) > 3:
		return sqlError("GROUP BY takes up to three properties.")
	case ordered && len(q.group) > 1:
		return sqlError("GROUP BY takes one property when ORDER BY has an aggregate function.")
	case ordered && len(q.group) == 0 && aggregates == 0:
		return sqlError("ORDER BY has an aggregate function and nothing is grouped.")
	}
	return nil
}

// aggregated says whether the answer has groups in place of resources.
func (q sqlQuery) aggregated() bool {
	return len(q.group) > 0 || len(q.columns) > 0 && q.columns[0].function != ""
}

func list[T any](p *sqlParser, one func() (T, error)) ([]T, error) {
	var out []T
	for {
		v, err := one()
		if err != nil {
			return nil, err
		}
		if out = append(out, v); !p.sign(",") {
			return out, nil
		}
	}
}

// path is a property: a name of the item and what follows after dots.
func (p *sqlParser) path() (string, error) {
	t := p.next()
	if t.kind != 'w' {
		return "", sqlError("A property is missing near %q.", t.text)
	}
	top, _, _ := strings.Cut(t.text, ".")
	if !slices.Contains(sqlColumns, top) || strings.HasSuffix(t.text, ".") || strings.Contains(t.text, "..") {
		return "", sqlError("There is no property %s.", t.text)
	}
	return t.text, nil
}

func (p *sqlParser) column() (sqlColumn, error) {
	if len(p.tokens) > 1 && p.tokens[0].kind == 'w' && p.tokens[1] == (sqlToken{'s', "("}) {
		function := strings.ToUpper(p.next().text)
		p.next()
		if !slices.Contains(sqlFunctions, function) {
			return sqlColumn{}, sqlError("There is no function %s.", function)
		}
		c := sqlColumn{function, "*"}
		if !p.sign("*") {
			var err error
			if c.path, err = p.path(); err != nil {
				return c, err
			}
		} else if function != "COUNT" {
			return c, sqlError("%s needs a property.", function)
		}
		if !p.sign(")") {
			return c, sqlError("A function takes one property.")
		}
		return c, nil
	}
	path, err := p.path()
	return sqlColumn{path: path}, err
}

func (p *sqlParser) ordering() (sqlOrder, error) {
	c, err := p.column()
	o := sqlOrder{sqlColumn: c}
	if !p.word("ASC") {
		o.descending = p.word("DESC")
	}
	return o, err
}

// condition is a WHERE clause: OR binds less than AND, AND less than NOT.
func (p *sqlParser) condition() (*sqlCondition, error) { return p.chain("OR", p.conjunction) }

func (p *sqlParser) conjunction() (*sqlCondition, error) { return p.chain("AND", p.negation) }

func (p *sqlParser) chain(operator string, one func() (*sqlCondition, error)) (*sqlCondition, error) {
	c := &sqlCondition{operator: operator}
	for {
		part, err := one()
		if err != nil {
			return nil, err
		}
		if c.parts = append(c.parts, part); !p.word(operator) {
			return c, nil
		}
	}
}

func (p *sqlParser) negation() (*sqlCondition, error) {
	if p.depth++; p.depth > deepest {
		return nil, sqlError("Conditions are nested too deeply.")
	}
	defer func() { p.depth-- }()
	if p.word("NOT") {
		part, err := p.negation()
		return &sqlCondition{operator: "NOT", parts: []*sqlCondition{part}}, err
	}
	if p.sign("(") {
		c, err := p.condition()
		if err == nil && !p.sign(")") {
			err = sqlError("A bracket is not closed.")
		}
		return c, err
	}
	return p.test()
}

// test compares a property with values.
func (p *sqlParser) test() (*sqlCondition, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	not := p.word("NOT")
	c := &sqlCondition{path: path}
	switch t := p.next(); {
	case t.kind == 's' && !not && slices.Contains([]string{"=", "<>", "!=", "<", "<=", ">", ">="}, t.text):
		if c.operator = t.text; c.operator == "!=" {
			c.operator = "<>"
		}
		err = p.take(c)
	case t.kind == 'w' && strings.EqualFold(t.text, "IN"):
		c.operator = "IN"
		if !p.sign("(") {
			return nil, sqlError("IN needs a list.")
		}
		for {
			if err = p.take(c); err != nil || !p.sign(",") {
				break
			}
		}
		if err == nil && !p.sign(")") {
			err = sqlError("A list is not closed.")
		}
	case t.kind == 'w' && strings.EqualFold(t.text, "BETWEEN"):
		c.operator = "BETWEEN"
		if err = p.take(c); err == nil {
			if !p.word("AND") {
				return nil, sqlError("BETWEEN needs AND.")
			}
			err = p.take(c)
		}
	case t.kind == 'w' && strings.EqualFold(t.text, "LIKE"):
		c.operator = "LIKE"
		if err = p.take(c); err != nil {
			break
		}
		// "Support for only suffix wildcards", % and _; "wildcard matches must be
		// at least three characters long".
		text, isText := c.values[0].(string)
		bare := strings.TrimRight(text, "%_")
		if !isText || strings.ContainsAny(bare, "%_") || bare != text && len(bare) < 3 {
			err = sqlError("LIKE takes at least three characters and a wildcard at the end.")
		}
	default:
		return nil, sqlError("A comparison is missing near %q.", t.text)
	}
	if not {
		c = &sqlCondition{operator: "NOT", parts: []*sqlCondition{c}}
	}
	return c, err
}

// take reads a value of a comparison.
func (p *sqlParser) take(c *sqlCondition) error {
	switch t := p.next(); {
	case t.kind == 't':
		c.values = append(c.values, t.text)
	case t.kind == 'n':
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return sqlError("%q is no number.", t.text)
		}
		c.values = append(c.values, n)
	case t.kind == 'w' && (strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false")):
		c.values = append(c.values, strings.EqualFold(t.text, "true"))
	default:
		return sqlError("A value is missing near %q.", t.text)
	}
	return nil
}
