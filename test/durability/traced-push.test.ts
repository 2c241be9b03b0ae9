import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { type HttpAnswer, http } from '../support/http.ts';
import { type Blob, blobOf, descriptor, mediaTypes, pushManifest } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { answersIn, readTrace, type SystemCall, traceEnded, traceWords, whyNotTraced } from './trace.ts';

/**
 * A killed process loses nothing that it has handed to the system, so only a trace shows that bytes and records reach
 * the disk before the answer leaves: every sync must have ended before what depends on it begins.
 */
for (const kept of ['plain', 'encrypted'] as const)
  describe(`a traced push, ${kept}`, { skip: await whyNotTraced() }, () => {
    let folder: TemporaryFolder | undefined;
    let data = '';
    let calls: readonly SystemCall[] = [];
    const answers = new Map<string, SystemCall>();

    before(async () => {
      folder = await temporaryFolder('gantry-trace-');
      data = join(folder.path, 'below', 'data');
      mkdirSync(dirname(data));
      const file = join(folder.path, 'trace');
      const pushed = await pushTraced(data, file, kept === 'encrypted' ? await masterKeyArgs(folder.path) : []);
      calls = readTrace(readFileSync(file, 'utf8'));
      const found = answersIn(calls);
      assert.deepEqual(
        found.map(({ status }) => status),
        pushed.map(({ answer }) => answer.status),
        'the trace shows another sequence of answers',
      );
      for (const [at, { name }] of pushed.entries()) answers.set(name, found[at]!.call);
    });
    after(() => folder?.[Symbol.asyncDispose]());

    const answerTo = (name: string): SystemCall => {
      const call = answers.get(name);
      assert.ok(call, `nothing was answered to ${name}`);
      return call;
    };
    const matching = (names: RegExp, path: string) =>
      calls.filter((call) => names.test(call.name) && call.path === path);
    const writesTo = (path: string) => matching(/^p?writev?(64|2)?$/, path);
    const syncsOf = (path: string) => matching(/^f(data)?sync$/, path);

    /** Some sync of the path began after one call had ended, and ended before another begins. */
    const assertSynced = (path: string, from: SystemCall | undefined, until: SystemCall) => {
      const [first, last] = [from?.end ?? -1, until.begin];
      const isSynced = syncsOf(path).some(({ begin, end }) => begin > first && end < last);
      const lines = `between ${from?.words ?? 'the start'} (line ${first + 1}) and ${until.words} (line ${last + 1})`;
      assert.ok(isSynced, `${path} is not synced ${lines}`);
    };
    /** Records were written after one call, and synced before the answer. */
    const assertCommitted = (from: SystemCall | undefined, answer: SystemCall) => {
      const log = join(data, 'gantry.db-wal');
      const written = writesTo(log).filter(({ begin, end }) => begin > (from?.end ?? -1) && end < answer.begin);
      assert.ok(written.length > 0, `nothing is recorded before ${answer.words}`);
      assertSynced(log, written.at(-1), answer);
    };
    /** Bytes become a blob by it; a tail of encrypted bytes takes its place by one, too. */
    const isSeal = ({ name, words }: SystemCall) =>
      name.startsWith('rename') && words.includes(join(data, 'blobs', 'sha256'));
    const answerBefore = (answer: SystemCall) => [...answers.values()].filter(({ end }) => end < answer.begin).at(-1);

    const assertSealedFirst = (name: string) => {
      const answer = answerTo(name);
      const since = answerBefore(answer)?.end ?? -1;
      const rename = calls.find((call) => isSeal(call) && call.begin > since && call.end < answer.begin);
      assert.ok(rename, `no bytes are sealed before ${answer.words}`);
      const staged = rename.path;
      const sealed = /"([^"]*)"[^"]*$/.exec(rename.words)?.[1] ?? '';
      assert.equal(dirname(staged), join(data, 'uploads'));
      const lastWrite = writesTo(staged).at(-1);
      assert.ok(lastWrite && lastWrite.end < rename.begin, 'bytes are written after they were sealed');
      assertSynced(staged, lastWrite, rename);
      const suffix = kept === 'encrypted' ? '.encrypted' : '';
      assert.ok(sealed.endsWith(`${basename(staged, '.chunks')}${suffix}`), sealed);
      for (let made = dirname(sealed); made !== data; made = dirname(made)) {
        const mkdir = matching(/^mkdir$/, made).at(-1);
        assert.ok(mkdir, `${made} was not made in this trace`);
        assertSynced(dirname(made), mkdir, rename);
      }
      assertSynced(dirname(sealed), rename, answer);
      const folderSynced = syncsOf(dirname(sealed)).find(({ begin }) => begin > rename.end);
      assertCommitted(folderSynced, answer);
    };

    test('the data folder and the database are on disk by name before the first answer', () => {
      const first = answerTo('POST upload');
      assertSynced(dirname(data), matching(/^mkdir$/, data).at(-1), first);
      assertSynced(data, writesTo(join(data, 'gantry.db-wal'))[0], first);
    });

    test('OCI: the bytes, their name, their folders and the record are on disk before the PUT is answered', () => {
      assertSealedFirst('PUT upload');
    });

    test('OCI: so they are for a blob that came in one POST, into folders that are there', () => {
      assertSealedFirst('POST blob');
    });

    test('API: a part, the name of its file at the first one, and the record are on disk before it is answered', () => {
      for (const name of ['first part', 'second part']) {
        const answer = answerTo(name);
        const since = answerBefore(answer)?.end ?? -1;
        const written = calls.filter(
          ({ path, begin, end }) => dirname(path) === join(data, 'uploads') && begin > since && end < answer.begin,
        );
        const lastWrite = written.filter((call) => call.name.includes('write')).at(-1);
        assert.ok(lastWrite, `${name}: nothing is written`);
        assertSynced(lastWrite.path, lastWrite, answer);
        if (name === 'first part') assertSynced(join(data, 'uploads'), writesTo(lastWrite.path)[0], answer);
        const replaced = written.find((call) => call.name.startsWith('rename'));
        assert.equal(replaced !== undefined, kept === 'encrypted' && name === 'second part', 'a tail takes its place');
        if (replaced) assertSynced(join(data, 'uploads'), replaced, answer);
        const synced = syncsOf(lastWrite.path).find(({ begin }) => begin > lastWrite.end);
        assertCommitted(synced, answer);
      }
    });

    test('API: the layer is sealed and recorded on disk before CompleteLayerUpload is answered', () => {
      assertSealedFirst('CompleteLayerUpload');
    });

    for (const name of ['POST upload', 'PUT manifest', 'CreateRepository', 'InitiateLayerUpload', 'PutImage']) {
      test(`the record is on disk before ${name} is answered`, () => {
        const answer = answerTo(name);
        assertCommitted(answerBefore(answer), answer);
      });
    }
  });

/** What makes the server encrypt. */
async function masterKeyArgs(folder: string): Promise<string[]> {
  const file = join(folder, 'master.key');
  await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return ['--master-key-file', file];
}

interface Pushed {
  readonly name: string;
  readonly answer: HttpAnswer;
}

/** One push through each face, request after request, on a server under strace. */
async function pushTraced(data: string, file: string, args: readonly string[]): Promise<Pushed[]> {
  await using server = await startServer({ data, args, prefix: [...traceWords, '-o', file] });
  const pushed: Pushed[] = [];
  const note = async (name: string, asked: Promise<HttpAnswer>) => {
    const answer = await asked;
    assert.ok(answer.status < 300, `${name} was answered ${answer.status}: ${answer.text()}`);
    pushed.push({ name, answer });
    return answer;
  };
  await pushOverOci(server, note);
  await pushOverApi(server, note);
  await server.stop();
  await traceEnded(file);
  return pushed;
}

type Note = (name: string, asked: Promise<HttpAnswer>) => Promise<HttpAnswer>;

async function pushOverOci({ url }: RunningServer, note: Note): Promise<void> {
  const layer = blobOf(randomBytes(700_000));
  const config = blobOf(JSON.stringify({ created: new Date().toISOString() }));
  const octets = { 'Content-Type': 'application/octet-stream' };
  const uploads = `${url}/v2/traced/oci/blobs/uploads/`;
  const started = await note('POST upload', http(uploads, { method: 'POST', headers: { 'Content-Length': '0' } }));
  const location = new URL(String(started.headers.location), url).href;
  await note('PATCH', http(location, { method: 'PATCH', headers: octets, body: layer.bytes.subarray(0, 600_000) }));
  const rest = { method: 'PUT', headers: octets, body: layer.bytes.subarray(600_000) };
  await note('PUT upload', http(`${location}?digest=${layer.digest}`, rest));
  const whole = { method: 'POST', headers: octets, body: config.bytes };
  await note('POST blob', http(`${uploads}?digest=${config.digest}`, whole));
  await note('PUT manifest', pushManifest(url, 'traced/oci', 'latest', manifestOf(config, layer), mediaTypes.manifest));
}

async function pushOverApi({ url }: RunningServer, note: Note): Promise<void> {
  const repositoryName = 'traced/api';
  const first = randomBytes(5 * 1024 * 1024);
  const second = randomBytes(1000);
  const layer = blobOf(Buffer.concat([first, second]));
  await note('CreateRepository', awsCall(url, 'CreateRepository', { repositoryName }));
  const initiated = await note('InitiateLayerUpload', awsCall(url, 'InitiateLayerUpload', { repositoryName }));
  const upload = { repositoryName, uploadId: String(initiated.json().uploadId) };
  const part = (bytes: Buffer, partFirstByte: number) =>
    awsCall(url, 'UploadLayerPart', {
      ...upload,
      partFirstByte,
      partLastByte: partFirstByte + bytes.length - 1,
      layerPartBlob: bytes.toString('base64'),
    });
  await note('first part', part(first, 0));
  await note('second part', part(second, first.length));
  const completion = { ...upload, layerDigests: [layer.digest] };
  await note('CompleteLayerUpload', awsCall(url, 'CompleteLayerUpload', completion));
  const imageManifest = manifestOf(layer, layer).bytes.toString();
  await note('PutImage', awsCall(url, 'PutImage', { repositoryName, imageManifest, imageTag: 'latest' }));
}

function manifestOf(config: Blob, layer: Blob): Blob {
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: [descriptor(mediaTypes.layer, layer)],
    }),
  );
}
