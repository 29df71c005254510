//go:build race

package stackset_test

func init() { underRace = true }
