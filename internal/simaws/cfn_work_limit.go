package simaws

import "slices"

// maxAtWork is how many instances are worked on at a time, across all sets of an
// administrator account in a Region, until AWS raises it (user guide, Quotas). The page does not say what
// happens beyond: here instances wait for room, in the order in which they asked. The
// Region is taken to be that of the sets.
const maxAtWork = 10000

// workload is what is under way in one Region of the administrator account.
type workload struct {
	running int
	waiting []waitingWork
}

type waitingWork struct {
	set *stackSet
	op  *operation
}

func (s *Sim) workload(region string) *workload {
	w := s.world.atWork[region]
	if w == nil {
		w = &workload{}
		s.world.atWork[region] = w
	}
	return w
}

// room takes a place for one instance; without one the operation is told when there is.
func (s *Sim) room(set *stackSet, op *operation) bool {
	w := s.workload(set.Region)
	if w.running >= s.administrators(set.Region, QuotaAtWork) {
		if !slices.Contains(w.waiting, waitingWork{set, op}) {
			w.waiting = append(w.waiting, waitingWork{set, op})
		}
		return false
	}
	w.running++
	return true
}

// free gives a place back and lets those go on that wait for one.
func (s *Sim) free(region string) {
	w := s.workload(region)
	w.running--
	waiting := w.waiting
	w.waiting = nil
	for _, x := range waiting {
		if x.op.active() {
			s.push(x.set, x.op)
		}
	}
}
