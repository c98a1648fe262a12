package apitest_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

// drawn is a client with a score before and a score after a dose.
func drawn(t *testing.T, s *apitest.Server) clinic {
	c := open(t, s)
	session := c.session(2, "medicine", object{"substance": "ketamine", "route": "intramuscular", "dose_mg": 50})
	c.assess(1, 20, "session_id", session, "timing", "before")
	c.assess(3, 8, "session_id", session, "timing", "after")
	return c
}

func TestATrajectoryIsDrawnAsSVGAndAsPNG(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := drawn(t, s)
		at := "/v1/clients/" + c.client + "/trajectory"

		svg := s.Do("GET", at+".svg?instrument=phq-9", nil).Want(http.StatusOK)
		wellFormed(t, svg.Body)
		for _, want := range []string{"20 points", "8 points", "severe", "reliably better: 14 or less", "remission: below 5", "dose 1, ketamine 50 mg intramuscular"} {
			if !strings.Contains(string(svg.Body), want) {
				t.Errorf("the picture does not say %q", want)
			}
		}
		if got := svg.Header.Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("Content-Security-Policy: %q", got)
		}
		if dark := s.Do("GET", at+".svg?instrument=phq-9&theme=dark", nil).Want(http.StatusOK); bytes.Equal(dark.Body, svg.Body) {
			t.Error("the dark picture is the light one")
		}
		if got := s.Do("GET", at+".png?instrument=phq-9", nil).Want(http.StatusOK); got.Header.Get("Content-Type") != "image/png" {
			t.Errorf("Content-Type: %q", got.Header.Get("Content-Type"))
		} else if _, err := png.Decode(bytes.NewReader(got.Body)); err != nil {
			t.Error(err)
		}
		s.Do("GET", at+".svg?instrument=phq-9&theme=page", nil).Want(http.StatusUnprocessableEntity)
		s.Do("GET", at+".svg", nil).Want(http.StatusUnprocessableEntity)
		s.As(s.Other.Key["admin"], "GET", at+".png?instrument=phq-9", nil).Want(http.StatusNotFound)
	})
}

func TestTheFormOfATrajectoryIsNegotiated(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := drawn(t, s)
		at := "/v1/clients/" + c.client + "/trajectory?instrument=phq-9"
		for accept, want := range map[string]string{
			"": "application/json", "*/*": "application/json", "text/html": "application/json",
			"image/svg+xml": "image/svg+xml", "image/png": "image/png", "image/*": "image/svg+xml",
			"application/json;q=0.5, image/png": "image/png", "image/png;q=0.5, application/json": "application/json",
			"image/png;q=0, image/svg+xml;q=0.1": "image/svg+xml",
		} {
			got := s.Do("GET", at, nil, "Accept", accept).Want(http.StatusOK)
			if form, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";"); form != want {
				t.Errorf("Accept %q gets %s, want %s", accept, form, want)
			}
			if !strings.Contains(strings.Join(got.Header.Values("Vary"), ","), "Accept") {
				t.Errorf("Vary: %v", got.Header.Values("Vary"))
			}
		}
		s.Do("GET", at+"&theme=dark", nil).Want(http.StatusUnprocessableEntity) // JSON has no colours
	})
}

func TestARetractedAssessmentIsNotInThePicture(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		c := drawn(t, s)
		last := c.assess(9, 27)
		at := "/v1/clients/" + c.client + "/trajectory.svg?instrument=phq-9"
		shown := func() bool {
			return strings.Contains(string(s.Do("GET", at, nil).Want(http.StatusOK).Body), "27 points")
		}
		if !shown() {
			t.Fatal("the assessment is not shown while it stands")
		}
		s.Do("POST", "/v1/assessments/"+last+"/retraction", object{"reason": "of somebody else"}, "If-Match", `"1"`).Want(http.StatusOK)
		if shown() {
			t.Error("the assessment is shown after it was retracted")
		}
	})
}

func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoAsksForManyPicturesAtOnceIsHeldBackAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	c := drawn(t, s)
	at := "/v1/clients/" + c.client + "/trajectory"
	var ends []func()
	for {
		done, ok := s.Limits.Drawers.Take(s.Clinic.Who.Actor.String())
		if !ok {
			break
		}
		ends = append(ends, done)
	}
	s.Do("GET", at+".png?instrument=phq-9", nil).Want(http.StatusTooManyRequests)
	s.Do("GET", at+"?instrument=phq-9", nil, "Accept", "image/png").Want(http.StatusTooManyRequests)
	s.Do("GET", at+".svg?instrument=phq-9", nil).Want(http.StatusOK)
	s.As(s.Clinic.Key["clinician"], "GET", at+".png?instrument=phq-9", nil).Want(http.StatusOK)
	for _, done := range ends {
		done()
	}
	for range 20 { // each gives its slot back
		s.Do("GET", at+".png?instrument=phq-9", nil).Want(http.StatusOK)
	}
}
