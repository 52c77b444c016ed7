// SPDX-License-Identifier: Apache-2.0
// Clients of ioredis and pg, which count what they ask and print it:
//
//     node peer.js redis|postgres PORT CONCURRENCY ROUNDS
'use strict';

async function refused(promise) {
  const error = await promise.then(() => null, (e) => e);
  if (!error) throw new Error('it was expected to fail');
}

// All workers share the connection: their commands are pipelined.
async function askRedis(client, worker) {
  const key = `secret-${worker}`;
  await client.set(key, 'secret');
  await client.get(key);
  await refused(client.lpush(key, 1));
  const pipeline = client.pipeline();
  for (let i = 0; i < 10; i++) pipeline.incr(`${key}-n`);
  await pipeline.exec();
  await client.multi().hset(`${key}-h`, 'a', 1).hgetall(`${key}-h`).exec();
  return {SET: 1, GET: 1, LPUSH: 1, INCR: 10, MULTI: 1, HSET: 1, HGETALL: 1, EXEC: 1};
}

async function askPostgres(client, worker) {
  await client.query('SELECT $1::int + 1', [worker]);
  await client.query({name: 'series', values: [50],
    text: 'SELECT i FROM generate_series(1, 100) i WHERE i > $1'});
  await client.query('INSERT INTO calls VALUES ($1, $2)', [worker, 'secret']);
  await refused(client.query('DELETE FROM nowhere'));
  await client.query('begin');
  await client.query("UPDATE calls SET text = 'secret' WHERE worker = $1", [-1]);
  await client.query('commit');
  return {'SELECT': 2, 'INSERT calls': 1, 'DELETE nowhere': 1,
    'BEGIN': 1, 'UPDATE calls': 1, 'COMMIT': 1};
}

async function main(store, port, concurrency, rounds) {
  const redis = store === 'redis' ? new (require('ioredis'))({port}) : null;
  const all = {};
  const work = async (worker) => {
    const client = redis || new (require('pg').Client)({host: '127.0.0.1', port, user: 'postgres'});
    if (!redis) await client.connect();
    for (let i = 0; i < rounds; i++) {
      const asked = await (redis ? askRedis : askPostgres)(client, worker);
      for (const [name, n] of Object.entries(asked)) all[name] = (all[name] || 0) + n;
    }
    if (!redis) await client.end();
  };
  await Promise.all(Array.from({length: concurrency}, (_, i) => work(i)));
  if (redis) await redis.quit();
  console.log(JSON.stringify(all));
}

main(process.argv[2], ...process.argv.slice(3).map(Number));
