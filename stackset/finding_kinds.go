package stackset

import (
	"slices"
	"sync"
)

// Kind is what findings of one code have in common. docs/preflight.md lists them.
type Kind struct {
	Code     string
	Severity Severity
	Meaning  string // whole sentences
	Remedy   string // whole sentences
}

// Kinds are all kinds of findings, sorted by code.
func Kinds() []Kind { return slices.Clone(kinds) }

var kindsByCode = sync.OnceValue(func() map[string]Kind {
	out := map[string]Kind{}
	for _, k := range kinds {
		out[k.Code] = k
	}
	return out
})

// kindOf is the kind of a code. One that is not listed is an error without advice; a
// test holds that every code in use is listed.
func kindOf(code string) Kind {
	if k, known := kindsByCode()[code]; known {
		return k
	}
	return Kind{Code: code, Severity: SeverityError}
}

var kinds = []Kind{
	{"access-unread", SeverityWarning, "Whether StackSets has trusted access to the organization could not be asked. Without it no service-managed stack set can be made.",
		"Allow cloudformation:DescribeOrganizationsAccess; rollout doctor says what else is missing."},
	{"account-closed", SeverityWarning, "None of the roles lets this identity into the account, so nothing there was looked at. Rules and roles are planned all the same, and a name that is taken shows only when the stack fails.",
		"Name a role that this identity may assume there with --role-name, or deploy the template rollout-reader first."},
	{"account-inactive", SeverityError, "The account is not ACTIVE: StackSets skips it.",
		"Leave it out with --exclude-account, or plan again once the account is ACTIVE."},
	{"account-management", SeverityError, "StackSets never deploys to the management account.",
		"Run with the management account's own credentials and --include-management: there plain stacks take the place of instances."},
	{"account-unreached", SeverityWarning, "An instance that was to be deleted is in an account that StackSets does not reach.",
		"Delete it once the account is ACTIVE again; of an account that closes for good nothing stays."},
	{"auto-comes-back", SeverityWarning, "Instances are deleted of a set that deploys automatically, and it goes on watching the OUs that they were under.",
		"Switch it off before: rollout deploy with --auto-deploy=off and the template; or remove all that the OU has, then StackSets watches it no more."},
	{"auto-held", SeverityWarning, "To switch automatic deployment updates every instance of the set, and some outside this run are OUTDATED.",
		"Run with a selection that takes them in."},
	{"auto-ignores-choice", SeverityWarning, "Automatic deployment goes by OU: it takes no account filter, so accounts that a run leaves out get the instances all the same once they are moved below the OU or come back.",
		"Move the accounts to an OU of their own, choose whole OUs, or leave automatic deployment off."},
	{"auto-never", SeverityError, "A stack set deploys automatically that enforces or that goes to one account: somebody switched that on.",
		"Switch it off: rollout deploy with --auto-deploy=off and the template that it enforces."},
	{"auto-no-overrides", SeverityNote, "StackSets deploys to an account that joins with the set's own values; overrides are given by a run.",
		"Run again after an account has joined: it gives the account what it lacks."},
	{"auto-no-recorder", SeverityWarning, "Rules are deployed automatically and recording is not.",
		"Run again after an account has joined. --auto-deploy with recording among its names covers recording too, but an account that joins lacks the role that it records with until a run, too."},
	{"auto-presence", SeverityNote, "StackSets deploys to an account that is moved without a look at what is there, such as a recorder or an equal rule.",
		"Plan again after an account was moved; where a stack failed for what was there, the plan says so."},
	{"auto-unread", SeverityWarning, "Which OUs a stack set watches could not be asked.",
		"Allow cloudformation:ListStackSetAutoDeploymentTargets, and plan again."},
	{"auto-watches-more", SeverityWarning, "A set that deploys automatically is deployed to more OUs or Regions, which StackSets watches from then on.",
		"Where accounts that join there are to get nothing, switch it off before: --auto-deploy=off."},
	{"automatic-refused", SeverityError, "A deploy of this plan would be refused: automatic remediation would change more resources than somebody allowed, or nobody said how many it may.",
		"Look at them with rollout plan --blast-radius, and say the number with --max-blast, or use --remediation manual."},
	{"automatic-withheld", SeverityError, "Automatic remediation stays out where its rule has not been evaluated yet or what it would change could not be read: nothing is changed that nobody has seen. What detects goes on there.",
		"Deploy without it first and plan again once AWS Config has evaluated the rule; where something could not be read, let the role read it."},
	{"bucket-kept", SeverityNote, "The bucket of an earlier deployment is there, and is used as it is.",
		"Nothing has to be done."},
	{"bucket-name-taken", SeverityError, "A bucket that the template makes is there, and no stack instance of the set made it.",
		"Delete the bucket first, give another name by a parameter, or go on using it without this template there."},
	{"bucket-unread", SeverityError, "Whether a bucket that the template makes is there could not be seen: it may be somebody else's. S3 says no more than that it was refused.",
		"Let the role list the bucket (s3:ListBucket), or give another name with the template's parameter."},
	{"channel-without-recorder", SeverityError, "An account and Region can have one delivery channel, and there is one without a recorder.",
		"Delete it (aws configservice delete-delivery-channel --delivery-channel-name NAME), or make its recorder, and plan again."},
	{"concurrency-capped", SeverityWarning, "Under strict mode StackSets works on no more accounts at a time than may fail plus one, and on one fewer after each failure, whatever --max-concurrent says.",
		"--concurrency-mode soft keeps the concurrency; or raise --failure-tolerance, or lower --max-concurrent to what it comes to."},
	{"config-role-missing", SeverityWarning, "A recorder is wanted, and AWSServiceRoleForConfig is not there although recording-base made it.",
		"If recording fails there: aws iam create-service-linked-role --aws-service-name config.amazonaws.com."},
	{"document-name-taken", SeverityError, "A Systems Manager document that the template makes is there, and no stack instance of the set made it.",
		"Delete the document first (aws ssm delete-document --name NAME), give another name by a parameter, or go on using it without this template there."},
	{"iam-not-recorded", SeverityWarning, "A rule about IAM lives in a Region in which AWS Config records none of it.",
		"Choose a Region that is older than February 2022 for these templates, for what lives in the home Region by --home-region."},
	{"instances-outside", SeverityWarning, "A change of a stack set makes all its instances OUTDATED, and only those of this run are updated.",
		"Run again with a selection that takes the others in; until then they keep what they have."},
	{"management-left-out", SeverityNote, "The selection names the management account, and StackSets never deploys to it.",
		"--include-management takes it in, by plain stacks."},
	{"name-unread", SeverityWarning, "Whether a name that the template gives is taken already could not be seen: the stack fails there if it is.",
		"Let the role that reads do so (iam:GetRole, s3:ListBucket, ssm:DescribeDocument), and plan again. S3 refuses a bucket of somebody else in the same words: choose another name then."},
	{"names-unlooked", SeverityNote, "A plan looks for names of roles, buckets, Systems Manager documents and Config rules, not for those of other types, nor for names that only a deployment knows.",
		"Where such a name may be taken, look for it before the deploy: a stack that finds it taken fails and is rolled back."},
	{"need-missing", SeverityError, "What the template needs is not there and will not be.",
		"Plan without --template, or with the template that it needs."},
	{"needs-stay", SeverityNote, "A removal leaves what other templates stand on.",
		"Name its template to take it out as well."},
	{"no-automatic", SeverityWarning, "Automatic remediation was asked for, and a template of the run has none.",
		"Start its runbook by hand where a finding is right."},
	{"operation-under-way", SeverityWarning, "An operation of a stack set of the run has not ended. What a deploy asks of that set is queued behind it by StackSets or, without managed execution, refused until it has ended; the deploy waits for that.",
		"Wait for it and plan again, or stop it with aws cloudformation stop-stack-set-operation."},
	{"operations-unread", SeverityWarning, "Whether operations of a stack set are under way could not be seen.",
		"Allow cloudformation:ListStackSetOperations, or ask whoever else works on the stack sets."},
	{"overrides-unread", SeverityWarning, "The parameter overrides of an instance that is to be changed could not be read, so those that somebody else gave are not kept.",
		"Allow cloudformation:DescribeStackInstance, and plan again."},
	{"policies-unread", SeverityWarning, "The organization's service control policies could not be read.",
		"Run as the management account, or allow organizations:ListPolicies, ListTargetsForPolicy, DescribePolicy and ListRoots by the organization's resource policy."},
	{"policy-denies", SeverityError, "A service control policy denies an action that the stack takes.",
		"Exempt StackSets' role (stacksets-exec-*) in the policy, or leave the account out."},
	{"policy-may-deny", SeverityWarning, "A service control policy may deny an action that the stack takes: its condition looks at what a plan cannot know.",
		"Where {sets} fails for that, exempt StackSets' role (stacksets-exec-*) in the policy."},
	{"preflight-left-out", SeverityWarning, "The plan goes by the stack sets alone, as --preflight=false asks.",
		"Plan without --preflight=false before you deploy: a deploy looks, and does what it finds right."},
	{"recorder-gone", SeverityWarning, "A stack instance made a recorder, and somebody has deleted it.",
		"Find out who deleted it, then make it anew: rollout remove --template recording for the place, and deploy again."},
	{"recorder-kept", SeverityNote, "A recorder of an earlier deployment is there without a stack instance, and is used as it is.",
		"Nothing has to be done."},
	{"recorder-leaves-out", SeverityWarning, "The account's own recorder does not record resource types that rules of the run look at.",
		"Have its owner add the types to the recorder."},
	{"recorder-left", SeverityNote, "The account had a recorder when rules were deployed to it, and has none any more: it left Control Tower, or somebody deleted it. rollout's own is made.",
		"Nothing has to be done; find out who deleted it where that is a surprise."},
	{"recorder-of-service", SeverityNote, "A recorder that an AWS service has made for itself is there. It does not count against the one that a customer may have, and rules do not use it.",
		"Nothing has to be done."},
	{"recorder-own", SeverityNote, "The account records by itself; its recorder is left as it is.",
		"Nothing has to be done."},
	{"recorder-replaced", SeverityWarning, "An account to which rollout deployed a recorder has another one now. The stack instances of recording make nothing, and are left as they are.",
		"rollout remove --template recording --account ACCOUNT takes them out; the other recorder stays."},
	{"recorder-stopped", SeverityWarning, "The recorder is there and does not record, so that verdicts are old.",
		"Start it: aws configservice start-configuration-recorder --configuration-recorder-name NAME."},
	{"recorder-tower", SeverityNote, "Control Tower records in the account; its recorder is left as it is.",
		"Nothing has to be done."},
	{"recorder-unread", SeverityError, "Whether there is a recorder could not be seen, and a second one would fail: none is made.",
		"Let the role that reads do so (rollout templates policy says what), and plan again."},
	{"region-denied", SeverityError, "A service control policy denies the Region.",
		"Leave the Region out with --region, or exempt StackSets' role (stacksets-exec-*) and the reading role in the policy."},
	{"region-off", SeverityError, "The Region is not switched on in the account.",
		"Switch it on (aws account enable-region --region-name REGION --account-id ACCOUNT), or leave it out with --region."},
	{"region-unread", SeverityWarning, "A Region of an account could not be read, so that names that are taken show only when a stack fails.",
		"Let the role that reads do so (rollout templates policy says what), and plan again."},
	{"region-unseen", SeverityWarning, "Whether stack sets of the run live in another Region could not be seen; a set is visible only from its own.",
		"Allow cloudformation:ListStackSets there, or be sure of --home-region."},
	{"release-denied", SeverityError, "A service control policy, as a rule Control Tower's own in an OU that it governs, keeps StackSets from deleting the recorder.",
		"Move the account to an OU that Control Tower does not govern, release it there, and move it back; that enrols it."},
	{"released-unread", SeverityWarning, "The tags of an account that looks as one does after rollout release could not be read.",
		"Allow organizations:ListTagsForResource, and plan again."},
	{"remediation-role-missing", SeverityWarning, "Enforcement is asked for, and AWSServiceRoleForConfigRemediation is not there although recording-base made it.",
		"If remediations fail there: aws iam create-service-linked-role --aws-service-name remediation.config.amazonaws.com."},
	{"role-broad", SeverityNote, "Accounts were read through a role that may do more than read.",
		"--role-name names a role that can only read; the template rollout-reader makes one."},
	{"role-name-taken", SeverityError, "A role that the template makes is there, and no stack instance of the set made it.",
		"Delete the role first, or go on using it without this template there."},
	{"roles-unread", SeverityWarning, "Whether the service-linked roles are there could not be seen, so none is made.",
		"Let the role that reads call iam:GetRole, and plan again."},
	{"rule-equal", SeverityNote, "A rule of another name checks the same with the same parameters, and gives the verdict.",
		"--reuse-existing=false adds a rule of rollout's all the same."},
	{"rule-kept", SeverityNote, "The rule is there without a stack instance, left by an earlier deployment.",
		"Nothing has to be done; to have it managed again, delete the rule and deploy."},
	{"rule-left-over", SeverityError, "A rule of an earlier deployment is there, and the template makes more than it.",
		"Delete the rule (aws configservice delete-config-rule --config-rule-name NAME), and plan again."},
	{"rule-name-taken", SeverityError, "A Config rule of the template's name is there that checks something else, or a part of the template's rules is left.",
		"Delete the rule (aws configservice delete-config-rule --config-rule-name NAME), and plan again."},
	{"set-elsewhere", SeverityWarning, "Another stack set of rollout of this name lives in another Region.",
		"Remove one of them (rollout remove --home-region REGION): accounts that have instances of both collide."},
	{"set-foreign", SeverityWarning, "A stack set of a wanted name lives in another Region, and rollout did not make it.",
		"Nothing has to be done where its template makes other things; --stack-set gives a name that cannot be mixed up."},
	{"stack-name-taken", SeverityError, "The management account has a stack of the set's name that rollout did not make.",
		"Delete the stack, or use another --stack-set name."},
	{"stack-stuck", SeverityError, "The plain stack in the management account cannot be updated as it is.",
		"Continue its rollback (aws cloudformation continue-update-rollback --stack-name NAME), and plan again."},
	{"stack-unread", SeverityError, "The plain stack in the management account could not be read.",
		"Allow cloudformation:DescribeStacks there, and plan again."},
	{"tangled", SeverityWarning, "A template brings its rule and its remediation together, so that enforcement alone cannot be taken out.",
		"rollout remove --template FILE takes both away."},
	{"template-lint", SeverityWarning, "The linter warns of something in the template of a file.",
		"docs/lint.md says of each code what it means and what to do."},
	{"tolerance-zero", SeverityWarning, "A percentage of the few accounts of an operation rounds down to no failure at all, so that the first one cancels the rest of its Region.",
		"Give --failure-tolerance as a number, or a higher percentage."},
	{"tower-conflict", SeverityWarning, "Control Tower governs the account by now, and rollout's recorder is in it: Control Tower enrols no account that has a recorder or a delivery channel. Nothing is taken away.",
		"rollout release --for control-tower --account ACCOUNT takes recorder and channel out, and says what else is in the way."},
	{"tower-enrol", SeverityError, "Control Tower governs the account and sets up recording when it enrols it, which it has not done.",
		"Enrol the account in Control Tower (or register its OU again), then run again."},
	{"tower-region", SeverityError, "Control Tower has enrolled the account and does not record in this Region, which its landing zone does not govern.",
		"Add the Region to the governed ones in the landing zone's settings, or leave it out with --region."},
	{"tower-released", SeverityError, "rollout release took the recorder out so that Control Tower can enrol the account; it is not put back.",
		"Enrol the account, or rollout release --for control-tower --undo --account ACCOUNT."},
	{"tower-unread", SeverityWarning, "What Control Tower governs could not be read. Its policies and recorders give OUs away, but not one that has neither.",
		"Run as the management account, and allow controltower:ListLandingZones, ListBaselines and ListEnabledBaselines and organizations:ListAWSServiceAccessForOrganization."},
	{"tower-without-config", SeverityNote, "Control Tower governs the account, and AWS Config is no part of its landing zone (4.0 or later), so nobody else records.",
		"Should AWS Config become part of it: rollout release --for control-tower first."},
}
