package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/mail"
)

// posting is the flags of mail.
type posting struct {
	SMTPURL          mail.Secret `name:"smtp-url" env:"PROTRACK_SMTP_URL" placeholder:"URL" help:"Mail server, such as smtp://user@mail.example:587 or smtps://user@mail.example. None by default: no mail is sent."`
	SMTPPassword     mail.Secret `name:"smtp-password" env:"PROTRACK_SMTP_PASSWORD" hidden:"" help:"Password of the mail server's user."`
	SMTPPasswordFile string      `name:"smtp-password-file" env:"PROTRACK_SMTP_PASSWORD_FILE" placeholder:"FILE" help:"File with the password of the mail server's user."`
	SMTPFrom         string      `name:"smtp-from" env:"PROTRACK_SMTP_FROM" placeholder:"ADDRESS" help:"Address that mail comes from."`
	SMTPInsecure     bool        `name:"smtp-insecure" env:"PROTRACK_SMTP_INSECURE" help:"Send mail unencrypted, for a relay on the same machine."`
}

// sender reads the flags; nil where no server is named.
func (p posting) sender() (mail.Post, error) {
	if p.SMTPURL == "" {
		return nil, nil //nolint:nilnil // no mail server is no error
	}
	password := p.SMTPPassword
	if p.SMTPPasswordFile != "" {
		if password != "" {
			return nil, errors.New("--smtp-password-file and PROTRACK_SMTP_PASSWORD are both set: which is meant?")
		}
		content, err := os.ReadFile(p.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read the mail server's password: %w", err)
		}
		password = mail.Secret(strings.TrimSpace(string(content)))
	}
	server, err := mail.ParseServer(p.SMTPURL, password, p.SMTPFrom, p.SMTPInsecure)
	if err != nil {
		return nil, err
	}
	return mail.NewSender(server), nil
}

// letters is who sends the messages that wait.
func (s *services) letters(post mail.Post, log *slog.Logger) *mail.Worker {
	return &mail.Worker{Outbox: s.db, Post: post, Now: time.Now, NewID: newID, Log: log}
}

// posted refuses to be ready while nobody sends messages that could be sent. A
// mail server that does not answer is no such case.
func posted(w *mail.Worker) error {
	if lag := w.Stuck(); lag > 0 {
		return fault.New(fault.Unavailable, "No message was sent for "+lag.Round(time.Second).String()+".")
	}
	return nil
}
