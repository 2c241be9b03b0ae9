import assert from 'node:assert/strict';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createEcrApi } from './ecr-api.ts';

describe('the ECR API of a peer', () => {
  it('is given up when it takes the connection and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    using api = createEcrApi({
      region: 'eu-west-1',
      registryId: '210987654321',
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'secret of the key',
      endpoint: `http://127.0.0.1:${port}`,
      lookupFor: () => lookup,
      answerMs: 50,
    });
    try {
      await assert.rejects(api.password(), {
        name: 'UpstreamError',
        code: 'unavailable',
        message: `127.0.0.1:${port}: token: no answer (ETIMEDOUT)`,
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
