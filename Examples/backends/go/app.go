// A backend on 127.0.0.1:$PORT. It responds with the user of the access token.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

func main() {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims := ClaimsOf(r)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"sub": claims.Subject, "sid": claims.SessionID})
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, RequireToken(app)))
}
