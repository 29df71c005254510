// Package cost knows what AWS asks for what a rollout adds to an account: a table of
// prices with the day and the page of each, and assumptions about how much there is in
// an account. It counts nothing by itself and calls nobody; an estimate is always a
// range, and says what it lacks.
package cost
