package apitest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// payloads are texts that would do something in a page that lets them.
func payloads() []string {
	scripts := []string{
		`<script>alert(1)</script>`, `</title><script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><script>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`, `"><img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<svg/onload=alert(1)>`,
		`" onfocus=alert(1) autofocus x="`, `' onfocus=alert(1) autofocus x='`, `" autofocus onfocus="alert(1)`, "` onfocus=alert(1)",
		`javascript:alert(1)`, `<a href=javascript:alert(1)>x</a>`, `<iframe src=javascript:alert(1)>`, `<base href=//evil.example>`,
		`</textarea><script>alert(1)</script>`, `--><script>alert(1)</script>`, `]]><script>alert(1)</script>`, `</style><script>alert(1)</script>`,
		`<form action=//evil.example><input name=password>`, `"></form><form action="//evil.example">`, `<meta http-equiv=refresh content=0;url=//evil.example>`,
		`<link rel=stylesheet href=//evil.example>`, `<style>*{background:url(//evil.example)}</style>`, `<object data=//evil.example>`, `<embed src=//evil.example>`,
		`<math><mi//xlink:href="data:x,<script>alert(1)</script>">`, `<details open ontoggle=alert(1)>`, `<body onload=alert(1)>`, `<input onfocus=alert(1) autofocus>`,
		`{{.FormToken}}`, `{{template "token" .}}`, `${alert(1)}`, `%3Cscript%3Ealert(1)%3C/script%3E`, `&lt;script&gt;alert(1)&lt;/script&gt;`, `&#60;script&#62;`,
		`\u003cscript\u003e`, `\x3cscript\x3e`, `＜script＞alert(1)＜/script＞`, `<ſcript>alert(1)</ſcript>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`,
		`"/><svg/onload=alert(1)>`, `x" value="y`, `x"><input name="form_token" value="y`, `<!--`, `-->`, `<`, `"`, `'`, `&`, `</main>`, `</html>`,
	}
	return scripts
}

// skeleton is what a page is made of without its texts: elements, and
// attributes with their values, but for those that hold a text.
func skeleton(t *testing.T, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		fmt.Fprintf(&b, "<%s", n.Data)
		for _, a := range n.Attr {
			if a.Key == "value" || a.Key == "content" {
				a.Val = ""
			}
			fmt.Fprintf(&b, " %s=%q", a.Key, a.Val)
		}
		b.WriteString(">\n")
	}
	return b.String()
}

// shows says that a page shows a text, as a text.
func shows(t *testing.T, page []byte, text string) bool {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.TrimSpace(n.Data) == strings.TrimSpace(text) {
			return true
		}
		for _, a := range n.Attr {
			if a.Key == "value" && a.Val == strings.TrimSpace(text) {
				return true
			}
		}
	}
	return false
}

func TestWhatPeopleTypeIsATextOnEveryPage(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	if len(payloads()) < 50 {
		t.Fatalf("%d payloads", len(payloads()))
	}
	pages := func(text string, i int) map[string][]byte {
		s.Clock.Set(today.AddDate(0, 0, i)) // no limit of the day before
		out := map[string][]byte{}
		b := browse(s, atHome)
		out["/login?"] = b.get(t, "/login?clinic="+url.QueryEscape(text)).Body
		out["/login"] = b.post(t, "/login", url.Values{"clinic": {text}, "email": {text}, "password": {text}, "code": {text}}).Want(http.StatusUnauthorized).Body
		form := url.Values{"clinic": {"here"}, "key": {s.Clinic.Key[auth.Owner]}, "name": {text}, "email": {text + " "}, "password": {text}}
		out["/setup"] = b.post(t, "/setup", form).Want(http.StatusUnprocessableEntity).Body
		who := auth.NewAccount{
			Email: auth.Personal(fmt.Sprintf("p%d'&x@clinic.example", i)), Name: auth.Personal(text), Role: auth.Clinician, Password: ada.Password,
		}
		hire(t, s, who)
		b = signedIn(t, s, who)
		out["/account"] = b.get(t, "/account").Want(http.StatusOK).Body
		out["totp"] = b.post(t, "/account/totp/confirm", url.Values{"code": {text}}).Want(http.StatusConflict).Body
		out["fault"] = b.post(t, "/account/totp", url.Values{"form_token": {text}}).Want(http.StatusForbidden).Body
		return out
	}
	plain := pages("Ada", 0)
	for i, text := range payloads() {
		for path, page := range pages(text, i+1) {
			same(t, path+" with "+text, skeleton(t, plain[path]), skeleton(t, page))
			if path != "fault" && !shows(t, page, text) {
				t.Errorf("%s does not show %s: %s", path, text, page)
			}
		}
	}
	// The control: a page that lets it in looks otherwise.
	broken := bytes.Replace(plain["/account"], []byte("Ada"), []byte(payloads()[4]), 1)
	if skeleton(t, broken) == skeleton(t, plain["/account"]) || shows(t, broken, payloads()[4]) {
		t.Error("an element that was let in is not seen")
	}
}
