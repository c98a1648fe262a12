package web

import (
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// rowsOnAPage is how many people, keys or entries a page of the settings lists.
const rowsOnAPage = 50

// peopleData lists the accounts of the clinic.
type peopleData struct {
	Tabs        []place
	People      []personRow
	First, Next string
}

// personRow is one account.
type personRow struct {
	ID, Name, Email, Role string
	Second, Outside       bool // a second factor; signs in with the organisation
	Disabled              bool
	CreatedAt             time.Time
	LastSignInAt          *time.Time
}

func personOf(a auth.Account) personRow {
	return personRow{
		ID: a.ID.String(), Name: string(a.Name), Email: string(a.Email), Role: string(a.Role), Second: a.TOTPSince != nil,
		Outside: a.Issuer != "", Disabled: a.DisabledAt != nil, CreatedAt: a.CreatedAt, LastSignInAt: a.LastSignInAt,
	}
}

const accountList = "accounts"

// after reads where a list by id goes on.
func (v *visit) after(list string) (uuid.UUID, error) {
	text := v.QueryParam("after")
	if text == "" {
		return uuid.Nil, nil
	}
	at, err := cursor.Parse(list, text)
	return at.ID, err
}

// nextAfter is the address of the list behind an id.
func nextAfter(path, list string, id uuid.UUID) string {
	return path + "?" + url.Values{"after": {cursor.Format(list, care.Position{ID: id})}}.Encode()
}

// people lists who has an account.
func (s *Site) people(v *visit) error {
	const path = settingsPath + "/people"
	after, err := v.after(accountList)
	if err != nil {
		return err
	}
	accounts, err := s.Keys.Accounts(v.ctx(), v.who, after, rowsOnAPage+1)
	if err != nil {
		return err
	}
	data := peopleData{Tabs: v.tabs()}
	if after != uuid.Nil {
		data.First = path
	}
	if len(accounts) > rowsOnAPage {
		accounts = accounts[:rowsOnAPage]
		data.Next = nextAfter(path, accountList, accounts[rowsOnAPage-1].ID)
	}
	for _, a := range accounts {
		data.People = append(data.People, personOf(a))
	}
	return v.render("settings_people", view{Title: "Settings", Data: data})
}

// personData is the form of an account, new or known.
type personData struct {
	Tabs   []place
	Person personRow // no ID: a new one
	Roles  []option
	States []option
	Me     bool   // it is the account of who is signed in
	Reset  string // the id of the form that replaces the password
}

var stateChoices = []option{{Value: "false", Label: "May sign in"}, {Value: "true", Label: "May not sign in"}}

// roleWords say what roles are for.
var roleWords = []option{
	{Value: string(auth.Clinician), Label: "Clinician: treats clients"},
	{Value: string(auth.Researcher), Label: "Researcher: figures and exports without names"},
	{Value: string(auth.Admin), Label: "Admin: runs the clinic"},
	{Value: string(auth.Owner), Label: "Owner: answers for the clinic"},
	{Value: string(auth.App), Label: "App: a program that enters forms for clients"},
}

// rolesToGive are the roles that somebody may give: nobody gives what they do
// not hold.
func (v *visit) rolesToGive(among []auth.Role) (out []option) {
	for _, o := range roleWords {
		for _, r := range among {
			if o.Value == string(r) && v.who.Held.Covers(auth.Grants(r)) {
				out = append(out, o)
			}
		}
	}
	return out
}

// invite shows the form of a new account.
func (s *Site) invite(v *visit) error {
	if err := v.who.Require(auth.ManageAccounts); err != nil {
		return err
	}
	return v.render("settings_person", v.inviteView())
}

func (v *visit) inviteView() view {
	return view{Title: "Invite somebody", Form: formOf("role", string(auth.Clinician)), Data: personData{Tabs: v.tabs(), Roles: v.rolesToGive(auth.AccountRoles())}}
}

// addPerson makes an account, and shows its password this once.
func (s *Site) addPerson(v *visit) error {
	in := auth.NewAccount{Email: auth.Personal(v.typed("email")), Name: auth.Personal(v.typed("name")), Role: auth.Role(v.typed("role"))}
	a, password, err := s.Keys.CreateAccount(v.ctx(), v.who, in)
	if err != nil {
		page := v.inviteView()
		page.Form = v.sent()
		return v.again("settings_person", page, err)
	}
	return v.render("secret", view{Title: "The account was made", Data: secretData{
		Of: string(a.Name), Email: string(a.Email), Password: string(password), Back: settingsPath + "/people",
	}})
}

// personView is the page of the account that the path names.
func (v *visit) personView() (view, auth.Account, error) {
	id, err := v.pathID("account_id")
	if err != nil {
		return view{}, auth.Account{}, err
	}
	a, err := v.site.Keys.Account(v.ctx(), v.who, id)
	if err != nil {
		return view{}, a, err
	}
	data := personData{Tabs: v.tabs(), Person: personOf(a), Roles: v.rolesToGive(auth.AccountRoles()), States: stateChoices, Me: a.ID == v.me.ID}
	data.Reset = v.site.Care.NewID().String()
	return view{Title: string(a.Name), Data: data}, a, nil
}

// shownAccount tells what an account was from what it is.
func shownAccount(a auth.Account) string {
	if a.DisabledAt != nil {
		return string(a.Role) + " " + a.DisabledAt.Format(time.RFC3339Nano) + " " + string(a.Name)
	}
	return string(a.Role) + " " + string(a.Name)
}

func personForm(a auth.Account) form {
	disabled := "false"
	if a.DisabledAt != nil {
		disabled = "true"
	}
	return formOf("name", string(a.Name), "role", string(a.Role), "disabled", disabled, "shown", shownAccount(a))
}

// person shows the form of an account.
func (s *Site) person(v *visit) error {
	page, a, err := v.personView()
	if err != nil {
		return err
	}
	page.Form = personForm(a)
	return v.render("settings_person", page)
}

// changePerson stores what became of an account.
func (s *Site) changePerson(v *visit) error {
	page, a, err := v.personView()
	if err != nil {
		return err
	}
	change := auth.AccountChange{
		Name: new(auth.Personal(v.typed("name"))), Role: new(auth.Role(v.typed("role"))), Disabled: new(v.typed("disabled") == "true"),
	}
	err = fault.InvalidIf(s.Keys.CheckAccountChange(change))
	if err == nil && v.typed("shown") != shownAccount(a) {
		err, page.Form = errSettled, v.sent().holding("shown", shownAccount(a))
	}
	if err == nil {
		_, err = s.Keys.UpdateAccount(v.ctx(), v.who, a.ID, change)
	}
	if err != nil {
		return v.again("settings_person", page, err)
	}
	return v.done(settingsPath+"/people", "The account was changed.")
}

// errReplaced is the answer to a form that is sent again, such as by loading the
// page with the password once more: what was handed over goes on to be good.
var errReplaced = fault.New(fault.Conflict, "This password was replaced already, and the new one was shown once. If it is lost, replace it again from here.")

// resetPassword gives an account a new password, and shows it this once.
func (s *Site) resetPassword(v *visit) error {
	page, a, err := v.personView()
	if err != nil {
		return err
	}
	var password auth.Password
	r := v.reading()
	id := r.id().String()
	if err = r.err(nil); err == nil && v.madeBy(id) {
		err = errReplaced
	}
	if err == nil {
		password, err = s.Keys.ResetPassword(v.ctx(), v.who, a.ID)
	}
	if err != nil {
		page.Form = personForm(a)
		return v.again("settings_person", page, err)
	}
	s.sessions.Put(v.ctx(), secretKey, id)
	return v.render("secret", view{Title: "The password was replaced", Data: secretData{
		Of: string(a.Name), Email: string(a.Email), Password: string(password), Back: settingsPath + "/people",
	}})
}

// secretData is a password or a key, which is shown once.
type secretData struct {
	Of, Email, Password string // of an account
	Key                 string
	Until               *time.Time // when the key ends that this one replaces
	Back                string
}
