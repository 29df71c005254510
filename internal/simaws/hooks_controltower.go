package simaws

// SetUpLandingZone makes Control Tower's landing zone; no OU is registered yet.
func (s *Sim) SetUpLandingZone(spec LandingZoneSpec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	s.setUp(spec)
}

// Register registers an OU with Control Tower by a baseline (AWSControlTowerBaseline or
// ConfigBaseline), and enrols those of its accounts that can be.
func (s *Sim) Register(ou, baseline string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	s.register(ou, baseline)
}

// Deregister ends that.
func (s *Sim) Deregister(ou string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance()
	s.deregister(ou)
}

// Enrol enrols an account of a registered OU anew, and says whether it could be.
func (s *Sim) Enrol(id string) bool {
	done := false
	s.change(id, func(a *account) {
		s.enrol(a)
		if z := s.world.landing; z != nil && z.on(a.ID) != nil {
			done = z.on(a.ID).Status == "SUCCEEDED"
		}
	})
	return done
}

// NotEnrolled makes an account one that its registered OU has, and Control Tower does not
// know yet.
func (s *Sim) NotEnrolled(id string) { s.change(id, s.unenrol) }

// DropRecorder deletes an account's recorder and delivery channel in a Region, as
// somebody does by hand.
func (s *Sim) DropRecorder(id, region string) {
	s.change(id, func(a *account) { a.region(region).recorder, a.region(region).channel = nil, nil })
}
