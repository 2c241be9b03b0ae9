import { digestOf } from '../support/images.ts';
import { mustHaveLayer, promise, type RepositoryLedger, settleGone, settleRepositoryGone, usersOf } from './ledger.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

export interface Comparison {
  readonly world: World;
  readonly random: Random;
  readonly leaseMs: number;
  /** Whether to read again what did not change since it was read last. */
  readonly everything: boolean;
}

/**
 * Compares what a repository shows with what was answered before; nothing else may be at work. What was open (a request
 * whose answer a crash cut off) is settled by what is there.
 */
export async function compare(comparison: Comparison, ledger: RepositoryLedger): Promise<void> {
  const { world } = comparison;
  const listed = await world.ask(`/v2/${ledger.name}/tags/list?n=1000`);
  if (listed.status === 404 && ledger.mayBeGone) return settleRepositoryGone(ledger);
  if (listed.status !== 200) return world.fail(`the tags of ${ledger.name} were answered ${listed.status}`);
  await compareTags(comparison, ledger, new Set(listed.json().tags));
  for (const digest of [...ledger.images.keys()]) await compareImage(comparison, ledger, digest);
  for (const digest of [...ledger.layers.keys()]) await compareLayer(comparison, ledger, digest);
}

async function compareTags({ world }: Comparison, ledger: RepositoryLedger, shown: ReadonlySet<string>): Promise<void> {
  for (const tag of shown) if (!ledger.tags.has(tag)) world.fail(`${ledger.name} shows a tag nobody put: ${tag}`);
  for (const [tag, possible] of ledger.tags) {
    const answer = await world.ask(`/v2/${ledger.name}/manifests/${tag}`);
    const found = answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined;
    if (!possible.has(found)) {
      const expected = [...possible].map((digest) => digest ?? 'nothing').join(' or ');
      world.fail(`${ledger.name}:${tag} is ${found ?? `answered ${answer.status}`}; it must be ${expected}`);
    }
    const manifest = found === undefined ? undefined : ledger.images.get(found)?.manifest.bytes;
    if (found !== undefined && manifest?.equals(answer.body) !== true) {
      world.fail(`${ledger.name}:${tag} has a manifest that nobody pushed`);
    }
    if (shown.has(tag) !== (found !== undefined)) world.fail(`${ledger.name}:${tag} and the list of tags disagree`);
    ledger.tags.set(tag, new Set([found]));
  }
}

async function compareImage({ world, leaseMs }: Comparison, ledger: RepositoryLedger, digest: string): Promise<void> {
  const image = ledger.images.get(digest)!;
  const answer = await world.ask(`/v2/${ledger.name}/manifests/${digest}`);
  if (answer.status === 200) {
    if (!image.manifest.bytes.equals(answer.body)) world.fail(`${ledger.name}@${digest} is not what was pushed`);
    image.mayBeGone = false;
    return;
  }
  if (answer.status !== 404) return world.fail(`${ledger.name}@${digest} was answered ${answer.status}`);
  if (!image.mayBeGone) world.fail(`${ledger.name}@${digest} is gone although its push was acknowledged`);
  settleGone(ledger, digest, leaseMs);
}

async function compareLayer(comparison: Comparison, ledger: RepositoryLedger, digest: string): Promise<void> {
  const { world, random, leaseMs, everything } = comparison;
  const entry = ledger.layers.get(digest)!;
  if (!entry.touched && !everything && !random.chance(0.05)) return;
  const head = await world.ask(`/v2/${ledger.name}/blobs/${digest}`, { method: 'HEAD' });
  if (head.status === 404) {
    if (mustHaveLayer(ledger, digest)) world.fail(`layer ${digest} of ${ledger.name} is gone`);
    if (usersOf(ledger, digest).length === 0) ledger.layers.delete(digest);
    return;
  }
  if (head.status !== 200) return world.fail(`layer ${digest} of ${ledger.name} was answered ${head.status}`);
  if (entry.deleted) world.fail(`layer ${digest} of ${ledger.name} is there although its deletion was acknowledged`);
  promise(ledger, entry.blob, head.sentAt, leaseMs / 2);
  if (Number(head.headers['content-length']) !== entry.blob.bytes.length) {
    world.fail(`layer ${digest} of ${ledger.name} has ${head.headers['content-length']} bytes`);
  }
  const got = await world.ask(`/v2/${ledger.name}/blobs/${digest}`);
  if (got.status !== 200 || digestOf(got.body) !== digest) {
    world.fail(
      `layer ${digest} of ${ledger.name} was answered ${got.status} with ${got.body.length} bytes of another digest`,
    );
  }
  entry.touched = false;
  world.count('layers read back');
}
