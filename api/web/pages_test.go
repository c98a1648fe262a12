package web_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/web"
)

// filled gives a value of a type with something in every place that a template
// can read: two of each list, no nil, true, and texts that are not empty.
func filled(typ reflect.Type, depth int) reflect.Value {
	v := reflect.New(typ).Elem()
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 3, 10, 15, 4, 0, 0, time.UTC)
		return v
	case *uuid.UUID:
		*x = uuid.MustParse("0198a5c0-0000-7000-8000-000000000001")
		return v
	}
	if depth > 8 {
		return v
	}
	switch typ.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("something")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		v.Elem().Set(filled(typ.Elem(), depth+1))
	case reflect.Slice:
		v.Set(reflect.Append(v, filled(typ.Elem(), depth+1), filled(typ.Elem(), depth+1)))
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		v.SetMapIndex(filled(typ.Key(), depth+1), filled(typ.Elem(), depth+1))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).Set(filled(typ.Elem(), depth+1))
		}
	case reflect.Struct:
		for i := range typ.NumField() {
			if typ.Field(i).IsExported() {
				v.Field(i).Set(filled(typ.Field(i).Type, depth+1))
			}
		}
	}
	return v
}

func TestEveryPageIsMadeEmptyAndFullInEveryLanguage(t *testing.T) {
	t.Parallel()
	for name, empty := range web.Pages() {
		for what, data := range map[string]any{"empty": empty, "full": filled(reflect.TypeOf(empty), 0).Interface()} {
			for _, lang := range []string{"en", "es"} {
				page, err := web.Fill(name, lang, data)
				if err != nil {
					t.Errorf("%s %s: %v", name, what, err)
					continue
				}
				for _, wrong := range []string{"<no value>", "%!", "ZgotmplZ", "[[]", "0x"} {
					if strings.Contains(page, wrong) {
						t.Errorf("%s %s %s holds %q", name, what, lang, wrong)
					}
				}
				if strings.Count(page, "<h1>") != 1 || !strings.Contains(page, `lang="`+lang+`"`) {
					t.Errorf("%s %s: %s", name, what, page)
				}
			}
		}
	}
	// The control: a page is refused what it does not show.
	if _, err := web.Fill("account", "en", 7); err == nil {
		t.Error("a number was taken for an account")
	}
}
