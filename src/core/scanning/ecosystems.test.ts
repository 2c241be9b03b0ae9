import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { distributionsOf, ecosystemKey, lookupsOf, orderOf, packageKey } from './ecosystems.ts';
import { parseOsRelease } from './os-release.ts';

describe('the ecosystem of an image', () => {
  const cases: readonly [text: string, ecosystems: readonly string[]][] = [
    ['ID=debian\nVERSION_ID="12"', ['Debian:12']],
    ['ID=debian\nPRETTY_NAME="Debian GNU/Linux trixie/sid"', []],
    ['ID=ubuntu\nVERSION_ID="22.04"', ['Ubuntu:22.04:LTS']],
    ["ID='ubuntu'\nVERSION_ID='23.10'", ['Ubuntu:23.10']],
    ['ID=ubuntu\nVERSION_ID=23.04', ['Ubuntu:23.04']],
    ['ID=alpine\nVERSION_ID=3.19.1', ['Alpine:v3.19']],
    ['ID=alpine\nVERSION_ID=3.23_alpha20250612', ['Alpine:v3.23']],
    ['ID=wolfi\nVERSION_ID=20230201', ['Wolfi']],
    ['ID="rhel"\nVERSION_ID="9.4"', ['Red Hat:enterprise_linux:9']],
    ['ID="rocky"\nVERSION_ID="9.3"', ['Rocky Linux:9']],
    ['ID="opensuse-leap"\nVERSION_ID="15.6"', ['openSUSE:Leap 15.6']],
    [
      'ID="sles"\nVERSION_ID="15.5"',
      ['SUSE:Linux Enterprise Server 15 SP5', 'SUSE:Linux Enterprise Module for Basesystem 15 SP5'],
    ],
    ['ID=constructor\nVERSION_ID=1', []],
    ['NAME=nothing', []],
  ];
  for (const [text, ecosystems] of cases) {
    it(`is said by os-release: ${ecosystems.join(', ') || JSON.stringify(text)}`, () => {
      const found = distributionsOf(parseOsRelease(text));
      assert.deepEqual(found, ecosystems);
      for (const ecosystem of found) assert.ok(orderOf(ecosystem), ecosystem);
    });
  }

  it('says under which names records are looked for', () => {
    const source = { name: 'openssl', version: '2' };
    const one = { name: 'libssl3', version: '1', source };
    const lookups = (type: 'dpkg' | 'rpm' | 'apk', id: string, versionId: string) =>
      lookupsOf({ ...one, type }, { id, versionId }).map(
        ({ ecosystem, name, version }) => `${ecosystem} ${name} ${version}`,
      );
    assert.deepEqual(lookups('dpkg', 'debian', '12'), ['Debian:12 openssl 2']);
    assert.deepEqual(lookups('apk', 'alpine', '3.20.0'), ['Alpine:v3.20 openssl 2']);
    assert.deepEqual(lookups('rpm', 'rocky', '9.1'), ['Rocky Linux:9 libssl3 1', 'Rocky Linux:9 openssl 2']);
    assert.deepEqual(lookupsOf({ type: 'dpkg', name: 'bash', version: '5' }, undefined), []);
    assert.deepEqual(lookupsOf({ type: 'python', name: 'Ruamel_yaml.Clib', version: '5' }, undefined), [
      { ecosystem: 'PyPI', name: 'ruamel-yaml-clib', version: '5' },
    ]);
  });

  it('has one key for records that are published apart', () => {
    assert.equal(ecosystemKey('Red Hat:enterprise_linux:9::appstream'), 'Red Hat:enterprise_linux:9');
    assert.equal(ecosystemKey('Debian:12'), 'Debian:12');
    assert.equal(packageKey('npm', 'A_b'), 'A_b');
    assert.equal(orderOf('constructor'), undefined);
  });
});
