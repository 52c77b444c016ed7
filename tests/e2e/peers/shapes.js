// SPDX-License-Identifier: Apache-2.0
// Answers in the shapes that HTTP/1.1 allows, chosen by the first part of the path:
//   /length/ID /chunked/ID /empty/ID (204) /unchanged/ID (304) /slow/ID (0.3 s) /close/ID
//   /big/ID (4 MB) /echo/ID (the length of what was sent) /cut/ID (the connection ends midway)
//     node shapes.js PORT
'use strict';
const http = require('http');

const much = Buffer.alloc(4 << 20, 'x');

const shapes = {
  length: (q, r) => r.writeHead(200, {'Content-Length': 5}).end('hello'),
  chunked: (q, r) => { r.writeHead(200); r.write('a'.repeat(3000)); r.end('b'); },
  empty: (q, r) => r.writeHead(204).end(),
  unchanged: (q, r) => r.writeHead(304).end(),
  slow: (q, r) => setTimeout(() => shapes.length(q, r), 300),
  close: (q, r) => r.writeHead(200, {Connection: 'close'}).end('x'),
  big: (q, r) => r.writeHead(200, {'Content-Length': much.length}).end(much),
  cut: (q, r) => {
    r.writeHead(200, {'Content-Length': 100});
    r.write('x');
    setTimeout(() => r.destroy(), 50);
  },
  echo: (q, r) => {
    let n = 0;
    q.on('data', (d) => { n += d.length; });
    q.on('end', () => r.writeHead(200, {'Content-Type': 'text/plain'}).end(String(n)));
  },
};

http.createServer((request, response) => {
  const shape = shapes[request.url.split('/')[1]];
  if (shape) shape(request, response); else response.writeHead(404, {'Content-Length': 0}).end();
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
