package web

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

const (
	keysPath = settingsPath + "/keys"
	keyList  = "keys"
)

// keysData lists the clinic's keys.
type keysData struct {
	Tabs        []place
	Keys        []keyRow
	Overlaps    []option
	First, Next string
}

// keyRow is one key; its secret is not kept.
type keyRow struct {
	ID, Name, Role, Hint             string
	Scopes                           []string // what it is narrowed to; empty: all of its role
	State                            tag
	Live, Mine                       bool // it can be used; nobody takes away what they do not hold
	CreatedAt                        time.Time
	ExpiresAt, RevokedAt, LastUsedAt *time.Time
}

// The states of a key.
var (
	keyLive     = tag{Label: "in use", Class: "better"}
	keyReplaced = tag{Label: "replaced, ends soon"}
	keyExpired  = tag{Label: "expired"}
	keyRevoked  = tag{Label: "revoked"}
)

// overlaps are how long an old key may go on.
var overlaps = []option{
	{Value: "24h", Label: "The old one goes on for a day"},
	{Value: "168h", Label: "The old one goes on for a week"},
	{Value: "0s", Label: "The old one ends now"},
}

func (v *visit) keyOf(k auth.Key) keyRow {
	now := v.site.Now()
	row := keyRow{
		ID: k.ID.String(), Name: k.Name, Role: string(k.Role), Hint: k.Hint, State: keyLive, Live: k.Live(now), Mine: v.who.Held.Covers(k.Held()),
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt,
	}
	if k.Scopes != nil {
		for _, p := range k.Held().List() {
			row.Scopes = append(row.Scopes, string(p))
		}
	}
	switch {
	case k.RevokedAt != nil:
		row.State = keyRevoked
	case !row.Live:
		row.State = keyExpired
	case k.ReplacedBy != nil:
		row.State = keyReplaced
	}
	return row
}

// keysView is the page of the keys.
func (v *visit) keysView() (view, error) {
	after, err := v.after(keyList)
	if err != nil {
		return view{}, err
	}
	keys, err := v.site.Keys.Keys(v.ctx(), v.who, after, rowsOnAPage+1)
	if err != nil {
		return view{}, err
	}
	data := keysData{Tabs: v.tabs(), Overlaps: overlaps}
	if after != uuid.Nil {
		data.First = keysPath
	}
	if len(keys) > rowsOnAPage {
		keys = keys[:rowsOnAPage]
		data.Next = nextAfter(keysPath, keyList, keys[rowsOnAPage-1].ID)
	}
	for _, k := range keys {
		data.Keys = append(data.Keys, v.keyOf(k))
	}
	return view{Title: "Settings", Data: data}, nil
}

// keys lists the clinic's keys.
func (s *Site) keys(v *visit) error {
	page, err := v.keysView()
	if err != nil {
		return err
	}
	return v.render("settings_keys", page)
}

// keyFormData is the form of a new key.
type keyFormData struct {
	Tabs   []place
	Roles  []option
	Scopes []option
}

func (v *visit) keyFormView() view {
	data := keyFormData{Tabs: v.tabs(), Roles: v.rolesToGive(auth.Roles())}
	for _, p := range auth.AllPermissions() {
		if v.who.May(p) {
			data.Scopes = append(data.Scopes, option{Value: string(p), Label: string(p), Chosen: v.sent().Has("scopes", string(p))})
		}
	}
	return view{Title: "New key", Form: formOf("role", string(auth.App), "id", v.site.Care.NewID().String()), Data: data}
}

// newKey shows the form of a key.
func (s *Site) newKey(v *visit) error {
	if err := v.who.Require(auth.ManageKeys); err != nil {
		return err
	}
	return v.render("settings_key", v.keyFormView())
}

// secretKey is in the session: the form by which a secret was last made.
const secretKey = "secret_made"

// errKeyMade is the answer to a form that is sent again, such as by loading the
// page with the secret once more.
var errKeyMade = fault.New(fault.Conflict, "This key was made already, and its secret was shown once. If it is lost, revoke the key and make another.")

// madeBy reports whether the last secret was made by a form, which then was sent
// again.
func (v *visit) madeBy(form string) bool {
	return v.site.sessions.GetString(v.ctx(), secretKey) == form
}

// addKey makes a key, and shows its secret this once.
func (s *Site) addKey(v *visit) error {
	r := v.reading()
	in := auth.NewKey{Name: r.line("name", mostName), Role: auth.Role(v.typed("role")), ExpiresAt: r.day("expires_at")}
	if in.Name == "" {
		r.wrong("name", needed)
	}
	for _, scope := range v.sent().values["scopes"] {
		in.Scopes = append(in.Scopes, auth.Permission(scope))
	}
	var key auth.Key
	var secret auth.Secret
	id := r.id().String()
	err := r.err(s.Keys.CheckNewKey(in))
	if err == nil && v.madeBy(id) {
		err = errKeyMade
	}
	if err == nil {
		key, secret, err = s.Keys.CreateKey(v.ctx(), v.who, in)
	}
	if err != nil {
		page := v.keyFormView()
		page.Form = v.sent()
		return v.again("settings_key", page, err)
	}
	s.sessions.Put(v.ctx(), secretKey, id)
	return v.render("secret", view{Title: "The key was made", Data: secretData{Of: key.Name, Key: string(secret), Back: keysPath}})
}

// rotateKey makes a key in the place of another, and shows its secret this once.
func (s *Site) rotateKey(v *visit) error {
	id, err := v.pathID("key_id")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(overlaps, func(o option) bool { return o.Value == v.typed("overlap") })
	if i < 0 {
		return fault.New(fault.Invalid, "Choose how long the old key goes on.")
	}
	overlap, err := time.ParseDuration(overlaps[i].Value)
	if err != nil {
		return err
	}
	key, secret, err := s.Keys.RotateKey(v.ctx(), v.who, id, &overlap)
	if err != nil {
		return v.keysAgain(err)
	}
	return v.render("secret", view{Title: "The key was replaced", Data: secretData{
		Of: key.Name, Key: string(secret), Until: new(key.CreatedAt.Add(overlap)), Back: keysPath,
	}})
}

// revokeKey ends a key.
func (s *Site) revokeKey(v *visit) error {
	id, err := v.pathID("key_id")
	if err != nil {
		return err
	}
	if err := s.Keys.RevokeKey(v.ctx(), v.who, id); err != nil {
		return v.keysAgain(err)
	}
	return v.done(keysPath, "The key was revoked: the next request that shows it is refused.")
}

// keysAgain shows the keys with what went wrong. What there is not is none.
func (v *visit) keysAgain(err error) error {
	if fault.Is(err, fault.NotFound) {
		return err
	}
	page, failed := v.keysView()
	if failed != nil {
		return failed
	}
	return v.again("settings_keys", page, err)
}
