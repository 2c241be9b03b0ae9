/**
 * `npm run soak [-- --seconds 600] [--seed TEXT] [SCENARIO…]`: what must hold while everything goes on at once, for long.
 * Each scenario ends with `N passed, N failed`: what was done and checked, and what was wrong. Exit code 1 when anything failed.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { seededRandom } from '../crash/random.ts';
import { soakLifecycle } from './lifecycle.ts';
import { soakNodes } from './nodes/nodes.ts';
import type { Scenario } from './scenario.ts';

const SCENARIOS: Readonly<Record<string, Scenario>> = { lifecycle: soakLifecycle, nodes: soakNodes };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds ?? 600);
const seed = values.seed ?? randomUUID();
for (const name of positionals.length > 0 ? positionals : Object.keys(SCENARIOS)) {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`There is no scenario ${name}, but ${Object.keys(SCENARIOS).join(', ')}`);
  console.log(`soak ${name}: ${seconds} s, --seed ${seed}`);
  const { counts, failures } = await scenario({
    seconds,
    random: seededRandom(seed),
    say: (text) => console.log(text),
  });
  let done = 0;
  for (const [what, count] of [...counts].sort()) {
    console.log(`  ${count} ${what}`);
    done += count;
  }
  for (const failure of failures.slice(0, 20)) console.log(`  FAILED: ${failure}`);
  console.log(`${done} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}
