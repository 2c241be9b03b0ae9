import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createEventBridgeSender } from '../../src/drivers/events/eventbridge.ts';
import { someDelivery } from '../../src/drivers/events/some-delivery.ts';
import { checkBeforeBody } from '../../src/http/sigv4/check-before-body.ts';
import { hashBody } from '../../src/http/sigv4/hash-body.ts';
import { parseSigned } from '../../src/http/sigv4/parse-signed.ts';
import { createVerifier } from '../../src/http/sigv4/verify.ts';

const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

interface Entry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly Time: number;
  readonly Resources: readonly string[];
}

type Answer = { readonly status: number; readonly body: object };

/** What PutEvents answers when all is well (EventBridge API reference). */
const TAKEN: Answer = { status: 200, body: { FailedEntryCount: 0, Entries: [{ EventId: 'their-id' }] } };
const failedEntry = (ErrorCode: string, ErrorMessage = 'because'): Answer => ({
  status: 200,
  body: { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage }] },
});

describe('an event bus', () => {
  const verifier = createVerifier();
  const entries: Entry[] = [];
  let answer = TAKEN;
  let requests = 0;

  /** PutEvents as it is on the wire, for callers whose signature is right. */
  const server = createServer(async (request, response) => {
    requests += 1;
    const given = await admit(request).catch((error: Error): Answer => ({ status: 400, body: typeOf(error.message) }));
    response.writeHead(given.status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(given.body));
  });
  const typeOf = (message: string) => ({ __type: 'InvalidSignatureException', message });
  const admit = async (request: IncomingMessage): Promise<Answer> => {
    assert.equal(request.headers['x-amz-target'], 'AWSEvents.PutEvents');
    const signed = parseSigned(request)!;
    checkBeforeBody(signed, request.headers, { now: new Date(), services: ['events'], maxSkewSeconds: 300 });
    assert.equal(signed.scope.region, 'eu-west-1');
    const body = await buffer(request);
    verifier.verify(signed, request, { secret, bodyHashHex: await hashBody(body) });
    if (answer === TAKEN) entries.push(...(JSON.parse(body.toString()) as { Entries: Entry[] }).Entries);
    return answer;
  };

  const sender = createEventBridgeSender();
  const send = (changes = {}, more: Record<string, string> = {}) => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const settings = {
      bus: 'my-bus',
      region: 'eu-west-1',
      source: 'aws.ecr',
      accessKeyId,
      endpoint,
      allowHttp: 'true',
      ...more,
    };
    return sender.send(someDelivery(settings, 'some-id', { secret, ...changes }));
  };

  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gets the event in a signed call of PutEvents, with what it cannot say elsewhere in its detail', async () => {
    assert.equal(await send(), 'taken as event their-id');
    const { Detail, ...entry } = entries.at(-1)!;
    assert.deepEqual(entry, {
      EventBusName: 'my-bus',
      Source: 'aws.ecr',
      DetailType: 'ECR Image Action',
      Time: Date.parse('2026-03-01T00:00:00Z') / 1000,
      Resources: [],
    });
    assert.deepEqual(JSON.parse(Detail), {
      result: 'SUCCESS',
      'repository-name': 'one',
      'action-type': 'PUSH',
      'event-id': 'some-id',
      'registry-id': '111122223333',
      'registry-region': 'eu-west-1',
    });
  });

  it('may refuse an entry in an answer of 200', async () => {
    const outcomes: [string, boolean][] = [
      ['ThrottlingException', false],
      ['InternalFailure', false],
      ['NotAuthorizedForSourceException', false],
      ['MalformedDetail', true],
      ['InvalidArgument', true],
    ];
    for (const [code, isFinal] of outcomes) {
      answer = failedEntry(code);
      await assert.rejects(send(), { name: 'DeliveryError', message: `refused: ${code}: because`, isFinal });
    }
    answer = TAKEN;
  });

  it('may refuse the call, which is made once', async () => {
    const outcomes: [number, string, boolean][] = [
      [500, 'InternalException', false],
      [400, 'ThrottlingException', false],
      [400, 'ResourceNotFoundException', false],
      [400, 'ValidationException', true],
    ];
    for (const [status, __type, isFinal] of outcomes) {
      answer = { status, body: { __type, message: 'because' } };
      const before = requests;
      await assert.rejects(send(), { name: 'DeliveryError', message: `refused: ${__type}: because`, isFinal });
      assert.equal(requests, before + 1);
    }
    answer = TAKEN;
  });

  it('is tried again with a key that it does not know yet', async () => {
    await assert.rejects(send({ secret: 'another' }), {
      message: /^refused: InvalidSignatureException: /,
      isFinal: false,
    });
    assert.equal(await send(), 'taken as event their-id');
  });

  it('is told nothing over http unless that is allowed, and then only nearby', async () => {
    for (const more of [{ allowHttp: 'false' }, { endpoint: 'http://93.184.215.14/' }]) {
      await assert.rejects(send({}, more), { message: /^http goes to private addresses only/, isFinal: true });
    }
    const name = `http://localhost:${(server.address() as AddressInfo).port}`;
    assert.equal(await send({}, { endpoint: name }), 'taken as event their-id');
  });

  it('is not waited for once the server stops', async () => {
    await assert.rejects(send({ signal: AbortSignal.abort() }), { name: 'DeliveryError', isFinal: false });
  });
});
