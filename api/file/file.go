// Package file answers with files of any length, for the JSON API and for the
// pages: tables of the record and packages of snapshots.
package file

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// The trailers of a file say what it must be if it is whole. The sum is that
// of the file before it was packed for the way.
const (
	rowsTrailer = "Protrack-Rows"
	sumTrailer  = "Protrack-SHA256"
)

const (
	// fileBuffer is what is held back at first: while it lasts, a fault can
	// still be told as a problem.
	fileBuffer = 64 << 10
	// filePatience is how long a reader may take for each piece of that size.
	filePatience = time.Minute
	// fileHaste is how many pieces a reader must take, on the average, in the time
	// that one may take: 16 KiB a second. Whoever takes a byte now and then would
	// hold a snapshot of the database for days.
	fileHaste = 15
)

var errOldHTTP = fault.New(fault.Malformed,
	"Ask for a file with HTTP/1.1 or later: in HTTP/1.0 one that was cut short looks whole. A proxy in between may have to be told so.")

// file is an answer of any length. Nothing of it is sent before the first piece
// is full. After that an error of the handler can only cut the connection, and
// does: see problem.Handler.
type file struct {
	sum  *export.Sum
	pack io.WriteCloser // nil: it is sent as it is
	held *bufio.Writer
	to   *pieces
}

// begin begins to answer with a file, packed for the way where packable
// says that this gains something, and the caller that it can be unpacked.
func (d *Desk) begin(c echo.Context, name, contentType string, packable bool) (*file, error) {
	if !c.Request().ProtoAtLeast(1, 1) {
		return nil, errOldHTTP
	}
	to := &pieces{response: c.Response(), control: http.NewResponseController(c.Response()), patience: d.Patience, headers: http.Header{
		echo.HeaderContentType:        {contentType},
		echo.HeaderContentDisposition: {`attachment; filename="` + name + `"`},
		"Trailer":                     {rowsTrailer + ", " + sumTrailer},
	}}
	if to.patience == 0 {
		to.patience = filePatience
	}
	to.until, _ = c.Request().Context().Deadline()
	f := &file{held: bufio.NewWriterSize(to, fileBuffer), to: to}
	f.sum = export.NewSum(f.held)
	if packable {
		// Vary may say more already: it is about who asks.
		to.headers[echo.HeaderVary] = append(c.Response().Header().Values(echo.HeaderVary), echo.HeaderAcceptEncoding)
		if coding := preferredCoding(c.Request().Header.Values(echo.HeaderAcceptEncoding)); coding != "" {
			pack, err := packer(coding, f.held)
			if err != nil {
				return nil, err
			}
			f.pack, f.sum = pack, export.NewSum(pack)
			to.headers.Set(echo.HeaderContentEncoding, coding)
		}
	}
	return f, unhurried(c)
}

// Write takes the next part of the file.
func (f *file) Write(p []byte) (int, error) { return f.sum.Write(p) }

// end sends the rest and the trailers. A file without its end is not whole.
func (f *file) end(rows int64) error {
	if f.pack != nil {
		if err := f.pack.Close(); err != nil {
			return err
		}
	}
	if err := f.held.Flush(); err != nil {
		return err
	}
	trailers := f.to.response.Header()
	trailers.Set(rowsTrailer, strconv.FormatInt(rows, 10))
	trailers.Set(sumTrailer, f.sum.SHA256())
	return f.to.hurry() // the server still has a little to send
}

// pieces sends a file piece by piece. Each has a time of its own: a reader that
// takes nothing is given up, and with it its snapshot of the database, while a
// long file is not.
type pieces struct {
	response *echo.Response
	control  *http.ResponseController
	patience time.Duration
	sent     int64         // bytes
	spent    time.Duration // on sending them
	until    time.Time     // when the whole answer must have been sent; zero: not said
	headers  http.Header   // sent with the first piece, and with no problem
}

// Write sends one piece. What takes long between two of them counts for nobody's
// patience.
func (p *pieces) Write(b []byte) (int, error) {
	if !p.response.Committed {
		maps.Copy(p.response.Header(), p.headers)
	}
	if err := p.hurry(); err != nil {
		return 0, err
	}
	begun := time.Now() //nolint:forbidigo // a socket knows no other clock
	n, err := p.response.Write(b)
	p.sent, p.spent = p.sent+int64(n), p.spent+time.Since(begun) //nolint:forbidigo // likewise
	return n, errors.Join(err, supported(p.control.SetWriteDeadline(p.until)))
}

// hurry gives what is sent from now on the time of a piece, or what is left of
// the time that all so far may have taken.
func (p *pieces) hurry() error {
	left := p.patience + p.patience*time.Duration(p.sent/fileBuffer)/fileHaste - p.spent
	return supported(p.control.SetWriteDeadline(time.Now().Add(min(p.patience, left)))) //nolint:forbidigo // a socket knows no other clock
}

// unhurried lifts the times that the server gives to any request, for one that
// takes long: that to send its answer, and that to read it, the end of which
// would end the context. What the context allows is left. A body must have been
// read before; one that is not asked for stays under the server's time.
func unhurried(c echo.Context) error {
	control := http.NewResponseController(c.Response())
	until, _ := c.Request().Context().Deadline()
	err := supported(control.SetWriteDeadline(until))
	if c.Request().Body == http.NoBody || c.Request().Method != http.MethodGet {
		err = errors.Join(err, supported(control.SetReadDeadline(time.Time{})))
	}
	return err
}

// supported passes over that there are no deadlines, as in a test's recorder.
func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
