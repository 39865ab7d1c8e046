package admin

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Options of a Handler. Without Authorize every request is refused; the other fields have defaults.
type Options struct {
	// Authorize says who sends a request, and what he may do. It is asked for every request, those for the style sheet
	// included. An error, a nameless Actor, or one without Look, is answered by 403; what the error says is not shown. It
	// has to tell people by what a foreign site cannot send along for them unnoticed, or by cookies: posts from other
	// sites are refused either way. Nil: every request gets 403.
	Authorize func(*http.Request) (Actor, error)
	// Path is where the page is mounted, "/ops/cache", if its requests come with their whole path. Empty: they come without
	// it, as http.StripPrefix has it. All links are relative, so that nothing else needs to know it.
	Path string
	// Title is what the pages call the service. Defaults to the cache's prefix.
	Title string
	// Secret encrypts keys in links and seals forms. Give all processes behind one address the same, of at least 16 bytes, so
	// that a form that one made is taken by another. Defaults to a random one: links and forms end with the process.
	Secret []byte
	// FormAge is how long a form that clears may be used after it was shown. Defaults to 15 minutes.
	FormAge time.Duration
	// Scans is how many steps of looking through Redis one actor may take in a second; a step looks at Step keys. Who asks for
	// more gets 429, and the pages go on by themselves a little later. Defaults to 10.
	Scans int
	// Step is how many keys of the server one step of browsing and counting looks at, about. Defaults to 1000.
	Step int
	// Every is how often the counters are noted for the rates over time, of which the last 180 are kept. Defaults to 10 s.
	Every time.Duration
	// Origins are further origins, "https://ops.example.com", that may post: for a proxy under another name that
	// does not pass the Host on.
	Origins []string
	// Logger is told of refusals and faults, by route, actor and reason; never a key, a tag or a pattern. Defaults to none.
	Logger *slog.Logger
}

// history is how many samples the rates over time are made of: half an hour by default.
const history = 180

func (o Options) withDefaults(prefix string) (Options, error) {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("admin: "+format, args...)) }
	if o.Path != "" && (!strings.HasPrefix(o.Path, "/") || strings.HasSuffix(o.Path, "/")) {
		bad("Options.Path is %q; write it with a slash before and none behind, as \"/ops/cache\"", o.Path)
	}
	if o.Secret != nil && len(o.Secret) < 16 {
		bad("Options.Secret has %d bytes; give it 16 or more from crypto/rand, or none", len(o.Secret))
	}
	if o.FormAge < 0 || o.Every < 0 || o.Scans < 0 || o.Step < 0 {
		bad("Options.FormAge, Every, Scans and Step are positive, or left out for the default")
	}
	if o.Title == "" {
		o.Title = prefix
	}
	if o.FormAge == 0 {
		o.FormAge = 15 * time.Minute
	}
	if o.Scans == 0 {
		o.Scans = 10
	}
	if o.Step == 0 {
		o.Step = 1000
	}
	if o.Every == 0 {
		o.Every = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errors.Join(wrong...)
}
