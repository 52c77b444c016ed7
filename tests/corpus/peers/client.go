// SPDX-License-Identifier: Apache-2.0
// client HOST:PORT: the corpus' requests by Go's net/http.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

var body = strings.Repeat("y", 5000)

func ask(client *http.Client, method, url string, body io.Reader) {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func main() {
	base := "http://" + os.Args[1]
	kept := &http.Client{}
	alone := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/small", "/small?page=2", "/chunked", "/large", "/empty",
		"/unchanged", "/missing/17", "/error"} {
		ask(kept, "GET", base+path, nil)
	}
	ask(kept, "HEAD", base+"/small", nil)
	ask(kept, "POST", base+"/echo", strings.NewReader("a=b"))
	ask(kept, "PUT", base+"/echo", strings.NewReader(body))
	ask(kept, "POST", base+"/echo", io.MultiReader(strings.NewReader("one"), strings.NewReader(body)))
	ask(alone, "GET", base+"/small", nil)
}
