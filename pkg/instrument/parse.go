package instrument

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/protrack/protrack/pkg/fault"
)

// maxFile bounds a definition file; the largest that ships has 9 kB.
const maxFile = 1 << 20

// Parse reads one definition file. Bytes that are not such a file (bad JSON,
// unknown or duplicate members, wrong types, trailing data) give a
// *fault.Error of kind Malformed with the first place; a file whose content
// breaks a rule gives kind Invalid with every fault, as Check does.
func Parse(data []byte) (*Definition, error) {
	if len(data) > maxFile {
		return nil, fault.New(fault.TooLarge, "A definition file has at most 1 MiB.")
	}
	var d Definition
	if err := json.Unmarshal(data, &d, json.RejectUnknownMembers(true)); err != nil {
		return nil, malformed(err)
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	d.plan = d.compile()
	return &d, nil
}

// malformed says where and how the bytes fail to be a definition.
func malformed(err error) error {
	detail := fault.Detail{Code: "syntax", Message: "The file is not one JSON value."}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		detail.Pointer = string(syntax.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			detail.Code, detail.Message = "duplicate_member", "The member stands twice."
		}
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		detail.Pointer = string(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			detail.Code, detail.Message = "unknown_member", "The format has no such member."
		} else {
			detail.Code = "wrong_type"
			detail.Message = fmt.Sprintf("A JSON %s cannot stand here.", semantic.JSONKind)
		}
	}
	return fault.New(fault.Malformed, "The file is not an instrument definition.", detail).Because(err)
}
