import type { AliasableExpression, Expression, Kysely, RawBuilder } from 'kysely';
import type { Tables } from './tables.ts';

export interface Trigger {
  readonly name: string;
  readonly after: string;
  readonly table: keyof Tables;
  readonly statements: readonly string[];
}

/** All that differs between the databases in what is said to them. */
export interface SqlDialect {
  /** Builds and compiles queries; running one through it throws, since queries run in a session. */
  readonly build: Kysely<Tables>;

  readonly types: {
    /** A primary key the database hands out, and never a second time. */
    readonly id: RawBuilder<unknown>;
    readonly integer: RawBuilder<unknown>;
    /** Compares byte by byte. */
    readonly text: RawBuilder<unknown>;
    readonly bytes: RawBuilder<unknown>;
  };

  /** Whether a text may hold the character U+0000. */
  readonly keepsNul: boolean;

  /** Ends the making of a table whose rows belong in its primary key's tree, where a database can do that. */
  readonly keptByPrimaryKey: RawBuilder<unknown>;

  /**
   * Ends a select of rows that the transaction takes: until it ends, no other takes or changes them. Others may still point
   * at them. Where one transaction runs at a time there is nothing to say.
   */
  readonly taking: RawBuilder<unknown>;

  /**
   * Ends a select of rows of a table that stay until the transaction ends: no other deletes them, but others may change what
   * else they hold, and keep them too.
   */
  keeping(table: keyof Tables): RawBuilder<unknown>;

  /** As `taking`; nobody points at them anew either. */
  readonly takingWhole: RawBuilder<unknown>;

  /** Ends a select of rows to be taken: those another transaction is taking are left out, where there can be another. */
  readonly skippingLocked: RawBuilder<unknown>;

  /**
   * Selects a name for each transaction, `writer`, that has added rows to a table or may be about to, and is not over;
   * undefined where all that was added before what is seen is seen as well.
   */
  writersOf(table: keyof Tables): RawBuilder<{ writer: string }> | undefined;

  /** What makes the database run statements after each row that changes; they know it as `new` and `old`. */
  trigger(trigger: Trigger): readonly string[];

  /** A table of one column, `value`, that holds the texts of a JSON array. */
  texts<Text extends string>(json: Expression<string>): AliasableExpression<{ value: Text }>;

  /** A table of one column, `value`, that holds the objects of a JSON array; `value ->> 'name'` is a member's text. */
  objects(json: Expression<string>): AliasableExpression<{ value: string }>;
}
