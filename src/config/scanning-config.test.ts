import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readServeConfig } from './config.ts';

const served = { scanner: 'trivy', 'trivy-server': 'http://trivy:4954' };
const variable = 'GANTRY_TRIVY_SERVER_TOKEN';

it("takes the token of Trivy's server from a variable, for such a server alone", () => {
  assert.equal(readServeConfig(served, {}).trivy?.token, undefined);
  assert.equal(readServeConfig(served, { [variable]: 'a-token+/=' }).trivy?.token, 'a-token+/=');
  assert.equal(readServeConfig({}, { [variable]: 'a-token' }).trivy, undefined, 'nothing of it is asked');
  const refused = (flags: Record<string, string>, token: string, words: RegExp) =>
    assert.throws(() => readServeConfig(flags, { [variable]: token }), { name: 'ConfigError', message: words });
  refused({ scanner: 'trivy' }, 'a-token', /is for a server of Trivy, which --trivy-server names/);
  refused(served, 'two words', /^(?!.*two words).*without spaces/);
  refused(served, 'a\nline', /without spaces/);
});
