import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { apkOrder } from '../../src/core/scanning/versions/apk-order.ts';
import { dpkgOrder } from '../../src/core/scanning/versions/dpkg-order.ts';
import { mavenOrder } from '../../src/core/scanning/versions/maven-order.ts';
import { pythonOrder } from '../../src/core/scanning/versions/python-order.ts';
import { rpmOrder } from '../../src/core/scanning/versions/rpm-order.ts';
import { semverOrder } from '../../src/core/scanning/versions/semver-order.ts';
import type { VersionOrder } from '../../src/core/scanning/versions/version-order.ts';
import { findProgram, run, runAny } from '../support/programs.ts';
import {
  apkPieces,
  dpkgPieces,
  mavenPieces,
  pythonPieces,
  rpmPieces,
  semverPieces,
  type VersionPieces,
  versionPairs,
} from './generated-versions.ts';
import { randomSource } from './random-source.ts';

type Pair = readonly [one: string, other: string];
/** -1, 0 or 1 for each pair, as the tool says. */
type Ask = (pairs: readonly Pair[]) => Promise<number[]>;

const java = findProgram('java');
const mavenJar = globSync('/usr/share/maven/lib/maven-artifact-*.jar')[0];
/** apk itself is not to be had on Debian, but the cases of its own tests are: this package is made from them. */
const apkCases = '/usr/share/gocode/src/github.com/knqyf263/go-apk-version/version_testcase.go';
const npmSemver = findSemver();
const pythonWithRpm = await pythonWith('rpm');
const pythonWithPackaging = await pythonWith('packaging');

compareWith('dpkg', dpkgOrder, dpkgPieces, 3_000, findProgram('dpkg') && askDpkg);
compareWith('apk', apkOrder, apkPieces, 3_000, findProgram('apk') && askApk);
compareWith('rpm', rpmOrder, rpmPieces, 5_000, pythonWithRpm && askRpm);
compareWith("Python's packaging", pythonOrder, pythonPieces, 5_000, pythonWithPackaging && askPython);
compareWith("npm's semver", semverOrder, semverPieces, 5_000, npmSemver && askSemver);
compareWith("Maven's artifact", mavenOrder, mavenPieces, 3_000, java && mavenJar && askMaven);

it("the order of versions is that of apk's own cases", {
  skip: !existsSync(apkCases) && `${apkCases} is not here`,
}, () => {
  const signs: Readonly<Record<string, number>> = { '<': -1, '=': 0, '>': 1 };
  const cases = [...readFileSync(apkCases, 'utf8').matchAll(/^\s*\{"(\S+)", "([<=>])", "(\S+)"\}/gm)];
  assert.ok(cases.length > 700, `${cases.length} cases`);
  for (const [, one = '', sign = '', other = ''] of cases) {
    assert.equal(Math.sign(apkOrder.compare(one, other)), signs[sign], `${one} ${sign} ${other}`);
    assert.equal(Math.sign(apkOrder.compare(other, one)) + signs[sign]!, 0, `${one} ${sign} ${other}, turned round`);
  }
});

function compareWith(
  tool: string,
  order: VersionOrder,
  pieces: VersionPieces,
  count: number,
  ask: Ask | '' | undefined,
) {
  const skip = ask ? false : `${tool} is not on this machine`;
  it(`the order of versions is that of ${tool}, for ${count} generated pairs`, { skip }, async () => {
    const valid = { ...pieces, isVersion: pieces.isVersion ?? order.isVersion };
    const pairs = versionPairs(randomSource(20_261_122), valid, count);
    const theirs = await (ask as Ask)(pairs);
    const wrong = pairs.flatMap(([one, other], at) => {
      const ours = Math.sign(order.compare(one, other));
      const back = Math.sign(order.compare(other, one));
      return ours === theirs[at] && back === -ours + 0 ? [] : [{ one, other, ours, back, theirs: theirs[at] }];
    });
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} differ`);
    for (const sign of [-1, 0, 1]) {
      const seen = theirs.filter((their) => their === sign).length;
      assert.ok(seen > pairs.length / 100, `${sign} only ${seen} times`);
    }
  });
}

async function askDpkg(pairs: readonly Pair[]): Promise<number[]> {
  const script =
    'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done';
  return numbers(await run(['sh', '-c', script], { input: lines(pairs) }));
}

async function askApk(pairs: readonly Pair[]): Promise<number[]> {
  const script = 'while read -r a b; do apk version -t "$a" "$b"; done';
  const signs: Readonly<Record<string, number>> = { '<': -1, '=': 0, '>': 1 };
  const said = await run(['sh', '-c', script], { input: lines(pairs) });
  return said
    .trim()
    .split('\n')
    .map((sign) => signs[sign]!);
}

async function askRpm(pairs: readonly Pair[]): Promise<number[]> {
  return askPythonScript(
    pythonWithRpm!,
    [
      'import rpm, sys',
      'def evr(text):',
      '    epoch, colon, rest = text.partition(":")',
      '    if not colon: epoch, rest = "0", text',
      '    version, hyphen, release = rest.rpartition("-")',
      '    return (epoch or "0", version, release) if hyphen else (epoch or "0", rest, None)',
      'for line in sys.stdin:',
      '    one, other = map(evr, line.split())',
      '    if one[2] is None or other[2] is None: one, other = (*one[:2], ""), (*other[:2], "")',
      '    print(rpm.labelCompare(one, other))',
    ],
    pairs,
  );
}

async function askPython(pairs: readonly Pair[]): Promise<number[]> {
  return askPythonScript(
    pythonWithPackaging!,
    [
      'import sys',
      'from packaging.version import Version',
      'for line in sys.stdin:',
      '    one, other = map(Version, line.split())',
      '    print((one > other) - (one < other))',
    ],
    pairs,
  );
}

async function askPythonScript(python: string, script: readonly string[], pairs: readonly Pair[]): Promise<number[]> {
  return numbers(await run([python, '-c', script.join('\n')], { input: lines(pairs) }));
}

async function askSemver(pairs: readonly Pair[]): Promise<number[]> {
  const { compare } = createRequire(import.meta.url)(npmSemver!);
  return pairs.map(([one, other]) => compare(one, other));
}

/** The artifact's own program compares each version with the one before it. */
async function askMaven(pairs: readonly Pair[]): Promise<number[]> {
  const signs: Readonly<Record<string, number>> = { '<': -1, '==': 0, '>': 1 };
  const said = await run([java!, '-jar', realpathSync(mavenJar!), ...pairs.flat()], { env: { JAVA_TOOL_OPTIONS: '' } });
  const compared = [...said.matchAll(/^ +\S+ (<|==|>) \S+$/gm)].map(([, sign]) => signs[sign!]!);
  return compared.filter((_, at) => at % 2 === 0);
}

function lines(pairs: readonly Pair[]): string {
  return pairs.map(([one, other]) => `${one} ${other}\n`).join('');
}

function numbers(text: string): number[] {
  return text.trim().split('\n').map(Number);
}

/** Packages of the system are the system's Python's alone, and that need not be the first there is. */
async function pythonWith(module: string): Promise<string | undefined> {
  for (const python of [findProgram('python3'), '/usr/bin/python3']) {
    if (python === undefined || !existsSync(python)) continue;
    if ((await runAny([python, '-c', `import ${module}`])).code === 0) return python;
  }
  return undefined;
}

function findSemver(): string | undefined {
  const npm = findProgram('npm');
  const path = npm && join(dirname(realpathSync(npm)), '..', 'node_modules', 'semver');
  return path && existsSync(path) ? path : undefined;
}
