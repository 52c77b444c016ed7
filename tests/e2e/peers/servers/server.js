// SPDX-License-Identifier: Apache-2.0
// Serves the files of a folder: node server.js PORT FOLDER
'use strict';
const fs = require('fs');
const http = require('http');
const [port, folder] = process.argv.slice(2);

http.createServer((request, response) => {
  fs.readFile(folder + request.url, (error, body) => {
    response.writeHead(error ? 500 : 200, { 'Content-Length': error ? 0 : body.length });
    response.end(body);
  });
}).listen(Number(port), '127.0.0.1');
