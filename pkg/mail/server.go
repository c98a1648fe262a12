package mail

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// Server is where letters are handed in.
type Server struct {
	Host     string
	Port     int
	Implicit bool // TLS from the first byte, as for smtps; otherwise STARTTLS
	Insecure bool // nothing is encrypted: for a relay on the same machine
	User     string
	Password Secret
	From     Address
}

// Ports where an address names none: RFC 6409 and RFC 8314.
const (
	submission  = 587
	submissions = 465
)

// ParseServer reads smtp://user:password@host:587 or smtps://host. A password
// that is given apart stands for the one of the address; from is who writes.
// Its errors never hold the address, which may hold the password.
func ParseServer(address Secret, password Secret, from string, insecure bool) (Server, error) {
	u, err := url.Parse(string(address))
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return Server{}, errors.New("the address of the mail server is smtp://user@host:587 or smtps://user@host:465")
	}
	s := Server{Host: u.Hostname(), Port: submission, Implicit: u.Scheme == "smtps", Insecure: insecure, User: u.User.Username(), Password: password}
	if s.Implicit {
		s.Port = submissions
		if insecure {
			return Server{}, errors.New("smtps is encrypted: --smtp-insecure does not go with it")
		}
	}
	if text := u.Port(); text != "" {
		if s.Port, err = strconv.Atoi(text); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errors.New("the port of the mail server is a number up to 65535")
		}
	}
	if inURL, given := u.User.Password(); given && password == "" {
		s.Password = Secret(inURL)
	}
	if s.User != "" && s.Password == "" {
		return Server{}, errors.New("the mail server's user has no password")
	}
	if s.Insecure && s.User != "" && !net.ParseIP(s.Host).IsLoopback() && s.Host != "localhost" {
		return Server{}, errors.New("a password is not sent unencrypted to another machine")
	}
	if s.From, err = ParseAddress(from); err != nil {
		return Server{}, fmt.Errorf("the sender of mail: %w", err)
	}
	return s, nil
}
