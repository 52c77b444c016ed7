// SPDX-License-Identifier: Apache-2.0
// A client of @grpc/grpc-js that makes one call of each kind per round and prints how each ended, like
// main.go:
//
//     node peer.js client PORT CONCURRENCY ROUNDS
'use strict';
const grpc = require('@grpc/grpc-js');

const NAMES = {0: 'OK', 1: 'Cancelled', 4: 'DeadlineExceeded', 5: 'NotFound', 12: 'Unimplemented'};
const asIs = (bytes) => bytes;

function method(name, requestStream, responseStream) {
  return {path: `/grpc.testing.TestService/${name}`, requestStream, responseStream,
    requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs,
    responseDeserialize: asIs};
}

const Client = grpc.makeGenericClientConstructor({
  emptyCall: method('EmptyCall', false, false),
  unaryCall: method('UnaryCall', false, false),
  unimplementedCall: method('UnimplementedCall', false, false),
  streamingInputCall: method('StreamingInputCall', true, false),
  streamingOutputCall: method('StreamingOutputCall', false, true),
  fullDuplexCall: method('FullDuplexCall', true, true),
  halfDuplexCall: method('HalfDuplexCall', true, true),
}, 'TestService');

const EMPTY = Buffer.alloc(0);
const unary = (name) => (client, done) => client[name](EMPTY, done);

function ended(stream, done) {
  stream.on('data', () => {});
  stream.on('error', done);
  stream.on('end', () => done(null));
  return stream;
}

const calls = {
  EmptyCall: unary('emptyCall'),
  UnaryCall: unary('unaryCall'),
  UnimplementedCall: unary('unimplementedCall'),
  StreamingInputCall: (client, done) => {
    const stream = client.streamingInputCall(done);
    for (let i = 0; i < 3; i++) stream.write(EMPTY);
    stream.end();
  },
  StreamingOutputCall: (client, done) => ended(client.streamingOutputCall(EMPTY), done),
  FullDuplexCall: (client, done) => {
    const stream = ended(client.fullDuplexCall(), done);
    for (let i = 0; i < 5; i++) stream.write(EMPTY);
    stream.end();
  },
  HalfDuplexCall: (client, done) =>
    ended(client.halfDuplexCall({deadline: Date.now() + 100}), done),
};

async function main(port, concurrency, rounds) {
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const seen = {};
  const work = async () => {
    for (let i = 0; i < rounds; i++) {
      for (const [name, call] of Object.entries(calls)) {
        const error = await new Promise((resolve) => call(client, resolve));
        const key = `${name} ${NAMES[error ? error.code : 0]}`;
        seen[key] = (seen[key] || 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({length: concurrency}, work));
  client.close();
  console.log(JSON.stringify(seen));
}

main(...process.argv.slice(3).map(Number));
