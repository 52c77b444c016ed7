// SPDX-License-Identifier: Apache-2.0
// Serves the files of a folder: server PORT FOLDER
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.FileServer(http.Dir(os.Args[2]))))
}
