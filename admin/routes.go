package admin

import "net/http"

// route is what one method of one path does.
type route struct {
	role   Role
	costly bool // it looks through Redis, a bounded step of it
	serve  func(*Handler, *http.Request, Actor) (*answer, error)
}

// routes are all there are, by path and method. Only one of them changes anything: POST cleared. Other posts are searches, whose
// words shall not stand in a URL.
func routes() map[string]map[string]route {
	return map[string]map[string]route{
		"":        {http.MethodGet: {role: Look, serve: (*Handler).overview}},
		"graph":   {http.MethodGet: {role: Look, serve: (*Handler).graph}},
		"nodes":   {http.MethodGet: {role: Look, serve: (*Handler).nodes}},
		"node":    {http.MethodGet: {role: Look, serve: (*Handler).node}},
		"browse":  {http.MethodGet: {role: Look, serve: (*Handler).browse}, http.MethodPost: {role: Look, costly: true, serve: (*Handler).browsed}},
		"entry":   {http.MethodGet: {role: Look, serve: (*Handler).entry}, http.MethodPost: {role: Look, serve: (*Handler).find}},
		"value":   {http.MethodGet: {role: Reveal, serve: (*Handler).value}},
		"clear":   {http.MethodGet: {role: Act, serve: (*Handler).choose}, http.MethodPost: {role: Act, costly: true, serve: (*Handler).preview}},
		"cleared": {http.MethodPost: {role: Act, serve: (*Handler).clear}},
		"journal": {http.MethodGet: {role: Look, serve: (*Handler).journal}},
		"audit":   {http.MethodGet: {role: Look, serve: (*Handler).audit}},
		"record":  {http.MethodGet: {role: Look, serve: (*Handler).shown}},
	}
}
