import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR, paginateDescribeImages } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { runAny } from '../support/programs.ts';
import { checkout, pinnedNode, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runPuller, runPusher, runRestorer } from './lifecycle-clients.ts';
import { type Scenario, Tally } from './scenario.ts';

const REPOSITORIES = ['soak/one', 'soak/two', 'soak/three'];
/** What the policy keeps of each kind. */
const KEPT = { versions: 8, archivable: 3, untagged: 30 } as const;
const PUSHERS = 3;

/**
 * Lifecycle policies, garbage collection and pushes at once, the first two every second. No push and no pull of what a policy
 * keeps may fail; at the end every repository holds what its policy says, and every byte is right.
 */
export const soakLifecycle: Scenario = async ({ seconds, random, say }) => {
  await using folder = await temporaryFolder('gantry-soak-');
  await using server = await startServer({
    data: folder.path,
    args: [
      ...['--lifecycle-interval-seconds', '1', '--garbage-interval-seconds', '1', '--layer-lease-seconds', '10'],
      ...['--undo-seconds', '15', '--archive-dir', join(folder.path, 'archive')],
    ],
  });
  const tally = new Tally();
  const ecr = new ECR({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  });
  for (const repositoryName of REPOSITORIES) {
    await ecr.createRepository({ repositoryName });
    await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: policyText() });
  }
  const until = Date.now() + seconds * 1000;
  const common = { url: server.url, ecr, repositories: REPOSITORIES, until, tally };
  const clients = [
    ...Array.from({ length: PUSHERS }, (_, at) => runPusher({ ...common, random: random.fork(), name: `p${at}` })),
    ...REPOSITORIES.map(() => runPuller({ ...common, random: random.fork() })),
    runRestorer({ ...common, random: random.fork() }),
  ];
  const progress = setInterval(() => {
    say(
      `  ${Math.round((until - Date.now()) / 1000)} s to go, ${tally.counts.get('pushes') ?? 0} pushes, ${tally.failures.length} failures`,
    );
  }, 30_000);
  await Promise.all(clients);
  clearInterval(progress);
  await settle(ecr, tally);
  await showWork(server.url, tally);
  tally.check((await server.stop()) === 0, 'SIGTERM did not end the server well');
  for (const words of [['garbage', '--layer-lease-seconds', '0', '--undo-seconds', '0'], ['verify']]) {
    const [command = '', ...options] = words;
    const gantry = join(checkout, 'bin', 'gantry.js');
    const archive = ['--archive-dir', join(folder.path, 'archive')];
    const ran = await runAny([pinnedNode, gantry, command, '--data', folder.path, ...archive, ...options]);
    say(`  ${ran.stdout.trim()}`);
    tally.check(ran.code === 0, `gantry ${command} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
  }
  return tally;
};

function policyText(): string {
  const rule = (rulePriority: number, selection: object, action: object = { type: 'expire' }) => ({
    rulePriority,
    selection: { countType: 'imageCountMoreThan', ...selection },
    action,
  });
  const tagged = (pattern: string, countNumber: number) => ({
    tagStatus: 'tagged',
    tagPatternList: [pattern],
    countNumber,
  });
  const rules = [
    rule(1, tagged('keep*', 1000)),
    rule(2, tagged('v*', KEPT.versions)),
    rule(3, tagged('arch*', KEPT.archivable), { type: 'transition', targetStorageClass: 'archive' }),
    rule(4, { tagStatus: 'untagged', countNumber: KEPT.untagged }),
  ];
  return JSON.stringify({ rules });
}

/** Once nobody pushes, a policy is done after a few runs: an index goes in one, its children in the next. */
async function settle(ecr: ECR, tally: Tally): Promise<void> {
  let wrong: string[] = [];
  for (let second = 0; second < 30; second++) {
    await sleep(1000);
    wrong = (await Promise.all(REPOSITORIES.map((name) => beyondPolicy(ecr, name)))).flat();
    if (wrong.length === 0) break;
  }
  for (const repository of wrong) tally.fail(`long after the last push: ${repository}`);
  tally.count('repositories that hold what their policy says', REPOSITORIES.length - wrong.length);
}

/** A soak in which nothing was applied and nothing collected shows nothing. */
async function showWork(url: string, tally: Tally): Promise<void> {
  const { body } = await http(`${url}/metrics`);
  const sumOf = (name: string) =>
    [...body.toString().matchAll(new RegExp(`^${name}[{ ].*?([0-9.e+]+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  const work = {
    'blobs collected': sumOf('gantry_garbage_blobs_total'),
    'lifecycle runs': sumOf('gantry_jobs_done_total\\{kind="apply-lifecycle",outcome="done"\\}'),
  };
  for (const [what, count] of Object.entries(work)) {
    tally.count(what, count);
    if (count === 0) tally.fail(`no ${what}`);
  }
}

async function beyondPolicy(ecr: ECR, repositoryName: string): Promise<string[]> {
  const counts = { versions: 0, archivable: 0, untagged: 0 };
  for await (const { imageDetails = [] } of paginateDescribeImages(
    { client: ecr, pageSize: 1000 },
    { repositoryName },
  )) {
    for (const { imageTags = [] } of imageDetails) {
      if (imageTags.length === 0) counts.untagged++;
      if (imageTags.some((tag) => tag.startsWith('v'))) counts.versions++;
      if (imageTags.some((tag) => tag.startsWith('arch'))) counts.archivable++;
    }
  }
  // Children of the indexes that are kept are untagged as well, and cannot go before them.
  const kept = { ...KEPT, untagged: KEPT.untagged + 2 * KEPT.versions };
  const isBeyond = (Object.keys(kept) as (keyof typeof kept)[]).some((kind) => counts[kind] > kept[kind]);
  return isBeyond ? [`${repositoryName} has ${JSON.stringify(counts)}, more than ${JSON.stringify(kept)}`] : [];
}
