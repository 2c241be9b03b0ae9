import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { variable } from '../../../../test/oracle/policy-under-test.ts';
import { parseConditions } from './conditions.ts';
import { PolicyError } from './policy-error.ts';

const context = new Map<string, string | readonly string[]>([
  ['aws:username', 'alice'],
  ['aws:principalarn', 'arn:aws:iam::111111111111:user/team/alice'],
  ['aws:sourceip', '10.1.2.3'],
  ['aws:securetransport', 'true'],
  ['aws:currenttime', '2026-11-22T05:00:00Z'],
  ['aws:epochtime', '1795323600'],
  ['aws:tagkeys', ['team', 'stage']],
  ['aws:requesttag/empty', ''],
  ['aws:requesttag/number', '42'],
  ['aws:resourcetag/team', 'alice'],
  ['test:none', []],
  ['test:bytes', 'AQID'],
]);

type Row = readonly [operator: string, key: string, values: unknown, holds: boolean];

const OWN_NAME = variable('aws:username');
const suites: Readonly<Record<string, readonly Row[]>> = {
  texts: [
    ['StringEquals', 'aws:username', 'alice', true],
    ['StringEquals', 'AWS:UserName', 'alice', true],
    ['stringequals', 'aws:username', 'alice', true],
    ['StringEquals', 'aws:username', 'Alice', false],
    ['StringEquals', 'aws:username', 'al*', false],
    ['StringEquals', 'aws:username', ['bob', 'alice'], true],
    ['StringEquals', 'aws:ResourceTag/Team', 'alice', true],
    ['StringEquals', 'aws:ResourceTag/team', OWN_NAME, true],
    ['StringEquals', 'aws:username', variable('aws:absent'), false],
    ['StringEquals', 'aws:username', [variable('aws:absent'), 'alice'], true],
    ['StringNotEquals', 'aws:username', variable('aws:absent'), false],
    ['StringNotEquals', 'aws:username', 'alice', false],
    ['StringNotEquals', 'aws:username', ['bob', 'alice'], false],
    ['StringNotEquals', 'aws:username', ['bob', 'carol'], true],
    ['StringEqualsIgnoreCase', 'aws:username', 'ALICE', true],
    ['StringNotEqualsIgnoreCase', 'aws:username', 'ALICE', false],
    ['StringNotEqualsIgnoreCase', 'aws:username', 'BOB', true],
    ['StringLike', 'aws:username', 'a?i*', true],
    ['StringLike', 'aws:username', 'A*', false],
    ['StringLike', 'aws:username', `${OWN_NAME}*`, true],
    ['StringNotLike', 'aws:username', 'a*', false],
    ['StringNotLike', 'aws:username', 'b*', true],
    ['StringEquals', 'aws:RequestTag/empty', '', true],
    ['StringEquals', 'aws:RequestTag/number', 42, true],
  ],
  ARNs: [
    ['ArnEquals', 'aws:PrincipalArn', 'arn:aws:iam::111111111111:user/team/*', true],
    ['ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::*:user/*', true],
    ['ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::222222222222:user/*', false],
    ['ArnLike', 'aws:PrincipalArn', `arn:aws:iam::*:user/team/${OWN_NAME}`, true],
    ['ArnNotEquals', 'aws:PrincipalArn', 'arn:aws:iam::111111111111:user/team/alice', false],
    ['ArnNotLike', 'aws:PrincipalArn', 'arn:aws:iam::111111111111:role/*', true],
  ],
  'numbers and booleans': [
    ['NumericEquals', 'aws:RequestTag/number', '42.0', true],
    ['NumericNotEquals', 'aws:RequestTag/number', 42, false],
    ['NumericLessThan', 'aws:RequestTag/number', 42, false],
    ['NumericLessThanEquals', 'aws:RequestTag/number', 42, true],
    ['NumericGreaterThan', 'aws:RequestTag/number', [100, 41], true],
    ['NumericGreaterThanEquals', 'aws:RequestTag/number', 43, false],
    ['NumericGreaterThan', 'aws:username', 0, false],
    ['Bool', 'aws:SecureTransport', true, true],
    ['Bool', 'aws:SecureTransport', 'TRUE', true],
    ['Bool', 'aws:SecureTransport', 'false', false],
    ['Bool', 'aws:username', 'false', false],
    ['BinaryEquals', 'test:bytes', 'AQID', true],
    ['BinaryEquals', 'test:bytes', 'AQIE', false],
  ],
  addresses: [
    ['IpAddress', 'aws:SourceIp', '10.0.0.0/8', true],
    ['IpAddress', 'aws:SourceIp', ['192.0.2.0/24', '10.1.2.3'], true],
    ['IpAddress', 'aws:SourceIp', '2001:db8::/32', false],
    ['NotIpAddress', 'aws:SourceIp', '10.0.0.0/8', false],
    ['NotIpAddress', 'aws:SourceIp', ['192.0.2.0/24', '2001:db8::/32'], true],
    ['IpAddress', 'aws:username', '0.0.0.0/0', false],
  ],
  dates: [
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-22T04:59:59Z', true],
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-22T05:00:00Z', false],
    ['DateGreaterThanEquals', 'aws:CurrentTime', '2026-11-22T05:00:00Z', true],
    ['DateLessThan', 'aws:CurrentTime', '2027', true],
    ['DateLessThan', 'aws:CurrentTime', '2026-11', false],
    ['DateLessThanEquals', 'aws:CurrentTime', '2026-11-22T05:00:00.000Z', true],
    ['DateEquals', 'aws:CurrentTime', '2026-11-22T07:00:00+02:00', true],
    ['DateEquals', 'aws:CurrentTime', '1795323600', true],
    ['DateNotEquals', 'aws:CurrentTime', '2026-11-22T05:00Z', false],
    ['DateLessThan', 'aws:EpochTime', '2026-11-22T05:00:01Z', true],
    ['NumericGreaterThanEquals', 'aws:EpochTime', 1795323600, true],
  ],
  'keys that are absent': [
    ['StringEquals', 'aws:absent', 'x', false],
    ['StringLike', 'aws:absent', '*', false],
    ['Bool', 'aws:absent', 'false', false],
    ['IpAddress', 'aws:absent', '0.0.0.0/0', false],
    ['NumericLessThan', 'aws:absent', 1, false],
    ['StringNotEquals', 'aws:absent', 'x', true],
    ['StringNotLike', 'aws:absent', '*', true],
    ['ArnNotLike', 'aws:absent', 'arn:aws:iam::*:*', true],
    ['NotIpAddress', 'aws:absent', '0.0.0.0/0', true],
    ['NumericNotEquals', 'aws:absent', 1, true],
    ['DateNotEquals', 'aws:absent', '2026', true],
    ['StringEqualsIfExists', 'aws:absent', 'x', true],
    ['StringNotEqualsIfExists', 'aws:absent', 'x', true],
    ['BoolIfExists', 'aws:absent', 'true', true],
    ['StringEqualsIfExists', 'aws:username', 'bob', false],
    ['StringEqualsIfExists', 'aws:username', 'alice', true],
    ['Null', 'aws:absent', 'true', true],
    ['Null', 'aws:absent', false, false],
    ['Null', 'aws:username', 'true', false],
    ['Null', 'aws:username', 'false', true],
    ['Null', 'test:none', 'true', true],
    ['Null', 'aws:RequestTag/empty', 'true', false],
    ['ForAnyValue:StringEquals', 'aws:absent', 'x', false],
    ['ForAnyValue:StringNotEquals', 'aws:absent', 'x', false],
    ['ForAllValues:StringEquals', 'aws:absent', 'x', true],
    ['ForAllValues:StringNotEquals', 'aws:absent', 'x', true],
    ['ForAnyValue:StringEqualsIfExists', 'aws:absent', 'x', true],
  ],
  'keys of several values': [
    ['ForAnyValue:StringEquals', 'aws:TagKeys', 'stage', true],
    ['ForAnyValue:StringEquals', 'aws:TagKeys', ['x', 'team'], true],
    ['ForAnyValue:StringEquals', 'aws:TagKeys', 'x', false],
    ['ForAnyValue:StringLike', 'aws:TagKeys', 't*', true],
    ['ForAllValues:StringEquals', 'aws:TagKeys', ['stage', 'team', 'x'], true],
    ['ForAllValues:StringEquals', 'aws:TagKeys', ['stage'], false],
    ['ForAllValues:StringLike', 'aws:TagKeys', ['*'], true],
    ['ForAnyValue:StringNotEquals', 'aws:TagKeys', 'team', true],
    ['ForAnyValue:StringNotEquals', 'aws:TagKeys', ['team', 'stage'], false],
    ['ForAllValues:StringNotEquals', 'aws:TagKeys', 'team', false],
    ['ForAllValues:StringNotEquals', 'aws:TagKeys', 'x', true],
    ['ForAnyValue:StringEquals', 'test:none', 'x', false],
    ['ForAllValues:StringEquals', 'test:none', 'x', true],
    ['ForAllValues:StringEquals', 'aws:RequestTag/empty', 'x', true],
    ['ForAnyValue:StringEquals', 'aws:username', 'alice', true],
    ['foranyvalue:StringEquals', 'aws:username', 'alice', true],
    ['StringEquals', 'aws:TagKeys', 'team', false],
    ['StringEquals', 'aws:TagKeys', ['team', 'stage'], true],
    ['StringNotEquals', 'aws:TagKeys', 'x', true],
    ['StringNotEquals', 'aws:TagKeys', 'team', false],
    ['StringEquals', 'test:none', 'x', false],
  ],
};

for (const [what, rows] of Object.entries(suites)) {
  describe(what, () => {
    for (const [operator, key, values, holds] of rows) {
      it(`${operator} ${key} ${JSON.stringify(values)} ${holds ? 'holds' : 'does not hold'}`, () => {
        const [condition] = parseConditions({ [operator]: { [key]: values } }, true);
        assert.equal(condition?.holds(context), holds);
      });
    }
  });
}

describe('a Condition element', () => {
  it('is one condition for each operator and key', () => {
    const conditions = parseConditions({ Bool: { 'a:b': true }, StringLike: { 'a:c': 'x', 'a:d': ['y', 'z'] } }, true);
    assert.deepEqual(
      conditions.map(({ operator, key, values }) => [operator, key, ...values]),
      [
        ['Bool', 'a:b', 'true'],
        ['StringLike', 'a:c', 'x'],
        ['StringLike', 'a:d', 'y', 'z'],
      ],
    );
  });

  it('holds no policy variables in a document of version 2008-10-17', () => {
    const [condition] = parseConditions({ StringEquals: { 'aws:username': OWN_NAME } }, false);
    assert.equal(condition?.holds(context), false);
  });

  const refused: readonly [element: unknown, reason: RegExp][] = [
    ['x', /Condition must be an object/],
    [[], /Condition must be an object/],
    [{ StringEquals: 'x' }, /Condition operator StringEquals must be an object/],
    [{ StringIs: { 'a:b': 'x' } }, /'StringIs' is not a condition operator/],
    [{ 'ForSomeValues:StringEquals': { 'a:b': 'x' } }, /not a condition operator/],
    [{ NullIfExists: { 'a:b': 'true' } }, /'NullIfExists' is not a condition operator/],
    [{ 'ForAnyValue:Null': { 'a:b': 'true' } }, /not a condition operator/],
    [{ StringEquals: { username: 'x' } }, /'username' is not a condition key/],
    [{ StringEquals: { 'a:b': [] } }, /has no value/],
    [{ StringEquals: { 'a:b': { c: 1 } } }, /must be a text/],
    [{ StringEquals: { 'a:b': null } }, /must be a text/],
    [{ Bool: { 'a:b': 'yes' } }, /must be true or false, not 'yes'/],
    [{ Null: { 'a:b': 'x' } }, /must be true or false/],
    [{ NumericEquals: { 'a:b': 'ten' } }, /must be a number/],
    [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } }, /must be an address or a CIDR range/],
    [{ DateEquals: { 'a:b': '2026-02-30' } }, /must be a date/],
    [{ DateEquals: { 'a:b': '2026-02-03T10:00:00' } }, /must be a date/],
    [{ DateEquals: { 'a:b': '2026-02-03T25:00:00Z' } }, /must be a date/],
    [{ BinaryEquals: { 'a:b': '***' } }, /must be base64/],
  ];
  for (const [element, reason] of refused) {
    it(`refuses ${JSON.stringify(element)}`, () => {
      assert.throws(
        () => parseConditions(element, true),
        (error) => error instanceof PolicyError && reason.test(error.message),
      );
    });
  }
});
