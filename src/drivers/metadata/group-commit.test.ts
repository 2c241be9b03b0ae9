import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageFullError } from '../../core/blob-store.ts';
import { GroupCommit } from './group-commit.ts';
import { SqliteConnection } from './sqlite-connection.ts';

describe('group commit', () => {
  it('shares one commit among works that meet, up to a bound', async () => {
    const { connection, groups } = open(10);
    await Promise.all(numbers(25).map((number) => groups.run(insert(connection, number))));
    assert.equal(connection.commits, 3);
    assert.deepEqual(kept(connection), numbers(25));
  });

  it('takes in works that come while a group runs', async () => {
    const { connection, groups } = open();
    let late: Promise<void> | undefined;
    await groups.run(async () => {
      late = groups.run(insert(connection, 2));
    });
    await late;
    assert.equal(connection.commits, 1);
    assert.deepEqual(kept(connection), [2]);
  });

  it('resolves nothing before the commit', async () => {
    const { connection, groups } = open();
    const commitsSeen = await Promise.all(
      numbers(3).map(async (number) => {
        await groups.run(insert(connection, number));
        return connection.commits;
      }),
    );
    assert.deepEqual(commitsSeen, [1, 1, 1]);
  });

  it('rejects the whole group when the commit fails, and serves the next', async () => {
    const { connection, groups } = open();
    const results = await Promise.allSettled([
      groups.run(insert(connection, 1)),
      groups.run(async () => {
        // Looked at only when committing, since the foreign key is deferred.
        connection.rows('insert into children (parent) values (?)', [404]);
      }),
      groups.run(async () => {
        throw new Error('its own');
      }),
    ]);
    assert.deepEqual(
      results.map((result) => result.status === 'rejected' && result.reason.message),
      ['FOREIGN KEY constraint failed', 'FOREIGN KEY constraint failed', 'its own'],
    );
    await groups.run(insert(connection, 2));
    assert.deepEqual(kept(connection), [2]);
  });

  it('rejects what ran before when the database undoes all of the group, and serves those that wait', async () => {
    const { connection, groups } = open();
    const results = await Promise.allSettled([
      groups.run(insert(connection, 1)),
      groups.run(async () => {
        connection.rows('insert or rollback into numbers values (?)', [1]);
      }),
      groups.run(insert(connection, 2)),
    ]);
    assert.deepEqual(
      results.map((result) => result.status === 'rejected' && result.reason.message),
      ['UNIQUE constraint failed: numbers.number', 'UNIQUE constraint failed: numbers.number', false],
    );
    assert.deepEqual(kept(connection), [2]);
  });

  it('says that there is no room, and takes none from the others', async () => {
    const { connection, groups } = open();
    connection.execute('pragma max_page_count = 20');
    const large = groups.run(async () => {
      connection.rows('insert into contents values (zeroblob(?))', [1_000_000]);
    });
    const small = groups.run(insert(connection, 1));
    await assert.rejects(large, StorageFullError);
    await small;
    assert.deepEqual(kept(connection), [1]);
  });

  it('is idle once all works ended', async () => {
    const { connection, groups } = open(1);
    const works = numbers(3).map((number) => groups.run(insert(connection, number)));
    await groups.idle();
    assert.deepEqual(kept(connection), numbers(3));
    await Promise.all(works);
    assert.equal(groups.openGroup, undefined);
    await groups.idle();
  });
});

class CountingConnection extends SqliteConnection {
  commits = 0;

  override commit(): void {
    super.commit();
    this.commits++;
  }
}

function open(worksMax?: number) {
  const connection = new CountingConnection(':memory:');
  connection.execute(`
    create table numbers (number integer primary key);
    create table children (parent integer references numbers (number) deferrable initially deferred);
    create table contents (bytes blob);
  `);
  return { connection, groups: new GroupCommit(connection, worksMax) };
}

function insert(connection: SqliteConnection, number: number): () => Promise<void> {
  return async () => {
    connection.rows('insert into numbers values (?)', [number]);
  };
}

function kept(connection: SqliteConnection): number[] {
  return connection.rows<{ number: number }>('select number from numbers order by number', []).map((row) => row.number);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
