package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// complete says what Swagger 2 cannot: bearer keys, the media type of
// problems, nulls, patches, and that unknown members are refused.
func complete(doc *openapi3.T) {
	doc.Servers = openapi3.Servers{{URL: "/"}}
	doc.Components.SecuritySchemes = openapi3.SecuritySchemes{"Key": &openapi3.SecuritySchemeRef{
		Value: openapi3.NewSecurityScheme().WithType("http").WithScheme("bearer").WithDescription("An API key: ptk_..., or the token of one client: ptc_..."),
	}}
	rename(doc)
	for _, s := range doc.Components.Schemas {
		nullableReferences(s.Value)
	}
	nullableValues(doc)
	patches(doc)
	strictRequests(doc)
	for name, path := range doc.Paths.Map() {
		for method, op := range path.Operations() {
			if strings.HasPrefix(name, "/v1/") {
				limited(op, doc.Components.Schemas["Problem"])
			}
			if name == "/v1/clients" && method == http.MethodPost || strings.HasPrefix(name, "/v1/clients/{client_id}") {
				erased(op, doc.Components.Schemas["Problem"])
			}
			mediaTypes(op)
			versionHeaders(method, op)
		}
	}
}

var generic = regexp.MustCompile(`^rest\.Page-(?:rest_)?(\w+)$`)

// newName drops Go's package names.
func newName(name string) string {
	if m := generic.FindStringSubmatch(name); m != nil {
		return m[1] + "Page"
	}
	if name == "instrument.Definition" {
		return "Instrument"
	}
	if rest, ok := strings.CutPrefix(name, "instrument."); ok {
		return "Instrument" + rest
	}
	return name[strings.LastIndex(name, ".")+1:]
}

// rename gives the schemas names that say nothing of Go.
func rename(doc *openapi3.T) {
	text := string(encode(doc))
	for name := range doc.Components.Schemas {
		text = strings.ReplaceAll(text, `"#/components/schemas/`+name+`"`, `"#/components/schemas/`+newName(name)+`"`)
	}
	loaded, err := openapi3.NewLoader().LoadFromData([]byte(renameKeys(text, doc.Components.Schemas)))
	must(err)
	*doc = *loaded
}

func renameKeys(text string, schemas openapi3.Schemas) string {
	var doc map[string]json.RawMessage
	var components map[string]json.RawMessage
	var all map[string]json.RawMessage
	must(json.Unmarshal([]byte(text), &doc))
	must(json.Unmarshal(doc["components"], &components))
	must(json.Unmarshal(components["schemas"], &all))
	for name := range schemas {
		if n := newName(name); n != name {
			all[n] = all[name]
			delete(all, name)
		}
	}
	components["schemas"] = encode(all)
	doc["components"] = encode(components)
	return string(encode(doc))
}

// must ends the program: what fails here was made here a moment ago.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	must(err)
	return b
}

// nullableReferences keeps "nullable" beside a reference, where OpenAPI 3.0
// would ignore it.
func nullableReferences(s *openapi3.Schema) {
	if s == nil {
		return
	}
	for name, p := range s.Properties {
		switch {
		case p.Ref != "" && nullable(p.Extensions):
			s.Properties[name] = nullableRef(p)
		case p.Value != nil && p.Ref == "":
			if nullable(p.Value.Extensions) {
				p.Value.Nullable = true
				delete(p.Value.Extensions, "x-nullable")
			}
			if p.Value.Nullable && len(p.Value.Enum) > 0 && !slices.Contains(p.Value.Enum, nil) {
				p.Value.Enum = append(p.Value.Enum, nil)
			}
			if p.Value.Nullable && len(p.Value.AllOf) == 1 {
				s.Properties[name] = nullableRef(p.Value.AllOf[0])
			}
			nullableReferences(p.Value)
		}
	}
}

func nullable(extensions map[string]any) bool {
	v, ok := extensions["x-nullable"].(bool)
	return ok && v
}

func nullableRef(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	return &openapi3.SchemaRef{Value: &openapi3.Schema{
		Nullable: true, AllOf: openapi3.SchemaRefs{{Ref: ref.Ref, Value: ref.Value}},
	}}
}

// nullableValues marks the maps whose values may be null.
func nullableValues(doc *openapi3.T) {
	for schema, property := range map[string]string{
		"AssessmentRequest": "answers", "AmendmentRequest": "answers", "BatchItem": "answers",
		"ScoreRequest": "answers", "Assessment": "answers", "Score": "subscales",
	} {
		if s := doc.Components.Schemas[schema].Value.Properties[property]; s != nil {
			s.Value.AdditionalProperties.Schema.Value.Nullable = true
		}
	}
	for _, table := range []string{"ShiftFigure", "Item9Figure"} {
		for _, s := range doc.Components.Schemas[table].Value.Properties {
			nullableElements(s)
		}
	}
	screens := doc.Components.Schemas["Score"].Value.Properties["screens"].Value
	screens.AdditionalProperties.Schema = openapi3.NewSchemaRef("", &openapi3.Schema{Nullable: true, AnyOf: openapi3.SchemaRefs{
		openapi3.NewSchemaRef("", openapi3.NewStringSchema()), openapi3.NewSchemaRef("", openapi3.NewBoolSchema()),
	}})
}

// nullableElements marks the numbers in a table: a count may be withheld.
func nullableElements(s *openapi3.SchemaRef) {
	if s.Ref == "" && s.Value.Type.Is("array") && s.Value.Items.Ref == "" {
		nullableElements(s.Value.Items)
		s.Value.Items.Value.Nullable = s.Value.Items.Value.Type.Is("integer")
	}
}

// patches gives each merge patch a schema of its own: nothing is required,
// and null empties a member.
func patches(doc *openapi3.T) {
	doc.Components.Schemas["AmendmentRequest"].Value.Required = []string{"reason"}
	for _, path := range doc.Paths.Map() {
		if path.Patch == nil {
			continue
		}
		media := path.Patch.RequestBody.Value.Content["application/json"]
		name := strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")
		patch := *doc.Components.Schemas[name].Value
		patch.Required, patch.Properties = nil, openapi3.Schemas{}
		for member, p := range doc.Components.Schemas[name].Value.Properties {
			if p.Ref != "" {
				patch.Properties[member] = nullableRef(p)
				continue
			}
			v := *p.Value
			v.Nullable = true
			if len(v.Enum) > 0 {
				v.Enum = append(slices.Clone(v.Enum), nil)
			}
			patch.Properties[member] = openapi3.NewSchemaRef("", &v)
		}
		name = strings.TrimSuffix(name, "Request") + "Patch"
		doc.Components.Schemas[name] = openapi3.NewSchemaRef("", &patch)
		media.Schema = openapi3.NewSchemaRef("#/components/schemas/"+name, &patch)
		path.Patch.RequestBody.Value.Content["application/merge-patch+json"] = media
	}
}

// strictRequests says that unknown members are refused.
func strictRequests(doc *openapi3.T) {
	no := false
	for name, s := range doc.Components.Schemas {
		request := strings.HasSuffix(name, "Request") || strings.HasSuffix(name, "Patch") || slices.Contains([]string{"BatchItem", "Medicine", "CohortFilter", "CohortBaseline"}, name)
		if request && s.Value.Type.Is("object") {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
		}
	}
}

// mediaTypes tells answers from problems, and documents from files.
func mediaTypes(op *openapi3.Operation) {
	for code, r := range op.Responses.Map() {
		if status, _ := strconv.Atoi(code); status < http.StatusBadRequest {
			for _, file := range []string{"text/html", "text/csv", "application/zip", "image/svg+xml", "image/png"} {
				if media := r.Value.Content[file]; media != nil && len(r.Value.Content) > 1 {
					r.Value.Content[file] = openapi3.NewMediaType().WithSchema(openapi3.NewStringSchema().WithFormat("binary"))
				}
			}
			continue
		}
		for _, media := range r.Value.Content {
			r.Value.Content = openapi3.Content{"application/problem+json": media}
			break
		}
	}
}

// limited says that whoever asks too often is told to wait: so it is on every
// route that takes a credential.
func limited(op *openapi3.Operation, problem *openapi3.SchemaRef) {
	r := openapi3.NewResponse().WithDescription(http.StatusText(http.StatusTooManyRequests)).
		WithJSONSchemaRef(openapi3.NewSchemaRef("#/components/schemas/Problem", problem.Value))
	r.Headers = openapi3.Headers{"Retry-After": header("Seconds to wait", openapi3.NewIntegerSchema().WithMin(1))}
	op.Responses.Set(strconv.Itoa(http.StatusTooManyRequests), &openapi3.ResponseRef{Value: r})
}

// erased says that a client who was erased is not unknown: so it is on every
// route that names one in its path, and on the one that takes a client's id.
func erased(op *openapi3.Operation, problem *openapi3.SchemaRef) {
	r := openapi3.NewResponse().WithDescription("The client's record was erased").
		WithJSONSchemaRef(openapi3.NewSchemaRef("#/components/schemas/Problem", problem.Value))
	op.Responses.Set(strconv.Itoa(http.StatusGone), &openapi3.ResponseRef{Value: r})
}

func header(text string, schema *openapi3.Schema) *openapi3.HeaderRef {
	h := &openapi3.Header{}
	h.Description, h.Schema = text, openapi3.NewSchemaRef("", schema)
	return &openapi3.HeaderRef{Value: h}
}

// versionHeaders documents the headers of versioned resources.
func versionHeaders(method string, op *openapi3.Operation) {
	r := op.Responses.Value("201")
	if method != http.MethodPost || r == nil || op.Responses.Value("200") == nil {
		return
	}
	r.Value.Headers = openapi3.Headers{"Location": header("Where it is", openapi3.NewStringSchema())}
	if versioned(r.Value) {
		r.Value.Headers["ETag"] = header("The version, for If-Match", openapi3.NewStringSchema())
	}
}

// versioned reports whether an answer tells its version.
func versioned(r *openapi3.Response) bool {
	for _, media := range r.Content {
		if media.Schema != nil && media.Schema.Value != nil && media.Schema.Value.Properties["version"] != nil {
			return true
		}
	}
	return false
}
