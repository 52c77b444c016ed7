// SPDX-License-Identifier: Apache-2.0
// server.js PORT: the corpus' routes on Node's http.
"use strict";
const http = require("http");

const large = "x".repeat(6000);
const statuses = { "/small": 200, "/large": 200, "/empty": 204, "/error": 500, "/unchanged": 304 };

function answer(response, status, body) {
    if (status === 204 || status === 304) {
        response.writeHead(status).end();
    } else {
        response.writeHead(status, { "Content-Length": Buffer.byteLength(body) }).end(body);
    }
}

http.createServer((request, response) => {
    const path = request.url.split("?")[0];
    let size = 0;

    request.on("data", (data) => { size += data.length; });
    request.on("end", () => {
        if (request.method === "POST" || request.method === "PUT") {
            answer(response, 200, String(size));
        } else if (path === "/chunked") {
            response.write("hello");
            response.write("x".repeat(1200));
            response.end("world");
        } else if (path.startsWith("/code/")) {
            answer(response, Number(path.slice(6)), "hello");
        } else if (path === "/until-close") {
            response.useChunkedEncodingByDefault = false;
            response.shouldKeepAlive = false;
            response.end(large);
        } else {
            answer(response, statuses[path] || 404, path === "/large" ? large : "hello");
        }
    });
}).listen(Number(process.argv[2]), "127.0.0.1");
