import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rateVector } from './rate-vector.ts';

/** Scores that FIRST's examples and NVD publish for these vectors. */
const published: readonly [vector: string, score: number][] = [
  // CVE-2021-44228, CVE-2014-0160, CVE-2020-1472, CVE-2019-0708 and others of every kind.
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
  ['CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 7.8],
  ['CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:C/C:H/I:N/A:N', 5.6],
  ['CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 6.8],
  ['CVSS:3.0/AV:A/AC:H/PR:N/UI:N/S:U/C:L/I:H/A:N', 5.9],
  ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
  ['CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H', 9.1],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C', 9.8],
  // Where fractions of a computer lift a score in 3.0 and must not in 3.1.
  ['CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H', 8.1],
  ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
  ['AV:N/AC:L/Au:N/C:C/I:C/A:C', 10],
  ['AV:L/AC:H/Au:N/C:C/I:C/A:C', 6.2],
  ['(AV:N/AC:L/Au:N/C:P/I:N/A:N)', 5],
  ['AV:N/AC:M/Au:N/C:N/I:P/A:N', 4.3],
  ['AV:A/AC:M/Au:S/C:P/I:P/A:P/E:U/RL:OF', 4.9],
  ['AV:N/AC:L/Au:N/C:N/I:N/A:N', 0],
  // The examples of FIRST for 4.0: CVE-2022-41741, CVE-2020-3549, CVE-2021-44228, CVE-2014-0160 and one with threat metrics.
  ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3],
  ['CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.7],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N', 8.7],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:U', 8.7],
];

describe('a CVSS vector', () => {
  for (const [vector, score] of published) {
    it(`has its published score: ${vector}`, () => assert.equal(rateVector(vector)?.score, score));
  }

  it('says its version', () => {
    const versions = ['CVSS:3.0/', 'CVSS:3.1/'].map((prefix) =>
      rateVector(`${prefix}AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`),
    );
    assert.deepEqual(
      versions.map((rating) => rating?.version),
      ['3.0', '3.1'],
    );
    assert.equal(rateVector('AV:N/AC:L/Au:N/C:N/I:N/A:C')?.version, '2.0');
  });

  it('has none when it is not whole, or of another kind', () => {
    const wrong = [
      '',
      'high',
      'CVSS:3.1/AV:N',
      'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X',
      'CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
      'CVSS:3.1/AV:toString/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
      'CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
      'AV:N/AC:L/C:N/I:N/A:C',
      'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N',
      'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:X/SC:N/SI:N/SA:N',
    ];
    for (const vector of wrong) assert.equal(rateVector(vector), undefined, vector);
  });
});
