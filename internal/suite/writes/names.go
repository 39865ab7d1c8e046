package writes

import (
	"fmt"
	"slices"
)

// The nodes that a row makes wrong when it is written, as it was or as it is.

func bookRow(id, author, owner int) []string {
	names := []string{fmt.Sprintf("books by author %d", author)}
	if id < generatedFrom {
		names = append(names, fmt.Sprintf("book %d", id))
	}
	if owner != 0 {
		names = append(names, fmt.Sprintf("books of owner %d", owner))
	}
	return names
}

func shelfRow(user, book int) []string {
	return []string{
		fmt.Sprintf("shelf of user %d", user), fmt.Sprintf("readers of book %d", book),
		fmt.Sprintf("user %d with book %d", user, book),
	}
}

func followRow(follower, followed int) []string {
	return []string{fmt.Sprintf("whom user %d follows", follower), fmt.Sprintf("who follows user %d", followed)}
}

func memberRow(id, user, author int, role string) []string {
	names := []string{fmt.Sprintf("clubs of user %d", user), fmt.Sprintf("fans of author %d", author), "members as " + role}
	if id < generatedFrom {
		names = append(names, fmt.Sprintf("membership %d", id))
	}
	return names
}

func chapterRow(book, number int) []string {
	return []string{fmt.Sprintf("chapter of book %d, number %d", book, number), fmt.Sprintf("chapters of book %d", book)}
}

func noteRow(id, user int) []string {
	names := []string{fmt.Sprintf("notes of user %d", user)}
	if id < generatedFrom {
		names = append(names, fmt.Sprintf("note %d", id))
	}
	return names
}

func ticketRow(id fmt.Stringer, code string) []string {
	return []string{"ticket " + id.String(), "tickets by coupon " + code}
}

func node(name string) []string { return []string{name} }

// all joins what several rows make wrong, in the order in which it is told.
func all(names ...[]string) (joined []string) {
	for _, name := range slices.Concat(names...) {
		if !slices.Contains(joined, name) {
			joined = append(joined, name)
		}
	}
	return joined
}
