// SPDX-License-Identifier: Apache-2.0

// go serve PORT CERTIFICATE KEY, or go get URL... : HTTP/1.1 over crypto/tls; the client asks from
// CONCURRENCY (4) goroutines and prints the number of answers 200. SSL_CERT_FILE names the authority.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func serve(port, certificate, key string) error {
	server := &http.Server{
		Addr:         "127.0.0.1:" + port,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "go")
		}),
	}
	return server.ListenAndServeTLS(certificate, key)
}

func get(urls []string) {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}}
	time.Sleep(500 * time.Millisecond) // nobody knows this program before it runs
	todo := make(chan string, len(urls))
	for _, url := range urls {
		todo <- url
	}
	close(todo)
	var good atomic.Int64
	var workers sync.WaitGroup
	concurrency, err := strconv.Atoi(os.Getenv("CONCURRENCY"))
	if err != nil {
		concurrency = 4
	}
	for i := 0; i < concurrency; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for url := range todo {
				answer, err := client.Get(url)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					continue
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode == 200 {
					good.Add(1)
				}
			}
		}()
	}
	workers.Wait()
	fmt.Println(good.Load())
}

func main() {
	if os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, serve(os.Args[2], os.Args[3], os.Args[4]))
		os.Exit(1)
	}
	get(os.Args[2:])
}
