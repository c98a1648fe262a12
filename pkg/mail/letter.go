package mail

import (
	"errors"
	"strings"

	"github.com/google/uuid"
)

// Kind is what a letter is for.
type Kind string

// The kinds.
const (
	Invitation Kind = "invitation" // forms wait for a client
	Reminder   Kind = "reminder"   // they still do
	Escalation Kind = "escalation" // something waits for somebody of the clinic
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Invitation, Reminder, Escalation} }

// Languages lists those that letters are written in. The first is for all others.
func Languages() []string { return []string{"en", "es"} }

// Words is all that a letter can tell. It has no room for what is clinical, so
// that nothing of that kind can get into one.
type Words struct {
	Clinic string // its name; may be empty
	Link   Address
}

// Letter is one mail.
type Letter struct {
	ID      uuid.UUID // makes the Message-ID: who gets it twice can tell
	To      Address
	Subject string
	Text    string
}

type wording struct{ subject, text string }

// wordings are the letters. A line of what stands in braces alone is left out
// where there is nothing to put in.
var wordings = map[Kind]map[string]wording{
	Invitation: {
		"en": {"Questions before your next visit", "Hello,\n\nsome questions wait for you. They take a few minutes:\n\n{link}\n\nThe link is yours alone: please do not pass it on.\nPlease do not answer this message. Nobody reads this mailbox.\n\n{clinic}\n"},
		"es": {"Preguntas antes de su próxima visita", "Hola:\n\nHay unas preguntas para usted. Le llevarán unos minutos:\n\n{link}\n\nEl enlace es solo para usted: por favor, no lo comparta.\nPor favor, no responda a este mensaje. Nadie lee este buzón.\n\n{clinic}\n"},
	},
	Reminder: {
		"en": {"Your questions still wait", "Hello,\n\nthe questions that we sent you still wait:\n\n{link}\n\nIf you have answered in the meantime, there is nothing to do.\nPlease do not answer this message. Nobody reads this mailbox.\n\n{clinic}\n"},
		"es": {"Sus preguntas siguen pendientes", "Hola:\n\nLas preguntas que le enviamos siguen pendientes:\n\n{link}\n\nSi ya ha respondido, no tiene que hacer nada.\nPor favor, no responda a este mensaje. Nadie lee este buzón.\n\n{clinic}\n"},
	},
	Escalation: {
		"en": {"Protrack: something waits for you", "Something waits for somebody to look at it. Please open Protrack now:\n\n{link}\n\n{clinic}\n"},
		"es": {"Protrack: hay algo pendiente", "Hay algo que alguien tiene que mirar. Por favor, abra Protrack ahora:\n\n{link}\n\n{clinic}\n"},
	},
}

var errNoWords = errors.New("there are no words for such a letter")

// Compose writes a letter; an unknown language is the first of Languages.
func Compose(kind Kind, language string, w Words) (subject, text string, err error) {
	byLanguage, known := wordings[kind]
	if !known || !oneLine(w.Clinic) || !oneLine(string(w.Link)) {
		return "", "", errNoWords
	}
	words, known := byLanguage[language]
	if !known {
		words = byLanguage[Languages()[0]]
	}
	fill := strings.NewReplacer("{link}", string(w.Link), "{clinic}", w.Clinic)
	var lines []string
	for line := range strings.Lines(words.text) {
		if filled := fill.Replace(line); filled == line || strings.TrimSpace(filled) != "" {
			lines = append(lines, filled)
		}
	}
	return words.subject, strings.TrimSpace(strings.Join(lines, "")) + "\n", nil
}
