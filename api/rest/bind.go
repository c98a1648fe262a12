package rest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-playground/validator/v10"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/fault"
)

// bind reads a JSON body into what fresh makes and lists every fault of
// shape: unknown and missing members, wrong types, values out of range. A
// body that is no JSON, or has a member twice, is Malformed at once, for
// nothing more can be said of it.
//
// Members that are absent keep what fresh gave them; null empties them. With
// a filled fresh this is a JSON merge patch (RFC 7396).
func bind[T any](c echo.Context, fresh func() T) (T, error) {
	v, details, err := bindFaults(c, fresh)
	if err == nil {
		err = shapeError(details)
	}
	return v, err
}

// bindWhole is bind that names what meaning finds together with the faults of
// shape. Of one place it names one fault.
func bindWhole[T any](c echo.Context, fresh func() T, meaning func(T) []fault.Detail) (T, error) {
	v, details, err := bindFaults(c, fresh)
	if err == nil {
		err = shapeError(join(details, meaning(v)))
	}
	return v, err
}

// join adds faults of meaning to those of shape. A member that could not be
// read is not there for the rules: what they then miss is not a fault.
func join(shape, meaning []fault.Detail) []fault.Detail {
	broken := func(pointer string) bool {
		return slices.ContainsFunc(shape, func(d fault.Detail) bool {
			return d.Pointer == pointer || strings.HasPrefix(d.Pointer, pointer+"/")
		})
	}
	out := slices.Clone(shape)
	for _, d := range meaning {
		if !broken(d.Pointer) && (d.Pointer != "/answers" || !broken("/total")) {
			out = append(out, d)
		}
	}
	return out
}

// bindFaults is bind for a handler that adds faults of meaning.
func bindFaults[T any](c echo.Context, fresh func() T) (T, []fault.Detail, error) {
	body, err := readJSON(c.Request())
	if err != nil {
		return fresh(), nil, err
	}
	return decode(body, fresh, new(rereading))
}

// shapeError makes one error of all faults of shape. An unknown member makes
// the request malformed: the sender means something that is not understood.
func shapeError(details []fault.Detail) error {
	for _, d := range details {
		if d.Code == codeUnknownField {
			return fault.New(fault.Malformed, "The request has members that are not known here.", details...)
		}
	}
	return fault.InvalidIf(details)
}

const (
	codeUnknownField = "unknown_field"
	codeWrongType    = "wrong_type"
	maxFaults        = 50      // of a hostile body, name so many
	rereading        = 2 << 20 // bytes that are read again to find more faults of one request
	maxPointer       = 1000    // of a body that is nested without end, name no place
)

// readJSON reads the whole body and checks that it claims to be JSON.
func readJSON(r *http.Request) ([]byte, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	charset := strings.ToLower(params["charset"])
	known := media == echo.MIMEApplicationJSON || media == "application/merge-patch+json" && r.Method == http.MethodPatch
	if err != nil || !known || charset != "" && charset != "utf-8" {
		return nil, fault.New(fault.UnsupportedMedia, "The body is application/json in UTF-8.")
	}
	body, err := io.ReadAll(r.Body)
	var packed *http.MaxBytesError
	switch {
	case errors.Is(err, echo.ErrStatusRequestEntityTooLarge), errors.As(err, &packed):
		return nil, fault.New(fault.TooLarge, "The body is larger than is accepted here.")
	case err != nil:
		return nil, fault.New(fault.Malformed, "The body cannot be read to its end.").Because(err)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, fault.New(fault.Malformed, "The body is empty.")
	}
	return body, nil
}

// decode reads one JSON object strictly and validates its shape. To name one
// more fault it reads the body once more, as long as patience lasts.
func decode[T any](body []byte, fresh func() T, patience *int, options ...json.Options) (T, []fault.Detail, error) {
	options = append(options, strict)
	if kind := jsontext.Value(body).Kind(); kind != '{' {
		var whole jsontext.Value
		if err := json.Unmarshal(body, &whole, options...); err != nil {
			return fresh(), nil, malformed(err)
		}
		return fresh(), nil, fault.New(fault.Malformed, "The body is a JSON object.")
	}
	var details []fault.Detail
	broken := map[string]bool{}
	for {
		v := fresh()
		err := json.Unmarshal(body, &v, options...)
		if err == nil {
			for _, d := range shape(v) {
				if !broken[d.Pointer] {
					details = append(details, d)
				}
			}
			return v, details, nil
		}
		var semantic *json.SemanticError
		if !errors.As(err, &semantic) {
			return v, nil, malformed(err)
		}
		d := semanticFault(semantic)
		details, broken[d.Pointer] = append(details, d), true
		if *patience -= len(body); len(details) == maxFaults || *patience < 0 {
			return v, nil, shapeError(details)
		}
		// Take the member out, and read on for the other faults.
		without, ok := remove(body, semantic.JSONPointer)
		if !ok {
			// Either nothing can be taken out, or the text breaks off further on.
			var whole jsontext.Value
			if err := json.Unmarshal(body, &whole, options...); err != nil {
				return v, nil, malformed(err)
			}
			return v, nil, shapeError(details)
		}
		body = without
	}
}

func malformed(err error) error {
	var syntactic *jsontext.SyntacticError
	detail := fault.Detail{Code: "not_json", Message: "The body is not JSON in UTF-8, or goes on behind its end."}
	if errors.As(err, &syntactic) {
		if at := string(syntactic.JSONPointer); len(at) <= maxPointer {
			detail.Pointer = at
		}
		if errors.Is(err, jsontext.ErrDuplicateName) {
			detail = duplicate(detail.Pointer)
		}
	}
	return fault.New(fault.Malformed, "The body cannot be read.", detail).Because(err)
}

func duplicate(pointer string) fault.Detail {
	return fault.Detail{Pointer: pointer, Code: "duplicate_field", Message: "The member is there twice."}
}

func semanticFault(e *json.SemanticError) fault.Detail {
	d := fault.Detail{Pointer: string(e.JSONPointer)}
	if errors.Is(e.Err, json.ErrUnknownName) {
		d.Code, d.Message = codeUnknownField, "There is no such member."
		return d
	}
	if errors.Is(e.Err, errNUL) {
		d.Code, d.Message = "nul_character", "A text cannot hold the NUL character."
		return d
	}
	d.Code, d.Message = codeWrongType, "A value of another type is needed."
	if e.GoType != nil {
		d.Message = "The value must be " + typeName(e.GoType) + "."
	}
	return d
}

func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.String() {
	case "time.Time":
		return "a time with its zone, such as 2026-03-10T14:30:00Z"
	case "uuid.UUID":
		return "a UUID"
	}
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// remove takes the value at a pointer out of a JSON text.
func remove(body []byte, at jsontext.Pointer) ([]byte, bool) {
	if at == "" {
		return nil, false
	}
	first, rest, _ := strings.Cut(string(at[1:]), "/")
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(first)
	switch jsontext.Value(body).Kind() {
	case '{':
		var members map[string]jsontext.Value
		if json.Unmarshal(body, &members) != nil || members[key] == nil {
			return nil, false
		}
		if rest == "" && !strings.Contains(string(at[1:]), "/") {
			delete(members, key)
		} else if inner, ok := remove(members[key], jsontext.Pointer("/"+rest)); ok {
			members[key] = inner
		} else {
			return nil, false
		}
		out, err := json.Marshal(members, json.Deterministic(true))
		return out, err == nil
	case '[':
		var elements []jsontext.Value
		i, err := strconv.Atoi(key)
		if err != nil || json.Unmarshal(body, &elements) != nil || i < 0 || i >= len(elements) {
			return nil, false
		}
		if inner, ok := remove(elements[i], jsontext.Pointer("/"+rest)); ok && strings.Contains(string(at[1:]), "/") {
			elements[i] = inner
		} else {
			elements[i] = jsontext.Value("null") // so that those behind it keep their places
		}
		out, err := json.Marshal(elements)
		return out, err == nil
	}
	return nil, false
}

// strict refuses unknown members, texts that PostgreSQL cannot hold, and ids
// in any but their usual form.
var strict = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(json.UnmarshalFromFunc(readText), json.UnmarshalFromFunc(readID))),
)

func readText(dec *jsontext.Decoder, s *string) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == 'n':
		*s = ""
		return nil
	case token.Kind() != '"':
		return errNotText
	}
	if *s = token.String(); strings.ContainsRune(*s, 0) {
		return errNUL
	}
	return nil
}

// readID reads a UUID in the one form that paths have; the library reads four.
func readID(dec *jsontext.Decoder, id *uuid.UUID) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == 'n':
		*id = uuid.Nil
		return nil
	case token.Kind() != '"':
		return errNotText
	}
	text := token.String()
	if *id, err = uuid.Parse(text); err == nil && len(text) != question.IDLength {
		err = question.ErrNoID
	}
	return err
}

var (
	errNotText = errors.New("not a text")
	errNUL     = errors.New("a text cannot hold the NUL character")
)

var shapes = newShapes()

func newShapes() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	for tag, fn := range map[string]validator.Func{
		"line": func(fl validator.FieldLevel) bool {
			return !strings.ContainsFunc(fl.Field().String(), unicode.IsControl)
		},
		"text": func(fl validator.FieldLevel) bool {
			return !strings.ContainsFunc(fl.Field().String(), func(r rune) bool {
				return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
			})
		},
		"id": func(fl validator.FieldLevel) bool {
			id, ok := fl.Field().Interface().(uuid.UUID)
			return ok && id != uuid.Nil
		},
	} {
		if err := v.RegisterValidation(tag, fn); err != nil {
			panic(err) // a tag's name is wrong: a defect, found by every test
		}
	}
	return v
}

// shape lists what the validate tags of v find.
func shape(v any) []fault.Detail {
	err := shapes.Struct(v)
	var found validator.ValidationErrors
	if !errors.As(err, &found) {
		return nil
	}
	details := make([]fault.Detail, len(found))
	for i, f := range found {
		details[i] = fault.Detail{Pointer: pointerOf(f.Namespace()), Code: f.Tag(), Message: shapeMessage(f)}
	}
	return details
}

// pointerOf turns the validator's path into a JSON pointer. Members have
// lower-case names; a name in upper case is a Go struct that JSON inlines.
func pointerOf(namespace string) string {
	_, path, _ := strings.Cut(namespace, ".")
	var b strings.Builder
	for segment := range strings.SplitSeq(strings.NewReplacer("[", ".", "]", "").Replace(path), ".") {
		if segment != "" && !unicode.IsUpper(rune(segment[0])) {
			b.WriteString("/" + segment)
		}
	}
	return b.String()
}

func shapeMessage(f validator.FieldError) string {
	switch f.Tag() {
	case "required":
		return "This is needed."
	case "oneof":
		return "This is one of: " + strings.ReplaceAll(f.Param(), " ", ", ") + "."
	case "max", "lte":
		return "This is at most " + f.Param() + limitUnit(f) + "."
	case "min", "gte":
		return "This is at least " + f.Param() + limitUnit(f) + "."
	case "gt":
		return "This is more than " + f.Param() + "."
	case "line", "text":
		return "This holds no control characters."
	case "datetime":
		return "This is a day as YYYY-MM-DD."
	case "id":
		return "This is a UUID other than zero."
	}
	return "This is not valid."
}

func limitUnit(f validator.FieldError) string {
	switch f.Kind() {
	case reflect.String:
		return " characters long"
	case reflect.Slice, reflect.Map:
		return " entries"
	}
	return ""
}
