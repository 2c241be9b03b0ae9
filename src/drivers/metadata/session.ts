import { type AliasableExpression, type Compilable, type Kysely, sql } from 'kysely';
import type { WorkScope } from '../../core/metadata-store.ts';
import type { SqlDialect } from './dialect.ts';
import type { Tables } from './tables.ts';

/** What a database takes and gives; records turn everything else into it. */
export type SqlValue = string | number | Uint8Array | null;

/** Where queries run: a connection that reads, or a transaction. */
export interface Session {
  readonly dialect: SqlDialect;
  /** Runs one statement and gives all its rows; a statement that changes rows gives those it returns. */
  rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]>;
}

/** A database that is open: what a driver for one database has to bring. */
export interface SqlDatabase extends AsyncDisposable {
  /** As MetadataStore.isShared. */
  readonly isShared: boolean;
  /** Sees what is committed, one statement at a time. */
  readonly reader: Session;
  /**
   * As MetadataStore.transaction; the first statement of a work about a repository takes that. The session serves only until
   * work ends.
   */
  transaction<T>(about: WorkScope, work: (session: Session) => Promise<T>): Promise<T>;
  /** How many connections other Gantry processes have to it, where a database can tell; 0 else. */
  othersAtWork(): Promise<number>;
  readonly ids: IdCounters;
  /** Deletes all rows of tables, of which no other table's rows hang on any; each stands behind what its own rows hang on. */
  empty(session: Session, tables: readonly string[]): Promise<void>;
  /** As `transaction`, for the steps of migrations: one at a time, whichever process runs it. */
  migration<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

/** The numbers that a database has handed out as the ids of a table's rows. */
export interface IdCounters {
  /** The highest ever, also when its row is gone; 0 for none. */
  last(session: Session, table: string): Promise<number>;
  /** Lets the table hand out higher numbers than this from now on. */
  goOnAfter(session: Session, table: string, id: number): Promise<void>;
}

/** For each value a query is given when it runs, what stands for it while the query is built. */
export type Placeholders<Values> = { readonly [Name in keyof Values]: AliasableExpression<Values[Name]> };

export type PreparedQuery<Values, Row> = (session: Session, values: Values) => Promise<Row[]>;

/**
 * A query that is built and compiled once for each dialect, then run with values alone: building costs several times
 * what SQLite takes to answer. Its text is the same each time, so connections keep its statement.
 */
export function prepared<Values extends { [Name in keyof Values]: SqlValue }, Row>(
  build: (db: Kysely<Tables>, placeholders: Placeholders<Values>, dialect: SqlDialect) => Compilable<Row>,
): PreparedQuery<Values, Row> {
  const compiledByDialect = new WeakMap<SqlDialect, CompiledText>();
  return (session, values) => {
    let compiled = compiledByDialect.get(session.dialect);
    if (compiled === undefined) {
      compiled = compile(build(session.dialect.build, placeholders<Values>(), session.dialect));
      compiledByDialect.set(session.dialect, compiled);
    }
    const given = values as Readonly<Record<string, SqlValue>>;
    const inOrder = compiled.slots.map((slot) => (slot instanceof Placeholder ? given[slot.name]! : slot));
    return session.rows<Row>(compiled.text, inOrder);
  };
}

/** Runs a query whose form depends on what is asked; anything else is better `prepared`. */
export function run<Row>(session: Session, query: Compilable<Row>): Promise<Row[]> {
  const compiled = query.compile();
  return session.rows<Row>(compiled.sql, compiled.parameters as readonly SqlValue[]);
}

/**
 * A node of the version before serves on while another adds columns. PostgreSQL refuses a statement that a connection has kept
 * when it would now give others: "cached plan must not change result type".
 */
const ALL_COLUMNS = /(?:select|returning|,) (?:"\w+"\.)?\*/;

interface CompiledText {
  readonly text: string;
  /** In the order of the text's parameters: constants of the query, and placeholders. */
  readonly slots: readonly (SqlValue | Placeholder)[];
}

function compile(query: Compilable<unknown>): CompiledText {
  const { sql: text, parameters } = query.compile();
  if (ALL_COLUMNS.test(text)) throw new TypeError(`A query names the columns that it reads: ${text}`);
  return { text, slots: parameters as readonly (SqlValue | Placeholder)[] };
}

class Placeholder {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

function placeholders<Values>(): Placeholders<Values> {
  const standIn = (_: object, name: string | symbol) => sql`${new Placeholder(String(name))}`;
  return new Proxy({}, { get: standIn }) as Placeholders<Values>;
}
