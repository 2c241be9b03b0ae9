/** `npm run try-package`: packs the checkout, installs the tarball in an empty folder and uses it there as a stranger would. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { awsCall } from '../test/support/aws-call.ts';
import { http } from '../test/support/http.ts';
import { pushImage, randomImage } from '../test/support/images.ts';
import { run, runAny } from '../test/support/programs.ts';
import { checkout, pinnedNode, startServer } from '../test/support/server.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const installSeconds = 300;
/** What is tested uses the SDKs of ECR, KMS and S3, tokens of OpenID, workers, and a database for vulnerabilities. */
const LAZY = ['aws-layers', 'aws-kms', 'aws-kms-bucket', 'audit', 'caching', 'scanning', 'signing', 'events'];
const packed = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
await using folder = await temporaryFolder('gantry-package-');
const here = folder.path;
// The pinned Node's folder first: the package runs on the host's, which may be too old.
const env = { PATH: [join(checkout, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };

await step('npm pack leaves package.json as it was', async () => {
  const before = readFileSync(join(checkout, 'package.json'));
  await run(['npm', 'pack', '--silent', '--pack-destination', here], { cwd: checkout, env, seconds: installSeconds });
  assert.deepEqual(readFileSync(join(checkout, 'package.json')), before);
});

await step('the tarball installs without any other package', async () => {
  writeFileSync(join(here, 'package.json'), '{"private":true,"type":"module"}');
  const tarball = `./gantry-${packed.version}.tgz`;
  await run(['npm', 'install', '--offline', '--no-audit', '--no-fund', tarball], {
    cwd: here,
    env,
    seconds: installSeconds,
  });
  const { dependencies, optionalDependencies, scripts, engines } = manifestOf('gantry');
  assert.deepEqual(
    { dependencies, optionalDependencies, scripts },
    { dependencies: undefined, optionalDependencies: undefined, scripts: undefined },
  );
  assert.deepEqual(engines, { node: '>=26' });
  const lock = JSON.parse(readFileSync(join(here, 'node_modules', '.package-lock.json'), 'utf8'));
  assert.deepEqual(Object.keys(lock.packages), ['node_modules/gantry']);
});

const gantry = join(here, 'node_modules', '.bin', 'gantry');

await step('gantry --version', async () => {
  assert.equal((await run([gantry, '--version'], { cwd: here, env })).trim(), packed.version);
});

await step('an old Node hears which one is needed', async () => {
  const { stdout } = await runAny(['/usr/bin/node', '--version']).catch(() => ({ stdout: '' }));
  if (!/^v(1[4-9]|2[0-5])\./.test(stdout)) return 'the host has no old Node';
  const { code, stderr } = await runAny(['/usr/bin/node', gantry, '--version'], { cwd: here });
  assert.equal(code, 1);
  assert.match(stderr, /needs Node\.js 26 or newer; this is Node\.js \d+/);
  return undefined;
});

await step('gantry serve takes and gives an image, and ends when told', async () => {
  await using server = await startServer({ program: join(here, 'node_modules', 'gantry', 'bin', 'gantry.js') });
  const image = randomImage([3 * 1024 * 1024]);
  await pushImage(server.url, 'tried/image', 'v1', image);
  const [layer] = image.layers;
  const answer = await http(`${server.url}/v2/tried/image/blobs/${layer?.digest}`);
  assert.deepEqual(answer.body, layer?.bytes);
  assert.equal(await server.stop(), 0);
});

await step('the ECR API answers', async () => {
  await using server = await startServer({ program: join(here, 'node_modules', 'gantry', 'bin', 'gantry.js') });
  const repositoryName = 'tried/api';
  assert.equal((await awsCall(server.url, 'CreateRepository', { repositoryName })).status, 200);
  await pushImage(server.url, repositoryName, 'v1', randomImage());
  const described = await awsCall(server.url, 'DescribeImages', { repositoryName });
  assert.deepEqual(described.json().imageDetails[0].imageTags, ['v1']);
  const metrics = await http(`${server.url}/metrics`);
  assert.match(metrics.body.toString(), /^gantry_http_requests_total/m);
});

await step('system tests pass on it that load what is loaded lazily', async () => {
  const words = ['node', 'tools/run-tests.ts', ...LAZY.map((name) => `test/system/${name}.test.ts`)];
  const tested = { ...env, TESTED_PROGRAM: join(here, 'node_modules', 'gantry', 'bin', 'gantry.js') };
  await run(words, { cwd: checkout, env: tested, seconds: installSeconds });
});

await step("import { startRegistry } from 'gantry'", async () => {
  const script = [
    "import { startRegistry } from 'gantry';",
    'await using registry = await startRegistry({ port: 0, ephemeral: true });',
    "const answer = await fetch(new URL('/v2/', registry.url));",
    'console.log(answer.status, registry.port > 0);',
  ];
  writeFileSync(join(here, 'use.js'), script.join('\n'));
  assert.match(await run([pinnedNode, 'use.js'], { cwd: here, env }), /^200 true$/m);
});

await step('the types check for a consumer who skips nothing', async () => {
  const script = [
    "import { startRegistry } from 'gantry';",
    'await using registry = await startRegistry({ port: 0, ephemeral: true });',
    'export const url: string = registry.url;',
    '// @ts-expect-error a port is a number',
    "export const wrong = startRegistry({ port: 'any' });",
  ];
  writeFileSync(join(here, 'use.ts'), script.join('\n'));
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--noEmit'];
  const target = ['--module', 'nodenext', '--target', 'esnext', '--types', ''];
  await run([join(checkout, 'node_modules', '.bin', 'tsc'), ...strict, ...target, 'use.ts'], { cwd: here, env });
});

function manifestOf(name: string) {
  return JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'));
}

/** @param work resolves with a reason when there was nothing to try */
async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const skipped = await work();
  console.log(typeof skipped === 'string' ? `skipped: ${name}: ${skipped}` : `ok: ${name}`);
}
