// SPDX-License-Identifier: Apache-2.0
// server.js PORT CERTIFICATE KEY : answers everything with 200.
const fs = require('fs');
const https = require('https');

const [port, cert, key] = process.argv.slice(2);
https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) },
  (request, answer) => answer.end('node\n')).listen(Number(port), '127.0.0.1');
