// SPDX-License-Identifier: Apache-2.0
// client.js HOST:PORT: the corpus' requests by Node's http with one kept connection, and by fetch.
"use strict";
const http = require("http");

const base = `http://${process.argv[2]}`;
const body = "y".repeat(5000);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, path, parts = [], headers = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request(base + path, { method, agent, headers }, (response) => {
            response.resume().on("end", resolve).on("error", reject);
        });
        request.on("error", reject);
        parts.forEach((part) => request.write(part));
        request.end();
    });
}

async function main() {
    await ask("GET", "/small");
    await ask("GET", "/small?page=2");
    await ask("GET", "/chunked");
    await ask("GET", "/large");
    await ask("HEAD", "/small");
    await ask("POST", "/echo", ["a=b"], { "Content-Length": 3 });
    await ask("PUT", "/echo", ["one", body, "three"]);
    await ask("GET", "/empty");
    await ask("GET", "/unchanged");
    await ask("GET", "/missing/17");
    await ask("GET", "/error");
    agent.destroy();
    for (const path of ["/small", "/missing/18"])
        await (await fetch(base + path)).text();
    await (await fetch(base + "/echo", { method: "POST", body })).text();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
