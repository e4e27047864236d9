// Prints its port, then one line of JSON for each request that Go's server has read to its end.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var lock sync.Mutex
	lines := json.NewEncoder(os.Stdout)
	http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		lines.Encode(map[string]string{
			"method": request.Method, "target": request.RequestURI, "body": hex.EncodeToString(body),
		})
	}))
}
