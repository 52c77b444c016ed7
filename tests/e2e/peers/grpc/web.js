// SPDX-License-Identifier: Apache-2.0
// Clients of gRPC-Web by others: @connectrpc/connect-node, over either version of HTTP, and
// grpc-web, which sends text. Each prints how its calls ended: {"UnaryCall 0": 20, ...}
//
//     node web.js connect PORT 1|2 CONCURRENCY ROUNDS
//     node web.js text PORT - CONCURRENCY ROUNDS
'use strict';
const SERVICE = 'grpc.testing.TestService';

function connectCalls(port, version) {
  const {create, createFileRegistry} = require('@bufbuild/protobuf');
  const {FileDescriptorProtoSchema} = require('@bufbuild/protobuf/wkt');
  const {createClient} = require('@connectrpc/connect');
  const {createGrpcWebTransport} = require('@connectrpc/connect-node');
  const type = '.grpc.testing.Empty';
  const file = create(FileDescriptorProtoSchema, {
    name: 'test.proto', package: 'grpc.testing', syntax: 'proto3',
    messageType: [{name: 'Empty'}],
    service: [{name: 'TestService', method: [
      {name: 'UnaryCall', inputType: type, outputType: type},
      {name: 'EmptyCall', inputType: type, outputType: type},
      {name: 'StreamingOutputCall', inputType: type, outputType: type, serverStreaming: true},
    ]}],
  });
  const service = createFileRegistry(file, () => undefined).getService(SERVICE);
  const client = createClient(service, createGrpcWebTransport(
      {baseUrl: `http://127.0.0.1:${port}`, httpVersion: version === '1' ? '1.1' : '2'}));
  return {
    UnaryCall: () => client.unaryCall({}),
    EmptyCall: () => client.emptyCall({}),
    StreamingOutputCall: async () => {
      for await (const answer of client.streamingOutputCall({})) void answer;
    },
  };
}

function textCalls(port) {
  global.XMLHttpRequest = require('xhr2');
  const {GrpcWebClientBase, MethodDescriptor, MethodType} = require('grpc-web');
  const client = new GrpcWebClientBase({format: 'text'});
  const body = Uint8Array.from([26, 8, 18, 6, ...Buffer.from('secret')]); // payload { body }
  const describe = (method, type) => new MethodDescriptor(
      `/${SERVICE}/${method}`, type, Object, Object, () => body, (bytes) => bytes);
  const call = (method, type, start) => () => new Promise((resolve, reject) => {
    const url = `http://127.0.0.1:${port}/${SERVICE}/${method}`;
    start(url, describe(method, type), resolve, reject);
  });
  const unary = (url, method, resolve, reject) =>
    client.rpcCall(url, {}, {}, method, (error, answer) => error ? reject(error) : resolve(answer));
  const stream = (url, method, resolve, reject) => {
    const answers = client.serverStreaming(url, {}, {}, method);
    answers.on('data', () => {});
    answers.on('error', reject);
    answers.on('end', resolve);
  };
  return {
    UnaryCall: call('UnaryCall', MethodType.UNARY, unary),
    EmptyCall: call('EmptyCall', MethodType.UNARY, unary),
    StreamingOutputCall: call('StreamingOutputCall', MethodType.SERVER_STREAMING, stream),
  };
}

async function main([kind, port, version, concurrency, rounds]) {
  const calls = kind === 'connect' ? connectCalls(port, version) : textCalls(port);
  const seen = {};
  const work = async () => {
    for (let i = 0; i < Number(rounds); i++) {
      for (const [name, call] of Object.entries(calls)) {
        const code = await call().then(() => 0, (error) => error.code);
        seen[`${name} ${code}`] = (seen[`${name} ${code}`] || 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({length: Number(concurrency)}, work));
  console.log(JSON.stringify(seen));
  process.exit(0);
}

main(process.argv.slice(2));
