import type { Draft, EntryType, Stream } from '../../core/entry.ts';
import type { Knows } from '../../core/expr.ts';
import type { Level } from '../../core/level.ts';
import type { Database } from './database.ts';

/** What lines have in common: level, source, stream and type. */
export type Facet = Pick<Draft, 'level' | 'source' | 'stream' | 'type'>;

interface FacetRow {
  facet_no: number;
  level: Level;
  source: string;
  stream: Stream | '';
  type: EntryType;
}

/** Facets kept in memory; sources are strangers' words, so there may be any number of them. */
const KNOWN = 20_000;

/** Numbers of facets. Rows of the table never change, so what is known stays true; a number is only missing when it is new. */
export class Facets {
  readonly #db: Database;
  readonly #byNumber = new Map<number, Facet>();
  readonly #numbers = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** The number of a line's facet, given out when it is new. Only inside a write transaction. */
  numberOf(facet: Facet): number {
    const key = `${facet.level}\n${facet.source}\n${facet.stream ?? ''}\n${facet.type}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const values = [facet.level, facet.source, facet.stream ?? '', facet.type] as const;
    this.#db.run(
      'INSERT INTO facets (level, source, stream, type) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...values,
    );
    const row = this.#db.get<FacetRow>(
      'SELECT * FROM facets WHERE level = ? AND source = ? AND stream = ? AND type = ?',
      ...values,
    );
    const number = row?.facet_no ?? 0;
    if (this.#numbers.size >= KNOWN) this.#numbers.clear();
    this.#numbers.set(key, number);
    return number;
  }

  /** Forget numbers that a rolled-back transaction gave out. */
  forget(): void {
    this.#numbers.clear();
    this.#byNumber.clear();
  }

  /** The facet with a number that a committed line bears. */
  facet(number: number): Facet {
    const known = this.#byNumber.get(number);
    if (known) return known;
    const row = this.#db.get<FacetRow>('SELECT * FROM facets WHERE facet_no = ?', number);
    if (!row) throw new Error(`facet ${number} is missing`);
    const facet: Facet = { level: row.level, source: row.source, stream: row.stream || null, type: row.type };
    if (this.#byNumber.size >= KNOWN) this.#byNumber.clear();
    this.#byNumber.set(number, facet);
    return facet;
  }

  /** The facets that a task's lines have. */
  of(taskNo: number): readonly number[] {
    return this.#db
      .all<{ facet_no: number }>('SELECT facet_no FROM task_facets WHERE task_no = ?', taskNo)
      .map((row) => row.facet_no);
  }
}

/** Answers the terms that a facet decides. */
export function knowsFacet({ level, source, stream, type }: Facet): Knows {
  return (term) => {
    switch (term.op) {
      case 'level':
        return term.values.includes(level);
      case 'source':
        return term.values.includes(source);
      case 'stream':
        return stream !== null && term.values.includes(stream);
      case 'type':
        return term.values.includes(type);
      default:
        return undefined;
    }
  };
}
