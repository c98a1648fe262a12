package rest

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// BatchItem is an assessment that names its client.
type BatchItem struct {
	ClientID uuid.UUID `json:"client_id" validate:"required" swaggertype:"string" format:"uuid"`
	AssessmentRequest
} //	@name	BatchItem

// BatchRequest is what a front end kept while it was offline.
type BatchRequest struct {
	Items []BatchItem `json:"items" validate:"required,min=1,max=1000"`
} //	@name	BatchRequest

// rawBatch leaves the items undecoded: a bad one must not spoil the others.
type rawBatch struct {
	Items []jsontext.Value `json:"items" validate:"required,min=1,max=1000"`
}

// BatchResult is what became of one item.
type BatchResult struct {
	Index   int               `json:"index"`                                                         // its place in the request
	ID      *uuid.UUID        `json:"id" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // null where the item has none that can be read
	Status  int               `json:"status" example:"201"`                                          // 201 stored now, 200 stored before, 4xx refused
	Version int               `json:"version,omitempty,omitzero"`
	Flags   []Flag            `json:"flags,omitempty"` // what somebody should see
	Problem *problem.Document `json:"problem,omitempty"`
} //	@name	BatchResult

// BatchResponse answers each item.
type BatchResponse struct {
	Results []BatchResult `json:"results"`
} //	@name	BatchResponse

// recordBatch stores up to 1,000 assessments of any clients.
//
//	@Summary		Record many assessments
//	@Description	For offline sync and imports. Each item is answered for itself; a bad one spoils no other. Send it again if in doubt: nothing is stored twice where items carry ids.
//	@Tags			assessments
//	@Accept			json
//	@Produce		json
//	@Param			batch	body		BatchRequest	true	"At most 1,000 assessments"
//	@Success		200		{object}	BatchResponse
//	@Failure		400,401,403,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/assessments/batch [post]
func (h *Handlers) recordBatch(c echo.Context, who auth.Principal) error {
	if err := h.Care.MayRecord(c.Request().Context(), who); err != nil {
		return err // before the work that a large body is
	}
	in, err := readBatch(c)
	if err != nil {
		return err
	}
	requestID := c.Response().Header().Get(echo.HeaderXRequestID)
	out := BatchResponse{Results: make([]BatchResult, len(in.Items))}
	var asked []care.Assessment
	var index []int
	patience := new(rereading) // shared by all items
	for i, raw := range in.Items {
		a, id, err := h.batchItem(raw, patience)
		out.Results[i] = BatchResult{Index: i, ID: id}
		if err != nil {
			out.Results[i].refuse(err, requestID)
			continue
		}
		asked, index = append(asked, a), append(index, i)
	}
	recorded, err := h.Care.RecordAssessments(c.Request().Context(), who, asked)
	if err != nil {
		return err
	}
	for n, r := range recorded {
		out.Results[index[n]].fill(r, requestID)
	}
	return ok(c, out)
}

// readBatch reads a batch and leaves its items as they were sent: one in which
// a member stands twice is that item's fault, and not the batch's.
func readBatch(c echo.Context) (rawBatch, error) {
	body, err := readJSON(c.Request())
	if err != nil {
		return rawBatch{}, err
	}
	twice := jsontext.AllowDuplicateNames(true)
	dec := jsontext.NewDecoder(bytes.NewReader(body), twice)
	if dec.PeekKind() == '{' {
		_, _ = dec.ReadToken()
		for seen := map[string]bool{}; dec.PeekKind() == '"'; _ = dec.SkipValue() {
			name, err := dec.ReadToken()
			if err != nil {
				break // decode says what is wrong
			}
			if seen[name.String()] {
				return rawBatch{}, fault.New(fault.Malformed, "The body cannot be read.", duplicate(string(dec.StackPointer())))
			}
			seen[name.String()] = true
		}
	}
	in, details, err := decode(body, func() rawBatch { return rawBatch{} }, new(rereading), twice)
	if err == nil {
		err = shapeError(details)
	}
	return in, err
}

// batchItem reads one item of a batch and lists every fault of it.
func (h *Handlers) batchItem(raw jsontext.Value, patience *int) (care.Assessment, *uuid.UUID, error) {
	in, details, err := decode(raw, func() BatchItem { return BatchItem{} }, patience)
	if err != nil {
		return care.Assessment{}, nil, err
	}
	a := in.toCare(in.ClientID)
	return a, in.ID, h.malformedForm(details, a)
}

func (r *BatchResult) refuse(err error, requestID string) {
	doc := problem.Of(err, requestID)
	r.Status, r.Problem = doc.Status, &doc
}

func (r *BatchResult) fill(recorded care.Recorded, requestID string) {
	switch recorded.Outcome {
	case care.Created:
		r.Status = http.StatusCreated
	case care.Known:
		r.Status = http.StatusOK
	default:
		r.refuse(recorded.Err, requestID)
		return
	}
	r.ID = &recorded.Assessment.ID // chosen here where the item had none
	r.Version, r.Flags = recorded.Assessment.Version, flagsFromInstrument(recorded.Assessment.Score.Flags)
}
