import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFolderConfig, readServeConfig } from './config.ts';

const read = (url: string) => readFolderConfig({}, { GANTRY_DATABASE_URL: url }).databaseUrl;

describe('the database of a registry', () => {
  it('is none by default, and else what the flag or the variable says', () => {
    assert.equal(readFolderConfig({}, {}).databaseUrl, undefined);
    assert.equal(read('postgres://user@host/name'), 'postgres://user@host/name');
    assert.equal(readServeConfig({ 'database-url': 'postgresql://host:1/n' }, {}).databaseUrl, 'postgresql://host:1/n');
    assert.equal(read('postgres://host/name?connections=40'), 'postgres://host/name?connections=40');
  });

  it('is refused when it is no address of a database, without repeating its password', () => {
    for (const url of [
      'mysql://u:secret@host/name',
      'postgres://u:secret@host',
      'postgres://u:secret@host/',
      'secret',
    ]) {
      assert.throws(
        () => read(url),
        (error: Error) => /GANTRY_DATABASE_URL/.test(error.message) && !/secret/.test(error.message),
      );
    }
    for (const connections of ['', '0', '1', '-2', 'many']) {
      assert.throws(() => read(`postgres://host/name?connections=${connections}`), /connections/);
    }
  });

  it('is refused by a server that keeps everything in memory', () => {
    assert.throws(
      () => readServeConfig({ ephemeral: true, 'database-url': 'postgres://host/name' }, {}),
      /--ephemeral/,
    );
  });
});
