package main

import (
	"net/http"
	"time"

	"github.com/protrack/protrack/pkg/auth"
)

// identityProvider is the flags of signing in by OpenID Connect.
type identityProvider struct {
	Issuer       string      `name:"oidc-issuer" env:"PROTRACK_OIDC_ISSUER" placeholder:"URL" help:"OpenID Connect provider that people sign in with. None by default."`
	ClientID     string      `name:"oidc-client-id" env:"PROTRACK_OIDC_CLIENT_ID" help:"This server's id at the provider."`
	ClientSecret auth.Secret `name:"oidc-client-secret" env:"PROTRACK_OIDC_CLIENT_SECRET" hidden:"" help:"This server's secret at the provider; absent for a public client."`
	RedirectURL  string      `name:"oidc-redirect-url" env:"PROTRACK_OIDC_REDIRECT_URL" placeholder:"URL" help:"This server's own address followed by /login/callback, as the provider knows it."`
	Audience     string      `name:"oidc-audience" env:"PROTRACK_OIDC_AUDIENCE" help:"What bearer tokens must be meant for; the client's id by default."`
	RoleClaim    string      `name:"oidc-role-claim" env:"PROTRACK_OIDC_ROLE_CLAIM" default:"groups" help:"Claim with a person's groups or roles, such as groups or realm_access.roles."`
	Roles        []string    `name:"oidc-role" env:"PROTRACK_OIDC_ROLES" placeholder:"GROUP=CLINIC:ROLE" help:"Which group has which role in which clinic, such as therapists=default:clinician."`
	RequireMFA   []string    `name:"oidc-require-mfa" env:"PROTRACK_OIDC_REQUIRE_MFA" placeholder:"AMR" help:"Values of amr or acr of which a token must have one, such as mfa."`
}

// open gives what verifies the provider's tokens; nil where none is named. The
// provider itself may be away.
func (p identityProvider) open() (*auth.OIDC, error) {
	if p.Issuer == "" {
		return nil, nil //nolint:nilnil // no provider is no error
	}
	roles, err := auth.ParseRoles(p.Roles)
	if err != nil {
		return nil, explain("--oidc-role", err)
	}
	provider, err := auth.NewOIDC(auth.OIDCConfig{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, Audience: p.Audience,
		RoleClaim: p.RoleClaim, Roles: roles, RedirectURL: p.RedirectURL, RequireMFA: p.RequireMFA,
	}, time.Now, http.DefaultTransport)
	if err != nil {
		return nil, explain("OpenID Connect", err)
	}
	return provider, nil
}
