package browser_test

import (
	"testing"
)

const ofItsEntries = "Find the largest and oldest"

// A node's largest and oldest entries are found from its page, with JavaScript on it.
func TestOperator_finds_the_largest_and_oldest_entries_of_a_node(t *testing.T) {
	inBothWays(t, func(t *testing.T, _ *bookstore, person func(string) *tab) {
		grace := person("Grace")
		for _, path := range []string{"/users/7", "/users/8"} {
			grace.settle(path)
		}
		grace.open("/admin/node?name=main.Shelf")
		grace.click("button", ofItsEntries)
		grace.reads("entries found", "That is all", "Largest", "Oldest", "user:7:shelf", "user:8:shelf")
		grace.readsNot("user:7:followers")
	})
}

// Counts that are not live any more do not look as if they were.
func TestOverview_says_that_the_server_does_not_answer(t *testing.T) {
	shop := startBookstore(t)
	grace := newTab(t, shop)
	grace.as("Grace")
	grace.open("/admin/")
	for _, gone := range []string{
		`fetch = () => Promise.reject(new TypeError("gone"))`,
		`fetch = async () => new Response("403: you may not see this page", {status: 403, headers: {"Content-Type": "text/plain"}})`,
		`fetch = (_, {signal}) => new Promise((_, refuse) => signal.addEventListener("abort", () => refuse(signal.reason)))`,
	} {
		run[bool](grace, `window.fetched ??= fetch; `+gone+`; true`)
		grace.reads("The server does not answer, or you are signed out", "Requests by outcome")
		run[bool](grace, `fetch = window.fetched; true`)
		grace.forgets("The server does not answer")
	}
}
