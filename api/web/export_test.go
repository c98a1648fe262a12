package web

import "maps"

// Pages names every page with the empty value of what it shows.
func Pages() map[string]any { return maps.Clone(pages) }

// Fill makes a page as somebody signed in would see it.
func Fill(name, lang string, data any) (string, error) {
	s := (&Site{}).Open(nil)
	page, err := s.fill(name, view{
		tongue: s.speech.of(lang, ""), Title: "A title", SignedIn: true, Name: "Eva", Places: places, Path: "/x", FormToken: "token", Done: "Done.", Data: data,
	})
	return string(page), err
}
