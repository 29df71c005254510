package simaws

// baseline is what an account has as such, in no Region: the account's password policy
// and the like. The zero value is what AWS gives a new account.
type baseline struct {
	password    *passwordPolicy     // nil: none was ever set
	users       map[string]*iamUser // IAM users by name; nil: not yet looked at
	publicBlock *publicBlock        // S3's, of the whole account; nil: none was ever set
	rootKey     bool                // the root user has an access key
	trail       bool                // a trail of all Regions, its own or its organization's
}

// regionBaseline is what an account has in a Region beside its networks.
type regionBaseline struct {
	encryptEBS bool   // EBS encryption by default
	ebsKey     string // with this key, "" for aws/ebs
	flowLogs   []*flowLog

	securityHub, guardDuty bool
	guardDutyAdmin         string // the account that administers the detector
	detects                detecting
	instances              map[string]*instance
	snapshots              map[string]*snapshot
	// sharingBlocked is block public access of snapshots: block-all-sharing,
	// block-new-sharing or ""; documentsBlocked that of Systems Manager's documents.
	sharingBlocked   string
	documentsBlocked bool
}

// baseline makes what an account has when it is first looked at. A generated account has
// a history: in about half of them somebody once cared.
func (s *Sim) baseline(a *account) *baseline {
	if a.base != nil {
		return a.base
	}
	a.base = &baseline{}
	if !a.lived {
		return a.base
	}
	switch kind := chance(a.ID, "password policy"); {
	case kind < 0.30: // as the CIS benchmark has it
		a.base.password = &passwordPolicy{MinimumPasswordLength: 14, RequireSymbols: true, RequireNumbers: true, RequireUppercaseCharacters: true, RequireLowercaseCharacters: true,
			AllowUsersToChangePassword: true, MaxPasswordAge: 90, PasswordReusePrevention: 24}
	case kind < 0.45: // as somebody remembered it
		a.base.password = &passwordPolicy{MinimumPasswordLength: 8, RequireNumbers: true, RequireUppercaseCharacters: true, RequireLowercaseCharacters: true, AllowUsersToChangePassword: true}
	}
	switch kind := chance(a.ID, "public access"); {
	case kind < 0.50:
		a.base.publicBlock = &publicBlock{true, true, true, true}
	case kind < 0.60: // ACLs only
		a.base.publicBlock = &publicBlock{BlockPublicAcls: true, IgnorePublicAcls: true}
	}
	a.base.rootKey = chance(a.ID, "root key") < 0.06
	a.base.trail = chance(a.ID, "trail") < 0.7
	return a.base
}

// settings makes what an account has in a Region when it is first looked at.
func (s *Sim) settings(a *account, r *regionState) *regionBaseline {
	if r.base == nil {
		r.base = &regionBaseline{}
		if a.lived {
			r.base.encryptEBS = chance(a.ID, r.name, "ebs encryption") < 0.35
			s.addFlowLogs(a, r)
			r.base.securityHub = chance(a.ID, r.name, "security hub") < 0.4
			if r.base.guardDuty = chance(a.ID, r.name, "detector") < 0.6; r.base.guardDuty && chance(a.ID, r.name, "detector's administrator") < 0.8 {
				r.base.guardDutyAdmin = s.world.order[1]
			}
			s.addInstances(a, r)
			s.addSnapshots(a, r)
			r.base.detects = generateDetecting(a.ID, r.name)
		}
	}
	return r.base
}
