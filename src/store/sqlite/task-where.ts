import type { SQLInputValue } from 'node:sqlite';
import type { Expr, Term } from '../../core/expr.ts';
import type { Database } from './database.ts';
import { isAscii } from './line-sql.ts';

/** A condition with its values in the order of its places. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

const TEXTS = ['task_id', 'title', 'kind', 'source', 'error'] as const;
export const ALWAYS: Condition = { sql: '1', values: [] };
const NEVER: Condition = { sql: '0', values: [] };

/** Give the connection the function that conditions need: folding as the contract says (SQLite's own `lower` only knows ASCII). */
export function defineTaskFunctions(db: Database): void {
  db.define('contains_folded', (text: string | null, folded: string): number =>
    text?.toLowerCase().includes(folded) ? 1 : 0,
  );
}

/** What `matchesTask` says, in SQL. */
export function taskCondition(expr: Expr, negated = false): Condition {
  if (expr.op === 'not') return taskCondition(expr.part, !negated);
  if (expr.op === 'all' || expr.op === 'any') {
    // What is denied of all is denied of any, so that only terms are denied.
    const all = (expr.op === 'all') !== negated;
    if (expr.parts.length === 0) return all ? ALWAYS : NEVER;
    const parts = expr.parts.map((part) => taskCondition(part, negated));
    return {
      sql: `(${parts.map(({ sql }) => sql).join(all ? ' AND ' : ' OR ')})`,
      values: parts.flatMap(({ values }) => values),
    };
  }
  const { sql, values } = termCondition(expr);
  // Without a value a term is null, which is no more true when it is denied by NOT.
  return negated ? { sql: `(${sql}) IS NOT TRUE`, values } : { sql, values };
}

function termCondition(term: Term): Condition {
  switch (term.op) {
    case 'text': {
      const folded = term.text.toLowerCase();
      const parts = TEXTS.map((column) => holding(`tasks.${column}`, folded));
      return {
        sql: `(${parts.map(({ sql }) => sql).join(' OR ')})`,
        values: parts.flatMap(({ values }) => values),
      };
    }
    case 'source': {
      const [source, provider] = [within('tasks.source', term.values), within('tasks.provider', term.values)];
      return { sql: `(${source.sql} OR ${provider.sql})`, values: [...source.values, ...provider.values] };
    }
    case 'time': {
      const { from, to } = term;
      const bounds = [from !== undefined && 'tasks.created_at >= ?', to !== undefined && 'tasks.created_at < ?'];
      return {
        sql: `(${['1', ...bounds.filter((bound) => bound !== false)].join(' AND ')})`,
        values: [from, to].filter((bound) => bound !== undefined),
      };
    }
    case 'task':
      return within('tasks.task_id', term.values);
    case 'status':
      return within('tasks.status', term.values);
    case 'kind':
      return within('tasks.kind', term.values);
    case 'agent':
      return within('tasks.assigned_agent', term.values);
    case 'model':
      return within('tasks.model', term.values);
    case 'tag': {
      const { sql, values } = within('t.value', term.values);
      return { sql: `EXISTS (SELECT 1 FROM json_each(tasks.tags_json) AS t WHERE ${sql})`, values };
    }
    case 'cost':
      return { sql: `tasks.cost_usd ${term.test} ?`, values: [term.value] };
    case 'dur':
      return { sql: `tasks.duration_seconds ${term.test} ?`, values: [term.value] };
    default:
      return NEVER;
  }
}

/** A column among names: one parameter, however many they are. */
export function within(column: string, names: readonly string[]): Condition {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(names)] };
}

/** Of a column that is all ASCII, as most are, SQLite itself can say; any other is called for by the folding of JavaScript. */
function holding(column: string, folded: string): Condition {
  if (!isAscii(folded)) return { sql: `contains_folded(${column}, ?)`, values: [folded] };
  return {
    sql: `(instr(lower(${column}), ?) > 0 OR (length(${column}) <> octet_length(${column}) AND contains_folded(${column}, ?)))`,
    values: [folded, folded],
  };
}
