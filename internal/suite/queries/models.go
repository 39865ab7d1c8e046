package queries

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/rowcache"
)

// Team has users. Nothing in the database holds relations together: what leads nowhere has to be right as well.
type Team struct {
	bun.BaseModel `bun:"table:teams,alias:t"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
	City *string
}

// User sends messages. Users are deleted softly.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID      int64 `bun:",pk,autoincrement"`
	Name    string
	Width   int64 `bun:",unique"`
	Age     *int64
	TeamID  int64      `bun:",nullzero"`
	Deleted time.Time  `bun:",soft_delete,nullzero"`
	Team    *Team      `bun:"rel:belongs-to,join:team_id=id"`
	Sent    []*Message `bun:"rel:has-many,join:id=sender_id"`
}

// Message goes from one user to another, either of which may be missing.
type Message struct {
	bun.BaseModel `bun:"table:messages,alias:m"`

	ID          int64 `bun:",pk,autoincrement"`
	SenderID    int64 `bun:",nullzero"`
	RecipientID *int64
	Subject     string
	Sent        int64
	Urgent      bool
	Note        *string
	Sender      *User `bun:"rel:belongs-to,join:sender_id=id"`
	Recipient   *User `bun:"rel:belongs-to,join:recipient_id=id"`
	Tags        []Tag `bun:"m2m:message_tags,join:Message=Tag"`
}

// Tag is on messages.
type Tag struct {
	bun.BaseModel `bun:"table:tags,alias:g"`

	ID    int64 `bun:",pk,autoincrement"`
	Label string
}

// MessageTag is a tag on a message.
type MessageTag struct {
	bun.BaseModel `bun:"table:message_tags,alias:mt"`

	MessageID int64    `bun:",pk"`
	Message   *Message `bun:"rel:belongs-to,join:message_id=id"`
	TagID     int64    `bun:",pk"`
	Tag       *Tag     `bun:"rel:belongs-to,join:tag_id=id"`
}

func models() []any {
	return []any{(*Team)(nil), (*User)(nil), (*Message)(nil), (*Tag)(nil), (*MessageTag)(nil)}
}

// cached are the rows of all models.
type cached struct {
	teams    *rowcache.Rows[Team]
	users    *rowcache.Rows[User]
	messages *rowcache.Rows[Message]
	tags     *rowcache.Rows[Tag]

	team      *rowcache.One[User, Team]
	sender    *rowcache.One[Message, User]
	recipient *rowcache.One[Message, User]
	sent      *rowcache.Many[User, Message]
	tagged    *rowcache.Many[Message, Tag]
}

// cacheAll caches all models, by every criterion that the suite asks for.
func cacheAll(rc *rowcache.Cache, o rowcache.Model) (c cached, err error) {
	messages, users, teams := o, o, o
	messages.Criteria = [][]string{{"sent"}, {"subject"}, {"urgent"}, {"sender_id", "sent"}}
	users.Criteria = [][]string{{"name"}, {"age"}}
	teams.Criteria = [][]string{{"name"}}
	if c.teams, err = rowcache.For[Team](rc, teams); err != nil {
		return c, err
	}
	if c.users, err = rowcache.For[User](rc, users); err != nil {
		return c, err
	}
	if c.messages, err = rowcache.For[Message](rc, messages); err != nil {
		return c, err
	}
	if c.tags, err = rowcache.For[Tag](rc, o); err != nil {
		return c, err
	}
	if c.team, err = rowcache.ToOne(c.users, "Team", c.teams); err != nil {
		return c, err
	}
	if c.sender, err = rowcache.ToOne(c.messages, "Sender", c.users); err != nil {
		return c, err
	}
	if c.recipient, err = rowcache.ToOne(c.messages, "Recipient", c.users); err != nil {
		return c, err
	}
	if c.sent, err = rowcache.ToMany(c.users, "Sent", c.messages); err != nil {
		return c, err
	}
	c.tagged, err = rowcache.ToMany(c.messages, "Tags", c.tags)
	return c, err
}
