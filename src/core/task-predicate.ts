import { type Expr, judge, knowsTask, taskFacts } from './expr.ts';
import type { TaskQuery } from './query.ts';
import type { Task } from './task.ts';

/** Which tasks a query wants, as one expression. */
export function taskQueryExpr(query: TaskQuery): Expr {
  const { status, source, kind, agent, tag, from, to, minCost, maxCost } = query;
  const parts: Expr[] = [];
  if (status) parts.push({ op: 'status', values: status });
  if (source) parts.push({ op: 'source', values: source });
  if (kind) parts.push({ op: 'kind', values: kind });
  if (agent) parts.push({ op: 'agent', values: agent });
  if (tag) parts.push({ op: 'tag', values: tag });
  if (from !== undefined || to !== undefined) {
    parts.push({ op: 'time', ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  }
  if (minCost !== undefined) parts.push({ op: 'cost', test: '>=', value: minCost });
  if (maxCost !== undefined) parts.push({ op: 'cost', test: '<=', value: maxCost });
  if (query.query) parts.push(query.query.expr);
  return { op: 'all', parts };
}

/** Whether a task is wanted. What only a line can answer is false. Every store's list answers exactly what this says. */
export function matchesTask(expr: Expr, task: Task): boolean {
  const knows = knowsTask(taskFacts(task));
  const matches = judge(expr, (term) => {
    switch (term.op) {
      case 'text': {
        const folded = term.text.toLowerCase();
        return searchedTexts(task).some((text) => text.toLowerCase().includes(folded));
      }
      case 'source':
        return term.values.includes(task.source) || (task.provider !== null && term.values.includes(task.provider));
      case 'time':
        return (
          (term.from === undefined || task.createdAt >= term.from) &&
          (term.to === undefined || task.createdAt < term.to)
        );
      default:
        return knows(term) ?? false;
    }
  });
  return matches ?? false;
}

function searchedTexts({ taskId, title, kind, source, error }: Task): readonly string[] {
  return [taskId, title, kind, source, error].filter((text) => text !== null);
}
