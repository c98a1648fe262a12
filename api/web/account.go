package web

import (
	"encoding/base64"
	"html/template"
	"strings"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type accountData struct {
	Name, Email, Role, Clinic string
	Local, Second             bool
}

func (v *visit) accountView() view {
	return view{Title: "Your account", Data: accountData{
		Name: string(v.me.Name), Email: string(v.me.Email), Role: string(v.me.Role), Clinic: v.clinic.Slug,
		Local: v.me.Issuer == "", Second: v.me.TOTPSince != nil,
	}}
}

// account shows who is signed in, and what they can change.
func (s *Site) account(v *visit) error { return v.render("account", v.accountView()) }

// changePassword ends every other session of the account.
func (s *Site) changePassword(v *visit) error {
	if err := v.limit(v.clinic.Slug, string(v.me.Email)); err != nil {
		return v.again("account", v.accountView(), err)
	}
	me, err := s.Keys.SetPassword(v.ctx(), v.who, auth.Password(v.typed("current")), auth.Password(v.typed("next")))
	if err != nil {
		return v.again("account", v.accountView(), err)
	}
	if err := v.begin(me); err != nil {
		return err
	}
	v.me = me
	page := v.accountView()
	page.Done = "Your password was changed, and your other sessions have ended."
	return v.render("account", page)
}

// totpData is empty where the secret was shown before: it is not read back.
type totpData struct {
	Picture template.URL
	Secret  string
}

const totpTitle = "Set up the second factor"

// enrol shows a new second factor, which counts once it is confirmed.
func (s *Site) enrol(v *visit) error {
	secret, uri, err := s.Keys.EnrolTOTP(v.ctx(), v.who)
	if err != nil {
		return v.again("account", v.accountView(), err)
	}
	picture, err := auth.TOTPPicture(uri)
	if err != nil {
		return err
	}
	return v.render("totp", view{Title: totpTitle, Data: totpData{
		Picture: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)), //nolint:gosec // a picture of our own
		Secret:  string(secret),
	}})
}

type recoveryData struct{ Codes []string }

// confirm turns the second factor on and shows the recovery codes. The app has
// the secret by then: after a wrong code it is asked once more.
func (s *Site) confirm(v *visit) error {
	codes, err := s.Keys.ConfirmTOTP(v.ctx(), v.who, auth.Secret(strings.TrimSpace(v.typed("code"))))
	if fault.Is(err, fault.Invalid) {
		return v.again("totp", view{Title: totpTitle, Data: totpData{}}, err)
	}
	if err != nil {
		return v.again("account", v.accountView(), err)
	}
	return v.showCodes(codes)
}

// showCodes shows recovery codes, this once.
func (v *visit) showCodes(codes []auth.Secret) error {
	data := recoveryData{}
	for _, c := range codes {
		data.Codes = append(data.Codes, string(c))
	}
	return v.render("recovery", view{Title: "Your recovery codes", Data: data})
}

// renewCodes replaces the recovery codes: the old ones are good for nothing from
// then on.
func (s *Site) renewCodes(v *visit) error {
	if err := v.limit(v.clinic.Slug, string(v.me.Email)); err != nil {
		return v.again("account", v.accountView(), err)
	}
	codes, err := s.Keys.NewRecoveryCodes(v.ctx(), v.who, auth.Password(v.typed("password")))
	if err != nil {
		return v.again("account", v.accountView(), err)
	}
	return v.showCodes(codes)
}

// removeTOTP turns the second factor off.
func (s *Site) removeTOTP(v *visit) error {
	if err := v.limit(v.clinic.Slug, string(v.me.Email)); err != nil {
		return v.again("account", v.accountView(), err)
	}
	if err := s.Keys.RemoveTOTP(v.ctx(), v.who, auth.Password(v.typed("password"))); err != nil {
		return v.again("account", v.accountView(), err)
	}
	v.me.TOTPSince = nil
	page := v.accountView()
	page.Done = "The second factor is off."
	return v.render("account", page)
}
