// SPDX-License-Identifier: Apache-2.0
// server PORT: the corpus' routes on Go's net/http.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

var large = strings.Repeat("x", 6000)

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if code != 204 && code != 304 {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.WriteHeader(code)
			io.WriteString(w, body)
			return
		}
		w.WriteHeader(code)
	}
}

func chunked(w http.ResponseWriter, r *http.Request) {
	for _, part := range []string{"hello", strings.Repeat("x", 1200), "world"} {
		io.WriteString(w, part)
		w.(http.Flusher).Flush()
	}
}

func untilClose(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Transfer-Encoding", "identity")
	io.WriteString(w, large)
}

func echo(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, n)
}

func main() {
	http.HandleFunc("/small", status(200, "hello"))
	http.HandleFunc("/large", status(200, large))
	http.HandleFunc("/empty", status(204, ""))
	http.HandleFunc("/error", status(500, "error"))
	http.HandleFunc("/unchanged", status(304, ""))
	http.HandleFunc("/chunked", chunked)
	http.HandleFunc("/until-close", untilClose)
	http.HandleFunc("/echo", echo)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
