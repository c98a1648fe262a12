package web

// pages names each page by its template, and the type of what it shows.
var pages = map[string]any{
	"login": loginForm{}, "setup": setupForm{}, "onward": onwardData{}, "fault": faultData{},
	"account": accountData{}, "totp": totpData{}, "recovery": recoveryData{},
	"caseload": caseloadData{}, "today": todayData{},
	"alerts": alertsData{}, "alert": alertData{},

	"client_form": clientFormData{}, "course_form": courseFormData{}, "session_form": sessionFormData{},
	"instruments": chooseData{}, "assessment_form": assessmentFormData{}, "result": resultData{}, "retract": retractData{},
	"client": clientData{}, "assessment": assessmentData{}, "history": historyData{}, "report": reportData{},

	"consent_form": consentFormData{}, "break_glass": breakGlassData{},

	"cohort": cohortData{}, "cohort_figure": figureData{}, "cohort_form": cohortFormData{},

	"settings_clinic": clinicSettingsData{}, "settings_instruments": instrumentSettingsData{}, "settings_instrument": instrumentSettingData{},
	"settings_people": peopleData{}, "settings_person": personData{}, "settings_keys": keysData{}, "settings_key": keyFormData{},
	"settings_webhooks": webhooksData{}, "settings_webhook": webhookData{}, "settings_webhook_form": webhookFormData{},
	"settings_audit": auditData{}, "secret": secretData{},

	"exports": exportsData{}, "snapshot_form": snapshotFormData{}, "snapshot": snapshotData{},
}
