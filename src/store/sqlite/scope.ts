import type { Expr } from '../../core/expr.ts';
import { isFalse } from '../../core/expr.ts';
import { filterExpr, wholeExpr } from '../../core/predicate.ts';
import type { Scope } from '../../core/search.ts';
import type { Database } from './database.ts';
import { type Filtering, filtering } from './filter-sql.ts';
import { needed } from './line-sql.ts';
import { Scan, type Tables } from './scan.ts';
import { factsOf } from './task-row.ts';

/** A task that has matching lines, perhaps. */
export interface ScopeTask {
  readonly taskId: string;
  readonly scan: Scan;
}

/** Tasks whose filters are kept ready. */
const KEPT = 2_000;

/** What a search asks, made ready for any block of any task. */
export class ScopeScan {
  readonly tables: Tables;
  /** The moments that count: from the first, up to before the last. */
  readonly from: string;
  readonly to: string | undefined;
  readonly filtering: Filtering;
  readonly #scope: Scope;
  readonly #expr: Expr;
  readonly #tasks = new Map<number, ScopeTask | undefined>();

  constructor(tables: Tables, scope: Scope) {
    this.tables = tables;
    this.#scope = scope;
    this.#expr = wholeExpr(scope.filter);
    this.filtering = filtering(this.#expr);
    const times = needed(this.#expr).flatMap((term) => (term.op === 'time' ? [term] : []));
    this.from = times.flatMap(({ from }) => from ?? []).reduce((a, b) => (a > b ? a : b), '');
    this.to = times.flatMap(({ to }) => to ?? []).sort()[0];
  }

  get isEmpty(): boolean {
    return isFalse(this.#expr);
  }

  /** The numbers of the tasks that it is about; undefined: any. */
  taskNos(): readonly number[] | undefined {
    const lists = needed(this.#expr).flatMap((term) => (term.op === 'task' ? [term.values] : []));
    if (this.#scope.tasks) lists.push(this.#scope.tasks);
    const [first, ...rest] = lists;
    if (!first) return undefined;
    const ids = first.filter((id) => rest.every((list) => list.includes(id)));
    return this.tables.db
      .all<{ task_no: number }>(
        'SELECT task_no FROM tasks WHERE task_id IN (SELECT value FROM json_each(?)) ORDER BY task_no DESC',
        JSON.stringify(ids),
      )
      .map(({ task_no }) => task_no);
  }

  /** Undefined when no line of the task can match, or it is gone. */
  task(taskNo: number): ScopeTask | undefined {
    if (this.#tasks.has(taskNo)) return this.#tasks.get(taskNo);
    if (this.#tasks.size >= KEPT) this.#tasks.clear();
    const task = this.#make(this.tables.db, taskNo);
    this.#tasks.set(taskNo, task);
    return task;
  }

  #make(db: Database, taskNo: number): ScopeTask | undefined {
    const facts = factsOf(db, taskNo);
    if (!facts || isFalse(filterExpr(this.#scope.filter, facts))) return undefined;
    return { taskId: facts.taskId, scan: new Scan(this.tables, { taskNo, facts }, this.#scope.filter) };
  }
}
