import assert from 'node:assert/strict';
import dns, { type LookupAddress } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isGenuine, startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { isLocalAddress, lookupLocal } from './local-addresses.ts';
import { someDelivery } from './some-delivery.ts';
import { createWebhookSender } from './webhook.ts';

type LookupDone = (error: null, addresses: LookupAddress[]) => void;

const at = new Date('2026-03-01T00:00:00.999Z');
const secret = 'a secret that both sides know';

describe('a webhook', () => {
  const sender = createWebhookSender({ now: () => at });
  let receiver: WebhookReceiver;
  const send = (changes = {}, settings: Record<string, string> = {}) =>
    sender.send(someDelivery({ url: receiver.url, allowHttp: 'true', ...settings }, 'some-id', { secret, ...changes }));

  before(async () => {
    receiver = await startWebhookReceiver();
  });
  after(() => receiver[Symbol.asyncDispose]());

  it('gets the event as JSON with its id, its attempt and a signature that the receiver can verify', async () => {
    assert.equal(await send({ attempt: 3 }), 'it answered 204');
    const last = receiver.received.at(-1)!;
    assert.deepEqual(last.event, someDelivery({}, 'some-id').event);
    assert.equal(last.headers['content-type'], 'application/json');
    assert.equal(last.headers['gantry-event-id'], 'some-id');
    assert.equal(last.headers['gantry-delivery-attempt'], '3');
    assert.equal(last.headers['gantry-timestamp'], '1772323200');
    assert.ok(isGenuine(last, secret, at));
    assert.ok(!isGenuine(last, 'another secret', at));
    assert.ok(!isGenuine({ ...last, body: last.body.replace('PUSH', 'DELETE') }, secret, at));
    const later = { ...last, headers: { ...last.headers, 'gantry-timestamp': '1772323201' } };
    assert.ok(!isGenuine(later, secret, at));
    assert.ok(!isGenuine(last, secret, new Date(at.getTime() + 600_000)));
  });

  it('has the event with any 2xx and with nothing else', async () => {
    for (const status of [200, 202, 299]) {
      receiver.answerNext(status);
      assert.equal(await send(), `it answered ${status}`);
    }
    for (const status of [400, 401, 404, 429, 500, 503]) {
      receiver.answerNext(status);
      await assert.rejects(send(), { name: 'DeliveryError', message: `it answered ${status}`, isFinal: false });
    }
  });

  it('is told no more of an event that it answers 410 to', async () => {
    receiver.answerNext(410);
    await assert.rejects(send(), { message: 'it answered 410: it wants no more events', isFinal: true });
  });

  it('is not followed elsewhere', async () => {
    const before = receiver.received.length;
    receiver.answerNext((response) => response.writeHead(307, { Location: receiver.url }).end());
    await assert.rejects(send(), { message: 'it answered 307; redirects are not followed', isFinal: false });
    assert.equal(receiver.received.length, before + 1);
  });

  it('may say more than anybody reads', async () => {
    const closed = Promise.withResolvers<void>();
    let chunks = 0;
    receiver.answerNext((response) => {
      response.on('close', closed.resolve).on('error', () => {});
      response.writeHead(200);
      const more = () => {
        chunks += 1;
        response.write('x'.repeat(64 * 1024));
      };
      response.on('drain', more);
      more();
    });
    assert.equal(await send(), 'it answered 200');
    await closed.promise;
    // What the buffers of two sockets hold, and not what a server says in ten seconds.
    assert.ok(chunks < 1000, `${chunks} chunks`);
  });

  it('is not waited for once the server stops', async () => {
    const stop = new AbortController();
    receiver.answerNext(() => stop.abort());
    await assert.rejects(send({ signal: stop.signal }), { message: 'cut off before it answered', isSilence: false });
  });

  it('is not waited for longer than its time', async () => {
    receiver.answerNext(() => {});
    const impatient = createWebhookSender({ now: () => at, timeoutMs: 50 });
    const sent = impatient.send(someDelivery({ url: receiver.url, allowHttp: 'true' }));
    await assert.rejects(sent, { message: 'no answer in 0.05 s', isSilence: true, isFinal: false });
  });

  it('may close a connection between two events', async () => {
    assert.equal(await send(), 'it answered 204');
    receiver.answerNext((response) => response.writeHead(200).end(() => response.socket?.destroy()));
    assert.equal(await send(), 'it answered 200');
    assert.equal(await send(), 'it answered 204');
  });

  it('is told nothing over http unless that is allowed, and then only nearby', async () => {
    await assert.rejects(send({}, { allowHttp: 'false' }), { isFinal: true });
    await assert.rejects(send({}, { url: 'http://93.184.215.14/hook' }), { isFinal: true });
    await assert.rejects(send({}, { url: 'http://[2001:db8::1]/hook' }), { isFinal: true });
    assert.equal(await send({}, { url: receiver.url.replace('127.0.0.1', 'localhost') }), 'it answered 204');
  });

  it('is told nothing over http under a name that leads elsewhere', async (t) => {
    t.mock.method(dns, 'lookup', (_name: string, _options: object, found: LookupDone) =>
      found(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '93.184.215.14', family: 4 },
      ]),
    );
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const sent = send({}, { url: receiver.url.replace('127.0.0.1', 'hook.example') });
    await assert.rejects(sent, { message: /http goes to private addresses only, and it is at 93\.184\.215\.14$/ });
  });

  it('says why it cannot be reached, without its address', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const refused = send({}, { url: `http://127.0.0.1:${port}/secret-path` });
    await assert.rejects(refused, { message: 'it cannot be reached: ECONNREFUSED', isFinal: false, isSilence: false });
  });
});

describe('an address nearby', () => {
  it('is of this machine or of a private network', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.31.0.1', '192.168.0.1', '::1', 'fd00::1']) {
      assert.ok(isLocalAddress(address), address);
    }
    for (const address of ['8.8.8.8', '172.32.0.1', '169.254.169.254', '0.0.0.0', '2001:db8::1', 'localhost', '']) {
      assert.ok(!isLocalAddress(address), address);
    }
  });

  it('is what a name is looked up to, or the lookup fails', async () => {
    const found = (all: boolean) =>
      new Promise((resolve) => lookupLocal('localhost', { all }, (error, address) => resolve(error ?? address)));
    assert.ok(isLocalAddress(String(await found(false))));
    assert.ok(Array.isArray(await found(true)));
    const foreign = new Promise((resolve) => lookupLocal('8.8.8.8', {}, (error) => resolve(error?.message)));
    assert.match(String(await foreign), /private addresses only/);
  });
});
