import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AggregateOptions,
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite';
import { TrailError } from '../../core/error.ts';

/** SQLite up to 3.51.2 can corrupt a database when the WAL is reset under load (https://sqlite.org/wal.html#walresetbug). */
const SAFE_SQLITE = [3, 51, 3] as const;
const BUSY_MS = 10_000;
/** Prepared statements that one connection keeps. */
const STATEMENTS = 200;
const MIGRATIONS = new URL('./migrations/', import.meta.url);

export const DATABASE_FILE = 'tasktrail.db';

/** A function of SQL that makes one value of many rows. */
export interface Gathering<State> {
  start(): State;
  step(state: State, value: SQLOutputValue): State;
  result(state: State): SQLInputValue;
}

/** One connection with its prepared statements. A row is what its query says: the caller names the type. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    // Listings make their SQL of what was asked, in any number of ways; the oldest makes room.
    if (this.#statements.size >= STATEMENTS) this.#statements.delete(this.#statements.keys().next().value ?? '');
    this.#statements.set(sql, statement);
    return statement;
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepare(sql).all(...values) as Row[];
  }

  /** Row by row; leaving the loop ends the read. */
  iterate<Row>(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.prepare(sql).iterate(...values) as unknown as Iterable<Row>;
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  define(name: string, body: (...values: never[]) => SQLInputValue): void {
    this.#db.function(name, { deterministic: true }, body as (...values: unknown[]) => SQLInputValue);
  }

  /** The types of Node.js know only states that are values of SQL. */
  defineAggregate<State>(name: string, parts: Gathering<State>): void {
    this.#db.aggregate(name, parts as unknown as AggregateOptions);
  }

  /** From now until `endRead` every read sees what is committed now, whatever others commit meanwhile. */
  beginRead(): void {
    this.exec('BEGIN');
  }

  endRead(): void {
    // A read that failed may have ended it.
    if (this.#db.isTransaction) this.exec('COMMIT');
  }

  /** All or nothing. Takes the write lock first, so that what is read inside is still true when it is written. */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.exec('COMMIT');
      return value;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.exec('ROLLBACK');
    } catch {
      // What made us roll back says more than that this failed too.
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }
}

/**
 * Open the database of a data directory for writing: made when it is not there, brought to the newest schema when it is older.
 * Throws `unsafe_sqlite`, `unknown_schema`, `store_unavailable`.
 */
export function openDatabase(dataDir: string): Database {
  checkSqlite(process.versions.sqlite);
  let db: Database | undefined;
  try {
    const path = join(dataDir, DATABASE_FILE);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // Made by us first, because SQLite gives the WAL the rights of the database file.
    closeSync(openSync(path, 'a', 0o600));
    db = new Database(new DatabaseSync(path, { timeout: BUSY_MS }));
    // auto_vacuum only counts before the first table. FULL: a commit is on disk before it is answered.
    db.exec('PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    db.exec('PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864');
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    throw openingError(error);
  }
}

/** Open the database for reading beside its writers. Throws `store_unavailable` when it is not there. */
export function openDatabaseForReading(dataDir: string): Database {
  checkSqlite(process.versions.sqlite);
  try {
    const path = join(dataDir, DATABASE_FILE);
    // Not read-only: a WAL database needs its shared memory file, which a reader may be the first to make.
    const db = new Database(new DatabaseSync(path, { timeout: BUSY_MS }));
    db.exec('PRAGMA query_only=ON; PRAGMA cache_size=-8192');
    return db;
  } catch (error) {
    throw openingError(error);
  }
}

/** Refuse a SQLite that may lose what was acknowledged. */
export function checkSqlite(version: string | undefined): void {
  const parts = (version ?? '').split('.').map(Number);
  for (const [index, least] of SAFE_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new TrailError(
        'unsafe_sqlite',
        `expected SQLite ${SAFE_SQLITE.join('.')} or newer, got ${version}; older ones can corrupt the database. Use Node.js 24.14 or newer`,
      );
    }
  }
}

/** Whatever stands in the way of opening, a directory that is a file for one, the store is not to be had. */
function openingError(error: unknown): TrailError {
  const known = storeError(error);
  return known.code === 'internal' ? new TrailError('store_unavailable', known.message, { cause: error }) : known;
}

/** What SQLite threw, as what it means to a caller. */
export function storeError(error: unknown): TrailError {
  if (error instanceof TrailError) return error;
  const { errcode, message } = error as { errcode?: number; message?: string };
  // Primary result codes are the low byte (https://sqlite.org/rescode.html): 13 SQLITE_FULL, 5 BUSY, 10 IOERR.
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === 13) {
    return new TrailError('storage_full', 'the disk is full; make room, reading goes on', { cause: error });
  }
  // Without a result code it did not come from SQLite but from us: no retry would help.
  const code = errcode === undefined ? 'internal' : 'store_unavailable';
  return new TrailError(code, `the database cannot be used: ${message ?? String(error)}`, { cause: error });
}

/** True after a failed write or fsync: what the disk holds is unknown, so this connection must not acknowledge again. */
export function isBroken(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  // 10 SQLITE_IOERR, 11 SQLITE_CORRUPT, 26 SQLITE_NOTADB
  return code !== undefined && [10, 11, 26].includes(code & 0xff);
}

function migrate(db: Database): void {
  const files = readdirSync(MIGRATIONS)
    .filter((file) => /^\d{4}_.*\.sql$/.test(file))
    .sort();
  const version = () => db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  const newest = numberOf(files.at(-1) ?? '');
  if (version() > newest) {
    throw new TrailError(
      'unknown_schema',
      `expected schema ${newest} or older, got ${version()}: the database was made by a newer tasktrail; use that one`,
    );
  }
  for (const file of files.filter((file) => numberOf(file) > version())) {
    const number = numberOf(file);
    db.transaction(() => {
      // Another process may have migrated while we waited for the lock.
      if (version() >= number) return;
      db.exec(readFileSync(new URL(file, MIGRATIONS), 'utf8'));
      db.exec(`PRAGMA user_version=${number}`);
    });
  }
}

function numberOf(file: string): number {
  return Number(file.slice(0, 4));
}
