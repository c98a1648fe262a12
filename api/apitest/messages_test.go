package apitest_test

import (
	"net/http"
	"testing"

	"github.com/protrack/protrack/api/apitest"
)

func TestWhereAClientReadsMail(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := settle(s, s.Clinic)
		path := "/v1/clients/" + n.client + "/contact"
		s.Do("PUT", path, object{"email": "ana@client.example", "opted_out": true}).Want(http.StatusOK)
		got := s.Do("GET", path, nil).Want(http.StatusOK).JSON()
		delete(got, "updated_at")
		same(t, "contact", object{"client_id": n.client, "email": "ana@client.example", "opted_out": true}, got)
		s.Do("PUT", path, object{"email": "Ana <ana@client.example>", "opted_out": false}).Want(http.StatusUnprocessableEntity)
		s.Do("PUT", path, object{"email": "ana@client.example"}).Want(http.StatusUnprocessableEntity)
		same(t, "messages", 0, len(listed(s.Do("GET", "/v1/clients/"+n.client+"/messages", nil).Want(http.StatusOK))))
	})
}

func TestWhatAClinicChoosesForItsMessages(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		const path = "/v1/settings/messages"
		same(t, "defaults", object{"clinic_name": "", "by": "mail", "quiet_from": "21:00", "quiet_to": "08:00", "reminders": []any{"PT24H", "PT48H"}},
			s.Do("GET", path, nil).Want(http.StatusOK).JSON())
		chosen := object{"clinic_name": "Uno", "by": "webhook", "quiet_from": "22:30", "quiet_to": "07:00", "reminders": []any{"P2D", "PT90M"}}
		want := object{"clinic_name": "Uno", "by": "webhook", "quiet_from": "22:30", "quiet_to": "07:00", "reminders": []any{"PT48H", "PT90M"}}
		same(t, "chosen", want, s.Do("PUT", path, chosen).Want(http.StatusOK).JSON())
		same(t, "stored", want, s.Do("GET", path, nil).Want(http.StatusOK).JSON())
		for field, bad := range map[string]any{"by": "pigeon", "quiet_from": "24:00", "quiet_to": "8", "reminders": []any{"P"}, "clinic_name": "a\nb"} {
			wrong := object{"clinic_name": "", "by": "mail", "quiet_from": "21:00", "quiet_to": "08:00", "reminders": []any{}}
			wrong[field] = bad
			s.Do("PUT", path, wrong).Want(http.StatusUnprocessableEntity)
		}
	})
}
