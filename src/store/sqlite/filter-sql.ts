import type { SQLInputValue } from 'node:sqlite';
import type { Expr } from '../../core/expr.ts';
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
export function filterSql(expr: Expr): Sql | undefined {
  const condition = possible(expr);
  return condition && condition.values.length <= ALL_MARKS * 2 ? condition : undefined;
}

/** Up to which seq no line of a block (a row of a table with `task_no` and `block_no`) can match, by its filter. */
export function clearSql(filter: Sql | undefined, table: string): { clear: Sql; join: string } {
  if (!filter) return { clear: { sql: '0', values: [] }, join: '' };
  return {
    clear: { sql: `iif(f.filter_no IS NULL OR ${filter.sql}, 0, f.to_seq)`, values: filter.values },
    join: `LEFT JOIN block_filters f ON f.filter_no = ${table}.task_no * ${TASK_FILTERS} + ${table}.block_no`,
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
  // The bytes that have the bit, one after another.
  const having = Uint8Array.from({ length: 256 }, (_, value) => value).filter((value) => (value & bits) !== 0);
  return { sql: 'instr(?, substr(f.data, (? & (length(f.data) - 1)) + 1, 1)) > 0', values: [having, byte] };
}
