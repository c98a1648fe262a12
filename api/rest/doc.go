package rest

// What the OpenAPI document says of the API as a whole.
//
//	@title			Protrack
//	@version		1.0
//	@description	Takes PHQ-9, GAD-7, PCL-5 and other answers before and after each session of ketamine-assisted psychotherapy, and returns each client's symptom trajectory.
//	@description
//	@description	Ids may be chosen by the sender: a create that is sent again with the same id and content answers 200 with what is stored. Every error is an RFC 9457 problem that lists all faults. Missing answers are never counted as 0.
//	@license.name	Apache-2.0
//	@license.url	https://www.apache.org/licenses/LICENSE-2.0
//	@tag.name			instruments
//	@tag.description	Questionnaires and their scoring
//	@tag.name			clients
//	@tag.name			courses
//	@tag.description	Treatment plans
//	@tag.name			sessions
//	@tag.name			assessments
//	@tag.description	Answers, their versions and scores
//	@tag.name			trajectories
//	@tag.description	What the answers show over time
//	@tag.name			research
//	@tag.description	Files for statistics programs, and what their columns mean
//	@tag.name			rights
//	@tag.description	What a client may ask for: who saw the record, a copy, its end
//	@tag.name			audit
//	@tag.name			settings
//	@tag.name			keys
//	@tag.name			tokens
//	@tag.description	Short-lived access for one client's own front end
//	@tag.name			accounts
//	@tag.description	People who sign in
//	@tag.name			operations
//	@securityDefinitions.apikey	Key
//	@in				header
//	@name			Authorization
