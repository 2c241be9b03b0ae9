import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { placeOf } from '../support/cluster-mode.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { eventually } from './access-server.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';

const program = [pinnedNode, join(checkout, 'bin', 'gantry.js')] as const;

describe('gantry events, beside a running server', () => {
  let server: RunningServer;
  let receiver: WebhookReceiver;
  let gantry: Gantry;
  const tails: ChildProcess[] = [];
  let refusal: Gantry;
  const target = (...words: string[]) => gantry('events', 'target', ...words);
  const dead = (...words: string[]) => gantry('events', 'dead', ...words);
  const push = (tag: string) => pushImage(server.url, 'some/app', tag, randomImage());

  before(async () => {
    server = await startServer();
    receiver = await startWebhookReceiver();
    gantry = gantryOn(server.data);
    refusal = refusalOn(server.data);
  });
  after(async () => {
    for (const tail of tails) tail.kill('SIGKILL');
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it('adds, tries, lists and removes targets, and shows a secret once', async () => {
    assert.equal(await target('list'), 'Nobody is told of events.\n');
    const url = `${receiver.url}?token=hidden`;
    const filter = ['--repository', 'team/*,other', '--account', '111122223333', '--detail-type', 'ECR Image Action'];
    const said = await target('add', 'hook', 'webhook', url, '--allow-http', ...filter);
    const told = 'ECR Image Action in team/* or other of 111122223333';
    const shown = receiver.url;
    assert.match(said, /^Target hook is told of .* from now on: webhook .*\nSecret: {2}[\w-]{43}\n/);
    assert.ok(said.startsWith(`Target hook is told of ${told} from now on: webhook ${shown}?….\n`));
    const list = await target('list');
    assert.match(list, /^NAME +KIND +CREATED +ADDRESS +EVENTS\nhook +webhook +20/);
    assert.ok(list.trimEnd().endsWith(`${shown}?…  ${told}`));
    const secret = /Secret: {2}(.*)/.exec(said)?.[1] ?? '';
    for (const text of [list, await target('list', '--json')]) assert.ok(!text.includes(secret));
    assert.equal(await target('test', 'hook'), 'Target hook got the test event: it answered 204.\n');
    assert.equal(receiver.received.at(-1)?.event['detail-type'], 'Gantry Test');
    receiver.answerNext(500);
    const failed = 'gantry: Target hook did not get the test event: it answered 500\n';
    assert.equal(await refusal('events', 'target', 'test', 'hook'), failed);
    assert.equal(await target('remove', 'hook'), 'Target hook is told of nothing any more.\n');
    assert.match(
      await refusal('events', 'target', 'remove', 'hook'),
      /There is no target 'hook'; gantry events target list/,
    );
  });

  it('refuses in words what makes no target', async () => {
    const add = (...words: string[]) => refusal('events', 'target', 'add', 'x', ...words);
    const secretFile = join(server.data, 'secret');
    await writeFile(secretFile, 'short\n');
    const bus = ['eventbridge', 'bus', '--region', 'eu-west-1'];
    const key = ['--access-key-id', 'AKIAIOSFODNN7EXAMPLE'];
    const refusals: [RegExp, ...string[]][] = [
      [/no kind of target: webhook, file or eventbridge/, 'pigeon', 'home'],
      [/no URL of a server/, 'webhook', 'example.com'],
      [/Over http everybody on the way reads events/, 'webhook', 'http://127.0.0.1/'],
      [/would be shown/, 'webhook', 'https://a:b@example.com/'],
      [/--allow-http means nothing to a target that is a file/, 'file', 'x', '--allow-http'],
      [/too short: it must have 16 characters/, 'webhook', 'https://example.com/', '--secret-file', secretFile],
      [/there is no such file/, 'webhook', 'https://example.com/', '--secret-file', '/nowhere'],
      [/Over http everybody on the way/, ...bus, ...key, '--endpoint', 'http://127.0.0.1/'],
      [/--region must name the region/, 'eventbridge', 'bus', ...key],
      [/--access-key-id and --secret-file must give/, ...bus],
      [/--secret-file must give the secret access key/, ...bus, ...key],
      [/is no detail type; there are: ECR Image Action,/, 'file', 'x', '--detail-type', 'ECR'],
      [/twelve digits/, 'file', 'x', '--account', '12'],
      [/fits the name of no repository/, 'file', 'x', '--repository', 'Upper'],
    ];
    for (const [said, ...words] of refusals) assert.match(await add(...words), said, words.join(' '));
    assert.equal(await target('list'), 'Nobody is told of events.\n');
  });

  it('lists deliveries that were given up, tries them again and discards them', async () => {
    assert.equal(await dead('list'), 'No delivery was given up.\n');
    await target('add', 'gone', 'webhook', receiver.url, '--allow-http');
    receiver.answerAlways(410);
    for (const tag of ['v1', 'v2', 'v3']) await push(tag);
    const given = async (): Promise<{ id: number; error: string }[]> => JSON.parse(await dead('list', '--json'));
    await eventually(async () => (await given()).length, 3);
    const list = await dead('list');
    assert.match(
      list,
      /^ID +TARGET +ATTEMPTS +GIVEN UP +WHY +EVENT\n\d+ +gone +1 +20.* it answered 410: .*PUSH +some\/app:v1 /,
    );
    const [one, two] = (await given()).map(({ id }) => String(id));
    assert.match(await refusal('events', 'dead', 'retry'), /Say which: the id of one delivery, or --all/);
    assert.match(await refusal('events', 'dead', 'retry', '999'), /No delivery 999 was given up/);
    receiver.answerAlways(204);
    const before = receiver.received.length;
    assert.equal(await dead('retry', one!), 'Tries again: 1 delivery.\n');
    await eventually(async () => receiver.received.length, before + 1);
    assert.equal(receiver.received.at(-1)?.event.detail['image-tag'], 'v1');
    assert.equal(await dead('discard', two!), 'Discarded: 1 delivery.\n');
    assert.equal(await dead('retry', '--all'), 'Tries again: 1 delivery.\n');
    await eventually(async () => receiver.received.length, before + 2);
    assert.equal(receiver.received.at(-1)?.event.detail['image-tag'], 'v3');
    assert.equal(await dead('list'), 'No delivery was given up.\n');
    await target('remove', 'gone');
  });

  it('shows events as they happen, until it is interrupted', async () => {
    const tail = await startTail('--since', '1h');
    const hasSeen = (tag: string) => async () =>
      new RegExp(`Z {2}PUSH +some/app:${tag} {2}sha256:\\S+ {2}0{12}/`).test(tail.shown());
    await eventually(hasSeen('v3'), true);
    await push('live');
    await eventually(hasSeen('live'), true);
    tail.child.kill('SIGINT');
    assert.deepEqual(await once(tail.child, 'close'), [0, null]);
    assert.equal(tail.shown().match(/some\/app:live/g)?.length, 1);
  });

  it('shows them as JSON, and ends when nobody reads on', async () => {
    const tail = await startTail('--since', '1h', '--json');
    await eventually(async () => tail.shown().includes('\n'), true);
    const [first = ''] = tail.shown().split('\n');
    assert.equal(JSON.parse(first).detail['repository-name'], 'some/app');
    const closed = once(tail.child, 'close');
    tail.child.stdout.destroy();
    await push('unread');
    assert.deepEqual(await closed, [0, null]);
  });

  async function startTail(...options: string[]) {
    const [file, ...words] = [...program, 'events', 'tail', ...options, '--data', server.data];
    const env = { ...cleanEnvironment(), ...(await placeOf(server.data)) };
    const child = spawn(file!, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    tails.push(child);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    return { child, shown: () => shown };
  }

  it('delivers over https to servers whose certificate an authority vouches for, and to no others', async () => {
    await using secured = await startServer({ args: ['--tls', 'self-signed'] });
    await target('add', 'tls', 'webhook', `https://127.0.0.1:${secured.port}/v2/none/manifests/none`);
    assert.match(await refusal('events', 'target', 'test', 'tls'), /it cannot be reached: [A-Z_]*CERT[A-Z_]*\n/);
    const command = [...program, 'events', 'target', 'test', 'tls', '--data', server.data];
    const authority = /authority (\S+) /.exec(secured.output())?.[1] ?? '';
    const { stderr } = await runAny(command, { env: { NODE_EXTRA_CA_CERTS: authority } });
    assert.match(stderr, /it answered 4\d\d\n/);
    await target('remove', 'tls');
  });
});
