// SPDX-License-Identifier: Apache-2.0
// client.js URL... : GETs each over one keep-alive agent, CONCURRENCY (1) at once; prints the number of
// answers 200.
const https = require('https');

const concurrency = Number(process.env.CONCURRENCY || 1);
const agent = new https.Agent({ keepAlive: true, maxSockets: concurrency });
const get = url => new Promise((done, fail) => {
  https.get(url, { agent }, answer => {
    answer.resume();
    answer.on('end', () => done(answer.statusCode));
  }).on('error', fail);
});

(async () => {
  const urls = process.argv.slice(2);
  let good = 0;
  const work = async () => {
    for (let url = urls.shift(); url; url = urls.shift()) {
      const status = await get(url);
      good += status === 200;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  console.log(good);
  agent.destroy();
})();
