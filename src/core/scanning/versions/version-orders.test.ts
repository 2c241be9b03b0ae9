import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apkOrder } from './apk-order.ts';
import { dpkgOrder } from './dpkg-order.ts';
import { mavenOrder } from './maven-order.ts';
import { pythonOrder } from './python-order.ts';
import { rpmOrder } from './rpm-order.ts';
import { semverOrder } from './semver-order.ts';
import type { VersionOrder } from './version-order.ts';

/** Each is older than all that follow; those in one line are equal. */
const ascending: readonly [name: string, order: VersionOrder, versions: string][] = [
  [
    'dpkg',
    dpkgOrder,
    `1.0~~ 1.0~~-0
     1.0~~-3
     1.0~rc1
     1.0 1.0-0 0:1.0 01.00
     1.0-0a
     1.0-1~bpo12+1
     1.0-1 0:1.0-01
     1.0-1+b1
     1.0-1+deb12u9
     1.0-1+deb12u15
     1.0-1.1
     1.0a
     1.0+dfsg
     1.0.1
     1.9
     1.10 1.010
     1.20251122123456789012345678901
     1.20251122123456789012345678902
     1:0.1
     1:1.0:2
     2:0`,
  ],
  [
    'apk',
    apkOrder,
    `0.9
     1.0_alpha
     1.0_alpha-r0
     1.0_alpha1
     1.0_alpha10
     1.0_beta
     1.0_pre
     1.0_rc2-r3
     1.0 01.0
     1.0-r0 1.0-r00
     1.0-r1
     1.0-r10
     1.0~abc-r1
     1.0~abd
     1.0_cvs
     1.0_svn
     1.0_git20240101
     1.0_git20240102
     1.0_hg
     1.0_p
     1.0_p1
     1.0a
     1.0b
     1.0.0
     1.01
     1.015
     1.02
     1.1_p2_alpha
     1.1_p2
     1.9
     1.10
     10.0`,
  ],
  [
    'rpm',
    rpmOrder,
    `~1
     1.0~rc1
     1.0~rc2^git1
     1.0 1.0. 1_0 0:1.0
     1.0-1~beta 1.0-1~beta
     1.0-1.el9
     1.0-1.el9_2
     1.0-2.el8
     1.0^
     1.0^20240101
     1.0^20240102
     1.0a
     1.0aB
     1.0b
     1.0.1 1.0.01
     1.0.9
     1.0.10
     1.1
     1:0.1`,
  ],
  [
    'semver',
    semverOrder,
    `0.0.0-20210101000000-abcdef
     1.0.0-0
     1.0.0-9
     1.0.0-10
     1.0.0-alpha
     1.0.0-alpha.1
     1.0.0-alpha.beta
     1.0.0-rc-1
     1.0.0 v1.0.0 1 1.0 1.0.0+build
     1.0.9
     1.0.10
     1.21.0-rc.1
     1.21 1.21.0
     2.0.0`,
  ],
  [
    'python',
    pythonOrder,
    `1.0.dev0
     1.0a0.dev1
     1.0a 1.0alpha0 1.0-A.0
     1.0a2.dev1
     1.0a2
     1.0b1
     1.0rc1 1.0c1 1.0-preview_1
     1.0 v1.0.0 1.0.0.0 1
     1.0+abc
     1.0+abc.5
     1.0+1
     1.0+1.1
     1.0.post0.dev1
     1.0.post 1.0-0 1.0-r0
     1.0.post1
     1.0.1
     1.10
     2024.1
     1!0.1`,
  ],
  [
    'maven',
    mavenOrder,
    `1-alpha
     1-a1 1-alpha-1 1.alpha1
     1-alpha-2
     1-beta1 1b1
     1-milestone-1 1m1
     1-rc 1-cr
     1-SNAPSHOT
     1 1.0 1.0.0 1-ga 1.final 1-RELEASE 1-0
     1-sp
     1-foo
     1-jre
     1-1
     1.0.1
     1.1
     1.10
     31.1-android
     31.1-jre`,
  ],
];

describe('the order of versions', () => {
  for (const [name, order, text] of ascending) {
    const steps = text.split('\n').map((line) => line.trim().split(/\s+/));

    it(`of ${name} is the documented one`, () => {
      const versions = steps.flatMap((equal, step) => equal.map((version) => ({ version, step })));
      for (const one of versions) {
        for (const other of versions) {
          // In rpm a missing release is equal to any: not an order, and only neighbours without one are compared.
          if (order === rpmOrder && one.version.includes('-') !== other.version.includes('-')) continue;
          const expected = Math.sign(one.step - other.step);
          const actual = Math.sign(order.compare(one.version, other.version));
          assert.equal(actual, expected, `${one.version} and ${other.version}`);
        }
      }
    });

    it(`of ${name} knows its versions`, () => {
      for (const version of steps.flat()) assert.ok(name === 'rpm' || order.isVersion(version), version);
    });
  }

  it('says what is no version of its kind', () => {
    const wrong: readonly [VersionOrder, readonly string[]][] = [
      [dpkgOrder, ['', 'a b', '1.0\n']],
      [apkOrder, ['', 'a1', '1.0-1', '1.0_x', '1.0A', '1.0~', '1.0-r', '1.0ab', '1.', '1.0-r1_p']],
      [rpmOrder, ['', ' ']],
      [semverOrder, ['', '1.2.3.4', 'latest', '1.x', '1.0.0-']],
      [pythonOrder, ['', '1.0-x', '1..0', 'latest', '1.0+']],
      [mavenOrder, ['']],
    ];
    for (const [order, versions] of wrong) {
      for (const version of versions) assert.equal(order.isVersion(version), false, JSON.stringify(version));
    }
  });

  it('compares a release of rpm only with another', () => {
    assert.equal(rpmOrder.compare('1.0', '1.0-5'), 0);
    assert.ok(rpmOrder.compare('1.0-4', '1.0-5') < 0);
  });

  it('is not led astray by versions made to be slow or deep', () => {
    const deep = '1-'.repeat(20_000);
    const digits = '9'.repeat(50_000);
    for (const [, order] of ascending) {
      order.compare(deep, `${deep}2`);
      assert.ok(order.compare(digits, `${digits}1`) < 0);
      order.isVersion(`1${'.1'.repeat(20_000)}x`);
      order.isVersion(`${digits}-${digits}!`);
    }
  });
});
