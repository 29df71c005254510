package stackset

import "time"

// driftReason says of an instance that needs no change that a detection found drift in
// it, which no deploy of the same template mends; "" where none did.
func driftReason(i Instance) string {
	if i.Drift != DriftDrifted {
		return ""
	}
	return "drift was found on " + i.DriftChecked.UTC().Format(time.DateOnly) + ": rollout drift --last shows it"
}
