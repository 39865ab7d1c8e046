package integration_test

import "slices"

// processFaults are the rows about processes that are killed or paused, and other versions of them.
var processFaults = slices.Concat([]fault{
	{
		name:      "a writer is killed before its hold, in the middle of it, between hold and COMMIT, between COMMIT and release, in the middle of the release",
		expect:    "nothing old from the kill on; what it held costs loads for up to `Hold`, and is cached again then",
		elsewhere: "TestCrash/of_a_process_that_is_killed",
	}, {
		name:      "a process is killed while it loads, between load and fill, before it hears of its fill",
		expect:    "nothing old, also where what it read is written meanwhile; the next caller waits for at most a lease",
		elsewhere: "TestCrash/of_a_process_that_is_killed",
	}, {
		name:      "a process of a herd is killed in its load",
		expect:    "the others wait for at most a lease, and load once",
		elsewhere: "TestHerd_whose_leading_process_is_killed_costs_one_load_more_after_at_most_one_lease",
	}, {
		name:      "a loader is stopped (SIGSTOP) beyond its lease, and what it read is written and loaded by others",
		expect:    "when it goes on its fill is refused, and what the others stored stays",
		elsewhere: "TestCrash/of_a_loader_that_sleeps_past_its_lease_is_refused_its_fill",
	}, {
		name:      "a writer is stopped (SIGSTOP) beyond its hold before its COMMIT, on PostgreSQL and MariaDB",
		expect:    "the database has given its transaction up: an error, and nothing is written",
		elsewhere: "TestCrash/of_a_sleeper_that_wakes_past_its_hold_finds_its_transaction_gone",
	}, {
		name:      "a writer is stopped (SIGSTOP) beyond its hold before its COMMIT, on SQLite, which gives nothing up",
		expect:    "it commits late; once it has returned nobody reads what was there before",
		elsewhere: "TestCrash_of_a_sleeper_that_wakes_past_its_hold",
	}, {
		name:   "a process with near values is stopped (SIGSTOP) for longer than its lag, and what it has is written",
		expect: "its first Get when it goes on asks Redis, and is not old",
		run:    nearSleeps,
	},
}, deployFaults)
