package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

const (
	issuer    = "https://app.example.com" // your publicURL
	audience  = "https://app.example.com" // your publicURL
	jwksURL   = "http://127.0.0.1:8080/.well-known/jwks.json"
	algorithm = "ES256"           // never read it from the token
	leeway    = 10 * time.Second  // that the clocks of the two machines may differ
	refresh   = 300 * time.Second // between two fetches of the key set, so that a removed key is refused
	cooldown  = 1 * time.Second   // between two fetches that tokens with an unknown kid cause
	timeout   = 2 * time.Second
)

// AccessClaims are the claims of an access token.
type AccessClaims struct {
	jwt.Claims
	SessionID string `json:"sid"`
}

var (
	errInvalid     = errors.New("token_invalid")
	errExpired     = errors.New("token_expired")
	errUnavailable = errors.New("no key set has been fetched yet")
)

// keySet is the last good key set, and the time of the last fetch.
type keySet struct {
	keys  map[string]jose.JSONWebKey
	tried time.Time
}

var (
	current  atomic.Pointer[keySet]
	fetching sync.Mutex
)

func init() { current.Store(&keySet{}) }

// find returns the key of a kid. While a request fetches, requests with a known kid do not wait, those with an unknown kid do.
func find(kid string) (jose.JSONWebKey, error) {
	if current.Load().isDue(kid) && lock(kid) {
		if current.Load().isDue(kid) {
			fetch()
		}
		fetching.Unlock()
	}
	set := current.Load()
	if len(set.keys) == 0 {
		return jose.JSONWebKey{}, errUnavailable
	}
	key, isKnown := set.keys[kid]
	if !isKnown {
		return key, errInvalid
	}
	return key, nil
}

func (s *keySet) isDue(kid string) bool {
	wait := cooldown
	if _, isKnown := s.keys[kid]; isKnown {
		wait = refresh
	}
	return time.Since(s.tried) > wait
}

func lock(kid string) bool {
	if _, isKnown := current.Load().keys[kid]; isKnown {
		return fetching.TryLock()
	}
	fetching.Lock()
	return true
}

func fetch() {
	keys, err := download()
	if err != nil || len(keys) == 0 {
		log.Printf("the key set could not be fetched, the last one stays: %v", err)
		keys = current.Load().keys
	}
	current.Store(&keySet{keys, time.Now()})
}

func download() (map[string]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, jwksURL, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, err
	}
	found := map[string]jose.JSONWebKey{}
	for _, key := range set.Keys {
		if key.Use == "sig" {
			found[key.KeyID] = key
		}
	}
	return found, nil
}

// Verify returns the claims of an access token.
func Verify(text string) (*AccessClaims, error) {
	token, err := jwt.ParseSigned(text)
	if err != nil || len(token.Headers) != 1 {
		return nil, errInvalid
	}
	// Another typ is a refresh token, or an ID token of the same issuer.
	header := token.Headers[0]
	if header.Algorithm != algorithm || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return nil, errInvalid
	}
	key, err := find(header.KeyID)
	if err != nil {
		return nil, err
	}
	var claims AccessClaims
	if token.Claims(key.Key, &claims) != nil {
		return nil, errInvalid
	}
	expected := jwt.Expected{Issuer: issuer, Audience: jwt.Audience{audience}, Time: time.Now()}
	err = claims.ValidateWithLeeway(expected, leeway)
	// go-jose does not require these two.
	isComplete := claims.Expiry != nil && claims.Subject != ""
	switch {
	case err == nil && isComplete:
		return &claims, nil
	case err == jwt.ErrExpired:
		return nil, errExpired
	}
	return nil, errInvalid
}

type claimsKey struct{}

// ClaimsOf returns the claims of a request that RequireToken passed on.
func ClaimsOf(r *http.Request) *AccessClaims {
	return r.Context().Value(claimsKey{}).(*AccessClaims)
}

var bearer = regexp.MustCompile(`^(?i:bearer) +([\w-]+\.[\w-]+\.[\w-]+)$`)

// RequireToken passes on requests with a valid access token.
func RequireToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Header.Get returns only the first of two Authorization headers.
		sent := r.Header.Values("Authorization")
		if len(sent) == 0 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			respond(w, http.StatusUnauthorized, "session_missing")
			return
		}
		var claims *AccessClaims
		err := errInvalid
		if match := bearer.FindStringSubmatch(strings.Join(sent, ",")); match != nil {
			claims, err = Verify(match[1])
		}
		switch err {
		case nil:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
		case errUnavailable:
			w.Header().Set("Retry-After", "1")
			respond(w, http.StatusServiceUnavailable, "unavailable")
		default:
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			respond(w, http.StatusUnauthorized, err.Error())
		}
	})
}

func respond(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"code":%q}`, http.StatusText(status), status, code)
}
