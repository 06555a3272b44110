import type { SQLInputValue } from 'node:sqlite';
import type { Expr } from '../../core/expr.ts';
import { BLOCK_LINES } from '../../core/limits.ts';
import { requiredTexts } from '../../core/literals.ts';
import { TASK_FILTERS } from './filters.ts';
import { type Mark, marksOf } from './text-filter.ts';

/** Part of a statement with the values in it. */
export interface Sql {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** Marks of one text that are looked for, and of one expression: enough to be sure, few enough to be fast. */
const TEXT_MARKS = 24;
const ALL_MARKS = 400;

/**
 * A condition on the filter of a block (`block_filters` as `f`) that holds unless no line in it can match.
 * @returns undefined when a filter cannot tell
 */
function filterSql(expr: Expr): Sql | undefined {
  const condition = possible(expr);
  return condition && condition.values.length <= ALL_MARKS * 2 ? condition : undefined;
}

/** How a statement over blocks takes their filters into account. */
export interface Filtering {
  /** Up to which seq no line of the block can match. */
  readonly clear: Sql;
  /** Behind the table of blocks. */
  readonly join: string;
  /** After an AND of its own: leaves out blocks in which no line can match. */
  readonly mayHold: Sql;
}

/** For a table of blocks named `k`. */
export function filtering(expr: Expr): Filtering {
  const filter = filterSql(expr);
  if (!filter) return { clear: { sql: '0', values: [] }, join: '', mayHold: { sql: '', values: [] } };
  const { sql, values } = filter;
  return {
    clear: { sql: `iif(f.filter_no IS NULL OR ${sql}, 0, f.to_seq)`, values },
    join: `LEFT JOIN block_filters f ON f.filter_no = k.task_no * ${TASK_FILTERS} + k.block_no`,
    mayHold: {
      sql: `AND (f.filter_no IS NULL OR ${sql} OR (f.to_seq < (k.block_no + 1) * ${BLOCK_LINES}
        AND f.to_seq < (SELECT last_seq FROM trails WHERE trails.task_no = k.task_no)))`,
      values,
    },
  };
}

function possible(expr: Expr): Sql | undefined {
  switch (expr.op) {
    case 'text':
      return ofTexts([expr.text.toLowerCase()]);
    case 'regex':
      return ofTexts(requiredTexts(expr.pattern));
    case 'all':
      return joined(
        expr.parts.map(possible).filter((part) => part !== undefined),
        ' AND ',
      );
    case 'any': {
      const parts = expr.parts.map(possible);
      const told = parts.filter((part) => part !== undefined);
      return told.length === parts.length ? joined(told, ' OR ') : undefined;
    }
    default:
      // Of what it does not hold a filter says nothing.
      return undefined;
  }
}

function ofTexts(texts: readonly string[]): Sql | undefined {
  return joined(
    texts.flatMap((text) => spread(marksOf(text)).map(markSql)),
    ' AND ',
  );
}

function joined(parts: readonly Sql[], word: string): Sql | undefined {
  if (parts.length === 0) return undefined;
  return { sql: `(${parts.map(({ sql }) => sql).join(word)})`, values: parts.flatMap(({ values }) => values) };
}

/** Some of many, from all over the text. */
function spread(marks: readonly Mark[]): readonly Mark[] {
  if (marks.length <= TEXT_MARKS) return marks;
  return Array.from({ length: TEXT_MARKS }, (_, n) => marks[Math.floor((n * marks.length) / TEXT_MARKS)]).filter(
    (mark) => mark !== undefined,
  );
}

function markSql({ byte, bits }: Mark): Sql {
  return {
    sql: 'instr(?, substr(f.data, (? & (length(f.data) - 1)) + 1, 1)) > 0',
    values: [HAVING.get(bits) ?? ANY, byte],
  };
}

/** The bytes that have a bit, one after another; and those that have any. */
const HAVING = new Map(Array.from({ length: 8 }, (_, bit) => [1 << bit, bytesWith(1 << bit)]));
const ANY = bytesWith(255);

function bytesWith(bits: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => value).filter((value) => (value & bits) !== 0);
}
