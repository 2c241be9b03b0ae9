import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedPort } from './fixed-port.ts';
import { execute } from './postgres.ts';
import { temporaryFolder } from './temporary-folder.ts';

const PROGRAM = '/usr/sbin/pgbouncer';

/** Says why tests that need the pooler are skipped; never where everything must be tried. */
export const withoutPgbouncer =
  !existsSync(PROGRAM) && process.env.CI === undefined ? 'no PgBouncer is installed here' : false;

/** PgBouncer before a server, on a free port: each transaction gets whatever connection is free. */
export async function startPgbouncer(serverUrl: string): Promise<AsyncDisposable & { through(url: string): string }> {
  const { hostname, port: serverPort } = new URL(serverUrl);
  const folder = await temporaryFolder('gantry-pgbouncer-');
  const port = await fixedPort();
  const config = join(folder.path, 'pgbouncer.ini');
  const users = join(folder.path, 'users.txt');
  await writeFile(users, '"gantry" ""\n');
  await writeFile(
    config,
    `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 5
max_client_conn = 200
`,
  );
  const as = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (as.uid !== undefined) await chown(folder.path, as.uid, as.gid);
  const pooler = spawn(PROGRAM, [config], { ...as, stdio: 'ignore' });
  const through = (url: string) => {
    const address = new URL(url);
    address.port = String(port);
    return address.href;
  };
  for (let left = 100; ; left--) {
    const failed = await execute(through(serverUrl), 'select 1').then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed === undefined) break;
    if (left === 0) throw failed;
    await sleep(50);
  }
  return {
    through,
    async [Symbol.asyncDispose]() {
      const ended = once(pooler, 'exit');
      pooler.kill('SIGTERM');
      await ended;
      await folder[Symbol.asyncDispose]();
    },
  };
}
