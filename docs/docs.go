// Package docs holds the documents that the program serves.
package docs

import _ "embed"

//go:generate go run ./openapi

// OpenAPI is the OpenAPI 3 document of the API, generated from the handlers'
// comments.
//
//go:embed openapi.json
var OpenAPI []byte
