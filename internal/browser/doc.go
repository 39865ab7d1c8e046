// Package browser holds the tests of the pages that people see, in a real browser: the bookstore as a site, and the admin
// page beside it. They do what a person does: they look for buttons, links and fields by the names that a screen reader
// says, click and type, and read what is shown.
//
// They need chromium, and npm once for the checker of accessibility, whose version and hash are pinned; without them they
// are skipped and say so, and with CACHEME_REQUIRE=all they fail. Screenshots of every page are left in screenshots/.
package browser
