package main

import (
	"fmt"
	"io"

	"rollout/stackset"
)

// showOrphans says which instances are outside the selection, and that they stay.
func showOrphans(w io.Writer, p *stackset.Plan) {
	for _, s := range p.Sets {
		for _, why := range []string{"the account is not chosen", "the Region is not chosen"} {
			var list []stackset.Change
			for _, o := range p.Orphans {
				if o.StackSet == s.Name && o.Why == why {
					list = append(list, stackset.Change{Target: o.Target, Account: o.Account})
				}
			}
			if list != nil {
				fmt.Fprintf(w, "\n%s of %s outside this selection, since %s: %s.\nThey stay as they are; --prune deletes them.\n", counted(len(list), "instance"), s.Name, why, places(list))
			}
		}
	}
	if err := p.CheckPruning(); err != nil {
		fmt.Fprintf(w, "\nA deploy of this plan is refused: %s\n", err)
	}
}
