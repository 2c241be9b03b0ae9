import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { http } from '../test/support/http.ts';
import { run } from '../test/support/programs.ts';
import { checkout, cleanEnvironment } from '../test/support/server.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

describe('what the README says to type', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`npm start serves, and ${signal} to npm ends all of it with exit code 0`, { timeout: 60_000 }, async () => {
      await using folder = await temporaryFolder();
      const words = ['start', '--', '--port', '0', '--data', folder.path];
      const npm = spawn('npm', words, { cwd: checkout, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(npm, 'exit');
      const url = await printedUrl(npm.stdout.iterator({ destroyOnReturn: false }));
      assert.equal((await http(`${url}/healthz`)).status, 200);
      npm.kill(signal);
      assert.deepEqual(await ended, [0, null]);
      await assert.rejects(http(`${url}/healthz`), { code: 'ECONNREFUSED' });
    });
  }

  it('npx gantry runs the checkout', async () => {
    const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
    assert.equal((await run(['npx', 'gantry', '--version'], { cwd: checkout })).trim(), version);
    assert.match(await run(['npx', 'gantry', '--help'], { cwd: checkout }), /Usage: gantry .*\bserve\b/s);
  });
});

async function printedUrl(output: AsyncIterable<Buffer>): Promise<string> {
  let printed = '';
  for await (const chunk of output) {
    printed += chunk;
    const url = /http:\/\/127\.0\.0\.1:\d+(?=\D)/.exec(printed)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`npm start named no address:\n${printed}`);
}
