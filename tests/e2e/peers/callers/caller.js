// SPDX-License-Identifier: Apache-2.0
// As caller.c, in Node: node caller.js thread|pool|loop PORT UPSTREAM_PORT open|hidden
//
// Node has no thread per request: "thread" is a cluster of processes instead, which share the port.
// pool: worker threads call, the main one reads and answers. loop: the plain http module.
'use strict';
const cluster = require('cluster');
const http = require('http');
const { Worker, isMainThread, parentPort } = require('worker_threads');

const [mode, port, upstreamPort, visibility] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const PROCESSES = 4;

function keyOf(path) {
  const id = path.slice(path.lastIndexOf('/') + 1);
  if (visibility !== 'hidden') return id;
  let h = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(id)) h = BigInt.asUintN(64, (h ^ BigInt(byte)) * 0x100000001b3n);
  return h.toString(16).padStart(16, '0');
}

function call(path, done) {
  const options = { port: upstreamPort, host: '127.0.0.1', path: `/y/${keyOf(path)}`, agent };
  http.get(options, (response) => {
    let body = '';
    response.on('data', (chunk) => { body += chunk; });
    response.on('end', () => done(response.statusCode, body));
  });
}

function serve(callSomehow) {
  http.createServer((request, response) => {
    callSomehow(request.url, (status, body) => {
      response.writeHead(status, { 'Content-Length': body.length });
      response.end(body);
    });
  }).listen({ port, host: '127.0.0.1', backlog: 512 });
}

function servePool() {
  const waiting = new Map();
  const workers = Array.from({ length: 4 }, () => new Worker(__filename, { argv: process.argv.slice(2) }));
  let next = 0;
  for (const worker of workers) {
    worker.on('message', ({ n, status, body }) => {
      waiting.get(n)(status, body);
      waiting.delete(n);
    });
  }
  serve((path, done) => {
    const n = next++;
    waiting.set(n, done);
    workers[n % workers.length].postMessage({ n, path });
  });
}

if (!isMainThread) {
  parentPort.on('message', ({ n, path }) => {
    call(path, (status, body) => parentPort.postMessage({ n, status, body }));
  });
} else if (mode === 'pool') {
  servePool();
} else if (mode === 'thread' && cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit(0);
  });
} else {
  serve(call);
}
