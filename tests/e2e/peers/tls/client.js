// SPDX-License-Identifier: Apache-2.0
// client.js URL... : GETs each over one keep-alive agent, in order; prints the number of answers 200.
const https = require('https');

const agent = new https.Agent({ keepAlive: true, maxSockets: 2 });
const get = url => new Promise((done, fail) => {
  https.get(url, { agent }, answer => {
    answer.resume();
    answer.on('end', () => done(answer.statusCode));
  }).on('error', fail);
});

(async () => {
  let good = 0;
  for (const url of process.argv.slice(2)) good += await get(url) === 200;
  console.log(good);
  agent.destroy();
})();
