// SPDX-License-Identifier: Apache-2.0
// A micro flow step: GET /stock/ID answers how many there are; ids that begin with "gone" are
// unknown.
// Stock Node, one event loop; it neither reads nor sets any tracing header.
//
//     node stock.js PORT
'use strict';
const http = require('http');

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {'Content-Type': 'application/json', 'Content-Length': text.length});
  response.end(text);
}

const server = http.createServer((request, response) => {
  const match = /^\/stock\/([^/?]+)$/.exec(request.url);
  if (!match || match[1].startsWith('gone')) {
    answer(response, 404, {error: 'no such item'});
    return;
  }
  answer(response, 200, {item: match[1], left: match[1].length});
});
server.keepAliveTimeout = 60000;
server.listen({host: '127.0.0.1', port: Number(process.argv[2]), backlog: 256});
process.on('SIGTERM', () => process.exit(0));
